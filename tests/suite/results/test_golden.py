"""The golden reports of a run are what the renderers give, and no text of an implementation can do anything in them."""

from __future__ import annotations

import re
from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nnr_conformance.suite.results.formats import FORMATS, renderer
from nnr_conformance.suite.results.markdown import failure_groups, render_several
from nnr_conformance.suite.results.report import About, RunReport
from nnr_conformance.suite.runner.model import CaseResult, Result
from tests.suite.results import golden

ANY_TEXT = st.text(st.characters(codec=None), max_size=12)


def hostile(text: str) -> RunReport:
    """A run with a text wherever an implementation or a stream may bring its own."""
    results = (
        CaseResult(text, Result.CRASH, stage=text, detail=text, followed={text: text}),
        CaseResult(f"core/6-{text}-01", Result.FAIL, detail=text),
    )
    header = replace(golden.HEADER, implementation=text, version=text, reached=text, tools=(text,), cases=2)
    return RunReport(header, results, {text: About(text, (text,), (text,))})


@pytest.mark.parametrize("name", FORMATS)
def test_a_report_is_its_golden_letter_by_letter(name: str) -> None:
    assert golden.text_of(name) == golden.path_of(name).read_bytes().decode("utf-8")


def test_no_golden_is_left_of_a_format_that_is_gone() -> None:
    assert {path.name for path in golden.FOLDER.iterdir()} == {golden.path_of(name).name for name in FORMATS}


@pytest.mark.parametrize("name", FORMATS)
@given(ANY_TEXT)
def test_a_report_holds_only_printable_characters(name: str, text: str) -> None:
    pieces = "\n".join(renderer(name)(hostile(text)))
    assert all(line.isprintable() for line in pieces.split("\n"))
    pieces.encode("utf-8")


@given(ANY_TEXT)
def test_no_text_breaks_the_xml(text: str) -> None:
    root = ET.fromstring("\n".join(renderer("junit")(hostile(text))).encode("utf-8"))
    assert len(list(root.iter("testcase"))) == 2


def test_the_counts_of_a_suite_are_those_of_its_tests() -> None:
    root = ET.fromstring(golden.text_of("junit").encode("utf-8"))
    assert {kind: root.get(kind) for kind in ("tests", "failures", "errors", "skipped")} == {
        "tests": "10",
        "failures": "4",
        "errors": "2",
        "skipped": "2",
    }
    for element in [root, *root.findall("testsuite")]:
        cases = list(element.iter("testcase"))
        assert element.get("tests") == str(len(cases))
        for kind, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            assert element.get(kind) == str(sum(case.find(tag) is not None for case in cases))


@given(ANY_TEXT)
def test_no_text_leaves_its_cell_of_a_markdown_table(text: str) -> None:
    tables = "\n".join(renderer("markdown")(hostile(text))).split("\n\n")
    for table in tables:
        rows = [line for line in table.split("\n") if line.startswith("|")]
        assert len({len(re.findall(r"(?<!\\)(?:\\\\)*\|", row)) for row in rows}) <= 1


def test_failures_that_differ_in_numbers_only_are_a_group_and_the_largest_group_is_first() -> None:
    failures = [
        CaseResult("a", Result.CRASH, detail="signal 11"),
        CaseResult("b", Result.FAIL, stage="levels", detail="element 3 is 5, not 7"),
        CaseResult("c", Result.FAIL, stage="levels", detail="element 12 is 0, not 1"),
        CaseResult("d", Result.FAIL, stage="tensors", detail="element 3 is 5, not 7"),
    ]
    groups = failure_groups(failures)
    assert [[one.case for one in group.cases] for group in groups] == [["b", "c"], ["a"], ["d"]]


def test_implementations_side_by_side_have_a_column_each() -> None:
    first = golden.run_report()
    second = RunReport(replace(first.header, implementation="Other", tools=()), first.results[:1], first.about)
    lines = [*render_several([first, second])]
    assert "| tool | Example 1.2 | Other 1.2 |" in lines
    assert "| entry points | 1 of 3 | 1 of 1 (not claimed) |" in lines
    assert "| row skip | not exercised | – |" in lines
    assert "| bias | not supported | – |" in lines
    assert "| core | 1 of 4 | 1 of 1 |" in lines
