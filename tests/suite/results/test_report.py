"""What is counted from the results of a run, and the header that says what was run."""

from __future__ import annotations

import hashlib
import time
from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nnr_conformance.suite.corpus.summary import manifest_rows
from nnr_conformance.suite.results.formats import FORMATS, renderer
from nnr_conformance.suite.results.header import corpus_digest, header_of, reached
from nnr_conformance.suite.results.report import About, RunReport, ToolRow, clause_of
from nnr_conformance.suite.runner.implementation import Implementation
from nnr_conformance.suite.runner.model import CaseResult, Result
from tests.suite.results.golden import HEADER, RESULTS, run_report


def test_every_result_but_pass_and_not_supported_is_a_failure() -> None:
    report = run_report()
    assert {one.result for one in report.failures} == {*Result} - {Result.PASS, Result.NOT_SUPPORTED}
    assert report.counts == Counter(one.result for one in RESULTS)


def test_a_case_counts_once_in_its_class_and_clause_and_for_each_of_its_tools_and_requirements() -> None:
    report = run_report()
    assert report.by_class["core"] == {Result.PASS: 1, Result.FAIL: 2, Result.REJECTED: 1}
    assert report.by_clause["10"] == {Result.PASS: 2, Result.FAIL: 2}
    assert report.by_tool["uniform"] == {Result.PASS: 2, Result.FAIL: 1, Result.REJECTED: 1}
    assert report.by_requirement["R-EP-01"] == {Result.PASS: 1, Result.FAIL: 2}


def test_clauses_are_in_the_order_of_numbers() -> None:
    assert list(run_report().by_clause) == ["6", "8", "9", "10"]


@pytest.mark.parametrize(
    ("case", "clause"),
    [
        ("core/10-entry-points-01", "10"),
        ("requirements/6/6-a-01", "6"),
        ("cfp2019/p1-cnn-01", ""),
        ("9-x", "9"),
        (f"{'9' * 5000}-x", ""),
    ],
)
def test_the_clause_of_a_case_is_the_number_before_its_name(case: str, clause: str) -> None:
    assert clause_of(case) == clause


def test_a_tool_that_is_claimed_and_has_no_case_that_ran_is_not_exercised() -> None:
    report = run_report()
    assert report.unexercised == ("row skip",)
    assert ToolRow("bias", claimed=False, cases=1, ran=0, passed=0) in report.tools
    assert ToolRow("uniform", claimed=True, cases=4, ran=4, passed=2) in report.tools


def test_who_claims_nothing_in_particular_claims_every_tool_that_a_case_uses() -> None:
    report = RunReport(replace(HEADER, tools=None), run_report().results, run_report().about)
    assert report.unexercised == ("bias",)


def test_a_reading_that_is_followed_otherwise_than_declared_is_a_contradiction() -> None:
    (found,) = run_report().contradictions
    assert (found.reading, found.declared, [*found.followed]) == ("edition1-payload", "31", ["32"])


def test_a_reading_that_is_followed_in_two_ways_is_a_contradiction_with_the_first_case_of_each() -> None:
    results = tuple(
        CaseResult(case, Result.PASS, followed={"axis": choice}) for case, choice in zip("abc", "xyx", strict=True)
    )
    (found,) = RunReport(replace(HEADER, readings={}), results).contradictions
    assert found.followed == {"x": ("a", 2), "y": ("b", 1)}
    assert RunReport(HEADER, results[:1]).contradictions == ()


def test_a_run_is_partial_when_cases_were_left_out_or_it_did_not_end() -> None:
    report = run_report()
    assert not report.is_partial
    assert RunReport(replace(HEADER, partial=True), report.results).is_partial
    assert RunReport(HEADER, report.results[:-1]).is_partial


@given(st.lists(st.sampled_from(Result)))
def test_no_case_is_lost_in_a_table(results: list[Result]) -> None:
    rows = tuple(CaseResult(f"core/6-a-{number:02}", result) for number, result in enumerate(results))
    report = RunReport(HEADER, rows, {row.case: About("core", ("uniform",), ("R-A-01",)) for row in rows})
    for table in (report.by_class, report.by_tool, report.by_requirement, report.by_clause):
        assert sum(tally.total() for tally in table.values()) == len(results) == report.counts.total()


def test_the_digest_of_the_corpus_is_that_of_what_sha256sum_writes_of_its_streams() -> None:
    lines = "".join(f"{row['sha256']}  {row['path']}\n" for row in manifest_rows())
    assert corpus_digest() == hashlib.sha256(lines.encode()).hexdigest()


def test_the_header_tells_claims_bounds_and_selection_of_the_run() -> None:
    implementation = Implementation(
        "Example", "2", adapter="example", tools=frozenset({"uniform", "bias"}), readings={"b": "1", "a": "2"}
    )
    header = header_of(implementation, 7, date="today", selection=("--only 6",), partial=True)
    assert (header.implementation, header.version, header.cases, header.date) == ("Example", "2", 7, "today")
    assert (header.tools, [*header.readings]) == (("bias", "uniform"), ["a", "b"])
    assert (header.seconds, header.memory) == (60.0, 4 << 30)
    assert (header.selection, header.partial) == (("--only 6",), True)


@pytest.mark.parametrize(
    ("implementation", "said"),
    [
        (Implementation("", "", adapter="example"), "adapter example"),
        (Implementation("", "", adapter="my.module:Class"), "adapter my.module:Class"),
        (Implementation("", "", adapter="/home/me/adapter.py:Class"), "adapter adapter.py:Class"),
        (Implementation("", "", decoder="dec {stream} -o {tensors}"), "command dec {stream} -o {tensors}"),
        (
            Implementation("", "", decoder="/opt/x/python3 '/a b/dec.py' --lib=../lib/y.so {stream}"),
            "command python3 dec.py --lib=y.so {stream}",
        ),
        (Implementation("", "", decoder=r"C:\tools\dec.exe '{stream}"), "command dec.exe '{stream}"),
    ],
)
def test_how_an_implementation_is_reached_is_told_without_paths(implementation: Implementation, said: str) -> None:
    assert reached(implementation) == said


@pytest.mark.parametrize("name", FORMATS)
def test_a_large_run_is_rendered_in_time_that_is_linear(name: str) -> None:
    def spent(count: int) -> float:
        results = tuple(
            CaseResult(f"core/6-a-{number}", Result.FAIL, detail=f"d{number}", followed={"axis": str(number % 3)})
            for number in range(count)
        )
        about = {one.case: About("core", ("uniform", "bias"), ("R-A-01",)) for one in results}
        report = RunReport(replace(HEADER, cases=count), results, about)
        begin = time.process_time()
        for _ in renderer(name)(report):
            """Only the time matters."""
        return time.process_time() - begin

    spent(1000)
    small, large = spent(5_000), spent(100_000)
    assert large < 60 * small + 0.5
