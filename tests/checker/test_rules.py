"""Every rule fires where its stored pair of streams says, counts what it looked at, and is missed when left out."""

from __future__ import annotations

import pytest

from nnr_conformance.checker.all_rules import ALL_RULES
from nnr_conformance.checker.rules import Rule
from nnr_conformance.diagnostics import Severity, catalogue
from nnr_conformance.report.model import Report, Verdict
from nnr_conformance.suite.pair_checks import check_pair_stream
from nnr_conformance.suite.requirement_pairs import Pair, load_pairs

CODES = [rule.code for rule in ALL_RULES]
PAIRS = [pair for pair in load_pairs() if not catalogue()[pair.code].no_stream]
EVERY_PAIR = pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair.name)


def report_of(pair: Pair, breaking: bool, disabled: frozenset[str] = frozenset()) -> Report:
    return check_pair_stream(pair, pair.build(breaking).data, disabled)


def codes_of(report: Report) -> set[str]:
    return {diagnostic.code for diagnostic in report.diagnostics}


def test_every_rule_has_a_pair_and_a_code_of_its_own() -> None:
    assert len(set(CODES)) == len(CODES)
    assert set(CODES) <= {pair.code for pair in PAIRS}


@EVERY_PAIR
def test_the_breaking_stream_fires_its_code_and_only_that_and_companions(pair: Pair) -> None:
    meets, breaks = (codes_of(report_of(pair, breaking)) for breaking in (False, True))
    assert meets == pair.always
    assert breaks - meets == {pair.code} | pair.companions


@EVERY_PAIR
def test_without_its_rule_the_breaking_stream_is_not_caught(pair: Pair) -> None:
    assert pair.code not in codes_of(report_of(pair, True, frozenset({pair.code})))


@EVERY_PAIR
def test_a_rule_counts_what_it_looked_at(pair: Pair) -> None:
    meets, breaks = (report_of(pair, breaking).streams[0].rules[pair.code] for breaking in (False, True))
    assert meets[1] == 0
    assert breaks[1] > 0


@EVERY_PAIR
def test_a_violation_is_placed_inside_its_unit(pair: Pair) -> None:
    report = report_of(pair, True)
    units = {unit.label: unit for unit in report.streams[0].units}
    for diagnostic in report.diagnostics:
        unit = units.get(diagnostic.path.partition(" · ")[0])
        if diagnostic.code == pair.code and diagnostic.bits is not None and unit is not None:
            assert 8 * unit.first <= diagnostic.bits[0] <= diagnostic.bits[1] <= 8 * (unit.first + unit.size)


@EVERY_PAIR
def test_only_an_error_decides_the_verdict(pair: Pair) -> None:
    report = report_of(pair, True)
    errors = [found for found in report.diagnostics if found.severity is Severity.ERROR]
    assert (report.verdict is Verdict.CONFORMING) == (not errors)


@pytest.mark.parametrize("rule", ALL_RULES, ids=lambda rule: rule.code)
def test_a_rule_names_its_requirement_in_its_first_line(rule: Rule) -> None:
    assert catalogue()[rule.code].requirement in rule.description.partition("\n")[0]
