"""What lies between the units of a stream, as JSON values: framing, the structures of a unit, and the state (clause 6).

The state is what earlier units leave behind for the conditions of later ones. It is code in `framing`, in
`syntax.unit_parser` and in `syntax.unit_walker`; here it is said again as data, and the tests compare the outcome of
both on every stream.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from nnr_conformance.bits import LONGEST_PREFIX
from nnr_conformance.framing import SHORTEST_UNIT
from nnr_conformance.limits import DEFAULT_LIMITS
from nnr_conformance.readings import DEFAULT_READINGS
from nnr_conformance.suite.export.expressions import Tree, call, choose, name, op
from nnr_conformance.syntax.enumerations import AGG, CPT_DC, MPS, PT_BLOCK, STR, TPL, TPL_REFLIST
from nnr_conformance.syntax.unit_parser import (
    PARTITIONED,
    PAYLOADS,
    initial_state,
    part_of_payload,
    unknown_payload,
)
from nnr_conformance.syntax.units import nnr_unit_header, nnr_unit_size

UNREADABLE = -1
"""Stands for nnr_unit_type of a unit in which not even that could be read."""

_TYPE = name("nnr_unit_type", UNREADABLE)
_LIST = "topology_elem_id_list"


def limits() -> Mapping[str, int]:
    """Project limits of parsing by name, none of which the standard has."""
    return {**asdict(DEFAULT_LIMITS), "exp_golomb_prefix": LONGEST_PREFIX}


def framing() -> Mapping[str, Any]:
    """How units follow each other, and the codes of what can be wrong with that; see docs/export.md."""
    long_form = name("nnr_unit_size_flag")
    return {
        "size": nnr_unit_size.name,
        "bytes": name("nnr_unit_size"),
        "fewest_bytes": op("+", SHORTEST_UNIT, op("*", 2, long_form)),
        "needless_long_form": op("&&", op("==", long_form, 1), op("<", op("-", name("nnr_unit_size"), 2), 1 << 15)),
        "codes": {
            "no_unit": "stream_empty",
            "no_size": "unit_size_truncated",
            "too_small": "unit_size_too_small",
            "no_size_enclosed": "aggregate_rest",
            "too_small_enclosed": "aggregate_rest",
            "needless_long_form": "unit_size_long_form",
            "too_large": "unit_exceeds_stream",
            "too_many": "limit_units",
            "too_long": "limit_bytes",
        },
    }


def unit() -> Mapping[str, Any]:
    """The structures of a unit in order, and what it encloses."""
    return {
        "size": nnr_unit_size.name,
        "header": nnr_unit_header.name,
        "payload": [
            {"when": _is_part(), "structure": part_of_payload.name},
            *(
                {"when": op("==", _TYPE, unit_type), "structure": structure.name}
                for unit_type, structure in PAYLOADS.items()
            ),
            {"structure": unknown_payload.name},
        ],
        "rest": [{"when": op("==", _TYPE, STR), "code": "start_unit_size"}, {"code": "unit_underrun"}],
        "encloses": {
            "when": op("==", _TYPE, AGG),
            "depth": {"limit": "aggregate_depth", "code": "limit_aggregate_depth"},
            "count": {
                "value": name("num_of_nnr_units"),
                "element": "num_of_nnr_units_minus2",
                "code": "aggregate_count",
            },
            "types": {"element": "enclosed_unit_type", "code": "aggregate_unit_type"},
            "entries": {
                "element": "nnr_unit_entry_point",
                "code": "aggregate_entry_point",
                "other": "aggregate_entry_point_other",
            },
        },
    }


def descriptor_codes() -> Mapping[str, str]:
    """The codes of what can be wrong inside a descriptor."""
    return {
        "end": "unit_overrun",
        "prefix": "exp_golomb_too_long",
        "alignment": "alignment_bits",
        "string_place": "string_not_aligned",
        "string_length": "limit_string",
        "string_end": "string_not_terminated",
        "string_text": "string_not_utf8",
    }


def state() -> Mapping[str, Any]:
    """What the first unit of a stream sees, and the rules by which each unit changes that for the next."""
    first = {key: value for key, value in initial_state(DEFAULT_READINGS).items() if not key.startswith("reading ")}
    is_start, is_set = op("==", _TYPE, STR), op("==", _TYPE, MPS)
    more_parts = op("&&", _is_part(), op(">", name("partial_data_counter"), 1))
    flags = ("mps_topology_indexed_reference_flag", "mps_parent_signalling_enabled_flag")
    return {
        "initial": {key: list(value) if isinstance(value, tuple) else value for key, value in first.items()},
        "after": [
            {"when": op("&&", is_start, name("broken")), "reset": True, "set": {}, "last": True},
            {
                "when": is_start,
                "reset": True,
                "set": {"general_profile_idc": name("general_profile_idc")},
                "last": True,
            },
            {"when": is_set, "set": {"G_pending": 0, **{flag: name(flag) for flag in flags}}, "last": True},
            {
                "when": op("&&", op("==", _TYPE, TPL), op("&&", op("!", name("broken")), {"defined": _LIST})),
                "set": {"reference_list": name(_LIST)},
            },
            {"when": op("||", op("==", _TYPE, AGG), more_parts), "set": {}, "last": True},
            {"when": True, "set": {"G_pending": choose(_holds_g(), 1, 0)}},
        ],
        "joined": _joined(),
    }


def _is_part() -> Tree:
    of_type = op("==", _TYPE, PARTITIONED[0])
    for unit_type in PARTITIONED[1:]:
        of_type = op("||", of_type, op("==", _TYPE, unit_type))
    counted = op(">", name("partial_data_counter", 0), 0)
    return op("&&", of_type, op("&&", counted, op("==", name("independently_decodable_flag", 0), 0)))


def _holds_g() -> Tree:
    return op(
        "&&",
        op(">", name("count_tensor_dimensions", 0), 1),
        op(
            "&&",
            op("!=", op("&", name("compressed_parameter_types"), CPT_DC), 0),
            op(
                "&&",
                op("!=", name("nnr_compressed_data_unit_payload_type"), PT_BLOCK),
                op("!", call("HoldsH", name("element_name"), name("G_pending"))),
            ),
        ),
    )


def _joined() -> Mapping[str, Any]:
    """What a payload sets that is in parts, or compressed, so that no unit alone shows it."""
    return {
        "units": op("==", _TYPE, TPL),
        "part": _is_part(),
        "counter": name("partial_data_counter"),
        "element": name("topology_storage_format"),
        "when": op("==", name("topology_storage_format"), TPL_REFLIST),
        "structure": PAYLOADS[TPL].name,
        "deflated": {"data": "topology_data", "set": {"topology_compression_format": 0}},
        "set": {"reference_list": name(_LIST)},
    }
