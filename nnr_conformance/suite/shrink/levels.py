"""Payloads as the levels that they hold, so that rows and columns can be left out and the rest is coded again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nnr_conformance.decoder.tensors import DecodedUnit
from nnr_conformance.entropy.parameters import PayloadRules, TensorCoding, TensorResult
from nnr_conformance.suite.coverage.replay import init_ids_of, levels_of
from nnr_conformance.suite.shrink.agreed import Agreed
from nnr_conformance.suite.shrink.pieces import Piece
from nnr_conformance.syntax.enumerations import CPT_DC

Tensors = tuple[dict[str, Any], ...]

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


@dataclass(frozen=True, slots=True, eq=False)
class Decoded:
    """A unit that could be decoded, and its coded tensors as recipes have them, with what is coded before levels."""

    unit: DecodedUnit
    tensors: Tensors


def decoded_units(streams: Sequence[bytes], agreed: Agreed) -> Mapping[tuple[int, str], Decoded]:
    """What can be decoded of streams, by number of the stream and label of the unit."""
    found: dict[tuple[int, str], Decoded] = {}
    chain, coded = agreed.chain(streams), list[dict[str, Any]]()

    def remember(codings: list[TensorCoding], results: list[TensorResult], rules: PayloadRules) -> None:
        coded[:] = [_as_coded(*one, rules) for one in zip(codings, results, strict=True)]

    chain.on_payload = remember
    for number, unit in chain.units():
        found[number, unit.label] = Decoded(unit, tuple(coded))
        coded.clear()
    return found


def _as_coded(coding: TensorCoding, result: TensorResult, rules: PayloadRules) -> dict[str, Any]:
    tensor: dict[str, Any] = {"levels": np.reshape(levels_of(coding, result, rules), result.quantized.shape)}
    if result.qp_coded is not None:
        tensor["qp_value"] = result.qp_coded
    if result.row_skip is not None:
        tensor["row_skip"] = result.row_skip.astype(int).tolist()
    init_ids = {f"{name} {number}": one for (name, number), one in init_ids_of(coding, result).items() if one}
    if init_ids:
        tensor["init_ids"] = init_ids
    return tensor


def rephrased(piece: Piece, decoded: Decoded) -> Iterator[Piece]:
    """The unit with levels in place of its payload: as they were coded, then what they became, coded without more.

    In the first one of both the payload ends as it must.
    """
    unit = decoded.unit
    if any(tensor.quantized is None for tensor in unit.tensors):
        return
    elements = {name: value for name, value in piece.elements.items() if name not in _FOLLOWING}
    if piece.elements.get("compressed_parameter_types", 0) & CPT_DC and "tensor_dimensions" in piece.elements:
        elements["tensor_dimensions"] = piece.elements["tensor_dimensions"]
    became = tuple({"levels": np.asarray(tensor.quantized)} for tensor in unit.tensors)
    for tensors in ([decoded.tensors] if len(decoded.tensors) == len(became) else []) + [became]:
        for ending in ENDINGS:
            more = {"ending": ending} if ending else {}
            changed = {**elements, "tensors": list(tensors), **more}
            yield Piece(piece.unit_type, changed, behind=piece.behind, size=piece.size)


def taking(piece: Piece, axis: int, kept: Sequence[int]) -> Piece:
    """The unit with the given places along an axis of its weight alone; other tensors as long as its rows likewise."""
    size = piece.elements["tensors"][-1]["levels"].shape[axis]
    tensors = []
    for tensor in piece.elements["tensors"]:
        taken = dict(tensor)
        if tensor is piece.elements["tensors"][-1] or (axis == 0 and tensor["levels"].shape == (size,)):
            taken["levels"] = tensor["levels"].take(kept, axis)
            if axis == 0 and "row_skip" in tensor:
                taken["row_skip"] = [tensor["row_skip"][row] for row in kept]
        tensors.append(taken)
    return piece.having(tensors=tensors)
