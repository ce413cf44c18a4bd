"""Aggregate units (clause 6): a header with optional entry points, and enclosed units. No public codec implements them.

Whether the header has a record for each enclosed unit is a reading (aggregate-layout).
"""

from __future__ import annotations

from construct import this

from nnr_conformance.descriptors import Must, bs, reserved_zero, u, value
from nnr_conformance.expressions import reading
from nnr_conformance.syntax.declaration import For, If, Let, Structure
from nnr_conformance.syntax.enumerations import enumeration
from nnr_conformance.syntax.notes import Counted

nnr_aggregate_unit_header = Structure(
    "nnr_aggregate_unit_header",
    "nnr_aggregate_unit_type"
    / u(8, enum=enumeration("nnr_aggregate_unit_type"), must=Must(value <= 1, "aggregate_type_reserved")),
    "entry_points_present_flag" / u(1),
    "nnr_reserved_zero_7bits" / reserved_zero(7, "aggregate_reserved_not_zero"),
    "num_of_nnr_units_minus2" / u(16, note=Counted("{} units", plus=2)),
    Let("num_of_nnr_units", this.num_of_nnr_units_minus2 + 2),
    If(
        this.entry_points_present_flag == 1,
        For(
            "i",
            this.num_of_nnr_units,
            "enclosed_unit_type" / u(6, enum=enumeration("nnr_unit_type")),
            "nnr_unit_entry_point" / u(34),
        ),
    ),
    If(
        reading("aggregate-layout") == "records",
        For(
            "i",
            this.num_of_nnr_units,
            "quant_bitdepth" / u(5),
            "ctu_scan_order" / u(1),
            "nnr_reserved_zero_2bits" / reserved_zero(2, "aggregate_reserved_not_zero"),
        ),
    ),
)

nnr_aggregate_unit_payload = Structure(
    "nnr_aggregate_unit_payload",
    "nnr_units" / bs("nnr_unit() ..."),
)
