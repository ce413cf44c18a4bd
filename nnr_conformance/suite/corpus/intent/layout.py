"""Which tensors a compressed data unit holds, and in which form they are coded (clauses 6 and 7).

Dimensions and parameter types come from the header, or from outside of the stream. A block names its tensors in one
order and codes them in another.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnr_conformance.readings import Readings
from nnr_conformance.suite.corpus.intent.elements import UnitIntent
from nnr_conformance.suite.corpus.intent.refusal import NoIntent
from nnr_conformance.suite.corpus.intent.situation import Situation
from nnr_conformance.syntax.enumerations import CPT_BI, CPT_BN, CPT_DC, CPT_LS, PT_BLOCK

Given = Mapping[str, Any]
"""What the application knows of tensors, by name."""


class Role(Enum):
    """What a tensor is to the others of its layer."""

    WEIGHT = "weight"
    G = "G"
    H = "H"
    SCALING = "local scaling"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Place:
    """A coded tensor: its name (that of its first piece), role, and dimensions as they are coded."""

    name: str
    role: Role
    shape: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Layout:
    """What the header of a unit says of its tensors. `shape`: of the whole weight. `types`: compressed_parameter_types.

    `shift`: index of the dimension that is coded first. `places`: the coded tensors in the order of the payload.
    """

    names: tuple[str, ...]
    types: int
    shape: tuple[int, ...]
    rank: int
    rows: int
    shift: int
    places: tuple[Place, ...]


def names_of(unit: UnitIntent, situation: Situation) -> tuple[str, ...]:
    """The ids of a unit, those of references looked up."""
    multiple = unit.get("nnr_multiple_topology_elements_present_flag")
    if not situation.indexed:
        return tuple(unit.listed("topology_elem_id_list") if multiple else [unit.get("topology_elem_id", "")])
    indices = unit.listed("topology_elem_id_index_list") if multiple else [unit.get("topology_elem_id_index")]
    if any(index >= len(situation.references) for index in indices):
        raise NoIntent(f"{unit.label}: an index is not in the reference list")
    return tuple(situation.references[index] for index in indices)


def layout_of(unit: UnitIntent, situation: Situation, given: Given, *, behind_g: bool = False) -> Layout:
    """The tensors of a unit. `behind_g`: the unit before it holds G, and is no block.

    Raises NoIntent where neither stream nor application gives what is needed.
    """
    names = names_of(unit, situation)
    outside = given.get(names[0], {})
    types = int(unit.get("compressed_parameter_types"))
    known = {name: unit.get(name) for name in ("decomposition_rank", "g_number_of_rows")}
    if not unit.get("input_parameters_present_flag"):
        if situation.readings["outside-types"] == "given":
            types = int(outside.get("compressed_parameter_types", 0))
        known = {name: outside.get(name, 0) for name in known}
    dimensions = unit.listed("tensor_dimensions") if unit.get("tensor_dimensions_flag") else None
    if dimensions is None:
        dimensions = outside.get("tensor_dimensions")
    if dimensions is None:
        raise NoIntent(f"{unit.label}: nothing gives the dimensions")
    if any(dimension < 1 for dimension in dimensions):
        raise NoIntent(f"{unit.label}: a dimension is 0")
    rank, rows = int(known["decomposition_rank"]), int(known["g_number_of_rows"])
    shape = tuple(map(int, dimensions))
    if types & CPT_DC and (not rank or not rows or math.prod(shape) % rows):
        raise NoIntent(f"{unit.label}: {shape} does not decompose into {rows} rows and rank {rank}")
    shift = int(unit.get("first_tensor_dimension_shift"))
    if shift and shift >= len(shape):
        raise NoIntent(f"{unit.label}: there is no dimension {shift} to come first")
    if situation.readings["dimension-shift"] == "ignore":
        shift = 0
    of_block = unit.get("nnr_compressed_data_unit_payload_type") == PT_BLOCK
    coded = Layout(names, types, shape, rank, rows, shift, ())
    places = tuple(_block_places(unit, coded) if of_block else [_single_place(coded, behind_g=behind_g)])
    if shift and any(place.role in (Role.G, Role.H) for place in places):
        raise NoIntent(f"{unit.label}: what a shifted dimension means for factors is not known")
    return Layout(names, types, shape, rank, rows, shift, places)


def shifted(layout: Layout) -> tuple[int, ...]:
    """Dimensions of the weight as coded."""
    shape = layout.shape
    if not layout.shift:
        return shape
    return (shape[layout.shift], *shape[: layout.shift], *shape[layout.shift + 1 :])


def _factors(layout: Layout) -> dict[Role, tuple[int, ...]]:
    columns = math.prod(layout.shape) // layout.rows
    return {Role.G: (layout.rows, layout.rank), Role.H: (layout.rank, columns)}


def _block_places(unit: UnitIntent, layout: Layout) -> Iterator[Place]:
    """Ids: weight or factors, scaling, batch norm (4), bias. Payload: scaling, bias, batch norm, weight or factors."""
    names = list(layout.names)
    weights = [Role.G, Role.H] if layout.types & CPT_DC else [Role.WEIGHT]
    scaling = [Role.SCALING] * bool(layout.types & CPT_LS)
    norms = [Role.OTHER] * (4 * bool(layout.types & CPT_BN))
    bias = [Role.OTHER] * bool(layout.types & CPT_BI)
    if len(names) != len(weights) + len(scaling) + len(norms) + len(bias):
        raise NoIntent(f"{unit.label}: {len(names)} ids are not those of parameter types {layout.types}")
    shapes = _factors(layout) if layout.types & CPT_DC else {Role.WEIGHT: shifted(layout)}
    vector = layout.shape[:1]
    listed = [
        Place(name, role, shapes.get(role, vector))
        for name, role in zip(names, [*weights, *scaling, *norms, *bias], strict=True)
    ]
    first, behind = len(weights), len(weights) + len(scaling)
    yield from listed[first:behind]
    yield from listed[len(listed) - len(bias) :]
    yield from listed[behind : len(listed) - len(bias)]
    yield from listed[:first]


def _single_place(layout: Layout, *, behind_g: bool) -> Place:
    """The tensor of a unit that is no block. Of factors whose names do not tell which they are, G is the first one."""
    role = role_of(layout.names[0], layout)
    if role is Role.WEIGHT and layout.types & CPT_DC and len(layout.shape) > 1:
        role = Role.H if behind_g else Role.G
    if role in (Role.G, Role.H):
        if len(layout.names) > 1:
            raise NoIntent(f"{layout.names[0]} is a factor, and other elements are in the same tensor")
        return Place(layout.names[0], role, _factors(layout)[role])
    return Place(layout.names[0], role, shifted(layout))


def role_of(name: str, layout: Layout) -> Role:
    """Outside of blocks names say which tensors are factors or scaling vectors, where the types have such ones."""
    if layout.types & CPT_DC and name.endswith(("_G", "_H")) and len(layout.shape) > 1:
        return Role.G if name.endswith("_G") else Role.H
    if layout.types & CPT_LS and name.endswith("_scaling") and len(layout.shape) == 1:
        return Role.SCALING
    return Role.WEIGHT


def moved_back(array: NDArray[Any], layout: Layout) -> NDArray[Any]:
    """A coded weight with the dimension that came first at its place."""
    return np.moveaxis(array, 0, layout.shift) if layout.shift else array


def pieces(
    array: NDArray[Any], unit: UnitIntent, names: Sequence[str], readings: Readings
) -> list[tuple[str, NDArray[Any]]]:
    """The topology elements of a coded tensor: it is cut along an axis, and axes of the pieces move to the left."""
    if len(names) == 1:
        return [(names[0], array)]
    if not unit.get("input_parameters_present_flag"):
        raise NoIntent(f"{unit.label}: nothing says where the tensor is cut")
    axis, cuts = int(unit.get("concatenation_axis_index")), unit.listed("split_index")
    if axis >= array.ndim or len(cuts) != len(names) - 1:
        raise NoIntent(f"{unit.label}: the tensor cannot be cut")
    if readings["split-index"] == "length":
        cuts = [sum(cuts[: number + 1]) for number in range(len(cuts))]
    ends = [0, *cuts, array.shape[axis]]
    if any(first >= end for first, end in itertools.pairwise(ends)):
        raise NoIntent(f"{unit.label}: a piece is empty")
    found = []
    for number, (name, first, end) in enumerate(zip(names, ends, ends[1:], strict=False)):
        piece = array.take(range(first, end), axis)
        for index, count in _moves(unit, number):
            piece = _with_axis_moved(piece, index, count, readings)
        found.append((name, piece))
    return found


def _moves(unit: UnitIntent, number: int) -> list[tuple[int, int]]:
    count = int(unit.get(f"number_of_shifts[{number}]"))
    return [(unit.get(f"shift_index[{number}][{k}]"), unit.get(f"shift_value[{number}][{k}]")) for k in range(count)]


def _with_axis_moved(piece: NDArray[Any], index: int, count: int, readings: Readings) -> NDArray[Any]:
    if not count <= index < piece.ndim:
        raise NoIntent(f"axis {index} cannot move {count} places")
    order = list(range(piece.ndim))
    if readings["axis-shift"] == "rotate":
        order[: index + 1] = [*order[count : index + 1], *order[:count]]
    else:
        for place in range(index, index - count, -1):
            order[place - 1], order[place] = order[place], order[place - 1]
    return piece.transpose(order)
