"""A hint is true of every element, and none is given where nothing explains all."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray

from nnr_conformance.decoder.composition import Member
from nnr_conformance.decoder.tensors import CodedTensor
from nnr_conformance.entropy.parameters import TensorCoding
from nnr_conformance.suite.diff import causes

VALUES = np.array([[1.5, -2, 3], [4, 0, -6]], np.float32)
FINITE = st.floats(-1000, 1000, width=32)
ANY_VALUES = arrays.arrays(np.float32, (3, 4), elements=FINITE)


def coding(*shape: int, scan_order: int = 0, dq: bool = False) -> TensorCoding:
    return TensorCoding(shape, 10, dq, scan_order, 2, 8)


def coded(name: str, values: Any, member: Member = Member.WEIGHT, size: int = 0) -> CodedTensor:
    array = np.asarray(values)
    levels = array.astype(np.int32)
    return CodedTensor(name, member, array, levels, 0, (0, 0), size)


def of_values(found: NDArray[Any], expected: NDArray[Any] = VALUES) -> str:
    return " | ".join(causes.of_values(expected, found.astype(np.float32), None))


@pytest.mark.parametrize(
    ("found", "hint"),
    [
        (VALUES * 4, "2^2"),
        (VALUES / 8, "2^-3"),
        (VALUES * 1.25, "below qp_density"),
        (-VALUES, "signs"),
        (VALUES + 2, "off by 2"),
        (VALUES.T.reshape(2, 3), "transposed"),
        (VALUES[::-1], "in other places"),
        (np.where(VALUES, np.nextafter(VALUES, np.float32(9)), 0), "last places"),
    ],
)
def test_values_that_one_rule_explains_have_a_hint(found: NDArray[Any], hint: str) -> None:
    assert hint in of_values(found)


@pytest.mark.parametrize("scale", [4, 1.25, -1])
def test_a_rule_that_fails_for_one_element_is_no_hint(scale: float) -> None:
    found = VALUES * np.float32(scale)
    found[1, 2] = 17
    assert of_values(found) == ""


@given(ANY_VALUES, ANY_VALUES)
def test_whatever_is_found_hints_are_lines_of_text(one: NDArray[np.float32], other: NDArray[np.float32]) -> None:
    parts = {"w": coded("w", one), "w_scaling": coded("w_scaling", one[:, 0], Member.LOCAL_SCALING)}
    for hint in (
        *causes.of_values(one, other, coded("w", one, size=7)),
        *causes.of_composition("w", one, other, parts, {"w": one}),
        *causes.of_levels(one.astype(np.int32), other.astype(np.int32), coding(3, 4, scan_order=1, dq=True)),
    ):
        assert hint
        assert "\n" not in hint


def test_a_codebook_entry_beside_the_right_one_is_told() -> None:
    levels, table = np.array([0, 1, 2, 1], np.int32), np.array([5.0, 7, 11, 20])
    tensor = CodedTensor("w", Member.WEIGHT, table[levels], levels, 0, (0, 0), 4)
    hints = [*causes.of_values(table[levels], table[levels + 1], tensor)]
    assert hints == ["each level selects the codebook entry of level +1: CbZeroOffset"]


def test_levels_that_are_not_doubled_are_told() -> None:
    levels = np.array([[1, -2, 0, 3]])
    doubled = 2 * levels
    assert any("not doubled" in hint for hint in causes.of_levels(doubled, levels, coding(1, 4, dq=True)))
    assert not any("not doubled" in hint for hint in causes.of_levels(doubled, levels, coding(1, 4)))


def test_levels_in_another_scan_order_are_told() -> None:
    order = coding(6, 9, scan_order=1)
    expected = np.arange(54).reshape(6, 9)
    found = np.empty(54, int)
    found[[*causes.scanned(coding(6, 9))]] = expected.reshape(-1)[[*causes.scanned(order)]]
    hints = [*causes.of_levels(expected, found.reshape(6, 9), order)]
    assert "the same elements, placed by scan_order 0 instead of 1" in hints


@pytest.mark.parametrize(
    ("found", "hint"),
    [
        ([[1, 2], [3, 4]], "the update is not added"),
        ([[5, 6], [7, 8]], "the parent is not added"),
        ([[-4, -4], [-4, -4]], "minus the update"),
    ],
)
def test_a_half_of_a_sum_is_told(found: list[list[float]], hint: str) -> None:
    base, update = np.array([[1, 2], [3, 4]], np.float32), np.array([[5, 6], [7, 8]], np.float32)
    hints = causes.of_composition(
        "w", base + update, np.array(found, np.float32), {"w": coded("w", update)}, {"w": base}
    )
    assert hint in " | ".join(hints)


def test_scaling_that_is_applied_twice_is_told() -> None:
    weight, scaling = np.array([[1, 2], [3, 4]], np.float32), np.array([2, 3], np.float32)
    parts = {"w": coded("w", weight), "w_scaling": coded("w_scaling", scaling, Member.LOCAL_SCALING)}
    right = weight * scaling[:, None]
    hints = causes.of_composition("w", right, right * scaling[:, None], parts, {})
    assert "local scaling is applied twice" in [*hints]


@pytest.mark.parametrize(
    ("which", "hint"), [("H", "H read by columns"), ("G", "G read by columns"), ("W", "transposed")]
)
def test_factors_in_another_order_are_told(which: str, hint: str) -> None:
    g, h = np.arange(1, 7, dtype=np.float32).reshape(3, 2), np.arange(2, 8, dtype=np.float32).reshape(2, 3)
    by_columns = {"H": g @ h.reshape(-1).reshape(2, 3, order="F"), "G": g.reshape(-1).reshape(3, 2, order="F") @ h}
    found = by_columns.get(which, (g @ h).T.copy())
    parts = {"w_G": coded("w_G", g, Member.G), "w_H": coded("w_H", h, Member.H)}
    assert hint in " | ".join(causes.of_composition("w", g @ h, found, parts, {}))
