"""Units in order with what they tell those behind them, and aggregate units unfolded (R-AGG, R-ORD-12, R-ORD-14)."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from nnr_conformance.bits import BitWriter
from nnr_conformance.data import data_path
from nnr_conformance.limits import Limits
from nnr_conformance.readings import Readings, known_readings
from nnr_conformance.scope import Scope, Session, TreeSource
from nnr_conformance.syntax.enumerations import AGG, MPS, NDU, STR, TPL
from nnr_conformance.syntax.unit_parser import PAYLOADS, Unit, initial_state, is_part, part_of_payload
from nnr_conformance.syntax.unit_walker import walk_units
from nnr_conformance.syntax.units import nnr_unit_header

EXAMPLES = [path.read_bytes() for path in sorted(data_path("bitstreams/examples").glob("*.nnr"))]
INDEXED = "mps_topology_indexed_reference_flag"
PARENTS = "mps_parent_signalling_enabled_flag"


def build(header: dict[str, Any], payload: dict[str, Any], **state: Any) -> bytes:
    """A unit in the short form of the size field."""
    header = {"independently_decodable_flag": 1, "partial_data_counter_present_flag": 0, **header}
    writer, session = BitWriter(), Session()
    scope = Scope(session, {**initial_state(Readings()), **state})
    nnr_unit_header._build(TreeSource(header), writer, scope, "")
    structure = part_of_payload if is_part(header) else PAYLOADS[header["nnr_unit_type"]]
    structure._build(TreeSource(payload), writer, Scope(session, scope), "")
    body = writer.getvalue()
    return (len(body) + 2).to_bytes(2, "big") + body


def start(profile: int = 0) -> bytes:
    return build({"nnr_unit_type": STR, "nnr_start_unit_header": {"general_profile_idc": profile}}, {})


def parameter_set(profile: int = 0, *, indexed: int = 0, parents: int = 0) -> bytes:
    flags = ("topology_carriage", "mps_sparsification", "mps_pruning", "mps_unification")
    tree = {f"{name}_flag": 0 for name in flags} | {"mps_decomposition_performance_map_flag": 0}
    tree |= {"mps_quantization_method_flags": 0, INDEXED: indexed, PARENTS: parents, "nnr_pre_flag": 0}
    tree |= {"base_model_id_present_flag": 0, "validation_set_performance_present_flag": 0}
    tree |= {"metric_type_performance_map_valid_flag": 0}
    header = {"nnr_unit_type": MPS, "nnr_model_parameter_set_unit_header": {}}
    return build(header, tree, general_profile_idc=profile)


def topology(data: bytes = b"") -> bytes:
    formats = {"topology_storage_format": 0, "topology_compression_format": 0}
    return build({"nnr_unit_type": TPL, "nnr_topology_unit_header": formats}, {"topology_data": data})


def factor(name: str, *, dims: tuple[int, ...] = (20, 4), types: int = 1, pending: int = 0, **header: Any) -> bytes:
    """A unit of NNR_PT_FLOAT with decomposition; G has 20 rows (2 entry points), H has 10 (1 entry point)."""
    entries = {"value": [1, 2], "bit_offset": [3, 0], "bit_offset_delta": [0, 4]}
    ndu = {
        "nnr_compressed_data_unit_payload_type": 1,
        "nnr_multiple_topology_elements_present_flag": 0,
        "nnr_decompressed_data_format_present_flag": 0,
        "input_parameters_present_flag": 1,
        "topology_elem_id": name,
        "codebook_present_flag": 0,
        "dq_flag": 0,
        "tensor_dimensions_flag": 1,
        "cabac_unary_length_flag": 0,
        "compressed_parameter_types": types,
        "decomposition_rank": 10,
        "g_number_of_rows": 20,
        "tensor_dimensions_list": {"count_tensor_dimensions": len(dims), "tensor_dimensions": list(dims)},
        "scan_order": 1 if len(dims) > 1 else 0,
        **entries,
    }
    tree = {"nnr_unit_type": NDU, "nnr_compressed_data_unit_header": ndu, **header}
    payload = {"part": b"xx"} if header.get("partial_data_counter") else {"cabac_payload": b"xx"}
    return build(tree, payload, G_pending=pending)


def aggregate(*enclosed: bytes, count: int | None = None, entries: list[tuple[int, int]] | None = None) -> bytes:
    number = len(enclosed) if count is None else count
    record = {name: [0] * number for name in ("quant_bitdepth", "ctu_scan_order", "nnr_reserved_zero_2bits")}
    tree: dict[str, Any] = {
        "nnr_aggregate_unit_type": 0,
        "entry_points_present_flag": int(entries is not None),
        "num_of_nnr_units_minus2": number - 2,
        **record,
    }
    if entries is not None:
        tree |= {"enclosed_unit_type": [kind for kind, _ in entries], "nnr_unit_entry_point": [at for _, at in entries]}
    return build({"nnr_unit_type": AGG, "nnr_aggregate_unit_header": tree}, {"nnr_units": b"".join(enclosed)})


def walked(*units: bytes, session: Session | None = None, **options: Any) -> tuple[list[Unit], list[str]]:
    session = session or Session()
    found = list(walk_units(memoryview(b"".join(units)), session, **options))
    return found, [finding.code for finding in session.findings]


fast = settings(deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow], max_examples=300)
mutations = st.lists(st.tuples(st.integers(0, 1 << 30), st.integers(0, 7)), min_size=1, max_size=6)
any_readings = st.fixed_dictionaries(
    {name: st.sampled_from(list(row["readings"])) for name, row in known_readings().items()}
).map(Readings.choose)


@fast
@given(st.binary(max_size=80), st.integers(0, 6), any_readings, st.booleans())
@example(b"", 0, Readings(), False)
def test_any_bytes_give_units_and_findings_but_never_another_exception(
    data: bytes, kind: int, readings: Readings, framed: bool
) -> None:
    if framed:
        body = bytes([kind << 2 | 2]) + data
        data = start(1) + parameter_set(1, parents=1) + (len(body) + 2).to_bytes(2, "big") + body
    session = Session(trace=[])
    units, codes = walked(data, session=session, readings=readings)
    assert codes or units
    for entry in session.trace or []:
        assert 0 <= entry.first <= entry.first + entry.size <= 8 * len(data)


@fast
@given(st.sampled_from(EXAMPLES), mutations, any_readings)
def test_flipped_bits_give_findings_but_never_another_exception(
    data: bytes, flips: list[tuple[int, int]], readings: Readings
) -> None:
    broken = bytearray(data)
    for at, bit in flips:
        broken[at % len(data)] ^= 1 << bit
    walked(bytes(broken), readings=readings)


@pytest.mark.parametrize("data", EXAMPLES)
def test_every_prefix_of_a_stream_is_walked(data: bytes) -> None:
    whole = [unit.first for unit in walked(data)[0]]
    for end in range(len(data)):
        units, _ = walked(data[:end])
        assert [unit.first for unit in units] == whole[: len(units)]


def test_an_empty_stream_is_reported() -> None:
    assert walked() == ([], ["stream_empty"])


def test_parameter_sets_tell_later_units_how_they_are_read_and_a_start_unit_forgets_them() -> None:
    units, codes = walked(start(1), parameter_set(1, indexed=1, parents=1), topology(), start(0), topology())
    names = ("general_profile_idc", INDEXED, PARENTS)
    assert codes == []
    assert [units[2].get(name) for name in names] == [1, 1, 1]
    assert [units[4].get(name) for name in names] == [0, 0, 0]


def test_a_unit_keeps_the_state_that_it_was_read_with() -> None:
    units, _ = walked(start(0), topology(), parameter_set(indexed=1), topology())
    assert [unit.get(INDEXED) for unit in units] == [0, 0, 1, 1]


def test_after_the_factor_g_comes_h_and_has_the_entry_points_of_its_rows() -> None:
    units, codes = walked(start(), factor("a"), factor("b", pending=1), factor("c"))
    assert codes == []
    assert [unit.get("NumBlockRowsMinus1") for unit in units[1:]] == [2, 1, 2]


def test_the_suffix_of_an_id_decides_before_the_order() -> None:
    units, codes = walked(factor("w_G"), factor("w_G", pending=1), factor("w_H", pending=1), factor("w_H"))
    assert codes == []
    assert [unit.get("NumBlockRowsMinus1") for unit in units] == [2, 2, 1, 1]


@pytest.mark.parametrize(
    "between", [topology(), factor("bias", dims=(20,)), factor("plain", types=0, pending=0)], ids=["TPL", "bias", "W"]
)
def test_another_unit_after_g_means_that_h_is_no_longer_due(between: bytes) -> None:
    units, codes = walked(factor("a"), between, factor("b"))
    assert codes == []
    assert units[2].get("NumBlockRowsMinus1") == 2


def test_other_members_of_a_decomposed_layer_are_no_g_although_they_carry_its_types() -> None:
    units, codes = walked(factor("bias", dims=(20,)), factor("a"), factor("b", pending=1))
    assert codes == []
    assert [unit.get("NumBlockRowsMinus1") for unit in units[1:]] == [2, 1]


def test_parts_of_g_are_all_g_and_then_h_is_due() -> None:
    def part(name: str, counter: int, pending: int) -> bytes:
        header = {"independently_decodable_flag": 0, "partial_data_counter_present_flag": 1}
        return factor(name, pending=pending, partial_data_counter=counter, **header)

    units, codes = walked(part("a", 2, 0), part("a", 1, 0), part("b", 2, 1), part("b", 1, 1), factor("c"))
    assert codes == []
    assert [unit.get("NumBlockRowsMinus1") for unit in units] == [2, 2, 1, 1, 2]


def test_enclosed_units_follow_their_aggregate_and_share_the_state() -> None:
    units, codes = walked(start(), aggregate(parameter_set(indexed=1), topology()), topology())
    assert codes == []
    assert [unit.label for unit in units] == ["unit 0", "unit 1", "unit 1.0", "unit 1.1", "unit 2"]
    assert [unit.unit_type for unit in units] == [STR, AGG, MPS, TPL, TPL]
    assert units[4].get(INDEXED) == 1


def test_an_aggregate_between_g_and_h_does_not_part_them() -> None:
    units, codes = walked(factor("a"), aggregate(factor("b", pending=1), topology()))
    assert codes == []
    assert [unit.get("NumBlockRowsMinus1") for unit in units if unit.unit_type == NDU] == [2, 1]


def test_right_entry_points_and_types_are_accepted() -> None:
    first, second = topology(b"abc"), parameter_set()
    at = 2 + 1 + 4 + 2 * 5 + 2
    units, codes = walked(aggregate(first, second, entries=[(TPL, at), (MPS, at + len(first))]))
    assert units[1].first == at
    assert codes == []


@pytest.mark.parametrize(
    ("entries", "code", "element"),
    [
        ([(TPL, 19), (TPL, 28)], "aggregate_unit_type", "enclosed_unit_type[1]"),
        ([(TPL, 18), (MPS, 28)], "aggregate_entry_point", "nnr_unit_entry_point[0]"),
    ],
)
def test_wrong_entry_points_and_types_are_reported_at_their_bits(
    entries: list[tuple[int, int]], code: str, element: str
) -> None:
    session = Session(trace=[])
    data = start() + aggregate(topology(b"abcd"), parameter_set(), entries=entries)
    walked(data, session=session)
    (found,) = session.findings
    assert found.code == code
    places = {entry.path: (entry.first, entry.first + entry.size) for entry in session.trace or []}
    assert found.path.endswith(element)
    assert found.bits == places[found.path]


def test_a_wrong_number_of_enclosed_units_is_reported_at_its_bits() -> None:
    session = Session(trace=[])
    walked(start(), aggregate(topology(), topology(), topology(), count=2), session=session)
    (found,) = session.findings
    assert found.code == "aggregate_count"
    places = {entry.path: (entry.first, entry.first + entry.size) for entry in session.trace or []}
    assert found.bits == places[found.path]


def test_an_aggregate_that_breaks_off_is_not_blamed_for_its_count() -> None:
    codes = walked(aggregate(topology(), topology(), b"\x00"))[1]
    assert codes == ["aggregate_rest"]


def test_zero_bytes_behind_the_enclosed_units_are_a_rest() -> None:
    codes = walked(aggregate(topology(), topology(), bytes(4)))[1]
    assert codes == ["aggregate_rest"]


def test_an_aggregate_whose_header_is_cut_is_not_unfolded() -> None:
    units, codes = walked(bytes.fromhex("0005 1a 0000".replace(" ", "")))
    assert [unit.broken for unit in units] == [True]
    assert codes == ["unit_overrun"]


def test_nested_aggregates_are_unfolded_up_to_the_limit() -> None:
    inner = aggregate(topology(), topology())
    data = aggregate(inner, topology())
    units, codes = walked(data)
    assert [unit.label for unit in units] == ["unit 0", "unit 0.0", "unit 0.1"]
    assert codes == ["limit_aggregate_depth"]
    units, codes = walked(data, session=Session(limits=Limits(aggregate_depth=2)))
    assert [unit.label for unit in units] == ["unit 0", "unit 0.0", "unit 0.0.0", "unit 0.0.1", "unit 0.1"]
    assert codes == []


def test_a_broken_unit_does_not_hide_those_behind_it() -> None:
    units, codes = walked(start(), bytes.fromhex("000416ff"), topology())
    assert [unit.broken for unit in units] == [False, True, False]
    assert codes


def out_of_band_unit(name: str) -> bytes:
    ndu = {
        "nnr_compressed_data_unit_payload_type": 2,
        "nnr_multiple_topology_elements_present_flag": 0,
        "nnr_decompressed_data_format_present_flag": 0,
        "input_parameters_present_flag": 1,
        "topology_elem_id": name,
        "tensor_dimensions_flag": 0,
        "cabac_unary_length_flag": 0,
        "compressed_parameter_types": 0,
    }
    writer, session = BitWriter(), Session(out_of_band={"tensor_dimensions": [3]})
    tree = {"nnr_unit_type": NDU, "independently_decodable_flag": 1, "partial_data_counter_present_flag": 0}
    tree |= {"nnr_compressed_data_unit_header": ndu}
    nnr_unit_header.build_tree(TreeSource(tree), writer, initial_state(Readings()), session)
    return (len(writer.getvalue()) + 2).to_bytes(2, "big") + writer.getvalue()


def test_dimensions_from_outside_are_those_of_the_id_of_the_tensor_or_else_of_all() -> None:
    data = out_of_band_unit("a"), out_of_band_unit("b")
    units, codes = walked(*data, session=Session(out_of_band={"a": {"tensor_dimensions": [5]}}))
    assert units[0].get("tensor_dimensions") == [5]
    assert codes == ["parameters_out_of_band"]
    assert (units[1].broken, units[1].get("topology_elem_id")) == (True, "b")
    given = {"a": {"tensor_dimensions": [5]}, "tensor_dimensions": [7]}
    units, codes = walked(*data, session=Session(out_of_band=given))
    assert [unit.get("tensor_dimensions") for unit in units] == [[5], [7]]
    assert codes == []
