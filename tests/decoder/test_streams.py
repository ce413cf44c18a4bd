"""What units do to each other: parameter sets, references, parts, aggregates, mappings, order."""

from __future__ import annotations

import hashlib
import itertools
import zlib
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import nnr_conformance
from nnr_conformance import Verdict
from nnr_conformance.decoder.dequantization import step_size
from nnr_conformance.decoder.how import UnitDecoder
from nnr_conformance.decoder.stream import StreamDecoder
from nnr_conformance.diagnostics import Findings
from nnr_conformance.limits import Limits
from tests.decoder.stream_builder import (
    aggregate,
    coded,
    entry_point_elements,
    layer_set,
    levels_of,
    load,
    parameter_set,
    raw,
    reference_list,
    start,
    topology,
    values_of,
)

GRID = np.arange(12, dtype=np.float32).reshape(3, 4) / 8
PLAIN = "e2-001-plain"


def decoded(*units: bytes, **options: Any) -> nnr_conformance.Decoded:
    return nnr_conformance.decode(b"".join(units), transmitted=True, **options)


def codes(*units: bytes, **options: Any) -> list[str]:
    return [found.code for found in nnr_conformance.check(b"".join(units), **options).diagnostics]


def test_a_payload_of_the_vectors_decodes_inside_a_stream_as_it_does_alone() -> None:
    result = decoded(start(), parameter_set(), coded("w", PLAIN))
    assert result.tensors["w"].tobytes() == values_of(PLAIN).tobytes()
    assert np.array_equal(result.levels["w"], levels_of(PLAIN))
    assert not result.diagnostics


def test_quantization_parameter_of_the_model_parameter_set_is_added_to_the_coded_one() -> None:
    plain = decoded(start(), parameter_set(), coded("w", PLAIN)).qp["w"]
    assert decoded(start(), parameter_set(quantization=(2, -9)), coded("w", PLAIN)).qp["w"] == plain - 9


def test_a_layer_parameter_set_overrides_the_model_parameter_set_for_the_units_behind_it() -> None:
    units = (start(), parameter_set(quantization=(2, -9)), coded("a", PLAIN), layer_set((2, 3)), coded("b", PLAIN))
    result = decoded(*units)
    assert result.qp["b"] - result.qp["a"] == 12
    expected = levels_of(PLAIN).astype(np.float32) * step_size(result.qp["b"], 2)
    assert result.tensors["b"].tobytes() == expected.tobytes()


def test_a_layer_parameter_set_without_quantization_falls_back_to_the_model_parameter_set() -> None:
    result = decoded(start(), parameter_set(quantization=(2, -9)), layer_set(None), coded("b", PLAIN))
    assert result.qp["b"] == decoded(start(), parameter_set(quantization=(2, -9)), coded("b", PLAIN)).qp["b"]


@pytest.mark.parametrize(("scope", "shared"), [("aggregate", False), ("stream", True)])
def test_the_scope_of_a_layer_parameter_set_inside_an_aggregate_is_a_reading(scope: str, shared: bool) -> None:
    inner = aggregate(layer_set((2, 5)), coded("inside", PLAIN))
    units = (start(), parameter_set(), inner, coded("behind", PLAIN))
    qp = decoded(*units, readings={"lps-scope": scope}).qp
    assert (qp["inside"] == qp["behind"]) is shared


def test_a_layer_parameter_set_reaches_into_an_aggregate_inside_of_its_own() -> None:
    inner = aggregate(coded("b", PLAIN), coded("c", PLAIN))
    units = start(), parameter_set(quantization=(2, -9)), aggregate(layer_set((2, 3)), inner, coded("d", PLAIN))
    result = decoded(*units, coded("e", PLAIN), limits=Limits(aggregate_depth=2))
    assert result.qp["b"] == result.qp["c"] == result.qp["d"] == result.qp["e"] + 12


def test_without_a_quantization_parameter_float_units_are_refused_and_raw_units_are_not() -> None:
    units = (start(), parameter_set(quantization=None), coded("w", PLAIN), raw("r", GRID))
    result = decoded(*units)
    assert [found.code for found in result.diagnostics] == ["quantization_undefined"]
    assert result.tensors["r"].tobytes() == GRID.tobytes()


def test_integer_payloads_need_no_quantization_parameter() -> None:
    result = decoded(start(), parameter_set(quantization=None), coded("n", "e2-030-int"))
    assert result.tensors["n"].dtype == np.int32
    assert np.array_equal(result.tensors["n"], levels_of("e2-030-int"))


def test_indices_refer_to_the_ids_of_the_reference_list() -> None:
    units = (
        start(),
        parameter_set(indexed=1),
        reference_list("first", "second"),
        raw("", GRID, topology_elem_id_index=1),
        raw("", -GRID, topology_elem_id_index=0),
    )
    result = decoded(*units)
    assert not result.diagnostics
    assert {name: values.tobytes() for name, values in result.tensors.items()} == {
        "second": GRID.tobytes(),
        "first": (-GRID).tobytes(),
    }


@pytest.mark.parametrize("compressed", [False, True])
def test_parameters_from_outside_are_found_by_an_index_into_a_list_in_parts_or_compressed(compressed: bool) -> None:
    data = bytes.fromhex("8080 7600 7700")
    parts = [topology(6, {"part": piece}, part=counter) for counter, piece in ((2, data[:3]), (1, data[3:]))]
    body = bytes.fromhex("0e 06 01") + zlib.compress(data)
    whole = (len(body) + 2).to_bytes(2, "big") + body
    outside = {"input_parameters_present_flag": 0, "tensor_dimensions_flag": 0, "given": {"tensor_dimensions": [3, 4]}}
    unit = raw("", GRID, topology_elem_id_index=1, **outside)
    units = (start(), parameter_set(indexed=1), *([whole] if compressed else parts), unit)
    options = {"readings": {"container-compression": "compressed"}} if compressed else {}
    result = decoded(*units, out_of_band={"w": {"tensor_dimensions": [3, 4]}}, **options)
    assert result.tensors["w"].tobytes() == GRID.tobytes()


def test_an_index_beyond_the_reference_list_is_reported_at_its_bits() -> None:
    units = (start(), parameter_set(indexed=1), reference_list("a", "b"), raw("", GRID, topology_elem_id_index=2))
    (found,) = nnr_conformance.check(b"".join(units)).diagnostics
    assert found.code == "reference_index_range"
    first = 8 * len(b"".join(units[:3])) + 16 + 8 + 8
    assert found.bits == (first, first + 8)


def test_an_index_without_a_reference_list_is_refused() -> None:
    assert codes(start(), parameter_set(indexed=1), raw("", GRID, topology_elem_id_index=0)) == [
        "reference_list_missing"
    ]


@given(cuts=st.lists(st.integers(0, 48), max_size=6))
def test_a_payload_in_parts_decodes_like_the_whole_one(cuts: list[int]) -> None:
    data = GRID.astype("<f4").tobytes()
    bounds = [0, *sorted(cuts), len(data)]
    pieces = [data[a:b] for a, b in itertools.pairwise(bounds)]
    parts = [raw("r", GRID, part=len(pieces) - number, payload=piece) for number, piece in enumerate(pieces)]
    result = decoded(start(), parameter_set(), *parts)
    assert not result.diagnostics
    assert result.tensors["r"].tobytes() == GRID.tobytes()


def test_a_coded_payload_in_parts_keeps_its_places_in_the_stream() -> None:
    payload = bytes.fromhex(load(PLAIN)["payload_hex"])
    damaged = payload[:-1] + bytes([payload[-1] ^ 1])
    units = [start(), parameter_set(), coded("w", PLAIN, part=2, payload=damaged[:20])]
    units.append(coded("w", PLAIN, part=1, payload=damaged[20:]))
    (found,) = nnr_conformance.check(b"".join(units)).diagnostics
    assert found.code in {"alignment_nonzero", "stop_bit_missing"}
    assert found.bits is not None
    assert found.bits[0] >> 3 == len(b"".join(units)) - 1
    whole = decoded(
        start(),
        parameter_set(),
        coded("w", PLAIN, part=2, payload=payload[:20]),
        coded("w", PLAIN, part=1, payload=payload[20:]),
    )
    assert whole.tensors["w"].tobytes() == values_of(PLAIN).tobytes()


@pytest.mark.parametrize(
    ("counters", "code"),
    [((3, 1), "partial_data_sequence"), ((2, 2), "partial_data_sequence"), ((3, 2), "partial_data_incomplete")],
)
def test_broken_sequences_of_parts_are_reported(counters: tuple[int, ...], code: str) -> None:
    parts = [raw("r", GRID, part=counter, payload=b"\0" * 24) for counter in counters]
    assert code in codes(start(), parameter_set(), *parts)


def test_parts_of_different_elements_do_not_join() -> None:
    parts = [raw("r", GRID, part=2, payload=b"\0" * 24), raw("s", GRID, part=1, payload=b"\0" * 24)]
    assert "partial_data_ids" in codes(start(), parameter_set(), *parts)


def test_aggregated_units_decode_like_flat_ones() -> None:
    units = [coded("w", PLAIN), raw("r", GRID), coded("n", "e2-030-int")]
    flat = decoded(start(), parameter_set(), *units)
    grouped = decoded(start(), parameter_set(), aggregate(*units))
    assert not grouped.diagnostics
    assert flat.digests["levels"] == grouped.digests["levels"]
    assert flat.digests["tensors"] == grouped.digests["tensors"]


def test_aggregates_without_records_are_another_reading() -> None:
    units = [raw("q", GRID), raw("r", GRID)]
    stream = (start(), parameter_set(), aggregate(*units, records=False))
    assert set(decoded(*stream, readings=["aggregate-layout=no-records"]).tensors) == {"q", "r"}
    assert decoded(*stream).diagnostics


def test_entry_points_of_an_aggregate_lead_to_its_units() -> None:
    units = [raw("q", GRID), raw("r", GRID)]
    plain = aggregate(*units, entries=[(5, 0), (5, 0)])
    first = len(plain) - len(b"".join(units))
    right = aggregate(*units, entries=[(5, first), (5, first + len(units[0]))])
    assert codes(start(), parameter_set(), right) == []
    wrong = aggregate(*units, entries=[(3, first), (5, first + 1)])
    assert codes(start(), parameter_set(), wrong) == ["aggregate_unit_type", "aggregate_entry_point"]
    other = aggregate(*units, entries=[(5, first), (5, first)])
    assert codes(start(), parameter_set(), other) == ["aggregate_entry_point_other"]


def test_a_broken_unit_does_not_hide_the_others() -> None:
    broken = bytearray(coded("w", PLAIN))
    broken[-3] ^= 0x40
    result = decoded(start(), parameter_set(), bytes(broken), raw("r", GRID))
    assert set(result.tensors) == {"r"}
    assert result.diagnostics


def test_concatenated_elements_are_cut_and_their_axes_moved() -> None:
    mapping = {
        "concatenation_axis_index": 1,
        "split_index": [1],
        "number_of_shifts": [0, 1],
        "shift_index": [[], [1]],
        "shift_value": [[], [1]],
    }
    unit = raw(["a", "b"], GRID, topology_tensor_dimension_mapping=mapping)
    result = decoded(start(), parameter_set(), unit)
    assert not result.diagnostics
    assert np.array_equal(result.tensors["a"], GRID[:, :1])
    assert np.array_equal(result.tensors["b"], GRID[:, 1:].T)


def test_split_index_can_be_read_as_length() -> None:
    mapping = {"concatenation_axis_index": 1, "split_index": [1, 2], "number_of_shifts": [0, 0, 0]}
    unit = raw(["a", "b", "c"], GRID, topology_tensor_dimension_mapping=mapping)
    by_position = decoded(start(), parameter_set(), unit).tensors
    by_length = decoded(start(), parameter_set(), unit, readings=["split-index=length"]).tensors
    assert [by_position[name].shape[1] for name in "abc"] == [1, 1, 2]
    assert [by_length[name].shape[1] for name in "abc"] == [1, 2, 1]


def test_a_shifted_first_dimension_is_moved_back() -> None:
    values = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    moved = np.moveaxis(values, 2, 0)
    unit = raw("r", moved, dims=[2, 3, 4], first_tensor_dimension_shift=2)
    assert np.array_equal(decoded(start(), parameter_set(), unit).tensors["r"], values)
    ignored = decoded(start(), parameter_set(), unit, readings=["dimension-shift=ignore"]).tensors["r"]
    assert np.array_equal(ignored, moved.reshape(2, 3, 4))


def test_dimensions_can_come_from_outside() -> None:
    given = {"tensor_dimensions": [3, 4]}
    unit = raw("r", GRID, tensor_dimensions_flag=0, given=given)
    result = decoded(start(), parameter_set(), unit, out_of_band={"r": given})
    assert result.tensors["r"].tobytes() == GRID.tobytes()
    report = nnr_conformance.check(b"".join((start(), parameter_set(), unit, raw("s", GRID))))
    assert report.verdict is Verdict.UNDETERMINED
    assert [tensor.name for tensor in report.streams[0].tensors] == ["s"]


@pytest.mark.parametrize(
    ("data", "compression", "found"),
    [
        (zlib.compress(b"graph"), 1, []),
        (zlib.compress(b"graph") + b"x", 1, ["deflate_trailing"]),
        (zlib.compress(b"graph")[:-2], 1, ["deflate_invalid"]),
        (zlib.compress(b"graph", wbits=-15), 1, ["deflate_without_zlib"]),
        (b"graph", 0, []),
    ],
)
def test_topology_data_is_inflated_and_its_container_checked(data: bytes, compression: int, found: list[str]) -> None:
    stream = b"".join((start(), parameter_set(), topology(1, {"topology_data": data}, compression), raw("r", GRID)))
    decoder = StreamDecoder(memoryview(stream), UnitDecoder(), Findings())
    list(decoder)
    assert [diagnostic.code for diagnostic in decoder.findings] == found
    if "deflate_invalid" not in found:
        assert decoder.carried[0].data == b"graph"


def test_data_that_inflates_beyond_the_limit_is_not_inflated() -> None:
    bomb = topology(1, {"topology_data": zlib.compress(bytes(1 << 20))}, 1)
    limits = Limits(inflated_bytes=1 << 16)
    report = nnr_conformance.check(start() + parameter_set(carriage=1) + bomb + raw("r", GRID), limits=limits)
    assert [found.code for found in report.diagnostics] == ["limit_inflated"]
    assert report.verdict is Verdict.UNDETERMINED


@pytest.mark.parametrize(
    ("units", "found"),
    [
        ([], ["stream_empty"]),
        ([parameter_set(0), raw("r", GRID, 0)], ["start_unit_missing"]),
        ([start(), raw("r", GRID)], ["parameter_set_missing"]),
        ([start(), parameter_set(), parameter_set(), raw("r", GRID)], ["parameter_set_repeated"]),
        ([start(), parameter_set(), raw("r", GRID), parameter_set()], ["parameter_set_repeated", "parameter_set_late"]),
        ([start(), parameter_set(), raw("r", GRID), raw("r", GRID)], ["element_repeated"]),
        ([start(), parameter_set()], ["no_compressed_data"]),
        ([start(), parameter_set(carriage=1), raw("r", GRID)], ["topology_missing"]),
        ([start(), parameter_set(), raw("r", GRID), start(), parameter_set(), raw("r", GRID)], ["start_unit_repeated"]),
    ],
)
def test_rules_of_order_are_checked(units: list[bytes], found: list[str]) -> None:
    assert codes(*units) == found


def test_a_signalled_format_decides_the_type_of_the_result() -> None:
    unit = raw("r", GRID, nnr_decompressed_data_format=8)
    assert decoded(start(), parameter_set(), unit).tensors["r"].dtype == np.float16
    unit = raw("r", GRID * 1e9, nnr_decompressed_data_format=8)
    assert codes(start(), parameter_set(), unit) == ["decompressed_data_format_extension", "format_overflow"]


def test_missing_and_surplus_bytes_of_a_raw_payload_are_reported() -> None:
    data = GRID.astype("<f4").tobytes()
    assert codes(start(), parameter_set(), raw("r", GRID, payload=data[:-4])) == ["raw_length"]
    assert codes(start(), parameter_set(), raw("r", GRID, payload=data + b"\0" * 4)) == ["raw_length"]


def test_only_wanted_tensors_are_decoded() -> None:
    broken = bytearray(coded("w", PLAIN))
    broken[-3] ^= 0x40
    result = decoded(start(), parameter_set(), bytes(broken), raw("r", GRID), tensors=["r"])
    assert set(result.tensors) == {"r"}
    assert not result.diagnostics


def test_wrong_entry_points_are_reported_and_do_not_disturb_decoding() -> None:
    vector = "e1-017-scan1-dq"
    points = load(vector)["tensors"][0]["expected"]["entry_points"]
    assert points
    assert codes(start(0), parameter_set(0), coded("w", vector)) == []
    points[0]["value"] ^= 1
    result = decoded(start(0), parameter_set(0), coded("w", vector, **entry_point_elements(points)))
    assert [found.code for found in result.diagnostics] == ["entry_point_mismatch"]
    assert np.array_equal(result.levels["w"], levels_of(vector))


def test_a_payload_of_one_byte_is_too_short_and_overrun() -> None:
    assert codes(start(), parameter_set(), coded("w", PLAIN, payload=b"\0")) == ["payload_too_short", "payload_overrun"]
    assert codes(start(), parameter_set(), coded("w", PLAIN, payload=b"")) == ["payload_too_short"]


def test_parameters_from_outside_are_found_by_the_id_that_an_index_refers_to() -> None:
    given = {"tensor_dimensions": [3, 4]}
    unit = raw("", GRID, topology_elem_id_index=1, tensor_dimensions_flag=0, given=given)
    result = decoded(start(), parameter_set(indexed=1), reference_list("a", "b"), unit, out_of_band={"b": given})
    assert not result.diagnostics
    assert result.tensors["b"].tobytes() == GRID.tobytes()


def test_a_factor_pair_outside_a_block_is_composed_and_scaled() -> None:
    rng = np.random.default_rng(1)
    g, h = rng.normal(size=(4, 2)).astype(np.float32), rng.normal(size=(2, 6)).astype(np.float32)
    scaling = np.array([1, 2, 4, 8], np.float32)
    layer = {"compressed_parameter_types": 3, "decomposition_rank": 2, "g_number_of_rows": 4}
    dims = {"dims": [4, 3, 2]}
    pending = {"state": {"G_pending": 1}}
    units = [
        raw("w_scaling", scaling, **layer),
        raw("w_G", g, **layer, **dims),
        raw("w_H", h, **layer, **dims, **pending),
    ]
    stream = b"".join((start(), parameter_set(), *units))
    tensors = nnr_conformance.decode(stream).tensors
    expected = ((g * scaling[:, None]).astype(np.float64) @ h.astype(np.float64)).astype(np.float32).reshape(4, 3, 2)
    assert set(tensors) == {"w"}
    np.testing.assert_allclose(tensors["w"], expected, rtol=2**-20)
    apart = nnr_conformance.decode(stream, transmitted=True).tensors
    assert {name: values.shape for name, values in apart.items()} == {"w_scaling": (4,), "w_G": (4, 2), "w_H": (2, 6)}
    broken = b"".join((start(), parameter_set(), units[1], raw("r", GRID), units[2]))
    report = nnr_conformance.decode(broken)
    assert [found.code for found in report.diagnostics] == ["decomposition_pair", "decomposition_pair"]
    assert set(report.tensors) == {"w_G", "w_H", "r"}


def test_parents_can_be_named_by_the_digest_of_their_payload() -> None:
    base = raw("r", GRID)
    payload = GRID.astype("<f4").tobytes()
    for kind, name, digest in (
        (1, "parent_node_payload_sha256", hashlib.sha256(payload)),
        (2, "parent_node_payload_sha512", hashlib.sha512(payload)),
    ):
        parent = {
            "parent_node_id_present_flag": 1,
            "parent_node_id_type": kind,
            "temporal_context_modeling_flag": 0,
            name: int.from_bytes(digest.digest(), "big"),
        }
        chain = [
            start() + parameter_set() + base,
            start() + parameter_set(updates=1) + raw("r", GRID, updates=1, **parent),
        ]
        result = nnr_conformance.decode(chain)
        assert not result.diagnostics
        assert np.array_equal(result.tensors["r"], GRID + GRID)
        parent[name] ^= 1
        chain[1] = start() + parameter_set(updates=1) + raw("r", GRID, updates=1, **parent)
        found = [found.code for found in nnr_conformance.decode(chain).diagnostics]
        assert found == ["parent_digest_unknown", "missing_parent"]


def test_surplus_bytes_behind_a_payload_are_an_error_and_cost_no_tensor() -> None:
    payload = bytes.fromhex(load(PLAIN)["payload_hex"])
    stream = b"".join((start(), parameter_set(), coded("w", PLAIN, payload=payload + b"\0")))
    report = nnr_conformance.check(stream)
    (found,) = report.diagnostics
    assert found.code == "trailing_bytes"
    assert found.bits == (8 * len(stream) - 8, 8 * len(stream) - 7)
    assert report.verdict is Verdict.NONCONFORMING
    assert decoded(stream).tensors["w"].tobytes() == values_of(PLAIN).tobytes()


def test_levels_before_a_missing_terminate_bin_are_not_delivered() -> None:
    payload = bytearray.fromhex(load(PLAIN)["payload_hex"])
    payload[len(payload) // 2] ^= 0x10
    result = decoded(start(), parameter_set(), coded("w", PLAIN, payload=bytes(payload)))
    assert not result.tensors
    assert result.diagnostics[-1].code in {"terminate_missing", "payload_overrun"}
