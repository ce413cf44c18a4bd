"""The matrices of the HTML page: cases and stages of one run, cases and implementations of several."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TypeVar

from nnr_conformance.decoder.digests import STAGES
from nnr_conformance.report.html_text import decimal, text
from nnr_conformance.suite.results.report import FAILURES, About, Reason, RunReport
from nnr_conformance.suite.runner.model import CaseResult, Result

Row = TypeVar("Row")

MOST_ROWS = 5000
"""Rows of a matrix; a browser is slow with more, and JSON has them all. Cases that fail come first when there are."""


def case_matrix(report: RunReport) -> Iterator[str]:
    """What became of each case, and on which stages it was right."""
    seen = {stage for one in report.results for stage in (*one.compared, one.stage)} - {""}
    stages = [*(stage for stage in STAGES if stage in seen), *sorted(seen - {*STAGES})]
    shown = _shown(report.results, lambda one: one.result in FAILURES)
    tools = _Tools(report.about)
    yield from _filter({one.result for one in shown}, tools)
    yield from _head("Cases and stages", ("case", "result", *map(text, stages), "detail"))
    for one in shown:
        cells = [_result(one), *(_stage(one, stage) for stage in stages), _detail(one, report.reasons.get(one.case))]
        yield _row(one.case, [one.result.value], tools.numbers(one.case), cells)
    yield from _end(len(report.results), len(shown))


def side_by_side(reports: Sequence[RunReport]) -> Iterator[str]:
    """What became of each case with each implementation."""
    by_run = [{one.case: one for one in report.results} for report in reports]
    cases = [*dict.fromkeys(case for results in by_run for case in results)]
    fails = {one.case for results in by_run for one in results.values() if one.result in FAILURES}
    shown = _shown(cases, fails.__contains__)
    about = {case: found for report in reversed(reports) for case, found in report.about.items()}
    tools = _Tools(about)
    yield from _filter({one.result for results in by_run for one in results.values()}, tools)
    names = (text(f"{report.header.implementation} {report.header.version}") for report in reports)
    yield from _head("Cases and implementations", ("case", *names))
    for case in shown:
        found = [results.get(case) for results in by_run]
        cells = ['<td class="mark none">not run</td>' if one is None else _result(one, one.stage) for one in found]
        yield _row(case, [one.result.value for one in found if one is not None], tools.numbers(case), cells)
    yield from _end(len(cases), len(shown))


def table(name: str, titles: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """A table that scrolls by itself when it is wide; the first cell of a row is its head."""
    yield from _head(name, titles, kind="")
    for first, *rest in rows:
        cells = "".join(f"<td>{cell}</td>" for cell in rest)
        yield f'<tr><th scope="row">{first}</th>{cells}</tr>'
    yield "</tbody></table></div>"


class _Tools:
    """The tools of cases by number, so that a row of the matrix stays short."""

    def __init__(self, about: Mapping[str, About]) -> None:
        self._about = about
        self.names = sorted({tool for found in about.values() for tool in found.tools})
        self._numbers = {name: str(number) for number, name in enumerate(self.names)}

    def numbers(self, case: str) -> str:
        """The tools of a case, numbers with spaces between."""
        found = self._about.get(case)
        return "" if found is None else " ".join(self._numbers[tool] for tool in found.tools)


def _shown(rows: Sequence[Row], first: Callable[[Row], bool]) -> Sequence[Row]:
    if len(rows) <= MOST_ROWS:
        return rows
    return sorted(rows, key=lambda row: not first(row))[:MOST_ROWS]


def _filter(results: set[Result], tools: _Tools) -> Iterator[str]:
    yield '<div class="filters" role="search" hidden>'
    yield '<label>result <select id="result"><option value="">any</option>'
    yield "".join(f"<option>{result.value}</option>" for result in Result if result in results)
    yield '</select></label><label>tool <select id="tool"><option value="">any</option>'
    yield "".join(f'<option value="{number}">{text(name)}</option>' for number, name in enumerate(tools.names))
    yield '</select></label><label>name <input id="name" type="search"></label>'
    yield "<output></output></div>"


def _head(name: str, titles: Sequence[str], kind: str = ' class="cases"') -> Iterator[str]:
    yield f'<div class="scroll" role="region" aria-label="{name}" tabindex="0"><table>'
    heads = "".join(f'<th scope="col">{title}</th>' for title in titles)
    yield f"<thead><tr>{heads}</tr></thead>"
    yield f"<tbody{kind}>"


def _row(case: str, results: Iterable[str], tools: str, cells: Iterable[str]) -> str:
    given = f'data-results="{" ".join(dict.fromkeys(results))}" data-tools="{tools}"'
    return f'<tr {given}><th scope="row"><bdi>{text(case)}</bdi></th>{"".join(cells)}</tr>'


def _end(count: int, shown: int) -> Iterator[str]:
    yield "</tbody></table></div>"
    if count > shown:
        yield f'<p class="soft">and {decimal(count - shown)} more, which the JSON format lists</p>'


def _result(one: CaseResult, stage: str = "") -> str:
    kind = "known" if one.known else one.result.value
    said = one.result.value + (" (expected)" if one.known else "") + (f" in {text(stage)}" if stage else "")
    return f'<td class="mark {kind}">{said}</td>'


def _stage(one: CaseResult, stage: str) -> str:
    """A stage is the same, differs, lies behind the first that differs, or was not compared."""
    if stage == one.stage:
        return f'<td class="mark {"known" if one.known else "fail"}">differs</td>'
    if stage not in one.compared:
        return '<td class="mark none">–</td>'
    if one.stage and one.stage in STAGES and stage in STAGES and STAGES.index(stage) > STAGES.index(one.stage):
        return '<td class="mark none">after</td>'
    return '<td class="mark pass">same</td>'


def _detail(one: CaseResult, reason: Reason | None) -> str:
    why = "" if reason is None else f'<div class="soft">expected: <bdi>{text(str(reason))}</bdi></div>'
    return f'<td class="detail"><bdi>{text(one.detail)}</bdi>{why}</td>'
