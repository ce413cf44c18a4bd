"""The HTML pages of runs: whole, without anything of an implementation in them that acts, and with a filter."""

from __future__ import annotations

import hashlib
import re
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nnr_conformance.suite.results.html import render, render_several
from nnr_conformance.suite.results.html_matrix import MOST_ROWS
from nnr_conformance.suite.results.report import RunReport
from nnr_conformance.suite.runner.model import CaseResult, Result
from tests.report.browser import Browser, find_browser
from tests.report.page import VOID, Page
from tests.suite.results.golden import HEADER, UNSAFE, run_report
from tests.suite.results.test_golden import hostile

VOID.add("input")

ACTIVE = re.compile(r"^on|^style$|^src$|^href$")


def page_of(*reports: RunReport) -> Page:
    return Page("\n".join(render(reports[0]) if len(reports) == 1 else render_several(reports)))


# A clause is read from a name, and with it a row of a table.
NO_CLAUSE = st.text(st.characters(codec=None, exclude_characters="/0123456789"), max_size=12)


@given(NO_CLAUSE)
def test_no_text_adds_an_element_an_attribute_or_a_script(text: str) -> None:
    found, plain = (page_of(hostile(one)) for one in (text + UNSAFE, "plain"))
    assert [name for name, _ in found.elements] == [name for name, _ in plain.elements]
    assert [{*given} for _, given in found.elements] == [{*given} for _, given in plain.elements]
    assert found.scripts == plain.scripts


def test_a_page_of_several_runs_is_as_safe() -> None:
    page = page_of(hostile(UNSAFE), hostile(f"{UNSAFE}'\""))
    assert len(page.scripts) == 1
    assert not [name for _, given in page.elements for name in given if ACTIVE.match(name)]


def test_the_policy_allows_the_script_of_the_page_and_nothing_from_elsewhere() -> None:
    page = page_of(run_report())
    (script,) = page.scripts
    digest = b64encode(hashlib.sha256(script.encode()).digest()).decode()
    (policy,) = [given["content"] for given in page.all("meta") if "http-equiv" in given]
    assert policy == f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'"


def test_every_table_has_heads_of_columns_and_rows_and_every_field_a_label() -> None:
    page = page_of(run_report())
    assert {given.get("scope") for given in page.all("th")} == {"col", "row"}
    regions = [given for given in page.all("div") if given.get("role") == "region"]
    assert len(regions) == len(page.all("table"))
    assert all(given.get("aria-label") for given in regions)
    assert len(page.all("label")) == len(page.all("select")) + len(page.all("input"))


def marks(report: RunReport) -> list[list[str]]:
    """The cells of the matrix between name and detail."""
    rows = [line for line in render(report) if line.startswith("<tr data-results=")]
    return [re.findall(r'<td class="mark [a-z-]+">([^<]*)</td>', row) for row in rows]


def test_a_stage_is_the_same_until_the_first_that_differs() -> None:
    failed = CaseResult("a", Result.FAIL, stage="levels", compared=("syntax", "levels", "tensors"))
    passed = CaseResult("b", Result.PASS, compared=("tensors",))
    assert marks(RunReport(replace(HEADER, cases=2), (failed, passed))) == [
        ["fail", "same", "differs", "after"],
        ["pass", "–", "–", "same"],
    ]


def test_a_failure_that_is_expected_says_so() -> None:
    assert ["fail (expected)", "differs", "after"] in marks(run_report())


def test_of_a_large_run_the_failures_are_shown_and_the_rest_is_counted() -> None:
    passing = [CaseResult(f"p{number}", Result.PASS) for number in range(MOST_ROWS)]
    report = RunReport(replace(HEADER, cases=MOST_ROWS + 1), (*passing, CaseResult("failed", Result.FAIL)))
    lines = [*render(report)]
    rows = [line for line in lines if line.startswith("<tr data-results=")]
    assert len(rows) == MOST_ROWS
    assert "failed" in rows[0]
    assert any("and 1 more" in line for line in lines)


def test_runs_side_by_side_have_a_column_each_and_say_what_was_not_run() -> None:
    first = run_report()
    second = RunReport(replace(HEADER, implementation="Other"), first.results[:1], first.about)
    rows = [line for line in render_several([first, second]) if line.startswith("<tr data-results=")]
    assert len(rows) == len(first.results)
    assert rows[0].endswith('<td class="mark pass">pass</td><td class="mark pass">pass</td></tr>')
    assert rows[1].endswith('<td class="mark fail">fail in levels</td><td class="mark none">not run</td></tr>')


def shown(browser: Browser) -> Sequence[str]:
    found: Sequence[str] = browser.value(
        "[...document.querySelectorAll('tbody.cases tr:not([hidden])')].map(row => row.cells[0].textContent)"
    )
    return found


def choose(browser: Browser, field: str, value: str) -> None:
    browser.value(
        f"(() => {{ const field = document.getElementById('{field}'); field.value = '{value}';"
        " field.dispatchEvent(new Event('input', {bubbles: true})); })()"
    )


@pytest.mark.skipif(find_browser() is None, reason="no Chromium is installed")
def test_the_filter_shows_cases_by_result_tool_and_name(tmp_path: Path) -> None:
    path = tmp_path / "run.html"
    path.write_text("\n".join(render(run_report())), encoding="utf-8")
    program = find_browser()
    assert program is not None
    with Browser(program, tmp_path / "profile") as browser:
        browser.open(path)
        assert len(shown(browser)) == len(run_report().results)
        choose(browser, "result", "fail")
        assert len(shown(browser)) == 3
        number = browser.value(
            "[...document.querySelectorAll('#tool option')].find(one => one.textContent === 'uniform').value"
        )
        choose(browser, "tool", number)
        assert shown(browser) == ["core/10-entry-points-02"]
        choose(browser, "result", "")
        choose(browser, "name", "CARRIED")
        assert shown(browser) == ["core/6-carried-data-01"]
        assert browser.value("document.querySelector('output').textContent") == "1 of 10 shown"
        choose(browser, "name", "")
        choose(browser, "tool", "")
        for width, dark in ((1300, False), (400, True)):
            browser.look(width=width, height=900, dark=dark)
            assert browser.value("document.documentElement.scrollWidth <= innerWidth")
            browser.screenshot(tmp_path / f"run-{width}.png", whole=True)
        assert not browser.complaints
