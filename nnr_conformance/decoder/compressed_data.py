"""Compressed data units to tensors: what the header says, the payload's levels, dequantized (clauses 7, 9 and 10)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from operator import itemgetter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnr_conformance.decoder.composition import Member
from nnr_conformance.decoder.dequantization import (
    Codebook,
    check_qp,
    dequantize_codebook,
    dequantize_uniform,
    raw_floats,
)
from nnr_conformance.decoder.entropy_stage import entropy_decode, entry_points
from nnr_conformance.decoder.how import UnitDecoder
from nnr_conformance.decoder.mapping import split_and_shift
from nnr_conformance.decoder.model_state import ModelState, Quantization
from nnr_conformance.decoder.parents import base_levels, check_history, find_parent, history_marks, remember
from nnr_conformance.decoder.payloads import PayloadBytes
from nnr_conformance.decoder.steps import Steps
from nnr_conformance.decoder.tensors import CodedTensor, DecodedUnit
from nnr_conformance.decoder.unit_header import (
    HEADER,
    HeldTensor,
    UnitHeader,
    as_transmitted,
    coded_shape,
    dimensions,
    held_tensors,
)
from nnr_conformance.decoder.update_tree import Node, UpdateTree
from nnr_conformance.diagnostics import Findings, stop
from nnr_conformance.entropy import TensorCoding, TensorResult
from nnr_conformance.machines import Judge
from nnr_conformance.scope import TraceEntry, joined
from nnr_conformance.syntax.enumerations import (
    PT_BLOCK,
    PT_FLOAT,
    PT_INT,
    PT_RAW_FLOAT,
)
from nnr_conformance.syntax.unit_parser import Unit

_FIRST_EXTENSION = 2
"""The first value of nnr_decompressed_data_format that is reserved where two are known."""


DataDecoder = Callable[
    [Unit, PayloadBytes, tuple[str, ...], ModelState, UpdateTree, Sequence[TraceEntry], Judge, UnitDecoder],
    Steps[DecodedUnit | None],
]
"""Takes a NNR_NDU with its whole payload, as `decode_compressed_data` does."""


def decode_compressed_data(
    unit: Unit,
    payload: PayloadBytes,
    names: tuple[str, ...],
    state: ModelState,
    tree: UpdateTree,
    trace: Sequence[TraceEntry],
    judge: Judge,
    how: UnitDecoder,
) -> Steps[DecodedUnit | None]:
    """Decode one NNR_NDU. Raises BitstreamError when its tensors cannot be had; the judge hears of lesser things."""
    findings = judge.findings
    header, payload_type, members = open_data_unit(unit, names, trace, how)
    parent = find_parent(header, tree, judge, how)
    if payload_type == PT_RAW_FLOAT:
        tensors: tuple[CodedTensor, ...] = (_raw_tensor(header, members[0], payload, findings, how),)
    else:
        tensors = yield from _coded_tensors(header, members, payload_type, payload, state, tree, parent, findings, how)
    node = remember(header, tensors, payload, tree, how) if how.keep_levels else None
    if payload_type != PT_BLOCK and len(names) > 1:
        tensors = _split(header, tensors[0], how)
    return DecodedUnit(
        label=unit.label,
        tensors=tensors,
        dimensions=header.dims,
        update=header.get("parent_node_id_present_flag") == 1,
        data_format=data_format(header, how),
        block=payload_type == PT_BLOCK,
        tools=frozenset(header.tools),
        model=state,
        parent=parent,
        node=node,
    )


def open_data_unit(
    unit: Unit, names: tuple[str, ...], trace: Sequence[TraceEntry], how: UnitDecoder
) -> tuple[UnitHeader, int, list[HeldTensor]]:
    """What the header of a NNR_NDU says: its dimensions, the payload type, the tensors. Raises BitstreamError."""
    header = UnitHeader(unit, names, trace)
    header.dims = dimensions(header, how.limits)
    if unit.is_part:
        header.tools.add("partial data")
    payload_type: int = header.get("nnr_compressed_data_unit_payload_type")
    if payload_type > PT_BLOCK:
        stop(
            "payload_type_reserved",
            f"payload type {payload_type} cannot be decoded",
            bits=header.place("nnr_compressed_data_unit_payload_type"),
            path=header.path("nnr_compressed_data_unit_payload_type"),
        )
    return header, payload_type, held_tensors(header, payload_type)


def data_format(header: UnitHeader, how: UnitDecoder) -> int | None:
    """The signalled format; one that is reserved is as good as none (reading decompressed-formats)."""
    found: int | None = header.get("nnr_decompressed_data_format", None)
    reserved = found is not None and found >= _FIRST_EXTENSION and how.readings["decompressed-formats"] == "two"
    return None if reserved else found


def _raw_tensor(
    header: UnitHeader, tensor: HeldTensor, payload: PayloadBytes, findings: Findings, how: UnitDecoder
) -> CodedTensor:
    header.tools.add("raw float")
    if header.get("scan_order"):
        bits, path = header.place("scan_order"), header.path("scan_order")
        findings.report("raw_scan_order", f"found {header.get('scan_order')}", bits=bits, path=path)
    bits = (payload.absolute(0), payload.absolute(8 * len(payload.data)))
    path = joined(header.unit.label, "raw_float32_parameter")
    shape = coded_shape(header, tensor, how)
    values = raw_floats(payload.data, shape, findings=findings, path=path, bits=bits)
    return CodedTensor(tensor.name, tensor.member, as_transmitted(header, tensor, values, how), None, None, bits)


def _split(header: UnitHeader, tensor: CodedTensor, how: UnitDecoder) -> tuple[CodedTensor, ...]:
    """Cut a tensor into the topology elements that were concatenated (R-NDU-24, R-DIM-01 to R-DIM-08)."""
    mapping = header.unit.header[HEADER].get("topology_tensor_dimension_mapping")
    path = header.path("topology_tensor_dimension_mapping")
    if mapping is None:
        stop("mapping_out_of_band", "the mapping of several ids to one tensor is not in the stream", path=path)
    header.tools.add("dimension mapping")
    counts = mapping["number_of_shifts"]
    indices, values = mapping.get("shift_index", []), mapping.get("shift_value", [])
    shifts = [
        list(zip(indices[number], values[number], strict=True)) if count else [] for number, count in enumerate(counts)
    ]

    def place(element: str) -> tuple[tuple[int, int] | None, str]:
        return header.place(element), joined(path, element)

    def pieces(array: NDArray[Any]) -> list[NDArray[Any]]:
        return split_and_shift(
            array,
            mapping["concatenation_axis_index"],
            mapping["split_index"],
            shifts,
            readings=how.readings,
            place=place,
        )

    values_pieces = pieces(tensor.values)
    levels = [None] * len(header.names) if tensor.quantized is None else pieces(tensor.quantized)
    return tuple(
        replace(tensor, name=name, values=values_pieces[number], quantized=levels[number])
        for number, name in enumerate(header.names)
    )


def _coded_tensors(
    header: UnitHeader,
    members: list[HeldTensor],
    payload_type: int,
    payload: PayloadBytes,
    state: ModelState,
    tree: UpdateTree,
    parent: Node | None,
    findings: Findings,
    how: UnitDecoder,
) -> Steps[tuple[CodedTensor, ...]]:
    plan = coding_plan(header, members, payload_type, state, findings, how)
    codings = [
        _with_parents(coding, base_levels(header, tensor, parent, how), history_marks(header, tensor, tree, how))
        for tensor, coding in zip(members, plan.codings, strict=True)
    ]
    results = yield from entropy_decode(header, members, codings, payload, findings, how)
    _note_tools(header, payload_type, codings, results)
    tensors = []
    for tensor, coding, result, codebook in zip(members, codings, results, plan.codebooks, strict=True):
        check_history(header, tensor, result, tree, findings)
        place = (payload.absolute(result.first_bit), payload.absolute(result.end_bit))
        quantized = as_transmitted(header, tensor, result.quantized, how)
        values: NDArray[Any] = quantized
        qp = None
        if plan.quantization is not None:
            values, qp = dequantized(
                header, tensor, result.qp_coded, quantized, codebook, plan.quantization, place, findings, how
            )
        kept = None if how.may_lose_levels else quantized
        tensors.append(CodedTensor(tensor.name, tensor.member, values, kept, qp, place, coding.codebook_size))
    return tuple(tensors)


def _with_parents(
    coding: TensorCoding, base: NDArray[np.int32] | None, history: NDArray[np.bool_] | None
) -> TensorCoding:
    return coding if base is None and history is None else replace(coding, base=base, history=history)


@dataclass(frozen=True, slots=True)
class CodingPlan:
    """How the payload of a unit is coded, as the header and the parameter sets say it: by tensor in coding order.

    `codings`: without what comes from parents. `quantization`: None where levels are not dequantized.
    """

    codebooks: list[Codebook | None]
    quantization: Quantization | None
    codings: list[TensorCoding]


def coding_plan(
    header: UnitHeader,
    members: list[HeldTensor],
    payload_type: int,
    state: ModelState,
    findings: Findings,
    how: UnitDecoder,
) -> CodingPlan:
    """The plan of a payload that is entropy-coded. Raises BitstreamError when it makes no sense."""
    codebooks = _codebooks(header, members, state, findings)
    quantization = state.quantization_in_force(header.path()) if payload_type in (PT_FLOAT, PT_BLOCK) else None
    points = entry_points(header, members, how, findings)
    codings = [
        TensorCoding(
            shape=coded_shape(header, tensor, how),
            unary_length=header.get("cabac_unary_length_minus1") + 1,
            dq=bool(header.get("dq_flag")) and payload_type != PT_INT,
            scan_order=header.get("scan_order") if tensor.scanned else 0,
            edition=2 if header.get("general_profile_idc") == 1 else 1,
            qp_bits=0 if quantization is None else 6 + quantization.density,
            parent_present=header.get("parent_node_id_present_flag") == 1,
            codebook_size=0 if codebook is None else len(codebook),
            codebook_zero=0 if codebook is None else codebook.zero_offset,
            entry_points=given,
        )
        for tensor, codebook, given in zip(members, codebooks, points, strict=True)
    ]
    return CodingPlan(codebooks, quantization, codings)


def dequantized(
    header: UnitHeader,
    tensor: HeldTensor,
    qp_coded: int | None,
    quantized: NDArray[np.int32],
    codebook: Codebook | None,
    quantization: Quantization,
    place: tuple[int, int],
    findings: Findings,
    how: UnitDecoder,
) -> tuple[NDArray[Any], int]:
    """Values and quantization parameter of a tensor (R-QP-01 to R-QP-04, R-CB-05)."""
    qp = quantization.parameter + (qp_coded or 0)
    path = joined(joined(header.unit.label, "nnr_compressed_data_unit_payload"), tensor.name)
    field_bits = (place[0], place[0] + 6 + quantization.density)
    check_qp(qp, quantization.density, findings=findings, path=path, bits=field_bits)
    if codebook is None:
        values: NDArray[Any] = dequantize_uniform(
            quantized,
            qp,
            quantization.density,
            findings=findings,
            readings=how.readings,
            path=path,
            bits=place,
            in_place=how.may_lose_levels,
        )
    else:
        values = dequantize_codebook(
            quantized, codebook, qp, quantization.density, findings=findings, path=path, bits=place
        )
    return values, qp


def _codebooks(
    header: UnitHeader, members: list[HeldTensor], state: ModelState, findings: Findings
) -> list[Codebook | None]:
    """The codebook of each tensor: of the weight or G, and of H in a block (R-NDU-18)."""
    if not header.get("codebook_present_flag"):
        return [None] * len(members)
    header.tools.add("codebook")
    if not state.codebooks_announced:
        element = "codebook_present_flag"
        message = "NNR_QCB is not among the quantization method flags"
        findings.report("codebook_not_announced", message, bits=header.place(element), path=header.path(element))
    if header.get("dq_flag"):
        findings.report("codebook_with_dq", "dq_flag is 1", bits=header.place("dq_flag"), path=header.path("dq_flag"))
    block = len(members) > 1
    found: list[Codebook | None] = []
    for tensor in members:
        name = "codebook_dc" if block and tensor.member is Member.H else "codebook"
        if not tensor.scanned and block:
            found.append(None)
            continue
        tree = header.unit.header[HEADER][name]
        zero = (tree["codebook_size"] >> 1) + tree["codebook_center_offset"]
        found.append(
            Codebook.from_elements(
                tree["codebook_size"],
                zero,
                tree["codebook_zero_value"],
                tree["codebook_delta_left"],
                tree["codebook_delta_right"],
                path=header.path(name),
                bits=header.place("codebook_size"),
            )
        )
    return found


def _note_tools(
    header: UnitHeader, payload_type: int, codings: list[TensorCoding], results: list[TensorResult]
) -> None:
    """The names of coding tools that this unit uses, for reports."""
    tools = header.tools
    tools.add("integer" if payload_type == PT_INT else "uniform")
    if all(coding.codebook_size for coding in codings):
        tools.discard("uniform")
    if any(coding.dq for coding in codings):
        tools.add("dependent quantization")
    if any(coding.effective_scan_order for coding in codings):
        tools.add(f"scan order {header.get('scan_order')}")
    if any(result.row_skip is not None for result in results):
        tools.add("row skip")
    if any(result.history_flag for result in results):
        tools.add("history contexts")
    if any(any(map(itemgetter(1), result.init_ids)) for result in results):
        tools.add("initialization ids")
