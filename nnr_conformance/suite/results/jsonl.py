"""A run as lines of JSON: the header, then the results as they came; what a run writes and resumes from."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from nnr_conformance.errors import UsageError
from nnr_conformance.report.json import dump
from nnr_conformance.suite.results.plain import (
    SCHEMA,
    header_from_plain,
    header_to_plain,
    result_from_plain,
    result_to_plain,
)
from nnr_conformance.suite.results.report import RunHeader, RunReport
from nnr_conformance.suite.runner.model import CaseResult


def render(report: RunReport) -> Iterator[str]:
    """The lines."""
    yield header_line(report.header)
    yield from map(result_line, report.results)


def header_line(header: RunHeader) -> str:
    """The first line."""
    return dump({"schema": SCHEMA, "header": header_to_plain(header)})


def result_line(result: CaseResult) -> str:
    """The line of a result."""
    return dump(result_to_plain(result))


def read(lines: Iterable[str]) -> tuple[RunHeader, Iterator[CaseResult]]:
    """The header, and the results as they are read.

    `lines` with their ends; a last one without end, which a run that was killed leaves, is left out. A case may come
    twice. Raises UsageError for anything else, also while the results are read.
    """
    numbered = enumerate(lines, 1)
    _, first = next(numbered, (0, ""))
    opening = _parsed(first, 1)
    if not isinstance(opening, dict) or opening.get("schema") != SCHEMA:
        raise UsageError(f"line 1: not the beginning of a run ({SCHEMA})")
    return header_from_plain(opening.get("header")), _results(numbered)


def _results(numbered: Iterator[tuple[int, str]]) -> Iterator[CaseResult]:
    for number, line in numbered:
        if not line.endswith("\n"):
            # The run was ended while it wrote: only a line that has its end is known to be whole.
            return
        if line.strip():
            yield result_from_plain(_parsed(line, number))


def _parsed(line: str, number: int) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"line {number}: not JSON: {error}") from None
