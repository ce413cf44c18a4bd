"""Units of clause 6: size, header with its type-specific part, start unit."""

from __future__ import annotations

from construct import this

from nnr_conformance.descriptors import Must, reserved_zero, u, value
from nnr_conformance.syntax.aggregate import nnr_aggregate_unit_header
from nnr_conformance.syntax.compressed_data import nnr_compressed_data_unit_header
from nnr_conformance.syntax.declaration import If, Structure
from nnr_conformance.syntax.enumerations import AGG, LPS, MPS, NDU, QNT, STR, TPL, enumeration
from nnr_conformance.syntax.notes import Counted

nnr_unit_size = Structure(
    "nnr_unit_size",
    "nnr_unit_size_flag" / u(1, note=lambda flag: "long form" if flag else "short form"),
    "nnr_unit_size"
    / u(15 + 16 * this.nnr_unit_size_flag, note=Counted("bytes of the whole unit, this field included")),
)

nnr_start_unit_header = Structure(
    "nnr_start_unit_header",
    "general_profile_idc" / u(8, enum=enumeration("general_profile_idc"), must=Must(value <= 1, "profile_reserved")),
)

nnr_model_parameter_set_unit_header = Structure("nnr_model_parameter_set_unit_header")

nnr_layer_parameter_set_unit_header = Structure(
    "nnr_layer_parameter_set_unit_header",
    "lps_self_contained_flag" / u(1),
    "nnr_reserved_zero_7bits" / reserved_zero(7, "lps_reserved_not_zero"),
)

nnr_topology_unit_header = Structure(
    "nnr_topology_unit_header",
    "topology_storage_format"
    / u(
        8,
        enum=enumeration("topology_storage_format"),
        must=Must(value <= 6, "topology_storage_format_reserved"),
    ),
    "topology_compression_format"
    / u(
        8,
        enum=enumeration("topology_compression_format"),
        must=Must(value <= 1, "topology_compression_format_reserved"),
    ),
)

nnr_quantization_unit_header = Structure(
    "nnr_quantization_unit_header",
    "quantization_storage_format"
    / u(
        8,
        enum=enumeration("quantization_storage_format"),
        must=Must(value <= 4, "quantization_storage_format_reserved"),
    ),
    "quantization_compression_format"
    / u(
        8,
        enum=enumeration("quantization_compression_format"),
        must=Must(value <= 1, "quantization_compression_format_reserved"),
    ),
)

nnr_unit_header = Structure(
    "nnr_unit_header",
    "nnr_unit_type" / u(6, enum=enumeration("nnr_unit_type"), must=Must(value <= AGG, "unit_type_reserved")),
    "independently_decodable_flag" / u(1),
    "partial_data_counter_present_flag" / u(1),
    If(this.partial_data_counter_present_flag == 1, "partial_data_counter" / u(8, infer=0)),
    If(this.nnr_unit_type == STR, nnr_start_unit_header()),
    If(this.nnr_unit_type == MPS, nnr_model_parameter_set_unit_header()),
    If(this.nnr_unit_type == LPS, nnr_layer_parameter_set_unit_header()),
    If(this.nnr_unit_type == TPL, nnr_topology_unit_header()),
    If(this.nnr_unit_type == QNT, nnr_quantization_unit_header()),
    If(this.nnr_unit_type == NDU, nnr_compressed_data_unit_header()),
    If(this.nnr_unit_type == AGG, nnr_aggregate_unit_header()),
)
