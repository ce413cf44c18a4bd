"""Compressed data units (clause 6): header of tensors with codebooks and entry points, and the payload."""

from __future__ import annotations

import math

from construct import this

from nnr_conformance.descriptors import ByteAlignment, Descriptor, Must, bs, ie, st, u, ue, value
from nnr_conformance.expressions import Function, at, either, reading
from nnr_conformance.syntax.declaration import Bound, For, If, Let, OutOfBand, Structure
from nnr_conformance.syntax.enumerations import (
    CPT_BI,
    CPT_BN,
    CPT_DC,
    CPT_LS,
    ICNN_NDU_ID,
    ICNN_NDU_PL_SHA256,
    ICNN_NDU_PL_SHA512,
    PT_BLOCK,
    PT_FLOAT,
    PT_INT,
    PT_RAW_FLOAT,
    enumeration,
)
from nnr_conformance.syntax.identifiers import topology_elements_ids_list
from nnr_conformance.syntax.notes import Counted

_DEPTH = Counted("update number {}", zero="base tensor")


def parameter_types(mask: int) -> str:
    """The names of the bits of compressed_parameter_types."""
    names = ((CPT_DC, "DC"), (CPT_LS, "LS"), (CPT_BN, "BN"), (CPT_BI, "BI"))
    return "+".join(name for bit, name in names if mask & bit) or "none"


def _referenced(reference_list: tuple[str, ...], index: int) -> str:
    """An id of the reference list, or nothing where the list is not known or too short (R-REF-03)."""
    return reference_list[index] if index < len(reference_list) else ""


codebook = Structure(
    "codebook",
    "codebook_egk" / u(4),
    "codebook_size" / ue(2, must=Must(value > 0, "codebook_empty")),
    Bound("codebook_size", "codebook_entries", "limit_codebook"),
    "codebook_center_offset" / ie(2),
    Let(
        "CbZeroOffset",
        (this.codebook_size >> 1) + this.codebook_center_offset,
        must=Must((this.CbZeroOffset >= 0) & (this.CbZeroOffset < this.codebook_size), "codebook_invalid", True),
    ),
    "codebook_zero_value" / ie(7),
    For(
        "j",
        this.CbZeroOffset,
        "codebook_delta_left" / ue(this.codebook_egk),
        first=this.CbZeroOffset - 1,
        step=-1,
    ),
    For(
        "j",
        this.codebook_size - 1 - this.CbZeroOffset,
        "codebook_delta_right" / ue(this.codebook_egk),
        first=this.CbZeroOffset + 1,
    ),
)

tensor_dimensions_list = Structure(
    "tensor_dimensions_list",
    If(
        reading("scalar-dimensions") == "one",
        "count_tensor_dimensions" / ue(1, must=Must(value > 0, "no_dimensions")),
        otherwise=("count_tensor_dimensions" / ue(1),),
    ),
    Bound("count_tensor_dimensions", "dimensions", "limit_dimensions"),
    For("j", this.count_tensor_dimensions, "tensor_dimensions" / ue(7, must=Must(value > 0, "dimension_zero"))),
)

topology_tensor_dimension_mapping = Structure(
    "topology_tensor_dimension_mapping",
    "concatenation_axis_index" / u(8),
    For("j", this.count_topology_elements - 1, "split_index" / ue(7)),
    For(
        "j",
        this.count_topology_elements,
        "number_of_shifts" / ue(1),
        For("k", this.number_of_shifts, "shift_index" / ue(7), "shift_value" / ue(1)),
    ),
)


def _first_dimension(dimensions: list[int], shift: int, chosen: str) -> int:
    return dimensions[shift] if chosen == "move-to-front" and shift < len(dimensions) else dimensions[0]


def _block_rows_minus1(rows: int, scan_order: int) -> int:
    return max(0, -(-rows // (4 << scan_order)) - 1)


def _entry_points(
    scan_order: int,
    payload_type: int,
    types: int,
    rows: int,
    g_rows: int,
    rank: int,
    name: str,
    g_pending: int,
    dimensions: list[int],
    narrow: str,
) -> int:
    elements = math.prod(dimensions)

    def entries(height: int, width: int) -> int:
        return 0 if narrow == "absent" and 1 in (height, width) else _block_rows_minus1(height, scan_order)

    if not types & CPT_DC:
        return entries(rows, elements // max(rows, 1))
    of_g, of_h = entries(g_rows, rank), entries(rank, elements // max(g_rows, 1))
    if payload_type == PT_BLOCK:
        return of_g + of_h
    return of_h if holds_h(name, g_pending) else of_g


def holds_h(name: str, g_pending: int) -> bool:
    """True when a decomposed unit outside a block holds H: by the suffix of its id, else because G came before it."""
    return name.endswith("_H") or (bool(g_pending) and not name.endswith("_G"))


def _data_format(last: int) -> Descriptor:
    known = Must(value <= last, "decompressed_data_format_reserved")
    return u(7, enum=enumeration("nnr_decompressed_data_format"), must=known)


nnr_compressed_data_unit_header = Structure(
    "nnr_compressed_data_unit_header",
    "nnr_compressed_data_unit_payload_type"
    / u(
        5,
        enum=enumeration("nnr_compressed_data_unit_payload_type"),
        must=Must(value <= PT_BLOCK, "payload_type_reserved"),
    ),
    "nnr_multiple_topology_elements_present_flag" / u(1),
    "nnr_decompressed_data_format_present_flag" / u(1),
    "input_parameters_present_flag" / u(1, note=lambda flag: "in-band" if flag else "out-of-band"),
    If(
        this.nnr_multiple_topology_elements_present_flag == 1,
        topology_elements_ids_list(this.mps_topology_indexed_reference_flag),
        If(
            this.mps_topology_indexed_reference_flag == 0,
            Let("element_name", at(this.topology_elem_id_list, 0)),
            otherwise=(
                Let(
                    "element_name",
                    Function("Referenced", _referenced, this.reference_list, at(this.topology_elem_id_index_list, 0)),
                ),
            ),
        ),
        otherwise=(
            If(
                this.mps_topology_indexed_reference_flag == 0,
                "topology_elem_id" / st(),
                Let("element_name", this.topology_elem_id),
                otherwise=(
                    "topology_elem_id_index" / ue(7),
                    Let(
                        "element_name",
                        Function("Referenced", _referenced, this.reference_list, this.topology_elem_id_index),
                    ),
                ),
            ),
        ),
    ),
    If(
        this.general_profile_idc == 1,
        "node_id_present_flag" / u(1, infer=0),
        If(
            this.node_id_present_flag == 1,
            "device_id" / ue(1),
            "parameter_id" / ue(5),
            "put_node_depth" / ue(4, note=_DEPTH),
        ),
        If(
            this.mps_parent_signalling_enabled_flag == 1,
            "parent_node_id_present_flag" / u(1, infer=0),
        ),
        If(
            this.parent_node_id_present_flag == 1,
            "parent_node_id_type"
            / u(2, enum=enumeration("parent_node_id_type"), must=Must(value <= 2, "parent_node_id_type_reserved")),
            "temporal_context_modeling_flag" / u(1, infer=0),
            If(
                this.parent_node_id_type == ICNN_NDU_ID,
                "parent_device_id" / ue(1),
                If(
                    this.node_id_present_flag == 0,
                    "parameter_id" / ue(5),
                    "put_node_depth" / ue(4, note=_DEPTH),
                ),
            ),
            If(this.parent_node_id_type == ICNN_NDU_PL_SHA256, "parent_node_payload_sha256" / u(256)),
            If(this.parent_node_id_type == ICNN_NDU_PL_SHA512, "parent_node_payload_sha512" / u(512)),
        ),
    ),
    If(
        either(
            this.nnr_compressed_data_unit_payload_type == PT_FLOAT,
            this.nnr_compressed_data_unit_payload_type == PT_BLOCK,
        ),
        "codebook_present_flag" / u(1, infer=0),
        If(this.codebook_present_flag == 1, codebook()),
    ),
    If(
        either(
            this.nnr_compressed_data_unit_payload_type == PT_INT,
            this.nnr_compressed_data_unit_payload_type == PT_FLOAT,
            this.nnr_compressed_data_unit_payload_type == PT_BLOCK,
        ),
        "dq_flag" / u(1, infer=0),
    ),
    If(
        this.nnr_decompressed_data_format_present_flag == 1,
        If(
            reading("decompressed-formats") == "ten",
            "nnr_decompressed_data_format" / _data_format(9),
            otherwise=("nnr_decompressed_data_format" / _data_format(1),),
        ),
    ),
    If(
        this.input_parameters_present_flag == 1,
        "tensor_dimensions_flag" / u(1, infer=0, note=lambda flag: "in-band" if flag else "out-of-band"),
        "cabac_unary_length_flag" / u(1, infer=0, note=lambda flag: "value follows" if flag else "absent"),
        "compressed_parameter_types" / u(4, note=parameter_types),
        If(
            (this.compressed_parameter_types & CPT_DC) != 0,
            "decomposition_rank" / ue(3, infer=0, must=Must(value > 0, "decomposition_invalid")),
            "g_number_of_rows" / ue(3, infer=0, must=Must(value > 0, "decomposition_invalid")),
        ),
        otherwise=(
            If(
                reading("outside-types") == "given",
                OutOfBand("compressed_parameter_types", default=0),
                OutOfBand("decomposition_rank", "g_number_of_rows", default=0),
                otherwise=(
                    Let("compressed_parameter_types", 0),
                    Let("decomposition_rank", 0),
                    Let("g_number_of_rows", 0),
                ),
            ),
        ),
    ),
    If(
        this.tensor_dimensions_flag == 1,
        tensor_dimensions_list(),
        otherwise=(
            OutOfBand(
                "tensor_dimensions", otherwise=(this.input_parameters_present_flag == 0, "input_parameters_missing")
            ),
            Let("count_tensor_dimensions", Function("Count", len, this.tensor_dimensions)),
        ),
    ),
    If(
        (this.input_parameters_present_flag == 1)
        & (this.nnr_compressed_data_unit_payload_type != PT_BLOCK)
        & (this.nnr_multiple_topology_elements_present_flag == 1),
        topology_tensor_dimension_mapping(),
    ),
    If(
        this.cabac_unary_length_flag == 1,
        "cabac_unary_length_minus1" / u(8, note=Counted("{} greater-than flags", plus=1)),
        otherwise=(OutOfBand("cabac_unary_length_minus1", default=9),),
    ),
    If(
        (this.nnr_compressed_data_unit_payload_type == PT_BLOCK)
        & ((this.compressed_parameter_types & CPT_DC) != 0)
        & (this.codebook_present_flag == 1),
        "codebook_dc" / codebook,
    ),
    If(
        this.count_tensor_dimensions > 1,
        If(
            this.general_profile_idc == 1,
            "first_tensor_dimension_shift"
            / ue(
                1,
                infer=0,
                must=Must(
                    this.first_tensor_dimension_shift < this.count_tensor_dimensions,
                    "first_tensor_dimension_shift_range",
                    on_scope=True,
                ),
            ),
        ),
        "scan_order"
        / u(
            4,
            infer=0,
            must=Must(value <= 4, "scan_order_reserved"),
            note=lambda order: f"block size {4 << order}" if order else "row-major",
        ),
    ),
    If(
        this.scan_order > 0,
        Let(
            "CodedRows",
            Function(
                "FirstDimension",
                _first_dimension,
                this.tensor_dimensions,
                this.first_tensor_dimension_shift,
                reading("dimension-shift"),
            ),
        ),
        Let(
            "NumBlockRowsMinus1",
            Function(
                "NumBlockRowsMinus1",
                _entry_points,
                this.scan_order,
                this.nnr_compressed_data_unit_payload_type,
                this.compressed_parameter_types,
                this.CodedRows,
                this.g_number_of_rows,
                this.decomposition_rank,
                this.element_name,
                this.G_pending,
                this.tensor_dimensions,
                reading("narrow-entry-points"),
            ),
        ),
        For(
            "j",
            this.NumBlockRowsMinus1,
            "value" / u(8),
            If(this.dq_flag == 1, "dq_state" / u(3, infer=0)),
            If(
                this.j == 0,
                "bit_offset" / ue(11, infer=0),
                otherwise=("bit_offset_delta" / ie(7, infer=0),),
            ),
        ),
    ),
    ByteAlignment(),
)

nnr_compressed_data_unit_payload = Structure(
    "nnr_compressed_data_unit_payload",
    If(
        this.nnr_compressed_data_unit_payload_type == PT_RAW_FLOAT,
        "raw_float32_parameter" / bs("flt(32) ..."),
        otherwise=("cabac_payload" / bs("ae(v) ..."),),
    ),
)
