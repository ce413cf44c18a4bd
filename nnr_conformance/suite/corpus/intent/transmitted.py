"""The tensors of a unit as they are transmitted: quantized parameters, and the numbers that they stand for."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnr_conformance.suite.corpus.intent.elements import UnitIntent
from nnr_conformance.suite.corpus.intent.layout import Layout, Place, Role, moved_back, pieces, role_of
from nnr_conformance.suite.corpus.intent.levels import Coding, nested_shape, quantized_parameters
from nnr_conformance.suite.corpus.intent.refusal import NoIntent
from nnr_conformance.suite.corpus.intent.situation import Situation
from nnr_conformance.suite.corpus.intent.values import Codebook, codebook, from_codebook, raw, uniform
from nnr_conformance.syntax.enumerations import PT_BLOCK, PT_FLOAT, PT_INT, PT_RAW_FLOAT


@dataclass(frozen=True, slots=True, eq=False)
class Transmitted:
    """A tensor of a unit. `quantized`: int32, None for raw floats. `values`: int32, float32, or float64 by codebook.

    `positions`: of its elements in the coded tensor, which holds other topology elements as well when it is cut.
    """

    name: str
    role: Role
    quantized: NDArray[np.int32] | None
    values: NDArray[Any]
    positions: NDArray[np.int64]


def transmitted(unit: UnitIntent, layout: Layout, situation: Situation, raw_bytes: bytes) -> list[list[Transmitted]]:
    """The coded tensors of a unit in order, each as the topology elements that it holds.

    `raw_bytes`: the payload of raw floats, its parts joined. Raises NoIntent.
    """
    kind = unit.get("nnr_compressed_data_unit_payload_type")
    if kind == PT_RAW_FLOAT:
        values = raw(raw_bytes)
        place = layout.places[0]
        if values.size != math.prod(place.shape):
            raise NoIntent(f"{unit.label}: {values.size} numbers are not those of {place.shape}")
        return [_named(unit, layout, situation, place, None, values.reshape(place.shape))]
    if kind not in (PT_INT, PT_FLOAT, PT_BLOCK):
        raise NoIntent(f"{unit.label}: there is no payload type {kind}")
    tensors = unit.recipe.get("tensors")
    if tensors is None or {"cabac_payload", "ending", "part"} & set(unit.recipe):
        raise NoIntent(f"{unit.label}: the payload is given as bytes, or damaged on purpose")
    if len(tensors) != len(layout.places):
        raise NoIntent(f"{unit.label}: {len(tensors)} tensors are coded, {len(layout.places)} are announced")
    found = []
    for tensor, place in zip(tensors, layout.places, strict=True):
        book = _codebook_of(unit, place, kind)
        coding = _coding(unit, place, book, situation)
        _same_matrix(unit, tensor, coding)
        quantized = quantized_parameters(tensor, coding)
        values = _values(unit, tensor, quantized, book, situation).reshape(place.shape)
        array = np.array(quantized, np.int32).reshape(place.shape)
        found.append(_named(unit, layout, situation, place, array, values))
    return found


def _named(
    unit: UnitIntent,
    layout: Layout,
    situation: Situation,
    place: Place,
    quantized: NDArray[np.int32] | None,
    values: NDArray[Any],
) -> list[Transmitted]:
    """A coded tensor as the topology elements that it holds."""
    positions = np.arange(values.size).reshape(place.shape)
    in_place = moved_back(positions, layout) if place.role is Role.WEIGHT else positions
    several = unit.get("nnr_compressed_data_unit_payload_type") != PT_BLOCK and len(layout.names) > 1
    parts = pieces(in_place, unit, layout.names, situation.readings) if several else [(place.name, in_place)]
    levels = None if quantized is None else quantized.ravel()
    return [
        Transmitted(
            name,
            role_of(name, layout) if several else place.role,
            None if levels is None else levels[where],
            values.ravel()[where],
            where,
        )
        for name, where in parts
    ]


def _values(
    unit: UnitIntent,
    tensor: Mapping[str, Any],
    quantized: list[int],
    book: Codebook | None,
    situation: Situation,
) -> NDArray[Any]:
    if unit.get("nnr_compressed_data_unit_payload_type") == PT_INT:
        return np.array(quantized, np.int32)
    scale = situation.quantization_for(unit)
    qp = int(tensor.get("qp_value", 0)) + scale.parameter
    if book is not None:
        return from_codebook(quantized, book, qp, scale.density)
    once = situation.readings["level-rounding"] == "once"
    return uniform(quantized, qp, scale.density, rounded_once=once)


def _codebook_of(unit: UnitIntent, place: Place, kind: int) -> Codebook | None:
    """The codebook of a tensor: in blocks the weight has one, or G, and H another."""
    if not unit.get("codebook_present_flag") or (kind == PT_BLOCK and place.role in (Role.SCALING, Role.OTHER)):
        return None
    elements = unit.second if kind == PT_BLOCK and place.role is Role.H else unit.written
    left, right = (unit.listed(f"codebook_delta_{side}", elements) for side in ("left", "right"))
    size, offset, zero = (elements[f"codebook_{name}"] for name in ("size", "center_offset", "zero_value"))
    return codebook(size, offset, zero, left, right)


def _coding(unit: UnitIntent, place: Place, book: Codebook | None, situation: Situation) -> Coding:
    return Coding(
        rows=place.shape[0] if place.shape else 1,
        columns=math.prod(place.shape[1:]),
        profile=situation.profile,
        dq=bool(unit.get("dq_flag")) and unit.get("nnr_compressed_data_unit_payload_type") != PT_INT,
        scan_order=int(unit.get("scan_order")) if len(place.shape) > 1 else 0,
        entries=0 if book is None else len(book.entries),
        readings=situation.readings,
    )


def _same_matrix(unit: UnitIntent, tensor: Mapping[str, Any], coding: Coding) -> None:
    """Whether the payload is written for the rows and columns that a decoder takes it for."""
    shape = nested_shape(tensor["levels"])
    written = (shape[0], math.prod(shape[1:])) if shape else (1, 1)
    announced = coding.rows, coding.columns
    # Rows and columns have an effect on scans and on the flags for rows, which a single row or column does not have.
    alike = (coding.profile != 1 and not coding.scan_order) or min(written) == min(announced) == 1
    if written != announced and not (alike and math.prod(written) == math.prod(announced)):
        raise NoIntent(f"{unit.label}: {shape} is coded where {coding.rows} rows of {coding.columns} are announced")
