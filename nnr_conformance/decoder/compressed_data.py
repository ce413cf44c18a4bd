"""Compressed data units to tensors: what the header says, the payload's levels, dequantized (clauses 7, 9 and 10)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnr_conformance.decoder.composition import Member, block_members, factor_shapes, member_shape
from nnr_conformance.decoder.dequantization import (
    Codebook,
    check_qp,
    dequantize_codebook,
    dequantize_uniform,
    raw_floats,
)
from nnr_conformance.decoder.mapping import shifted_dims, split_and_shift, undo_dimension_shift
from nnr_conformance.decoder.model_state import ModelState, Quantization
from nnr_conformance.decoder.payloads import PayloadBytes
from nnr_conformance.decoder.tensors import CodedTensor, DecodedUnit
from nnr_conformance.decoder.update_tree import Levels, Node, UpdateTree, compact
from nnr_conformance.diagnostics import Findings, Severity, diagnose, stop
from nnr_conformance.entropy import EntropyFault, EntryPoint, PayloadDecoder, PayloadRules, TensorCoding, TensorResult
from nnr_conformance.errors import BitstreamError
from nnr_conformance.limits import DEFAULT_LIMITS, Limits
from nnr_conformance.readings import DEFAULT_READINGS, Readings
from nnr_conformance.scope import TraceEntry, joined
from nnr_conformance.syntax.compressed_data import holds_h, parameter_types
from nnr_conformance.syntax.enumerations import (
    CPT_DC,
    CPT_LS,
    ICNN_NDU_ID,
    ICNN_NDU_PL_SHA256,
    PT_BLOCK,
    PT_FLOAT,
    PT_INT,
    PT_RAW_FLOAT,
)
from nnr_conformance.syntax.unit_parser import Unit

HEADER = "nnr_compressed_data_unit_header"
LARGEST_ELEMENTS = (1 << 31) - 1


@dataclass(frozen=True, slots=True)
class UnitDecoder:
    """How units are decoded: choices that do not change from unit to unit.

    `compiled`: force the execution of the entropy decoder, None chooses. `work_bits`: payload bits of the whole job.
    `keep_levels`: remember levels and history for updates that follow. `exact_codebook`: codebook tensors as float64
    products, for arithmetic that follows, instead of rounded to float32.
    """

    readings: Readings = DEFAULT_READINGS
    limits: Limits = DEFAULT_LIMITS
    compiled: bool | None = None
    work_bits: int | None = None
    keep_levels: bool = True
    exact_codebook: bool = False


@dataclass(slots=True)
class _Header:
    """The header of one unit as the decoder sees it, with the places of its elements."""

    unit: Unit
    names: tuple[str, ...]
    places: dict[str, tuple[int, int]]
    dims: tuple[int, ...] = ()
    tools: set[str] = field(default_factory=set)

    def place(self, element: str) -> tuple[int, int] | None:
        return self.places.get(element)

    def path(self, element: str = "") -> str:
        here = joined(self.unit.label, HEADER)
        return joined(here, element) if element else here

    def get(self, element: str, default: Any = 0) -> Any:
        return self.unit.get(element, default)


def places_of(trace: Sequence[TraceEntry], label: str) -> dict[str, tuple[int, int]]:
    """First and end bit of each element of a unit by name, with its subscript."""
    return {entry.name: (entry.first, entry.first + entry.size) for entry in trace if entry.path.startswith(label)}


def element_names(unit: Unit, state: ModelState, trace: Sequence[TraceEntry]) -> tuple[str, ...]:
    """The ids of a unit's topology elements, indices resolved by the reference list (R-ORD-10, R-REF-03, R-REF-04).

    Raises BitstreamError reference_list_missing or reference_index_range.
    """
    if unit.get("nnr_multiple_topology_elements_present_flag"):
        listed = unit.header[HEADER]["topology_elements_ids_list"]
        if "topology_elem_id_list" in listed:
            return tuple(listed["topology_elem_id_list"])
        indices = listed["topology_elem_id_index_list"]
    else:
        header = unit.header[HEADER]
        if "topology_elem_id" in header:
            return (header["topology_elem_id"],)
        indices = [header["topology_elem_id_index"]]
    places = places_of(trace, unit.label)
    bits = next((places[name] for name in places if name.startswith("topology_elem_id_index")), None)
    path = joined(joined(unit.label, HEADER), "topology_elem_id_index")
    if state.reference_list is None:
        stop("reference_list_missing", "no NNR_TPL_REFLIST unit came before this index", bits=bits, path=path)
    for index in indices:
        if index >= len(state.reference_list):
            message = f"index {index}, but the reference list has {len(state.reference_list)} ids"
            stop("reference_index_range", message, bits=bits, path=path)
    return tuple(state.reference_list[index] for index in indices)


def decode_compressed_data(
    unit: Unit,
    payload: PayloadBytes,
    names: tuple[str, ...],
    state: ModelState,
    tree: UpdateTree,
    trace: Sequence[TraceEntry],
    findings: Findings,
    how: UnitDecoder,
) -> DecodedUnit:
    """Decode one NNR_NDU. Raises BitstreamError when its tensors cannot be had; lesser things go to `findings`."""
    header = _Header(unit, names, places_of(trace, unit.label))
    header.dims = _dimensions(header, how.limits)
    payload_type = header.get("nnr_compressed_data_unit_payload_type")
    if payload_type > PT_BLOCK:
        stop(
            "payload_type_reserved",
            f"payload type {payload_type} cannot be decoded",
            bits=header.place("nnr_compressed_data_unit_payload_type"),
            path=header.path("nnr_compressed_data_unit_payload_type"),
        )
    members = _members(header, payload_type)
    if payload_type == PT_RAW_FLOAT:
        tensors: tuple[CodedTensor, ...] = (_raw_tensor(header, members[0], payload, findings, how),)
    else:
        tensors = _coded_tensors(header, members, payload_type, payload, state, tree, findings, how)
    if payload_type != PT_BLOCK and len(names) > 1:
        tensors = _split(header, tensors[0], how)
    return DecodedUnit(
        label=unit.label,
        tensors=tensors,
        dimensions=header.dims,
        update=header.get("parent_node_id_present_flag") == 1,
        data_format=header.get("nnr_decompressed_data_format", None),
        block=payload_type == PT_BLOCK,
        tools=frozenset(header.tools),
    )


@dataclass(frozen=True, slots=True)
class _Tensor:
    """A tensor that the unit holds: its name, what it is, its shape, and whether block scans apply to it."""

    name: str
    member: Member
    shape: tuple[int, ...]
    scanned: bool


def _dimensions(header: _Header, limits: Limits) -> tuple[int, ...]:
    dims = tuple(int(size) for size in header.get("tensor_dimensions", ()))
    bits = header.place("tensor_dimensions[0]")
    path = header.path("tensor_dimensions")
    if any(size < 1 for size in dims):
        stop("dims_invalid", f"dimensions {list(dims)}; each is at least 1", bits=bits, path=path)
    elements = math.prod(dims)
    if elements > LARGEST_ELEMENTS:
        stop("dims_invalid", f"{elements} elements; at most {LARGEST_ELEMENTS} are allowed", bits=bits, path=path)
    if elements > limits.tensor_elements:
        message = f"{elements} elements, the limit tensor_elements is {limits.tensor_elements}"
        stop("limit_elements", message, bits=bits, path=path)
    return dims


def _members(header: _Header, payload_type: int) -> list[_Tensor]:
    """The tensors of the unit in coding order (R-NDU-02 to R-NDU-06)."""
    types = header.get("compressed_parameter_types")
    rank, rows = header.get("decomposition_rank"), header.get("g_number_of_rows")
    if payload_type != PT_BLOCK:
        return [_single(header, types, rank, rows)]
    if not header.get("nnr_multiple_topology_elements_present_flag"):
        element = "nnr_multiple_topology_elements_present_flag"
        stop("block_without_list", "a block has a list of ids", bits=header.place(element), path=header.path(element))
    bits, path = header.place("compressed_parameter_types"), header.path("compressed_parameter_types")
    if types == 0:
        stop("block_without_members", "a block holds more than the weight", bits=bits, path=path)
    layout = block_members(types)
    if len(layout.listed) != len(header.names):
        message = f"{parameter_types(types)} makes {len(layout.listed)} tensors, but {len(header.names)} ids are listed"
        bits, path = header.place("count_topology_elements_minus2"), header.path("topology_elements_ids_list")
        stop("block_id_count", message, bits=bits, path=path)
    header.tools.update({"block", *(_TOOL_OF_TYPE[bit] for bit in _TOOL_OF_TYPE if types & bit)})
    tensors = []
    for member, position in zip(layout.coded, layout.id_positions, strict=True):
        shape = member_shape(member, header.dims, rank, rows, path=path, bits=header.place("g_number_of_rows"))
        scanned = member in (Member.WEIGHT, Member.G, Member.H)
        tensors.append(_Tensor(header.names[position], member, shape, scanned))
    return tensors


_TOOL_OF_TYPE = {1: "decomposition", 2: "local scaling", 4: "batch norm", 8: "bias"}


def _single(header: _Header, types: int, rank: int, rows: int) -> _Tensor:
    name = header.names[0]
    if types & CPT_DC and len(header.dims) > 1:
        header.tools.add("decomposition")
        shapes = factor_shapes(
            header.dims, rank, rows, path=header.path("g_number_of_rows"), bits=header.place("g_number_of_rows")
        )
        if holds_h(header.get("element_name", ""), header.get("G_pending")):
            return _Tensor(name, Member.H, shapes[1], True)
        return _Tensor(name, Member.G, shapes[0], True)
    if types & CPT_LS and len(header.dims) == 1 and name.endswith("_scaling"):
        header.tools.add("local scaling")
        return _Tensor(name, Member.LOCAL_SCALING, header.dims, False)
    return _Tensor(name, Member.WEIGHT, header.dims, len(header.dims) > 1)


def _raw_tensor(
    header: _Header, tensor: _Tensor, payload: PayloadBytes, findings: Findings, how: UnitDecoder
) -> CodedTensor:
    header.tools.add("raw float")
    if header.get("scan_order"):
        bits, path = header.place("scan_order"), header.path("scan_order")
        findings.report("raw_scan_order", f"found {header.get('scan_order')}", bits=bits, path=path)
    bits = (payload.absolute(0), payload.absolute(8 * len(payload.data)))
    path = joined(header.unit.label, "raw_float32_parameter")
    shape = _coded_shape(header, tensor, how)
    values = raw_floats(payload.data, shape, findings=findings, path=path, bits=bits)
    return CodedTensor(tensor.name, tensor.member, _as_transmitted(header, tensor, values, how), None, None, bits)


def _coded_shape(header: _Header, tensor: _Tensor, how: UnitDecoder) -> tuple[int, ...]:
    """The shape in which the tensor is coded: a scalar as one element, a shifted dimension first (R-ED2-27)."""
    if not tensor.shape:
        return (1,)
    shift = header.get("first_tensor_dimension_shift")
    if shift and tensor.member is Member.WEIGHT and len(tensor.shape) > 1:
        header.tools.add("dimension shift")
        element = "first_tensor_dimension_shift"
        return shifted_dims(
            tensor.shape, shift, readings=how.readings, path=header.path(element), bits=header.place(element)
        )
    return tensor.shape


def _as_transmitted(header: _Header, tensor: _Tensor, array: NDArray[Any], how: UnitDecoder) -> NDArray[Any]:
    shift = header.get("first_tensor_dimension_shift")
    if shift and tensor.member is Member.WEIGHT and array.ndim > 1:
        array = undo_dimension_shift(array, shift, readings=how.readings)
    return array.reshape(tensor.shape)


def _split(header: _Header, tensor: CodedTensor, how: UnitDecoder) -> tuple[CodedTensor, ...]:
    """Cut a tensor into the topology elements that were concatenated (R-NDU-24, R-DIM-01 to R-DIM-08)."""
    mapping = header.unit.header[HEADER].get("topology_tensor_dimension_mapping")
    path = header.path("topology_tensor_dimension_mapping")
    if mapping is None:
        stop("parameters_out_of_band", "the mapping of several ids to one tensor is not in the stream", path=path)
    header.tools.add("dimension mapping")
    counts = mapping["number_of_shifts"]
    indices, values = mapping.get("shift_index", []), mapping.get("shift_value", [])
    shifts = [
        list(zip(indices[number], values[number], strict=True)) if count else [] for number, count in enumerate(counts)
    ]
    bits = header.place("concatenation_axis_index")

    def pieces(array: NDArray[Any]) -> list[NDArray[Any]]:
        return split_and_shift(
            array,
            mapping["concatenation_axis_index"],
            mapping["split_index"],
            shifts,
            readings=how.readings,
            path=path,
            bits=bits,
        )

    values_pieces = pieces(tensor.values)
    levels = [None] * len(header.names) if tensor.quantized is None else pieces(tensor.quantized)
    return tuple(
        replace(tensor, name=name, values=values_pieces[number], quantized=levels[number])
        for number, name in enumerate(header.names)
    )


def _coded_tensors(
    header: _Header,
    members: list[_Tensor],
    payload_type: int,
    payload: PayloadBytes,
    state: ModelState,
    tree: UpdateTree,
    findings: Findings,
    how: UnitDecoder,
) -> tuple[CodedTensor, ...]:
    codebooks = _codebooks(header, members, findings)
    quantization = state.quantization_in_force(header.path()) if payload_type in (PT_FLOAT, PT_BLOCK) else None
    parent = _parent(header, tree, findings)
    entry_points = _entry_points(header, members, how, findings)
    codings = []
    for number, tensor in enumerate(members):
        codebook = codebooks[number]
        codings.append(
            TensorCoding(
                shape=_coded_shape(header, tensor, how),
                unary_length=header.get("cabac_unary_length_minus1") + 1,
                dq=bool(header.get("dq_flag")) and payload_type != PT_INT,
                scan_order=header.get("scan_order") if tensor.scanned else 0,
                edition=2 if header.get("general_profile_idc") == 1 else 1,
                qp_bits=0 if quantization is None else 6 + quantization.density,
                parent_present=header.get("parent_node_id_present_flag") == 1,
                codebook_size=0 if codebook is None else len(codebook),
                codebook_zero=0 if codebook is None else codebook.zero_offset,
                base=_base(header, tensor, parent, how),
                history=_history(header, tensor, tree, how),
                entry_points=entry_points[number],
            )
        )
    results = _entropy_decode(header, members, codings, payload, findings, how)
    _note_tools(header, payload_type, codings, results)
    tensors = []
    levels = {}
    for tensor, result, codebook in zip(members, results, codebooks, strict=True):
        place = (payload.absolute(result.first_bit), payload.absolute(result.end_bit))
        quantized = _as_transmitted(header, tensor, result.quantized, how)
        values: NDArray[Any] = quantized
        qp = None
        if quantization is not None:
            values, qp = _dequantize(header, tensor, result, quantized, codebook, quantization, place, findings, how)
        size = 0 if codebook is None else len(codebook)
        tensors.append(CodedTensor(tensor.name, tensor.member, values, quantized, qp, place, size))
        if how.keep_levels:
            levels[tensor.name] = compact(quantized)
    if how.keep_levels:
        _remember(header, levels, payload, state, tree, how)
    return tuple(tensors)


def _dequantize(
    header: _Header,
    tensor: _Tensor,
    result: TensorResult,
    quantized: NDArray[np.int32],
    codebook: Codebook | None,
    quantization: Quantization,
    place: tuple[int, int],
    findings: Findings,
    how: UnitDecoder,
) -> tuple[NDArray[Any], int]:
    """Values and quantization parameter of a tensor (R-QP-01 to R-QP-04, R-CB-05)."""
    qp = quantization.parameter + (result.qp_coded or 0)
    path = joined(joined(header.unit.label, "nnr_compressed_data_unit_payload"), tensor.name)
    field_bits = (place[0], place[0] + 6 + quantization.density)
    check_qp(qp, quantization.density, findings=findings, path=path, bits=field_bits)
    if codebook is None:
        values: NDArray[Any] = dequantize_uniform(
            quantized, qp, quantization.density, findings=findings, path=path, bits=place
        )
    else:
        dtype = np.float64 if how.exact_codebook else np.float32
        values = dequantize_codebook(
            quantized, codebook, qp, quantization.density, dtype=dtype, findings=findings, path=path, bits=place
        )
    return values, qp


def _codebooks(header: _Header, members: list[_Tensor], findings: Findings) -> list[Codebook | None]:
    """The codebook of each tensor: of the weight or G, and of H in a block (R-NDU-18)."""
    if not header.get("codebook_present_flag"):
        return [None] * len(members)
    header.tools.add("codebook")
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


def _entry_points(
    header: _Header, members: list[_Tensor], how: UnitDecoder, findings: Findings
) -> list[tuple[EntryPoint, ...] | None]:
    """The header's entry points, shared out to the tensors that are scanned in blocks (R-EP-01 to R-EP-03)."""
    scan_order = header.get("scan_order")
    unit_header = header.unit.header[HEADER]
    if not scan_order or "value" not in unit_header:
        return [None] * len(members)
    points = []
    length = 0
    states = unit_header["dq_state"] or [0] * len(unit_header["value"])
    for number, (offset, dq_state) in enumerate(zip(unit_header["value"], states, strict=True)):
        length += unit_header["bit_offset_delta"][number] if number else unit_header["bit_offset"][0]
        if length < 0:
            name = f"bit_offset_delta[{number}]"
            findings.report(
                "entry_point_negative", f"bit offset {length}", bits=header.place(name), path=header.path(name)
            )
        points.append(EntryPoint(offset, dq_state, length))
    if points:
        header.tools.add("entry points")
    shares: list[tuple[EntryPoint, ...] | None] = []
    for tensor in members:
        if not tensor.scanned:
            shares.append(None)
            continue
        shape = _coded_shape(header, tensor, how)
        count = max(0, -(-shape[0] // (4 << scan_order)) - 1)
        share, points = tuple(points[:count]), points[count:]
        single = shape[0] == 1 or math.prod(shape[1:]) == 1
        shares.append(None if single else share)
    return shares


def _parent(header: _Header, tree: UpdateTree, findings: Findings) -> Node | None:
    """The node that the unit is an update of, None when it has none or it is unknown (R-ED2-05 to R-ED2-12)."""
    if not header.get("parent_node_id_present_flag"):
        return None
    header.tools.add("update")
    kind = header.get("parent_node_id_type")
    if kind == ICNN_NDU_ID:
        depth = header.get("put_node_depth")
        path, bits = header.path("put_node_depth"), header.place("put_node_depth")
        if depth < 1:
            findings.report("depth_mismatch", "an update has a depth of at least 1", bits=bits, path=path)
            return None
        node = tree.by_ids(header.get("parent_device_id"), header.get("parameter_id"), depth - 1)
        if node is None:
            node = tree.by_name(header.names[0])
            if node is not None and node.device_id is not None and node.depth != depth - 1:
                message = f"depth {depth}, but the last tensor of this name has depth {node.depth}"
                findings.report("depth_mismatch", message, bits=bits, path=path)
                return None
        return node
    name = "parent_node_payload_sha256" if kind == ICNN_NDU_PL_SHA256 else "parent_node_payload_sha512"
    size = 32 if kind == ICNN_NDU_PL_SHA256 else 64
    return tree.by_digest(int(header.get(name)).to_bytes(size, "big")) if kind <= 2 else None


def _base(header: _Header, tensor: _Tensor, parent: Node | None, how: UnitDecoder) -> NDArray[np.int32] | None:
    """The parent's levels for temporal contexts (R-ED2-16, R-ED2-17)."""
    if not header.get("temporal_context_modeling_flag"):
        return None
    header.tools.add("temporal contexts")
    levels = None if parent is None else parent.levels.get(tensor.name)
    if levels is None:
        element = "temporal_context_modeling_flag"
        message = f"the levels of the parent of {tensor.name!r} are not known"
        stop("parent_missing", message, bits=header.place(element), path=header.path(element))
    return _in_coded_order(header, tensor, levels, how).astype(np.int32, copy=False)


def _history(header: _Header, tensor: _Tensor, tree: UpdateTree, how: UnitDecoder) -> NDArray[np.bool_] | None:
    """Where earlier updates of the parameter were not zero (R-ED2-20)."""
    if not header.get("parent_node_id_present_flag"):
        return None
    history = tree.history.get(tensor.name)
    return None if history is None else _in_coded_order(header, tensor, history, how)


def _in_coded_order(header: _Header, tensor: _Tensor, array: NDArray[Any], how: UnitDecoder) -> NDArray[Any]:
    if array.shape == tensor.shape and array.ndim > 1 and header.get("first_tensor_dimension_shift"):
        if how.readings["dimension-shift"] == "move-to-front" and tensor.member is Member.WEIGHT:
            array = np.moveaxis(array, header.get("first_tensor_dimension_shift"), 0)
    elif array.shape == () and tensor.shape == ():
        array = array.reshape(1)
    return np.ascontiguousarray(array)


def _remember(
    header: _Header,
    levels: dict[str, Levels],
    payload: PayloadBytes,
    state: ModelState,
    tree: UpdateTree,
    how: UnitDecoder,
) -> None:
    node = Node(
        device_id=header.get("device_id", header.get("parent_device_id", None)),
        parameter_id=header.get("parameter_id", None),
        depth=header.get("put_node_depth"),
        levels=levels,
    )
    tree.add(node, payload.data)
    if header.get("parent_node_id_present_flag") or how.readings["history"] == "all":
        tree.remember_history(node)


def _entropy_decode(
    header: _Header,
    members: list[_Tensor],
    codings: list[TensorCoding],
    payload: PayloadBytes,
    findings: Findings,
    how: UnitDecoder,
) -> list[TensorResult]:
    """Decode the payload; one of edition 1 may follow either of two rules (reading edition1-payload)."""
    rules = PayloadRules(
        skip_advances_row_width=how.readings["row-skip-state"] == "row-width",
        skip_resets_neighbour=how.readings["skipped-row-neighbour"] == "zero",
    )
    older = replace(rules, prefix_ids=32, restart_single_block_row=True)
    edition1 = codings[0].edition == 1
    chosen = how.readings["edition1-payload"]
    if edition1 and chosen == "32":
        rules = older
    try:
        return _decode_with(header, members, codings, payload, rules, findings, how)
    except EntropyFault as fault:
        if edition1 and chosen == "auto":
            try:
                results = _decode_with(header, members, codings, payload, older, findings, how)
            except EntropyFault:
                pass
            else:
                findings.report(
                    "payload_variant_32",
                    f"with 31 ids decoding ends with {fault.code}",
                    bits=(payload.absolute(0), payload.absolute(8 * len(payload.data))),
                    path=joined(header.unit.label, "cabac_payload"),
                )
                header.tools.add("32 prefix ids")
                return results
        tensor = members[fault.tensor].name if fault.tensor < len(members) else members[-1].name
        at = payload.absolute(min(fault.bit, 8 * len(payload.data)))
        raise BitstreamError(
            diagnose(
                fault.code,
                f"tensor {tensor!r}: {fault.message}",
                bits=(at, at + 1),
                path=joined(joined(header.unit.label, "cabac_payload"), tensor),
                severity=Severity.ERROR,
            )
        ) from fault


def _decode_with(
    header: _Header,
    members: list[_Tensor],
    codings: list[TensorCoding],
    payload: PayloadBytes,
    rules: PayloadRules,
    findings: Findings,
    how: UnitDecoder,
) -> list[TensorResult]:
    decoder = PayloadDecoder(payload.data, rules, compiled=how.compiled, work_bits=how.work_bits, limits=how.limits)
    results = [decoder.decode_tensor(coding) for coding in codings]
    decoder.finish()
    for note in decoder.notes:
        at = payload.absolute(note.bit)
        name = members[note.tensor].name
        findings.report(
            note.code,
            f"tensor {name!r}: {note.message}",
            bits=(at, at + 1),
            path=joined(joined(header.unit.label, "cabac_payload"), name),
        )
    return results


def _note_tools(header: _Header, payload_type: int, codings: list[TensorCoding], results: list[TensorResult]) -> None:
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
    if any(chosen for result in results for _, chosen in result.init_ids):
        tools.add("initialization ids")
