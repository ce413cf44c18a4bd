"""Sets of cases are sets, and what they save in telling failures apart is what it is counted to be."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nnr_conformance.suite.results.case_sets import bits_saved, case_set, numbers_of, share

NUMBERS = st.frozensets(st.integers(0, 300))


@given(NUMBERS)
def test_a_set_gives_back_its_numbers_in_order(numbers: frozenset[int]) -> None:
    assert [*numbers_of(case_set(numbers))] == sorted(numbers)


@given(NUMBERS, NUMBERS)
def test_a_share_is_that_of_the_numbers(part: frozenset[int], whole: frozenset[int]) -> None:
    expected = len(part & whole) / len(whole) if whole else 0.0
    assert share(case_set(part), case_set(whole)) == expected


@given(NUMBERS, NUMBERS, NUMBERS)
def test_knowing_more_never_costs_bits(inside: frozenset[int], left: frozenset[int], marked: frozenset[int]) -> None:
    assert bits_saved(case_set(inside), case_set(left), case_set(marked)) >= -1e-9


def test_a_set_that_is_just_the_marked_half_saves_a_bit_for_each_case() -> None:
    assert bits_saved(0b1111, 0b11111111, 0b1111) == pytest.approx(8)
