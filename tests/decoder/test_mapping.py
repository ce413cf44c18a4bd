"""topology_tensor_dimension_mapping and first_tensor_dimension_shift."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from nnr_conformance.decoder.mapping import mapped_shapes, shifted_dims, split_and_shift, undo_dimension_shift
from nnr_conformance.errors import BitstreamError
from nnr_conformance.readings import Readings

LENGTH = Readings.choose(["split-index=length"])
ROTATE = Readings.choose(["axis-shift=rotate"])
IGNORE = Readings.choose(["dimension-shift=ignore"])


def numbered(*shape: int) -> np.ndarray[Any, Any]:
    return np.arange(int(np.prod(shape))).reshape(shape)


@st.composite
def mappings(draw: st.DrawFn) -> tuple[np.ndarray[Any, Any], int, list[int], list[list[tuple[int, int]]]]:
    """A tensor, an axis, cut positions, and valid shifts for each piece."""
    shape = draw(npst.array_shapes(min_dims=1, max_dims=4, max_side=5))
    axis = draw(st.integers(0, len(shape) - 1))
    cuts = sorted(draw(st.sets(st.integers(1, shape[axis] - 1)))) if shape[axis] > 1 else []
    indices = st.integers(1, max(1, len(shape) - 1))
    shift = indices.flatmap(lambda index: st.tuples(st.just(index), st.integers(1, index)))
    piece = st.lists(shift, max_size=3) if len(shape) > 1 else st.just([])
    return numbered(*shape), axis, cuts, draw(st.lists(piece, min_size=len(cuts) + 1, max_size=len(cuts) + 1))


@given(mappings())
def test_pieces_in_list_order_make_up_the_tensor(mapping: Any) -> None:
    tensor, axis, cuts, _ = mapping
    pieces = split_and_shift(tensor, axis, cuts, [[] for _ in range(len(cuts) + 1)])
    assert np.array_equal(np.concatenate(pieces, axis), tensor)
    assert all(np.array_equal(*pair) for pair in zip(pieces, np.split(tensor, cuts, axis), strict=True))


@given(mappings())
def test_a_shift_is_a_series_of_swaps_of_adjacent_axes(mapping: Any) -> None:
    tensor, axis, cuts, shifts = mapping
    for piece, part, moves in zip(
        split_and_shift(tensor, axis, cuts, shifts), np.split(tensor, cuts, axis), shifts, strict=True
    ):
        expected = part
        for index, value in moves:
            for step in range(value):
                expected = expected.swapaxes(index - step, index - step - 1)
        assert np.array_equal(piece, expected)


@given(mappings())
def test_cut_positions_and_piece_lengths_are_two_writings_of_one_split(mapping: Any) -> None:
    tensor, axis, cuts, shifts = mapping
    lengths = [end - first for first, end in pairwise([0, *cuts])]
    by_position = split_and_shift(tensor, axis, cuts, shifts)
    by_length = split_and_shift(tensor, axis, lengths, shifts, readings=LENGTH)
    assert all(np.array_equal(*pair) for pair in zip(by_position, by_length, strict=True))


@pytest.mark.parametrize("readings", [Readings(), ROTATE])
@given(mapping=mappings())
def test_the_shapes_are_known_before_decoding_and_pieces_are_views(mapping: Any, readings: Readings) -> None:
    tensor, axis, cuts, shifts = mapping
    pieces = split_and_shift(tensor, axis, cuts, shifts, readings=readings)
    assert mapped_shapes(tensor.shape, axis, cuts, shifts, readings=readings) == [piece.shape for piece in pieces]
    assert all(np.shares_memory(piece, tensor) for piece in pieces)


@pytest.mark.parametrize(
    ("shift", "moved", "rotated"),
    [
        ((1, 1), (3, 2, 4, 5), (3, 2, 4, 5)),  # the readings agree here only
        ((2, 1), (2, 4, 3, 5), (3, 4, 2, 5)),
        ((2, 2), (4, 2, 3, 5), (4, 2, 3, 5)),
        ((3, 2), (2, 5, 3, 4), (4, 5, 2, 3)),
        ((3, 3), (5, 2, 3, 4), (5, 2, 3, 4)),
    ],
)
def test_moving_an_axis_left_is_not_rotating_the_axes(
    shift: tuple[int, int], moved: tuple[int, ...], rotated: tuple[int, ...]
) -> None:
    assert mapped_shapes((2, 3, 4, 5), 0, [], [[shift]]) == [moved]
    assert mapped_shapes((2, 3, 4, 5), 0, [], [[shift]], readings=ROTATE) == [rotated]


def test_each_shift_works_on_the_result_of_the_one_before() -> None:
    assert mapped_shapes((2, 3, 4), 0, [], [[(2, 2), (1, 1)]]) == [(2, 4, 3)]
    assert mapped_shapes((2, 3, 4), 0, [], [[(1, 1), (2, 2)]]) == [(4, 3, 2)]


@pytest.mark.parametrize(
    ("axis", "cuts", "shifts", "code", "element"),
    [
        (2, [], [[]], "concatenation_axis_range", "concatenation_axis_index"),  # R-DIM-01
        (0, [1], [[]], "mapping_invalid", "concatenation_axis_index"),  # R-DIM-02
        (0, [], [[], []], "mapping_invalid", "concatenation_axis_index"),
        (0, [3, 2], [[], [], []], "mapping_invalid", "split_index[1]"),  # R-DIM-03
        (0, [2, 2], [[], [], []], "piece_empty", "split_index[1]"),  # R-DIM-04
        (0, [0], [[], []], "piece_empty", "split_index[0]"),
        (0, [6], [[], []], "piece_empty", "split_index[0]"),
        (0, [1 << 70], [[], []], "mapping_invalid", "split_index[0]"),
        (0, [], [[(2, 1)]], "shift_index_range", "shift_index[0][0]"),  # R-DIM-05
        (0, [], [[(1, 2)]], "shift_value_range", "shift_value[0][0]"),  # R-DIM-06
        (0, [], [[(1, 0)]], "shift_value_range", "shift_value[0][0]"),
        (0, [], [[(0, 1)]], "shift_value_range", "shift_value[0][0]"),
        (0, [3], [[], [(1, 1), (0, 1)]], "shift_value_range", "shift_value[1][1]"),
        (0, [], [], "mapping_invalid", "concatenation_axis_index"),
    ],
)
def test_a_mapping_that_leaves_the_tensor_is_an_error_of_one_element(
    axis: int, cuts: list[int], shifts: Any, code: str, element: str
) -> None:
    def place(element: str) -> tuple[tuple[int, int], str]:
        return (3, 7), f"m · {element}"

    for call in (lambda **k: split_and_shift(numbered(6, 2), **k), lambda **k: mapped_shapes((6, 2), **k)):
        with pytest.raises(BitstreamError) as caught:
            call(concatenation_axis_index=axis, split_index=cuts, shifts=shifts, place=place)
        diagnostic = caught.value.diagnostic
        assert (diagnostic.code, diagnostic.path, diagnostic.bits) == (code, f"m · {element}", (3, 7))


@pytest.mark.parametrize("lengths", [[6], [3, 3], [0], [2, 0], [7]])
def test_lengths_that_leave_no_last_piece_are_an_error(lengths: list[int]) -> None:
    with pytest.raises(BitstreamError):
        split_and_shift(numbered(6, 2), 0, lengths, [[] for _ in range(len(lengths) + 1)], readings=LENGTH)


# ---- first_tensor_dimension_shift


@given(npst.array_shapes(max_dims=5, max_side=4), st.data())
def test_the_decoder_moves_the_first_dimension_back_to_its_place(shape: tuple[int, ...], data: st.DataObject) -> None:
    shift = data.draw(st.integers(0, len(shape) - 1))
    tensor = numbered(*shape)
    coded = np.moveaxis(tensor, shift, 0)
    assert coded.shape == shifted_dims(shape, shift)
    assert np.array_equal(undo_dimension_shift(coded, shift), tensor)


def test_the_shifted_dimension_becomes_the_row_dimension() -> None:
    assert shifted_dims((2, 3, 4), 2) == (4, 2, 3)
    assert undo_dimension_shift(numbered(4, 2, 3), 2).shape == (2, 3, 4)


@given(npst.array_shapes(max_dims=4, max_side=3), st.integers(0, 9))
def test_an_ignored_shift_changes_nothing(shape: tuple[int, ...], shift: int) -> None:
    tensor = numbered(*shape)
    assert shifted_dims(shape, shift, readings=IGNORE) == shape
    assert np.array_equal(undo_dimension_shift(tensor, shift, readings=IGNORE), tensor)


@pytest.mark.parametrize("shift", [3, -1, 1 << 40])
def test_a_shift_of_a_dimension_that_is_not_there_is_an_error(shift: int) -> None:
    for call in (lambda: shifted_dims((2, 3, 4), shift), lambda: undo_dimension_shift(numbered(2, 3, 4), shift)):
        with pytest.raises(BitstreamError) as caught:
            call()
        assert caught.value.diagnostic.code == "first_tensor_dimension_shift_range"
