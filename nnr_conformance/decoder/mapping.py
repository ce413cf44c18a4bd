"""Clauses 6 and 7, axes of decoded tensors: topology_tensor_dimension_mapping, first_tensor_dimension_shift.

No public implementation has either; the rules are the recommended readings `split-index`, `axis-shift` and
`dimension-shift` of `spec/readings.yaml`, the alternatives can be chosen.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import accumulate, pairwise
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from nnr_conformance.diagnostics import stop
from nnr_conformance.readings import DEFAULT_READINGS, Readings

Bits = tuple[int, int] | None
Shift = tuple[int, int]
"""(shift_index, shift_value)"""
Place = Callable[[str], tuple[Bits, str]]
"""Gives bits and path of an element, by its name and subscript."""


def nowhere(element: str) -> tuple[Bits, str]:
    """The place of an element that is in no stream."""
    return None, element


def mapped_shapes(
    dims: Sequence[int],
    concatenation_axis_index: int,
    split_index: Sequence[int],
    shifts: Sequence[Sequence[Shift]],
    *,
    readings: Readings = DEFAULT_READINGS,
    place: Place = nowhere,
) -> list[tuple[int, ...]]:
    """R-DIM-01 to R-DIM-08: shapes of the pieces of a coded tensor of `dims`, in the order of the ids, before decoding.

    Arguments and errors as in `split_and_shift`.
    """
    cuts = _cuts(dims, concatenation_axis_index, split_index, len(shifts), readings, place)
    shapes = []
    for number, (first, end) in enumerate(pairwise(cuts)):
        shape = list(dims)
        shape[concatenation_axis_index] = end - first
        order = _axis_order(len(dims), shifts, number, readings, place)
        shapes.append(tuple(shape[axis] for axis in order))
    return shapes


def split_and_shift(
    tensor: NDArray[Any],
    concatenation_axis_index: int,
    split_index: Sequence[int],
    shifts: Sequence[Sequence[Shift]],
    *,
    readings: Readings = DEFAULT_READINGS,
    place: Place = nowhere,
) -> list[NDArray[Any]]:
    """R-DIM-01 to R-DIM-08: cut a decoded tensor along one axis, then move the axes of each piece.

    `shifts` has one entry per topology element, in the order of the ids: the pairs (shift_index, shift_value) of that
    piece, applied one after the other. The pieces are views of `tensor`, any dtype. `place` gives bits and path of the
    elements (by name and subscript) for diagnostics. Raises BitstreamError
    `concatenation_axis_range`, `mapping_invalid` (cuts that do not grow inside the axis, or are too many or too few),
    `piece_empty`, `shift_index_range` or `shift_value_range`.
    """
    cuts = _cuts(tensor.shape, concatenation_axis_index, split_index, len(shifts), readings, place)
    pieces = []
    for number, (first, end) in enumerate(pairwise(cuts)):
        part = (slice(None),) * concatenation_axis_index + (slice(first, end),)
        pieces.append(tensor[part].transpose(_axis_order(tensor.ndim, shifts, number, readings, place)))
    return pieces


def shifted_dims(
    dims: Sequence[int],
    first_tensor_dimension_shift: int,
    *,
    readings: Readings = DEFAULT_READINGS,
    path: str = "",
    bits: Bits = None,
) -> tuple[int, ...]:
    """R-ED2-27: shape in which a tensor of `dims` is coded; the shifted dimension is the row dimension of the payload.

    Raises BitstreamError `first_tensor_dimension_shift_range` when it is not below the number of dimensions (R-ED2-26).
    """
    shift = _checked_shift(len(dims), first_tensor_dimension_shift, readings, path, bits)
    return (*dims[shift : shift + 1], *dims[:shift], *dims[shift + 1 :])


def apply_dimension_shift(
    array: NDArray[Any], first_tensor_dimension_shift: int, *, readings: Readings = DEFAULT_READINGS
) -> NDArray[Any]:
    """R-ED2-27: a view of `array` with the shifted dimension first, as it is coded. Errors as for `shifted_dims`."""
    shift = _checked_shift(array.ndim, first_tensor_dimension_shift, readings, "", None)
    return np.moveaxis(array, shift, 0)


def undo_dimension_shift(
    array: NDArray[Any], first_tensor_dimension_shift: int, *, readings: Readings = DEFAULT_READINGS
) -> NDArray[Any]:
    """R-ED2-27: a view of `array`, shaped as coded, with its first dimension moved back to where the tensor has it.

    The inverse of `shifted_dims`, with the same errors.
    """
    return np.moveaxis(array, 0, _checked_shift(array.ndim, first_tensor_dimension_shift, readings))


def _cuts(
    dims: Sequence[int], axis: int, split_index: Sequence[int], pieces: int, readings: Readings, place: Place
) -> list[int]:
    """Positions on the axis at which the pieces begin, and the axis length."""
    if not 0 <= axis < len(dims):
        message = f"concatenation_axis_index is {axis}, but the tensor has {len(dims)} dimensions"
        _stop("concatenation_axis_range", message, place("concatenation_axis_index"))
    if len(split_index) != pieces - 1:
        message = f"{len(split_index)} split_index values for {pieces} topology elements"
        _stop("mapping_invalid", message, place("concatenation_axis_index"))
    positions = list(accumulate(split_index)) if readings["split-index"] == "length" else list(split_index)
    cuts = [0, *positions, dims[axis]]
    for number, (first, end) in enumerate(pairwise(cuts)):
        if end <= first:
            positions_text = ", ".join(map(str, positions))
            message = f"the cuts {positions_text} of an axis of {dims[axis]} make a piece from {first} to {end}"
            # The last piece ends with the axis, so that its first cut is what is wrong.
            element = f"split_index[{min(number, len(positions) - 1)}]" if positions else "concatenation_axis_index"
            _stop("piece_empty" if end == first else "mapping_invalid", message, place(element))
    return cuts


def _axis_order(
    count: int, shifts: Sequence[Sequence[Shift]], piece: int, readings: Readings, place: Place
) -> list[int]:
    """For each axis of a piece, shifted as `shifts` say, the axis it had before."""
    order = list(range(count))
    for number, (index, value) in enumerate(shifts[piece]):
        if not 0 <= index < count:
            message = f"shift_index is {index}, but the tensor has {count} dimensions"
            _stop("shift_index_range", message, place(f"shift_index[{piece}][{number}]"))
        if not 1 <= value <= index:
            message = f"shift_value is {value} for shift_index {index}, required is 1 to {index}"
            _stop("shift_value_range", message, place(f"shift_value[{piece}][{number}]"))
        if readings["axis-shift"] == "rotate":
            order[: index + 1] = order[value : index + 1] + order[:value]
        else:
            order.insert(index - value, order.pop(index))
    return order


def _stop(code: str, message: str, place: tuple[Bits, str]) -> NoReturn:
    bits, path = place
    stop(code, message, bits=bits, path=path)


def _checked_shift(count: int, shift: int, readings: Readings, path: str = "", bits: Bits = None) -> int:
    if readings["dimension-shift"] == "ignore":
        return 0
    if shift not in range(count):
        message = f"first_tensor_dimension_shift is {shift}, but the tensor has {count} dimensions"
        stop("first_tensor_dimension_shift_range", message, bits=bits, path=path)
    return shift
