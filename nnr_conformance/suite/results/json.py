"""A run as one JSON text: header, results with what their cases are about, and the tables counted from them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from nnr_conformance.errors import UsageError
from nnr_conformance.report.json import dump
from nnr_conformance.suite.results.plain import (
    SCHEMA,
    about_from_plain,
    about_to_plain,
    finding_to_plain,
    header_from_plain,
    header_to_plain,
    reason_from_plain,
    reason_to_plain,
    result_from_plain,
    result_to_plain,
)
from nnr_conformance.suite.results.report import RunReport, Tally
from nnr_conformance.suite.results.suspects import findings
from nnr_conformance.suite.runner.model import Result


def render(report: RunReport) -> Iterator[str]:
    """The text in pieces, one line for each case, so that two runs can be compared line by line."""
    opening = dump({"schema": SCHEMA, "header": header_to_plain(report.header), "summary": summary(report)}, indent=1)
    yield opening.removesuffix("\n}") + ","
    yield ' "results": ['
    last = len(report.results) - 1
    for number, one in enumerate(report.results):
        about, reason = report.about.get(one.case), report.reasons.get(one.case)
        values = result_to_plain(one)
        values |= {} if reason is None else {"expected": reason_to_plain(reason)}
        values |= {} if about is None else {"about": about_to_plain(about)}
        yield f"  {dump(values)}{',' if number < last else ''}"
    yield " ]"
    yield "}"


def parse(text: str) -> RunReport:
    """The report that was rendered. Raises UsageError for anything else."""
    try:
        values = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"not JSON: {error}") from None
    if not isinstance(values, dict) or values.get("schema") != SCHEMA:
        raise UsageError(f"not a run ({SCHEMA})")
    rows = values.get("results")
    if not isinstance(rows, list):
        raise UsageError("a run without results")
    results = tuple(map(result_from_plain, rows))
    pairs = [*zip(results, rows, strict=True)]
    about = {one.case: about_from_plain(row["about"]) for one, row in pairs if "about" in row}
    reasons = {one.case: reason_from_plain(row["expected"]) for one, row in pairs if "expected" in row}
    return RunReport(header_from_plain(values.get("header")), results, about, reasons)


def summary(report: RunReport) -> dict[str, Any]:
    """What is counted from the results."""
    return {
        "partial": report.is_partial,
        "cases": len(report.results),
        "expected_failures": sum(one.known for one in report.failures),
        "results": tally_to_plain(report.counts),
        "classes": tallies_to_plain(report.by_class),
        "clauses": tallies_to_plain(report.by_clause),
        "tools": {
            row.tool: {"claimed": row.claimed, "cases": row.cases, "ran": row.ran, "passed": row.passed}
            for row in report.tools
        },
        "requirements": tallies_to_plain(report.by_requirement),
        "readings_followed": {
            reading: {choice: {"first": first, "cases": count} for choice, (first, count) in choices.items()}
            for reading, choices in report.followed.items()
        },
        "contradictions": [
            {"reading": one.reading, "declared": one.declared, "followed": list(one.followed)}
            for one in report.contradictions
        ],
        "unexercised": list(report.unexercised),
        "findings": [finding_to_plain(found) for found in findings(report)],
    }


def tallies_to_plain(tallies: Mapping[str, Tally]) -> dict[str, dict[str, int]]:
    """Counts of results by group."""
    return {group: tally_to_plain(tally) for group, tally in tallies.items()}


def tally_to_plain(tally: Tally) -> dict[str, int]:
    """Counts by result in the order of results, those that are 0 left out."""
    return {result.value: tally[result] for result in Result if tally[result]}
