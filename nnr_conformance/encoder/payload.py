"""Payloads of compressed data units from the levels that a recipe gives (clauses 7 and 10)."""

from __future__ import annotations

import itertools
import math
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nnr_conformance.encoder.arithmetic import ArithmeticEncoder, Codeword, Ending
from nnr_conformance.encoder.elements import as_bytes
from nnr_conformance.encoder.payload_writer import BlockRowMark, PayloadWriter, TensorPlan, Written
from nnr_conformance.encoder.tensor_data import BlockRow, TensorData, TensorEncoder
from nnr_conformance.errors import BuildError
from nnr_conformance.syntax.enumerations import PT_BLOCK, PT_FLOAT, PT_INT

_VARIANTS = frozenset(
    {"restarts", "restart_single_block_row", "state_per_segment", "skip_resets_neighbour", "prefix_ids"}
)
"""Fields of `TensorData` that make a payload wrong, or right by another reading."""

TENSOR_KEYS = frozenset({"levels", "qp_value", "row_skip", "history", "base", "init_ids"}) | _VARIANTS
"""What a recipe says of a tensor."""

_UNARY_LENGTH = 10
"""Greater-than flags where a recipe does not say how many; the stream says it, since decoders infer other numbers."""

FAST_FROM = 20_000
"""Weights of a payload from which it is not encoded in the form of the specification, whose work grows with the square
of their number. The bytes are the same."""

Coded = Sequence[tuple[TensorData | TensorPlan, Sequence[BlockRow | BlockRowMark]]]
"""Tensors with where their block rows begin."""


@dataclass(frozen=True, slots=True)
class CodedPayload:
    """A payload, and the elements of its header that follow from it: entry points, and dimensions when not given."""

    data: bytes
    elements: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class CodingContext:
    """What a payload depends on outside its unit: profile, density in force, whether a parent is signalled."""

    profile: int
    qp_density: int


def float_payload(values: Any) -> CodedPayload:
    """Uncompressed binary32 numbers, the least significant byte first (R-NDU-22).

    NaN as a number is the quiet one without sign, whichever a machine has for it; others are given as bytes.
    """
    flat = [one if one == one else math.nan for one in _flattened(values)]  # noqa: PLR0124 - NaN differs from itself
    return CodedPayload(struct.pack(f"<{len(flat)}f", *flat), {"tensor_dimensions": list(shape_of(values))})


def coded_payload(
    tensors: Sequence[Mapping[str, Any]],
    elements: Mapping[str, Any],
    payload_type: int,
    context: CodingContext,
    ending: Mapping[str, Any],
) -> CodedPayload:
    """One arithmetic codeword for the tensors of a unit, in coding order.

    `elements`: those of the unit's header, as the recipe gives them. `ending`: how the codeword ends, where it does not
    end as it must: terminate, stop_bit, alignment, trailing. Raises BuildError.
    """
    block = payload_type == PT_BLOCK
    datas: list[TensorData] = []
    scanned = 0
    for tensor in tensors:
        unknown = set(tensor) - TENSOR_KEYS
        if unknown:
            raise BuildError(f"a tensor has no {', '.join(sorted(unknown))}")
        matrix = len(shape_of(tensor["levels"])) > 1
        own = elements.get("codebook_dc", {}) if block and matrix and scanned else elements
        datas.append(_tensor_data(tensor, elements, own if matrix or not block else {}, payload_type, context))
        scanned += matrix
    ends = Ending(**{**ending, "trailing": as_bytes(ending.get("trailing", b""), "trailing")})
    codeword, coded = _coded(datas, ends)
    found = entry_point_elements(codeword, coded)
    if elements.get("cabac_unary_length_flag", 1):
        found["cabac_unary_length_minus1"] = _UNARY_LENGTH - 1
    if payload_type in (PT_INT, PT_FLOAT):
        found["tensor_dimensions"] = list(shape_of(tensors[0]["levels"]))
    elif tensors:
        found["tensor_dimensions"] = list(shape_of(tensors[-1]["levels"]))
    return CodedPayload(codeword.data, found)


def _coded(datas: Sequence[TensorData], ending: Ending) -> tuple[Codeword | Written, Coded]:
    plain = not any(data.skip_resets_neighbour for data in datas)
    if plain and sum(len(data.levels) for data in datas) >= FAST_FROM:
        writer = PayloadWriter()
        plans = [TensorPlan.of(data) for data in datas]
        for plan in plans:
            writer.write(plan)
        written = writer.finish(ending)
        return written, list(zip(plans, written.marks, strict=True))
    encoder = ArithmeticEncoder()
    starts = [(data, TensorEncoder(encoder, data).write()) for data in datas]
    return encoder.finish(ending), starts


def _tensor_data(
    tensor: Mapping[str, Any],
    elements: Mapping[str, Any],
    codebook: Mapping[str, Any],
    payload_type: int,
    context: CodingContext,
) -> TensorData:
    shape = shape_of(tensor["levels"])
    levels = [int(level) for level in _flattened(tensor["levels"])]
    height = shape[0] if shape else 1
    size, zero = _codebook(codebook)
    scaled = payload_type in (PT_FLOAT, PT_BLOCK)
    bits = 6 + context.qp_density if scaled else 0
    more = {name: tensor[name] for name in _VARIANTS if name in tensor}
    names = {str(key).rpartition(" "): init_id for key, init_id in tensor.get("init_ids", {}).items()}
    return TensorData(
        levels=levels,
        height=height,
        width=len(levels) // max(height, 1),
        edition=2 if context.profile == 1 else 1,
        unary_length=elements.get("cabac_unary_length_minus1", _UNARY_LENGTH - 1) + 1,
        dq=bool(elements.get("dq_flag", 0)) and payload_type != PT_INT,
        scan_order=elements.get("scan_order", 0) if len(shape) > 1 else 0,
        qp_value=int(tensor.get("qp_value", 0)) if scaled else None,
        qp_bits=bits,
        parent_present="parent_node_id_type" in elements or elements.get("parent_node_id_present_flag", 0) == 1,
        codebook_size=size,
        codebook_zero=zero,
        row_skip=tensor.get("row_skip"),
        history=None if "history" not in tensor else list(_flattened(tensor["history"])),
        base=None if "base" not in tensor else list(_flattened(tensor["base"])),
        init_ids={(name, int(number)): init_id for (name, _, number), init_id in names.items()},
        **more,
    )


def _codebook(elements: Mapping[str, Any]) -> tuple[int, int]:
    """Size and CbZeroOffset; (0, 0) without a codebook."""
    if "codebook_zero_value" not in elements:
        return 0, 0
    left, right = elements.get("codebook_delta_left", []), elements.get("codebook_delta_right", [])
    size = elements.get("codebook_size", len(left) + 1 + len(right))
    return size, (size >> 1) + elements.get("codebook_center_offset", 0)


def entry_point_elements(codeword: Codeword | Written, coded: Coded) -> dict[str, Any]:
    """The elements value, dq_state, bit_offset and bit_offset_delta of all tensors that are scanned in blocks."""
    points = []
    for data, rows in coded:
        if data.scan_order and data.block:
            for before, after in itertools.pairwise(rows):
                points.append((codeword.offset_at(after.bits, after.low), after.state, after.bits - before.bits))
        elif data.scan_order:
            points += [(0, 0, 0)] * (-(-data.height // (4 << data.scan_order)) - 1)
    offsets = [offset for _, _, offset in points]
    return {
        "value": [value & 255 for value, _, _ in points],
        "dq_state": [state for _, state, _ in points],
        "bit_offset": offsets[:1] + [0] * (len(offsets) - 1),
        "bit_offset_delta": [0] * bool(offsets) + [after - before for before, after in itertools.pairwise(offsets)],
    }


def shape_of(values: Any) -> tuple[int, ...]:
    """The dimensions of nested lists."""
    if not isinstance(values, (list, tuple)):
        return ()
    return (len(values), *shape_of(values[0])) if values else (0,)


def _flattened(values: Any) -> Any:
    if isinstance(values, (list, tuple)):
        return itertools.chain.from_iterable(map(_flattened, values))
    return (values,)
