"""Arrays are compared by numeric class, and each difference is told with what differs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray

from nnr_conformance.suite.runner.numeric import Difference, Kind, compared, differences

ANY_FLOATS = arrays.arrays(
    np.float32, st.integers(1, 9), elements=st.floats(width=32, allow_nan=False, allow_infinity=False)
)
QUIET, NEGATIVE, WITH_PAYLOAD = (
    np.array([bits], np.uint32).view(np.float32) for bits in (0x7FC00000, 0xFFC00000, 0x7FC12345)
)


def single(values: Any, dtype: Any = np.float32) -> NDArray[Any]:
    return np.array([values], dtype)


def difference(expected: NDArray[Any], found: NDArray[Any], tolerance: NDArray[np.float64] | None = None) -> Difference:
    result = compared("w", expected, found, tolerance)
    assert result is not None
    return result


@given(ANY_FLOATS)
def test_an_array_equals_itself_also_when_it_is_delivered_in_binary64(values: NDArray[np.float32]) -> None:
    assert compared("w", values, values.copy()) is None
    assert compared("w", values, values.astype(np.float64)) is None


@given(ANY_FLOATS, st.data())
def test_a_neighbour_in_binary32_is_one_unit_of_the_last_place_away(
    values: NDArray[np.float32], data: st.DataObject
) -> None:
    at = data.draw(st.integers(0, values.size - 1))
    other = values.copy()
    other[at] = np.nextafter(values[at], np.float32(0) if values[at] else np.float32(1))
    found = difference(values, other)
    assert (found.index, found.differing, found.elements, found.largest) == ((at,), 1, values.size, 1)


def test_the_first_differing_element_in_row_major_order_is_told() -> None:
    expected = np.zeros((4, 16), np.int32)
    found = expected.copy()
    found[3, 5], found[1, 9] = 7, -2
    assert str(difference(expected, found)) == "'w': element (1, 9) is -2, expected 0; 2 of 64 differ, by at most 7"


def test_a_scalar_has_an_element_without_index() -> None:
    assert difference(np.array(1.0, np.float32), np.array(2.0, np.float32)).index == ()


def test_the_sign_of_zero_counts() -> None:
    assert difference(single(0.0), single(-0.0)).largest == 0
    assert difference(single(0.0), single(-0.0, np.float64)).found == "-0.0"
    assert difference(single(-0.0, np.float16), single(0.0)).expected == "-0.0"


def test_binary64_is_rounded_once_to_nearest_even_before_it_is_compared_with_binary32() -> None:
    third = single(1 / 3)
    assert compared("w", third, single(1 / 3, np.float64)) is None
    assert difference(third, single(1 / 3 + 2**-25, np.float64)).kind is Kind.VALUES


def test_a_wider_type_must_hold_the_value_of_a_narrow_format_exactly() -> None:
    half = single(1 / 3, np.float16)
    assert compared("w", half, half.astype(np.float32)) is None
    assert difference(half, single(1 / 3)).kind is Kind.VALUES


@pytest.mark.parametrize("dtype", [np.int8, np.int64, np.uint8, np.uint64])
def test_integers_of_any_type_that_holds_them_are_equal(dtype: Any) -> None:
    assert compared("w", single(7, np.int32), single(7, dtype)) is None
    assert difference(single(8, np.int32), single(7, dtype)).largest == 1


def test_integers_that_only_wrap_around_to_the_same_are_not_equal() -> None:
    assert difference(single(-1, np.int32), single(2**64 - 1, np.uint64)).kind is Kind.VALUES
    assert difference(single(-1, np.int64), single(2**64 - 1, np.uint64)).kind is Kind.VALUES


@pytest.mark.parametrize(("expected", "found"), [(np.int32, np.float32), (np.float32, np.int32), (np.int32, np.bool_)])
def test_integers_and_floating_point_numbers_are_of_different_type(expected: Any, found: Any) -> None:
    assert difference(single(1, expected), single(1, found)).kind is Kind.TYPE


def test_any_nan_equals_the_one_that_arithmetic_gives() -> None:
    for other in (QUIET, NEGATIVE, WITH_PAYLOAD, QUIET.astype(np.float64)):
        assert compared("w", QUIET, other) is None
    assert difference(QUIET, single(1.0)).largest is None


def test_a_nan_that_can_only_have_been_transmitted_keeps_its_bits_where_the_type_is_kept() -> None:
    assert compared("w", WITH_PAYLOAD, WITH_PAYLOAD) is None
    assert compared("w", WITH_PAYLOAD, QUIET.astype(np.float64)) is None
    assert difference(WITH_PAYLOAD, QUIET).expected == "nan (0x7fc12345)"


def test_another_shape_is_told_with_both() -> None:
    text = str(difference(np.zeros((2, 3), np.float32), np.zeros((3, 2), np.float32)))
    assert text == "shape of 'w' is (3, 2), expected (2, 3)"


def test_missing_and_unexpected_tensors_have_names() -> None:
    found = [*differences({"a": single(1), "b": single(1)}, {"b": single(1), "z": single(1), "y": single(1)})]
    assert [(one.tensor, one.kind) for one in found] == [("a", Kind.MISSING), ("y", Kind.EXTRA), ("z", Kind.EXTRA)]


def test_a_bound_of_products_is_a_bound_of_each_element() -> None:
    expected, bound = np.array([1, 1], np.float32), np.array([1e-6, 0])
    assert compared("w", expected, np.array([1.0000001, 1], np.float32), bound) is None
    assert difference(expected, np.array([1, 1.0000001], np.float32), bound).index == (1,)
    assert difference(expected, np.array([1.00001, 1], np.float32), bound).bounded


def test_nothing_but_the_same_is_within_a_bound_that_is_no_number() -> None:
    infinite, bound = single(np.inf), np.array([np.nan])
    assert compared("w", infinite, infinite, bound) is None
    assert difference(infinite, -infinite, bound).kind is Kind.VALUES
    assert difference(infinite, single(np.nan), bound).kind is Kind.VALUES
