"""Which compressed data comes before another unit is read from the stream, for runs that have failures to explain."""

from __future__ import annotations

from dataclasses import replace

import pytest

from nnr_conformance.suite.results.report import RunReport, about_of
from nnr_conformance.suite.results.unit_order import unit_order, with_unit_orders
from nnr_conformance.suite.runner.cases import golden_cases
from nnr_conformance.suite.runner.model import CaseResult, Result
from nnr_conformance.suite.runner.sources import source_bytes
from tests.suite.results.golden import HEADER
from tests.suite.runner.cases_for_tests import case_of


@pytest.mark.parametrize(
    ("name", "order"),
    [
        ("requirements/6/6-alignment-bits-header-01", ()),
        ("requirements/6/6-element-repeated-01", ("raw float before a unit",)),
        ("core/8-scaling-in-a-unit-of-its-own-01", ("real before a unit",)),
    ],
)
def test_the_order_is_that_of_the_stream(name: str, order: tuple[str, ...]) -> None:
    assert unit_order(source_bytes(case_of(name).source)) == order


@pytest.mark.parametrize("stream", [b"", b"\x00", b"\x00\x09\x05\xff", bytes(range(64)), b"\xff" * 64])
def test_whatever_is_no_stream_has_no_order(stream: bytes) -> None:
    assert unit_order(stream) == ()


def report_of(result: Result) -> RunReport:
    cases = golden_cases()[:40]
    results = tuple(CaseResult(case.id, result) for case in cases)
    return RunReport(replace(HEADER, cases=40), results, {case.id: about_of(case) for case in cases})


def test_a_run_without_failures_reads_no_stream() -> None:
    report = report_of(Result.PASS)
    assert with_unit_orders(report, golden_cases()) is report


def test_a_run_with_failures_knows_the_orders_of_its_cases_and_nothing_else_changes() -> None:
    report = report_of(Result.CRASH)
    found = with_unit_orders(report, golden_cases())
    assert found.about.keys() == report.about.keys()
    assert any(about.order for about in found.about.values())
    assert {name: replace(about, order=()) for name, about in found.about.items()} == report.about
