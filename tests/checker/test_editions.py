"""A chosen edition has its profiles and its requirements; without a choice the stream's profile decides."""

from __future__ import annotations

import pytest

import nnr_conformance
from nnr_conformance.checker.editions import codes_beyond
from nnr_conformance.diagnostics import catalogue
from nnr_conformance.errors import UsageError
from nnr_conformance.suite.registry import load_requirements
from tests.decoder.stream_builder import coded, parameter_set, start

OLD = start(0) + parameter_set(0) + coded("w", "e1-003-2d")
NEW = start(1) + parameter_set(1) + coded("w", "e2-001-plain")


@pytest.mark.parametrize(
    ("stream", "edition", "conforms"),
    [(OLD, None, True), (NEW, None, True), (OLD, 1, True), (NEW, 1, False), (OLD, 2, True), (NEW, 2, True)],
)
def test_edition_1_has_profile_0_alone_and_edition_2_both(stream: bytes, edition: int | None, conforms: bool) -> None:
    report = nnr_conformance.check(stream, edition=edition)
    assert (report.verdict is nnr_conformance.Verdict.CONFORMING) is conforms
    found = [one for one in report.diagnostics if one.code == "profile_not_in_edition"]
    assert [one.bits for one in found] == ([] if conforms else [(24, 32)])


def test_rules_of_requirements_that_edition_2_added_do_not_apply_in_edition_1() -> None:
    auto, first, second = (nnr_conformance.check(NEW, edition=edition).streams[0].rules for edition in (None, 1, 2))
    assert set(auto) == set(second)
    assert set(auto) - set(first) == codes_beyond(1) & set(auto) != set()


def test_codes_beyond_an_edition_are_those_whose_requirement_says_so() -> None:
    rows = load_requirements()
    expected = {code for code, rule in catalogue().items() if rows[rule.requirement].editions == (2,)}
    assert codes_beyond(1) == expected
    assert codes_beyond(2) == frozenset()


@pytest.mark.parametrize("edition", [0, 3])
def test_there_is_no_other_edition(edition: int) -> None:
    with pytest.raises(UsageError):
        nnr_conformance.check(OLD, edition=edition)
