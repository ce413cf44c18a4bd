"""Runs as Markdown: of one run the counts, the tools, and its failures in groups; of several the tools side by side."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from nnr_conformance.report.printing import printable
from nnr_conformance.suite.results.finding import Finding
from nnr_conformance.suite.results.junit import properties
from nnr_conformance.suite.results.report import Reason, RunReport, Tally, ToolRow
from nnr_conformance.suite.results.suspects import findings
from nnr_conformance.suite.results.text import closing, contradiction, contrasted, what_fails
from nnr_conformance.suite.runner.model import CaseResult, Result

MOST_CASES = 20
"""Cases shown of a group of failures; JSON has them all."""

MOST_GROUPS = 200
"""Groups of failures shown."""

MOST_WORDS = 5
"""Different words shown of what fails as a whole."""

_SPECIAL = re.compile(r"([\\`*_\[\]<>#|&~$])")
_NUMBER = re.compile(r"\d+")


class FailureGroup(NamedTuple):
    """Failures with the same result in the same stage whose details differ in numbers only."""

    result: Result
    stage: str
    detail: str
    cases: tuple[CaseResult, ...]


def render(report: RunReport) -> Iterator[str]:
    """The lines."""
    header = report.header
    yield f"# {text(header.implementation)} {text(header.version)}"
    yield ""
    yield f"{text(closing(report))}."
    yield ""
    yield from table(("", ""), ((text(name), text(value)) for name, value in properties(header)))
    yield from _section("Classes", tally_table("class", report.by_class))
    yield from _section("Clauses", tally_table("clause", report.by_clause))
    yield from _section("Tools", tool_table(report.tools))
    if report.followed:
        rows = ((text(reading), _choices(choices)) for reading, choices in report.followed.items())
        yield from _section("Readings followed", table(("reading", "followed"), rows))
    if report.contradictions:
        yield from _section("Contradictions", (f"- {text(contradiction(row))}" for row in report.contradictions))
    found = findings(report)
    if found:
        yield from _section("What fails", finding_lines(found))
    if report.failures:
        yield from _section("Failures", _failures(failure_groups(report.failures), report.reasons))


def render_several(reports: Sequence[RunReport]) -> Iterator[str]:
    """Runs side by side: of each tool, how many of the cases that ran each implementation passed."""
    names = [text(f"{report.header.implementation} {report.header.version}") for report in reports]
    yield "# Implementations side by side"
    yield ""
    yield from table(("", "result", "corpus", "date"), (_overview(*row) for row in zip(names, reports, strict=True)))
    by_run = [{row.tool: row for row in report.tools} for report in reports]
    tools = sorted({tool for rows in by_run for tool in rows})
    cells = ((text(tool), *(passed(rows.get(tool)) for rows in by_run)) for tool in tools)
    yield from _section("Tools", table(("tool", *names), cells))
    classes = sorted({kind for report in reports for kind in report.by_class})
    counted = ((text(kind), *(_passed_of(report.by_class.get(kind)) for report in reports)) for kind in classes)
    yield from _section("Classes", table(("class", *names), counted))


def finding_lines(found: Iterable[Finding]) -> Iterator[str]:
    """What fails as a whole: what its failures say, and an example beside a case that passed."""
    for one in found:
        yield f"- {text(what_fails(one))}"
        said = [f"{text(says)} ({count})" for says, count in one.said.items() if says != one.says]
        for words in said[:MOST_WORDS]:
            yield f"  - {words}"
        if len(said) > MOST_WORDS:
            yield f"  - and {len(said) - MOST_WORDS} others"
        yield f"  - {text(contrasted(one))}"


def failure_groups(failures: Iterable[CaseResult]) -> list[FailureGroup]:
    """Failures in groups, the largest first."""
    groups: dict[tuple[Result, str, str], list[CaseResult]] = {}
    for one in failures:
        groups.setdefault((one.result, one.stage, _NUMBER.sub("0", one.detail)), []).append(one)
    made = [FailureGroup(kind, stage, cases[0].detail, tuple(cases)) for (kind, stage, _), cases in groups.items()]
    return sorted(made, key=lambda group: -len(group.cases))


def passed(row: ToolRow | None) -> str:
    """What an implementation does with a tool."""
    if row is None or not row.cases:
        return "–" if row is None or not row.claimed else "not exercised"
    if not row.ran:
        return "not supported"
    return f"{row.passed} of {row.ran}" + ("" if row.claimed else " (not claimed)")


def tool_table(rows: Iterable[ToolRow]) -> Iterator[str]:
    """Tools, claimed and exercised."""
    cells = (
        (text(row.tool), "yes" if row.claimed else "no", str(row.cases), str(row.ran), str(row.passed)) for row in rows
    )
    yield from table(("tool", "claimed", "cases", "ran", "passed"), cells)


def tally_table(name: str, tallies: Mapping[str, Tally]) -> Iterator[str]:
    """Groups of cases by result."""
    cells = (
        (text(group), *(str(tally[result]) if tally[result] else "" for result in Result))
        for group, tally in tallies.items()
    )
    yield from table((name, *(result.value for result in Result)), cells)


def table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """A table."""
    yield f"| {' | '.join(titles)} |"
    yield f"|{'---|' * len(titles)}"
    for row in rows:
        yield f"| {' | '.join(row)} |"


def text(content: str) -> str:
    """Text that no reader of Markdown takes for anything else."""
    return _SPECIAL.sub(r"\\\1", printable(content))


def _section(title: str, lines: Iterable[str]) -> Iterator[str]:
    yield ""
    yield f"## {title}"
    yield ""
    yield from lines


def _failures(groups: Sequence[FailureGroup], reasons: Mapping[str, Reason]) -> Iterator[str]:
    for result, stage, detail, cases in groups[:MOST_GROUPS]:
        known = sum(one.known for one in cases)
        count = f"{len(cases)} case{'' if len(cases) == 1 else 's'}" + (f", {known} expected" if known else "")
        place = f" in {text(stage)}" if stage else ""
        yield f"- **{result.value}{place}** ({count}): {text(detail)}"
        for reason in dict.fromkeys(reasons[one.case] for one in cases if one.case in reasons):
            yield f"  - expected: {text(str(reason))}"
        for one in cases[:MOST_CASES]:
            yield f"  - {text(one.case)}" + (f": {text(one.detail)}" if one.detail != detail else "")
        if len(cases) > MOST_CASES:
            yield f"  - and {len(cases) - MOST_CASES} more"
    if len(groups) > MOST_GROUPS:
        yield f"- and {len(groups) - MOST_GROUPS} more kinds of failure, which JSON lists"


def _choices(choices: Mapping[str, tuple[str, int]]) -> str:
    return ", ".join(f"{text(choice)} ({count}, first {text(first)})" for choice, (first, count) in choices.items())


def _overview(name: str, report: RunReport) -> tuple[str, ...]:
    header = report.header
    return name, text(closing(report)), text(f"{header.corpus} {header.corpus_digest[:12]}"), text(header.date)


def _passed_of(tally: Tally | None) -> str:
    return "–" if tally is None else f"{tally[Result.PASS]} of {tally.total() - tally[Result.NOT_SUPPORTED]}"
