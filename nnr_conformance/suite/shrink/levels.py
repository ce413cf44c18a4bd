"""Payloads as the levels that they hold, so that rows and columns can be left out and the rest is coded again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from nnr_conformance.decoder.tensors import DecodedUnit
from nnr_conformance.suite.shrink.agreed import Agreed
from nnr_conformance.suite.shrink.pieces import Piece
from nnr_conformance.syntax.enumerations import CPT_DC

_FOLLOWING = (
    "cabac_payload",
    "value",
    "dq_state",
    "bit_offset",
    "bit_offset_delta",
    "cabac_unary_length_flag",
    "count_tensor_dimensions",
    "tensor_dimensions",
)
"""Elements that follow from tensors, where these are not only a part of what the dimensions are for."""

ENDINGS: Sequence[Mapping[str, Any]] = (
    {},
    {"alignment": 1},
    {"stop_bit": 0},
    {"terminate": 0},
    {"trailing": b"\0"},
    {"trailing": b"\1"},
)
"""Ways in which a payload can end, of which all but the first are wrong."""


def decoded_units(streams: Sequence[bytes], agreed: Agreed) -> Mapping[tuple[int, str], DecodedUnit]:
    """What can be decoded of streams, by number of the stream and label of the unit."""
    found: dict[tuple[int, str], DecodedUnit] = {}
    for number, unit in agreed.chain(streams).units():
        found[number, unit.label] = unit
    return found


def rephrased(piece: Piece, unit: DecodedUnit) -> Iterator[Piece]:
    """The unit with levels in place of its payload; in the first one the payload ends as it must."""
    if any(tensor.quantized is None for tensor in unit.tensors):
        return
    tensors = [{"levels": np.asarray(tensor.quantized)} for tensor in unit.tensors]
    elements = {name: value for name, value in piece.elements.items() if name not in _FOLLOWING}
    if piece.elements.get("compressed_parameter_types", 0) & CPT_DC and "tensor_dimensions" in piece.elements:
        elements["tensor_dimensions"] = piece.elements["tensor_dimensions"]
    for ending in ENDINGS:
        more = {"ending": ending} if ending else {}
        yield Piece(piece.unit_type, {**elements, "tensors": tensors, **more}, behind=piece.behind, size=piece.size)


def taking(piece: Piece, axis: int, kept: Sequence[int]) -> Piece:
    """The unit with the given places along an axis of its weight alone; other tensors as long as its rows likewise."""
    size = piece.elements["tensors"][-1]["levels"].shape[axis]
    tensors = []
    for tensor in piece.elements["tensors"]:
        levels = tensor["levels"]
        if tensor is piece.elements["tensors"][-1] or (axis == 0 and levels.shape == (size,)):
            levels = levels.take(kept, axis)
        tensors.append({**tensor, "levels": levels})
    return piece.having(tensors=tensors)
