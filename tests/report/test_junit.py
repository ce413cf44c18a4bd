"""JUnit reports: a suite for each stream, a test for each unit, well-formed whatever the stream says."""

from __future__ import annotations

from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nnr_conformance.diagnostics import catalogue, diagnose
from nnr_conformance.report.formats import Run
from nnr_conformance.report.junit import MOST_NAMES, render
from nnr_conformance.report.model import ReadingOutcome, Report, StreamReport, UnitRow, Verdict, verdict_of
from tests.report.golden import RUN, damaged_report

ANY_TEXT = st.text(st.characters(codec=None), max_size=20)


def parsed(report: Report, run: Run = RUN) -> ET.Element:
    return ET.fromstring("\n".join(render(report, run)).encode("utf-8"))


def report_of(
    *found: str, path: str = "unit 0", undecoded: tuple[str, ...] = (), names: tuple[str, ...] = ()
) -> Report:
    diagnostics = tuple(diagnose(code, "found", path=path) for code in found)
    stream: StreamReport = replace(
        damaged_report().streams[0],
        units=(UnitRow("unit 0", "NNR_NDU", 0, 10, 5, names),),
        undecoded=undecoded,
        diagnostics=diagnostics,
        verdict=verdict_of(diagnostics),
        rules={},
        consulted=(),
    )
    return Report((stream,), "0")


def test_each_stream_is_a_suite_and_each_unit_a_test_after_that_of_the_stream() -> None:
    report = damaged_report()
    suites = parsed(report).findall("testsuite")[::2]
    assert [suite.get("name") for suite in suites] == [stream.name for stream in report.streams]
    for suite, stream in zip(suites, report.streams, strict=True):
        names = [case.get("name", "") for case in suite.findall("testcase")]
        assert names[0] == "stream"
        assert [name.split(" · ")[0] for name in names[1:]] == [unit.label for unit in stream.units]


def test_the_counts_are_those_of_the_tests() -> None:
    root = parsed(damaged_report())
    assert root.get("failures") != "0"
    for element in [root, *root.findall("testsuite")]:
        cases = list(element.iter("testcase"))
        assert element.get("tests") == str(len(cases))
        assert element.get("failures") == str(sum(case.find("failure") is not None for case in cases))
        assert element.get("errors") == "0"
        assert element.get("skipped") == str(sum(case.find("skipped") is not None for case in cases))


def test_each_rule_of_a_stream_is_a_test_that_says_how_often_it_passed_and_failed() -> None:
    report = damaged_report()
    for suite, stream in zip(parsed(report).findall("testsuite")[1::2], report.streams, strict=True):
        assert suite.get("name") == f"{stream.name} · rules"
        cases = suite.findall("testcase")
        names = [f"{code} · {catalogue()[code].requirement}" for code in stream.rules]
        assert [case.get("name") for case in cases] == names
        skipped = [case for case in cases if case.find("skipped") is not None]
        assert len(skipped) == stream.rule_counts.not_applicable


def test_a_rule_fails_where_it_made_an_error_and_not_where_it_made_a_warning() -> None:
    rules = {"terminate_missing": (3, 2), "reserved_not_zero": (0, 1), "limit_units": (0, 0)}
    (stream,) = report_of("terminate_missing", "reserved_not_zero").streams
    root = parsed(Report((replace(stream, rules=rules),), "0"))
    (suite,) = root.findall("testsuite")[1:]
    failed, passed, skipped = suite.findall("testcase")
    assert failed.find("failure").get("message") == "passed 3 times, failed 2 times"  # type: ignore[union-attr]
    assert passed.findtext("system-out") == "passed 0 times, failed 1 times"
    assert skipped.find("skipped") is not None


def test_the_properties_say_on_which_readings_the_verdict_depends() -> None:
    (stream,) = report_of().streams
    outcome = ReadingOutcome("aggregate-layout", "records", {"no-records": Verdict.NONCONFORMING})
    root = parsed(Report((replace(stream, consulted=(outcome,)),), "0"))
    (found,) = root.findall(".//property[@name='depends on reading aggregate-layout']")
    assert found.get("value") == "records (default) conforming, no-records nonconforming"


def test_a_failure_says_code_requirement_bits_message_and_hint() -> None:
    (failure,) = parsed(damaged_report()).findall(".//testcase[@name='unit 3.1 · NNR_NDU · w']/failure")
    assert failure.get("type") == "terminate_missing"
    assert failure.get("message") == "terminate_missing [R-AC-01]: tensor 'w': the terminate bin is 0"
    assert "bit 1631 (byte 203)" in (failure.text or "")
    assert "R-AC-01, high confidence, evidence P2" in (failure.text or "")
    assert "hint: " in (failure.text or "")


def test_a_limit_is_an_error_not_a_failure() -> None:
    root = parsed(report_of("limit_units"))
    assert (root.get("failures"), root.get("errors")) == ("0", "1")
    assert root.find(".//testcase[@name='unit 0 · NNR_NDU']/error") is not None


def test_a_failure_outweighs_a_limit_in_the_counts() -> None:
    root = parsed(report_of("limit_units", "terminate_missing"))
    assert (root.get("failures"), root.get("errors")) == ("1", "0")


def test_a_warning_fails_nothing_and_is_in_the_output() -> None:
    root = parsed(report_of("reserved_not_zero"))
    assert root.get("failures") == root.get("errors") == "0"
    assert (root.findtext(".//system-out") or "").startswith("warning: reserved_not_zero: found")


def test_a_finding_without_a_unit_fails_the_stream() -> None:
    root = parsed(report_of("terminate_missing", path=""))
    assert root.find(".//testcase[@name='stream']/failure") is not None


@pytest.mark.parametrize(("found", "skipped"), [((), "1"), (("terminate_missing",), "0")])
def test_a_unit_that_is_not_decoded_for_no_fault_of_its_own_is_skipped(found: tuple[str, ...], skipped: str) -> None:
    root = parsed(report_of(*found, undecoded=("unit 0",)))
    assert root.get("skipped") == skipped
    assert (root.find(".//skipped") is not None) == (skipped == "1")


def test_a_unit_of_many_tensors_has_a_short_name() -> None:
    root = parsed(report_of(names=tuple(map(str, range(1000)))))
    assert root.find(f".//testcase[@name='unit 0 · NNR_NDU · 0, 1, 2, 3 and {1000 - MOST_NAMES} more']") is not None


@given(ANY_TEXT, ANY_TEXT, ANY_TEXT)
def test_no_text_of_a_stream_breaks_the_xml(name: str, message: str, path: str) -> None:
    report = report_of(names=(name,))
    found = replace(diagnose(min(catalogue()), message, path=path))
    stream = replace(report.streams[0], name=name, diagnostics=(found,))
    root = parsed(Report((stream,), "0"))
    assert len(list(root.iter("testcase"))) == 2
