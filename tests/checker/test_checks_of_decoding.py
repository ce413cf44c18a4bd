"""Checks that decoding makes by itself: for each a pair of streams, alike but for what the check is about."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import nnr_conformance
from nnr_conformance import Verdict
from nnr_conformance.encoder.units import with_size
from tests.checker.pairs_of_content import container, dictionary
from tests.checker.pairs_of_order import DATA, GRID, OTHER, flat, quantization
from tests.decoder.stream_builder import (
    aggregate,
    coded,
    entry_point_elements,
    layer_set,
    load,
    parameter_set,
    raw,
    start,
)

SETTINGS = {"concatenation_axis_index": 1, "split_index": [1], "number_of_shifts": [0, 1]}


def with_bits(unit: bytes, byte: int, mask: int) -> bytes:
    """A unit with some bits set."""
    data = bytearray(unit)
    data[byte] |= mask
    return bytes(data)


def model(parameters: bytes, profile: int = 1) -> bytes:
    return start(profile) + parameters + raw("r", GRID, profile)


def states(change: int) -> bytes:
    vector = "e1-017-scan1-dq"
    points = load(vector)["tensors"][0]["expected"]["entry_points"]
    points[0]["dq_state"] ^= change
    return start(0) + parameter_set(0) + coded("w", vector, **entry_point_elements(points))


def mapped(index: int = 1, value: int = 1, **changes: Any) -> bytes:
    mapping = SETTINGS | {"shift_index": [[], [index]], "shift_value": [[], [value]]} | changes
    return flat(raw(["a", "b"], GRID, topology_tensor_dimension_mapping=mapping))


def enclosed(rest: bytes = b"", *, order: int = 1) -> bytes:
    """An aggregate unit with entry points; with order -1 they are exchanged."""
    plain = aggregate(DATA, OTHER, entries=[(5, 0), (5, 0)])
    first = len(plain) - len(DATA + OTHER)
    entries = [(5, first), (5, first + len(DATA))][::order]
    return flat(with_size(aggregate(DATA, OTHER, entries=entries)[2:] + rest))


def outside(**given: Any) -> bytes:
    """A unit whose parameters are not in the stream."""
    values = {"tensor_dimensions": [3, 4]} | given
    return raw("r", GRID, input_parameters_present_flag=0, tensor_dimensions_flag=0, given=values)


PAIRS: dict[str, tuple[Callable[[], bytes], Callable[[], bytes]]] = {
    "start_unit_size": (lambda: flat(DATA), lambda: with_size(start()[2:] + b"\0") + parameter_set() + DATA),
    "profile_0_bits_not_zero": (
        lambda: model(parameter_set(0), 0),
        lambda: model(with_bits(parameter_set(0), 4, 0x20), 0),
    ),
    "pre_flag_bit_not_zero": (lambda: model(parameter_set()), lambda: model(with_bits(parameter_set(), 4, 0x04))),
    "reserved_not_zero": (lambda: model(parameter_set()), lambda: model(with_bits(parameter_set(), 4, 0x01))),
    "lps_reserved_not_zero": (
        lambda: flat(layer_set((2, 0)), DATA),
        lambda: flat(with_bits(layer_set((2, 0)), 3, 0x01), DATA),
    ),
    "lps_quantization_method_reserved": (
        lambda: flat(layer_set((2, 0)), DATA),
        lambda: flat(with_bits(layer_set((2, 0)), 4, 0x08), DATA),
    ),
    "container_reserved_not_zero": (
        lambda: container([DATA], **dictionary([[3, 4], [5]])),
        lambda: container([DATA], **dictionary([[3, 4], [5]], nnr_reserved_zero_3bits=1)),
    ),
    "aggregate_reserved_not_zero": (
        lambda: flat(aggregate(DATA, OTHER)),
        lambda: flat(with_bits(aggregate(DATA, OTHER), 4, 0x01)),
    ),
    "quantization_storage_format_reserved": (
        lambda: flat(quantization(storage=4), DATA),
        lambda: flat(quantization(storage=5), DATA),
    ),
    "aggregate_rest": (enclosed, lambda: enclosed(b"\0")),
    "aggregate_entry_point_other": (enclosed, lambda: enclosed(order=-1)),
    "entry_point_state_mismatch": (lambda: states(0), lambda: states(1)),
    "concatenation_axis_range": (mapped, lambda: mapped(concatenation_axis_index=2)),
    "piece_empty": (mapped, lambda: mapped(split_index=[4])),
    "mapping_invalid": (mapped, lambda: mapped(split_index=[5])),
    "shift_index_range": (mapped, lambda: mapped(index=2)),
    "shift_value_range": (mapped, lambda: mapped(value=2)),
}


def found(stream: bytes, **options: Any) -> list[str]:
    return [diagnostic.code for diagnostic in nnr_conformance.check(stream, **options).diagnostics]


@pytest.mark.parametrize("code", PAIRS)
def test_the_broken_stream_of_a_pair_gives_its_code_and_nothing_else(code: str) -> None:
    keeps, breaks = PAIRS[code]
    assert found(keeps()) == []
    codes = found(breaks())
    assert set(codes) == {code}


def test_parameters_that_are_left_out_altogether_are_told_from_dimensions_alone() -> None:
    without = raw("r", GRID, tensor_dimensions_flag=0, given={"tensor_dimensions": [3, 4]})
    assert found(flat(without)) == ["parameters_out_of_band"]
    assert found(flat(outside())) == ["input_parameters_missing"]
    report = nnr_conformance.check(flat(outside()), out_of_band={"r": {"tensor_dimensions": [3, 4]}})
    assert report.verdict is Verdict.CONFORMING


def test_a_block_without_parameter_types_leaves_the_verdict_open() -> None:
    given = {"tensor_dimensions": [2, 3], "compressed_parameter_types": 8}
    changes = {"input_parameters_present_flag": 0, "tensor_dimensions_flag": 0, "cabac_unary_length_flag": 0}
    unit = coded(["w", "b"], "e2-001-plain", payload_type=3, given=given, **changes)
    report = nnr_conformance.check(flat(unit), out_of_band={"w": {"tensor_dimensions": [2, 3]}})
    assert "parameter_types_missing" in {one.code for one in report.diagnostics}
    assert report.verdict is Verdict.UNDETERMINED
    assert "parameter_types_missing" not in found(flat(unit), out_of_band={"w": given})


def test_several_elements_without_a_mapping_leave_the_verdict_open() -> None:
    given = {"tensor_dimensions": [3, 4]}
    unit = raw(["a", "b"], GRID, input_parameters_present_flag=0, tensor_dimensions_flag=0, given=given)
    report = nnr_conformance.check(flat(unit), out_of_band={"a": given})
    assert "mapping_out_of_band" in {one.code for one in report.diagnostics}
    assert report.verdict is Verdict.UNDETERMINED


def test_a_code_of_the_decoder_is_not_given_a_second_time_by_the_checker() -> None:
    unit = raw("", GRID, topology_elem_id_index=0)
    assert found(start() + parameter_set(indexed=1) + unit) == ["reference_list_missing"]
    assert found(flat(DATA, DATA)) == ["element_repeated"]


def test_decoding_alone_says_why_a_tensor_is_missing_or_replaced() -> None:
    halves = [raw("p", GRID, part=3, payload=bytes(16)), raw("p", GRID, part=2, payload=bytes(16))]
    decoded = nnr_conformance.decode(flat(DATA, DATA, *halves))
    assert [one.code for one in decoded.diagnostics] == ["element_repeated", "partial_data_incomplete"]
    assert np.array_equal(decoded.tensors["r"], GRID)
