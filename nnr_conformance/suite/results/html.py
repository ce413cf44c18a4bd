"""Runs as one HTML file that needs nothing else: no network, light and dark; without scripts there is no filter.

Text of implementations and streams is made printable and escaped; a policy forbids whatever is not in the file.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from nnr_conformance.report.html_page import file_text, page
from nnr_conformance.report.html_text import decimal, text
from nnr_conformance.suite.results.finding import Finding
from nnr_conformance.suite.results.html_matrix import case_matrix, side_by_side, table
from nnr_conformance.suite.results.junit import properties
from nnr_conformance.suite.results.markdown import MOST_WORDS, passed
from nnr_conformance.suite.results.report import RunReport, Tally
from nnr_conformance.suite.results.suspects import findings
from nnr_conformance.suite.results.text import closing, contradiction, contrasted, what_fails
from nnr_conformance.suite.runner.model import Result


def render(report: RunReport) -> Iterator[str]:
    """The page of one run in pieces."""
    name = f"{report.header.implementation} {report.header.version}"
    yield from _page(f"{name}: conformance to ISO/IEC 15938-17", _one(report))


def render_several(reports: Sequence[RunReport]) -> Iterator[str]:
    """The page of several runs side by side in pieces."""
    yield from _page("Implementations of ISO/IEC 15938-17 side by side", _several(reports))


def _page(title: str, body: Iterable[str]) -> Iterator[str]:
    script = "\n" + file_text(__package__, "run_filter.js") + "\n"
    yield from page(text(title), file_text(__package__, "run.css"), _framed(title, body), script)


def _framed(title: str, body: Iterable[str]) -> Iterator[str]:
    yield f"<header><h1>{text(title)}</h1></header>"
    yield "<main>"
    yield from body
    yield "</main>"


def _one(report: RunReport) -> Iterator[str]:
    yield from _section("Result", _summary(report))
    found = findings(report)
    if found:
        yield from _section("What fails", _findings(found))
    yield from _section("Tools", _tools([report]))
    yield from _section("Classes", _tallies("class", report.by_class.items()))
    yield from _section("Clauses", _tallies("clause", report.by_clause.items()))
    if report.results:
        yield from _section("Cases and stages", case_matrix(report))
    if report.by_requirement:
        yield from _section("Requirements", _tallies("requirement", report.by_requirement.items()))
    yield from _section("Run", _run(report))


def _several(reports: Sequence[RunReport]) -> Iterator[str]:
    for report in reports:
        name = f"{report.header.implementation} {report.header.version}"
        yield from _section(text(name), _summary(report))
    yield from _section("Tools", _tools(reports))
    yield from _section("Cases", side_by_side(reports))
    for report in reports:
        yield from _section(f"Run of {text(report.header.implementation)}", _run(report))


def _section(title: str, lines: Iterable[str]) -> Iterator[str]:
    yield f"<section><h2>{title}</h2>"
    yield from lines
    yield "</section>"


def _summary(report: RunReport) -> Iterator[str]:
    yield f"<p>{text(closing(report))}.</p>"
    yield '<ul class="counts">'
    for result in Result:
        if report.counts[result]:
            yield f'<li class="{result.value}">{decimal(report.counts[result])} {result.value}</li>'
    yield "</ul>"
    for row in report.contradictions:
        yield f"<p>Contradiction: <bdi>{text(contradiction(row))}</bdi></p>"
    if report.unexercised:
        yield f"<p>Claimed and not exercised: <bdi>{text(', '.join(report.unexercised))}</bdi></p>"


def _tools(reports: Sequence[RunReport]) -> Iterator[str]:
    by_run = [{row.tool: row for row in report.tools} for report in reports]
    names = [text(f"{report.header.implementation} {report.header.version}") for report in reports]
    tools = sorted({tool for rows in by_run for tool in rows})
    cells = ([f"<bdi>{text(tool)}</bdi>", *(passed(rows.get(tool)) for rows in by_run)] for tool in tools)
    yield '<p class="soft">Cases that passed, of those that ran.</p>'
    yield from table("Tools", ("tool", *names), cells)


def _findings(found: Iterable[Finding]) -> Iterator[str]:
    cells = (
        [
            f"<bdi>{text(what_fails(one))}</bdi>",
            "; ".join(
                f"<bdi>{text(says)}</bdi> ({decimal(count)})" for says, count in [*one.said.items()][:MOST_WORDS]
            ),
            f"<bdi>{text(contrasted(one))}</bdi>",
        ]
        for one in found
    )
    yield '<p class="soft">Properties of streams with which nearly every case fails, and failures that are alike.</p>'
    yield from table("What fails", ("what", "said", "example"), cells)


def _tallies(name: str, rows: Iterable[tuple[str, Tally]]) -> Iterator[str]:
    cells = (
        [text(group), *(decimal(tally[result]) if tally[result] else "" for result in Result)] for group, tally in rows
    )
    yield from table(f"Results by {name}", (name, *(result.value for result in Result)), cells)


def _run(report: RunReport) -> Iterator[str]:
    yield "<dl>"
    for name, value in properties(report.header):
        yield f"<dt>{text(name)}</dt><dd>{text(value)}</dd>"
    for reading, choices in report.followed.items():
        said = ", ".join(f"{choice} ({count})" for choice, (_, count) in choices.items())
        yield f"<dt>follows {text(reading)}</dt><dd>{text(said)}</dd>"
    yield "</dl>"
