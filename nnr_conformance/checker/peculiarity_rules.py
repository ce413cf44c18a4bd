"""Rules on what decoders are known to disagree about (clauses 6 to 10, R-HL): nothing is wrong where they fire."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from nnr_conformance.checker.rules import ModelSoFar, Outcome, RuleSet, SeenUnit, outcome
from nnr_conformance.decoder.composition import Member, block_members
from nnr_conformance.syntax.compressed_data import holds_h
from nnr_conformance.syntax.enumerations import (
    CPT_DC,
    CPT_LS,
    DFL,
    LPS,
    MPS,
    NDU,
    PT_BLOCK,
    PT_INT,
    PT_RAW_FLOAT,
    QNT,
    TPL,
)

RULES = RuleSet()

_HEADER = "nnr_compressed_data_unit_header"
_MAP_COUNTS = {
    "sparsification_performance_map": ("spm_count_thresholds", "sparsification_threshold"),
    "pruning_performance_map": ("ppm_count_pruning_ratios", "pruning_ratio"),
    "unification_performance_map": ("upm_count_thresholds", "unification_threshold"),
    "decomposition_performance_map": ("dpm_count_thresholds", "mse_threshold"),
}
_LAST_COMMON_FORMAT = 1


@RULES.unit("topology_data_not_a_string", TPL)
def topology_data_is_a_string_too(seen: SeenUnit, model: ModelSoFar) -> Iterator[Outcome]:
    """R-HL-03: topology_data that is not compressed is one zero-terminated UTF-8 string."""
    yield from _string(seen, "topology")


@RULES.unit("quantization_data_not_a_string", QNT)
def quantization_data_is_a_string_too(seen: SeenUnit, model: ModelSoFar) -> Iterator[Outcome]:
    """R-HL-04: quantization_data that is not compressed is one zero-terminated UTF-8 string."""
    yield from _string(seen, "quantization")


def _string(seen: SeenUnit, prefix: str) -> Iterator[Outcome]:
    data = seen.unit.payload.get(f"{prefix}_data")
    if data is not None and seen.get(f"{prefix}_compression_format") != DFL:
        yield outcome(is_one_string(data), "the data is not one zero-terminated UTF-8 string", f"{prefix}_data")


def is_one_string(data: bytes | str) -> bool:
    """True for bytes that st(v) reads as they are: UTF-8 and a single zero byte, at the end."""
    if isinstance(data, str):
        return True
    content = bytes(data)
    if not content or content.find(0) != len(content) - 1:
        return False
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


@RULES.unit("map_empty", MPS, LPS)
def maps_have_records(seen: SeenUnit, model: ModelSoFar) -> Iterator[Outcome]:
    """R-HL-05: a performance map that is present has at least one record."""
    for name, (count, first) in _MAP_COUNTS.items():
        tree = seen.unit.payload.get(name)
        if tree is not None and tree[count] > 0:
            yield outcome(bool(tree.get(first)), f"{count} is {tree[count]}, which makes no record", count)


@RULES.unit("unary_length_inferred", NDU)
def the_unary_length_is_in_the_stream(seen: SeenUnit, model: ModelSoFar) -> Iterator[Outcome]:
    """R-HL-07: cabac_unary_length_minus1 is in the stream where a payload is entropy coded."""
    if seen.get("nnr_compressed_data_unit_payload_type") != PT_RAW_FLOAT:
        given = seen.get("cabac_unary_length_flag") == 1
        yield outcome(given, "cabac_unary_length_minus1 is not in the stream", "cabac_unary_length_flag")


@RULES.unit("parameter_types_out_of_band", NDU)
def parameter_types_are_in_the_stream(seen: SeenUnit, model: ModelSoFar) -> Iterator[Outcome]:
    """R-HL-08: types of parameters that are not 0 are in the stream."""
    if seen.get("input_parameters_present_flag") == 0:
        types = seen.get("compressed_parameter_types", 0)
        message = f"compressed_parameter_types {types} comes from outside the stream"
        yield outcome(types == 0, message, "input_parameters_present_flag")


@RULES.unit("out_of_band_conflict", NDU)
def outside_parameters_agree_with_the_stream(seen: SeenUnit, model: ModelSoFar) -> Iterator[Outcome]:
    """R-HL-09: parameters from outside are those of the stream where it has them."""
    given = seen.unit.names.session.out_of_band.get(seen.get("element_name", ""))
    header = _header(seen)
    if not isinstance(given, Mapping):
        return
    for name, value in given.items():
        tree = header.get("tensor_dimensions_list", {}) if name == "tensor_dimensions" else header
        if name in tree and name not in tree.get("_inferred", ()):
            found = tree[name]
            same = list(found) == list(value) if isinstance(found, list) else found == value
            element = f"{name}[0]" if isinstance(found, list) else name
            yield outcome(same, f"{found} in the stream, {value} from outside", element)


@RULES.unit("dimension_shift_set", NDU)
def no_dimension_is_shifted(seen: SeenUnit, model: ModelSoFar) -> Iterator[Outcome]:
    """R-HL-10: first_tensor_dimension_shift is 0."""
    if seen.get("general_profile_idc") == 1 and seen.get("count_tensor_dimensions", 0) > 1:
        shift = seen.get("first_tensor_dimension_shift")
        yield outcome(shift == 0, f"found {shift}", "first_tensor_dimension_shift")


@RULES.unit("decompressed_data_format_extension", NDU)
def formats_are_common_ones(seen: SeenUnit, model: ModelSoFar) -> Iterator[Outcome]:
    """R-HL-12: nnr_decompressed_data_format is 0 or 1."""
    if seen.get("nnr_decompressed_data_format_present_flag"):
        found = seen.get("nnr_decompressed_data_format")
        yield outcome(found <= _LAST_COMMON_FORMAT, f"found {found}", "nnr_decompressed_data_format")


@RULES.unit("single_block_row", NDU)
def block_scans_have_several_block_rows(seen: SeenUnit, model: ModelSoFar) -> Iterator[Outcome]:
    """R-HL-13: a tensor that is scanned in blocks has at least two block rows."""
    order = seen.get("scan_order", 0)
    if 0 < order <= 4 and seen.get("nnr_compressed_data_unit_payload_type") != PT_RAW_FLOAT:
        for name, rows in _scanned_rows(seen):
            yield outcome(rows > 4 << order, f"{rows} {name} in blocks of {4 << order}", "scan_order")


def _scanned_rows(seen: SeenUnit) -> Iterator[tuple[str, int]]:
    if seen.get("compressed_parameter_types", 0) & CPT_DC:
        block = seen.get("nnr_compressed_data_unit_payload_type") == PT_BLOCK
        has_h = holds_h(seen.get("element_name", ""), seen.get("G_pending", 0))
        if block or not has_h:
            yield "rows of G", seen.get("g_number_of_rows")
        if block or has_h:
            yield "rows of H", seen.get("decomposition_rank")
    else:
        yield "rows", seen.get("CodedRows", 0)


@RULES.unit("dq_state_of_integers", NDU)
def integers_have_no_trellis_state(seen: SeenUnit, model: ModelSoFar) -> Iterator[Outcome]:
    """R-EC-08: entry points of integer payloads have dq_state 0."""
    if seen.get("nnr_compressed_data_unit_payload_type") == PT_INT and seen.get("dq_flag"):
        for number, state in enumerate(_header(seen).get("dq_state", [])):
            yield outcome(state == 0, f"found {state}", f"dq_state[{number}]")


@RULES.unit("factor_name_without_decomposition", NDU)
def names_of_factors_are_for_factors(seen: SeenUnit, model: ModelSoFar) -> Iterator[Outcome]:
    """R-HL-14: a tensor whose name ends in _G or _H is a factor of a decomposition."""
    if not seen.get("compressed_parameter_types", 0) & CPT_DC:
        for name in _names(seen):
            plain = not name.endswith(("_G", "_H"))
            yield outcome(plain, f"{name!r} is not a factor", "compressed_parameter_types")


@RULES.unit("factor_names", NDU)
def factors_have_their_names(seen: SeenUnit, model: ModelSoFar) -> Iterator[Outcome]:
    """R-HL-15: the factors in a block have one name, with _G and _H behind it."""
    listed = _block_names(seen)
    if Member.G in listed and all(listed.values()):
        g, h = listed[Member.G], listed[Member.H]
        named = g.endswith("_G") and h == g.removesuffix("_G") + "_H"
        yield outcome(named, f"{g!r} and {h!r}", "topology_elem_id_list[0]")


@RULES.unit("factors_outside_block", NDU)
def factors_are_in_a_block(seen: SeenUnit, model: ModelSoFar) -> Iterator[Outcome]:
    """R-HL-16: the factors of a decomposition are members of one block."""
    if seen.get("compressed_parameter_types", 0) & CPT_DC and seen.get("count_tensor_dimensions", 0) > 1:
        block = seen.get("nnr_compressed_data_unit_payload_type") == PT_BLOCK
        yield outcome(block, "the unit holds one of the factors", "compressed_parameter_types")


@RULES.unit("scaling_name", NDU)
def scaling_is_named_as_its_weight(seen: SeenUnit, model: ModelSoFar) -> Iterator[Outcome]:
    """R-HL-17: the local scaling of a block has the name of the weight, followed by _scaling."""
    listed = _block_names(seen)
    if Member.LOCAL_SCALING in listed and all(listed.values()):
        scaling = listed[Member.LOCAL_SCALING]
        weight = listed[Member.G].removesuffix("_G") if Member.G in listed else listed[Member.WEIGHT]
        place = f"topology_elem_id_list[{list(listed).index(Member.LOCAL_SCALING)}]"
        yield outcome(scaling == f"{weight}_scaling", f"{scaling!r} scales {weight!r}", place)


@RULES.unit("scaling_dimensions", NDU)
def scaling_outside_a_block_is_a_vector(seen: SeenUnit, model: ModelSoFar) -> Iterator[Outcome]:
    """R-NDU-06: a local scaling tensor that is sent outside of a block has one dimension."""
    outside = seen.get("nnr_compressed_data_unit_payload_type") != PT_BLOCK
    if outside and seen.get("compressed_parameter_types", 0) & CPT_LS:
        for name in _names(seen):
            if name.endswith("_scaling"):
                count = seen.get("count_tensor_dimensions")
                yield outcome(count == 1, f"{name!r} has {count} dimensions", "count_tensor_dimensions")


def _header(seen: SeenUnit) -> Mapping[str, Any]:
    found: Mapping[str, Any] = seen.unit.header.get(_HEADER, {})
    return found


def _names(seen: SeenUnit) -> list[str]:
    """The ids of a unit, as far as they are strings."""
    header = _header(seen)
    if "topology_elem_id" in header:
        return [header["topology_elem_id"]]
    listed: list[str] = header.get("topology_elements_ids_list", {}).get("topology_elem_id_list", [])
    return listed


def _block_names(seen: SeenUnit) -> dict[Member, str]:
    """The ids of a block by what they are; nothing where their number is wrong or they are indices."""
    if seen.get("nnr_compressed_data_unit_payload_type") != PT_BLOCK:
        return {}
    members, names = block_members(seen.get("compressed_parameter_types", 0)).listed, _names(seen)
    return dict(zip(members, names, strict=True)) if len(members) == len(names) else {}
