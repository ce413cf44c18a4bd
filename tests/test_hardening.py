"""Streams that announce much more than they have: a limit or an error by name, and little memory whatever they claim.

Truncated, flipped and random streams are in `tests/decoder/test_hostile_streams.py` (with the linear time of every kind
of unit), hostile payloads in `tests/entropy/test_hostile_payloads.py`; `python -m fuzz.mutate` makes more of them.
"""

from __future__ import annotations

import operator
import tracemalloc
import warnings
import zlib
from collections import Counter
from collections.abc import Callable
from dataclasses import fields
from functools import cache
from pathlib import Path
from typing import TypeVar

import numpy as np
import pytest
from construct import this
from hypothesis import given
from hypothesis import strategies as st

import nnr_conformance
from nnr_conformance import Report, Verdict
from nnr_conformance.bits import BitReader, BitWriter
from nnr_conformance.cli.check import main
from nnr_conformance.encoder.recipe import build_recipe
from nnr_conformance.encoder.units import build_unit, state_for, with_size
from nnr_conformance.errors import UsageError
from nnr_conformance.expressions import Function, at, ceil_div, either, evaluate, prepared
from nnr_conformance.framing import frame
from nnr_conformance.limits import MOST_AGGREGATE_DEPTH, MOST_DIMENSIONS, Limits
from nnr_conformance.scope import Session, TraceEntry
from nnr_conformance.syntax.unit_walker import walk_units
from tests.decoder.stream_builder import aggregate, coded, parameter_set, raw, reference_list, start, topology
from tests.decoder.test_hostile_streams import calls

GRID = np.zeros((2, 2), np.float32)
HEAD = start() + parameter_set()
MEGABYTE = 1 << 20
Result = TypeVar("Result")


def in_memory(most: float, work: Callable[[], Result]) -> Result:
    """The result of some work, which allocates no more than this at any time."""
    nnr_conformance.check(HEAD)
    tracemalloc.start()
    try:
        result = work()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < most, f"{peak} bytes"
    return result


def codes_of(report: Report) -> list[str]:
    return [found.code for found in report.diagnostics]


def checked(stream: bytes, *, most: float = 2 * MEGABYTE, limits: Limits = Limits()) -> Report:  # noqa: B008 -- frozen
    return in_memory(most, lambda: nnr_conformance.check(stream, limits=limits))


def stopped_by(report: Report, code: str) -> bool:
    """True when this limit is all that kept the stream from a verdict; what follows from it may be warned about."""
    errors = [found.code for found in report.diagnostics if found.severity.value == "error"]
    return report.verdict is Verdict.UNDETERMINED and errors == [code]


# ---- streams and units


def test_a_stream_above_the_limit_is_not_read() -> None:
    stream = HEAD + raw("a", GRID)
    report = checked(stream, limits=Limits(stream_bytes=len(stream) - 1))
    assert codes_of(report) == ["limit_bytes"]
    assert report.verdict is Verdict.UNDETERMINED
    assert not report.streams[0].units
    assert checked(stream, limits=Limits(stream_bytes=len(stream))).verdict is Verdict.CONFORMING


def test_the_command_line_sets_every_limit(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "stream.nnr"
    path.write_bytes(HEAD + raw("a", GRID))
    for limit in fields(Limits):
        assert main([str(path), "--limit", f"{limit.name}=0"]) in {0, 3}, limit.name
    assert main([str(path), "--limit", "stream_bytes=4"]) == 3
    assert "limit_bytes" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["dimensions", "aggregate_depth"])
def test_a_limit_beyond_what_the_software_can_do_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=name):
        Limits(**{name: 1000})
    path = tmp_path / "stream.nnr"
    path.write_bytes(HEAD)
    assert main([str(path), "--limit", f"{name}=1000"]) == 2


@pytest.mark.parametrize("size", [(1 << 31) - 1, (1 << 31) - 8, 1 << 30, 0x7FFF])
def test_a_unit_of_two_gigabytes_in_a_stream_of_bytes_exceeds_the_stream(size: int) -> None:
    unit = (1 << 31 | size).to_bytes(4, "big") + raw("a", GRID)[2:]
    report = checked(HEAD + unit)
    assert "unit_exceeds_stream" in codes_of(report)
    assert report.verdict is Verdict.NONCONFORMING


def test_entry_points_of_sixteen_gigabytes_are_only_compared() -> None:
    units = raw("a", GRID), raw("b", GRID)
    report = checked(HEAD + aggregate(*units, entries=[(5, (1 << 34) - 1), (5, 1 << 33)]))
    assert {"aggregate_entry_point", "aggregate_entry_point_range"} <= set(codes_of(report))
    assert len(report.streams[0].tensors) == 2


def test_framing_a_hundred_thousand_units_takes_as_much_work_for_each_as_framing_a_few() -> None:
    stream = with_size(bytes([63 << 2])) * 100_000

    def framed(count: int) -> int:
        spans = frame(memoryview(stream)[: 3 * count], Session())
        return calls(lambda: sum(1 for _ in spans))

    # The first units cost more, until a parser for size fields is there; in the first stream it is generated.
    _, begun, few, many = framed(1000), framed(1000), framed(2000), framed(100_000)
    assert (many - few) == pytest.approx((few - begun) * 98, rel=0.01)


def test_checking_thousands_of_units_takes_as_much_work_for_each_as_checking_hundreds() -> None:
    unit = with_size(bytes([63 << 2]))

    def work(count: int) -> int:
        return calls(lambda: nnr_conformance.check(HEAD + unit * count))

    # As above; and a first check loads the rules.
    _, begun, few, many = work(200), work(200), work(400), work(4200)
    assert many - few == pytest.approx((few - begun) * 19, rel=0.05)


def test_a_hundred_thousand_units_are_all_judged() -> None:
    report = nnr_conformance.check(HEAD + with_size(bytes([63 << 2])) * 100_000)
    assert len(report.streams[0].units) == 100_002
    assert Counter(codes_of(report))["unit_type_reserved"] == 100_000
    assert len(report.streams[0].groups) <= 3


def test_memory_grows_with_the_number_of_units_alone() -> None:
    report = checked(HEAD + with_size(bytes([63 << 2])) * 3000, most=3000 * 3000)
    assert Counter(codes_of(report))["unit_type_reserved"] == 3000


@pytest.mark.parametrize("depth", [1, MOST_AGGREGATE_DEPTH])
def test_a_thousand_aggregates_in_each_other_stop_at_the_limit(depth: int) -> None:
    nested = raw("a", GRID)
    for _ in range(1000):
        nested = aggregate(nested, with_size(bytes([63 << 2, 0])))
    report = checked(HEAD + nested, limits=Limits(aggregate_depth=depth), most=8 * MEGABYTE)
    assert codes_of(report).count("limit_aggregate_depth") == 1
    assert report.verdict is Verdict.UNDETERMINED
    assert max(unit.label.count(".") for unit in report.streams[0].units) == depth


def test_more_aggregate_entries_than_bytes_end_with_the_unit() -> None:
    header = bytes([6 << 2 | 2, 0]) + (1 << 23 | 0xFFFF).to_bytes(3, "big")
    report = checked(HEAD + with_size(header + bytes(40)))
    assert "unit_overrun" in codes_of(report)
    assert report.verdict is Verdict.NONCONFORMING


def test_an_aggregate_that_announces_65537_units_and_has_one_is_miscounted() -> None:
    body = bytes([6 << 2 | 2, 0, 0, 0xFF, 0xFF])
    readings = ["aggregate-layout=no-records"]
    stream = HEAD + with_size(body + raw("a", GRID))
    report = in_memory(2 * MEGABYTE, lambda: nnr_conformance.check(stream, readings=readings))
    assert "aggregate_count" in codes_of(report)
    assert len(report.streams[0].tensors) == 1


# ---- parts


def test_a_partition_that_starts_at_255_and_never_ends_is_incomplete() -> None:
    parts = [raw("w", GRID, part=part, payload=bytes(4)) for part in range(255, 1, -1)]
    report = checked(HEAD + b"".join(parts), most=8 * MEGABYTE)
    assert codes_of(report).count("partial_data_incomplete") == 1
    assert report.verdict is Verdict.NONCONFORMING


def test_255_open_partitions_are_255_findings_and_no_more_memory_than_their_bytes() -> None:
    parts = [raw(f"w{number}", GRID, part=255, payload=bytes(1000)) for number in range(255)]
    report = checked(HEAD + b"".join(parts), most=8 * MEGABYTE)
    found = Counter(codes_of(report))
    assert sum(count for code, count in found.items() if code.startswith("partial_data")) >= 255
    assert report.verdict is Verdict.NONCONFORMING


def test_missing_parts_of_a_large_counter_are_named_at_the_part_that_follows_the_gap() -> None:
    parts = [raw("w", GRID, part=part, payload=bytes(4)) for part in (255, 3, 2, 1)]
    report = checked(HEAD + b"".join(parts))
    assert "partial_data_sequence" in codes_of(report)
    assert report.verdict is Verdict.NONCONFORMING


# ---- topology


@cache
def bomb(size: int) -> bytes:
    packer = zlib.compressobj(1)
    chunk = bytes(MEGABYTE)
    return b"".join([packer.compress(chunk) for _ in range(size // MEGABYTE)]) + packer.flush()


@pytest.mark.parametrize("unit_type", ["topology", "quantization"])
def test_data_that_inflates_to_a_quarter_of_a_gigabyte_is_not_inflated(unit_type: str) -> None:
    data = bomb(1 << 28)
    if unit_type == "topology":
        unit = topology(1, {"topology_data": data}, 1)
    else:
        header = {"quantization_storage_format": 0, "quantization_compression_format": 1}
        own = {
            "nnr_unit_type": 4,
            "independently_decodable_flag": 1,
            "partial_data_counter_present_flag": 0,
            "nnr_quantization_unit_header": header,
        }
        unit = build_unit(own, {"quantization_data": data}, state_for(1))
    stream = start() + parameter_set(carriage=int(unit_type == "topology")) + unit + raw("a", GRID)
    report = checked(stream, limits=Limits(inflated_bytes=4 * MEGABYTE), most=16 * MEGABYTE)
    assert stopped_by(report, "limit_inflated")


def test_data_that_inflates_to_compressed_data_is_inflated_once() -> None:
    inner = bomb(64 * MEGABYTE)
    nested = zlib.compress(zlib.compress(inner))
    stream = start() + parameter_set(carriage=1) + topology(4, {"topology_data": nested}, 1) + raw("a", GRID)
    report = checked(stream, most=4 * MEGABYTE)
    assert "limit_inflated" not in codes_of(report)
    assert "deflate_invalid" not in codes_of(report)


def test_data_that_inflates_to_little_many_times_is_bounded_for_the_whole_stream() -> None:
    unit = topology(1, {"topology_data": bomb(MEGABYTE)}, 1)
    stream = start() + parameter_set(carriage=1) + 40 * unit + raw("a", GRID)
    report = checked(stream, limits=Limits(inflated_bytes=4 * MEGABYTE), most=8 * MEGABYTE)
    assert codes_of(report).count("limit_inflated") == 36
    assert "limit_inflated" not in codes_of(nnr_conformance.check(stream))


@pytest.mark.parametrize("block", [b"\x00\x00\x00\xff\xff", b"\x00\x01\x00\xfe\xffx"])
def test_data_that_never_ends_is_invalid(block: bytes) -> None:
    data = b"\x78\x01" + block * 50_000
    stream = start() + parameter_set(carriage=1) + topology(4, {"topology_data": data}, 1) + raw("a", GRID)
    report = checked(stream, most=4 * MEGABYTE)
    assert codes_of(report).count("deflate_invalid") == 1
    assert report.verdict is Verdict.NONCONFORMING


def test_a_reference_list_of_a_hundred_thousand_ids_serves_its_last_one() -> None:
    names = [f"n{number}" for number in range(100_000)]
    stream = start() + parameter_set(indexed=1) + reference_list(*names) + indexed(99_999)
    report = nnr_conformance.check(stream)
    assert report.verdict is Verdict.CONFORMING
    assert [tensor.name for tensor in report.streams[0].tensors] == ["n99999"]


def indexed(index: int) -> bytes:
    return raw("", GRID, topology_elem_id_index=index)


def test_an_index_of_two_to_the_thirty_is_beyond_the_reference_list() -> None:
    stream = start() + parameter_set(indexed=1) + reference_list("a", "b") + indexed(1 << 30)
    report = checked(stream)
    assert "reference_index_range" in codes_of(report)
    assert report.verdict is Verdict.NONCONFORMING


def listed(count_minus2: int, rest: bytes) -> bytes:
    """A reference list that announces a number of ids and has some bytes."""
    writer = BitWriter()
    writer.bits(3 << 2 | 2, 8)
    writer.bits(6 << 8, 16)
    writer.exp_golomb(count_minus2, 7)
    writer.bits(1, 1)
    writer.bits(0, -writer.position % 8)
    writer.aligned_bytes(rest)
    return with_size(writer.getvalue())


def test_65536_announced_ids_end_with_the_unit() -> None:
    report = checked(HEAD + listed((1 << 16) - 2, b"a\0b\0") + raw("a", GRID))
    assert {"string_not_terminated", "unit_overrun"} & set(codes_of(report))
    assert report.verdict is Verdict.NONCONFORMING


def test_65536_ids_are_read() -> None:
    data = b"".join(b"%x\0" % number for number in range(1 << 16))
    report = nnr_conformance.check(HEAD + listed((1 << 16) - 2, data) + raw("a", GRID))
    assert report.verdict is Verdict.CONFORMING


def test_four_billion_announced_ids_are_a_limit() -> None:
    report = checked(HEAD + listed((1 << 32) - 2, b"a\0b\0") + raw("a", GRID))
    assert stopped_by(report, "limit_topology_elements")


# ---- elements


def test_an_id_of_a_megabyte_is_a_limit_and_read_when_the_limit_is_raised() -> None:
    stream = HEAD + raw("x" * MEGABYTE, GRID)
    report = checked(stream)
    assert stopped_by(report, "limit_string")
    raised = checked(stream, limits=Limits(string_bytes=2 * MEGABYTE), most=64 * MEGABYTE)
    assert raised.verdict is Verdict.CONFORMING


def test_ten_thousand_dimensions_are_a_limit() -> None:
    assert stopped_by(checked(HEAD + raw("a", GRID[:1, :1], dims=[1] * 10_000)), "limit_dimensions")


@pytest.mark.parametrize("count", [MOST_DIMENSIONS, MOST_DIMENSIONS + 1])
@pytest.mark.parametrize("in_band", [True, False])
def test_as_many_dimensions_as_an_array_can_have_are_decoded(count: int, in_band: bool) -> None:
    known = {"tensor_dimensions": [1] * count}
    own = {} if in_band else {"tensor_dimensions_flag": 0, "given": {"a": known}}
    stream = HEAD + raw("a", GRID[:1, :1], dims=[1] * count, **own)
    report = nnr_conformance.check(stream, out_of_band={"a": known})
    if count > MOST_DIMENSIONS:
        assert stopped_by(report, "limit_dimensions")
    else:
        assert report.streams[0].tensors[0].shape == (1,) * count


@pytest.mark.parametrize("dims", [[1 << 31, 1 << 32], [1 << 21] * 3, [1 << 39] * 20, [(1 << 39) - 1]])
def test_dimensions_with_a_product_of_two_to_the_63_and_more_are_no_tensor(dims: list[int]) -> None:
    report = checked(HEAD + coded("a", "e2-001-plain", dims=dims))
    assert {"dims_invalid", "elements_overflow"} & set(codes_of(report))
    assert report.verdict is Verdict.NONCONFORMING
    assert not report.streams[0].tensors


def test_an_update_of_two_to_the_forty_elements_takes_no_memory_for_its_parent() -> None:
    update = {"parent_node_id_present_flag": 1, "parent_node_id_type": 0, "temporal_context_modeling_flag": 1}
    node = {"node_id_present_flag": 1, "device_id": 0, "parameter_id": 1, "put_node_depth": 1, "parent_device_id": 0}
    unit = coded("a", "e2-009-tca", dims=[1 << 20, 1 << 20], updates=1, **node, **update)
    stream = start() + parameter_set(updates=1) + unit
    report = in_memory(2 * MEGABYTE, lambda: nnr_conformance.check(stream, base={"a": GRID}))
    assert {"dims_invalid", "elements_overflow"} & set(codes_of(report))
    assert report.verdict is Verdict.NONCONFORMING


def test_out_of_band_dimensions_are_bounded_as_those_in_the_stream() -> None:
    known = {"tensor_dimensions": [1 << 20, 1 << 20]}
    unit = raw("a", GRID, tensor_dimensions_flag=0, given={"a": known})
    report = in_memory(2 * MEGABYTE, lambda: nnr_conformance.check(HEAD + unit, out_of_band={"a": known}))
    assert {"dims_invalid", "elements_overflow"} & set(codes_of(report))


def up_to(element: str, unit: bytes) -> BitWriter:
    """A writer with the bits of a unit behind its size field, up to an element."""
    trace: list[TraceEntry] = []
    for _ in walk_units(memoryview(HEAD + unit), Session(trace=trace)):
        """The trace is filled."""
    (place,) = [entry for entry in trace if entry.name == element]
    reader = BitReader(HEAD + unit, 8 * (len(HEAD) + 2))
    size = place.first - reader.position
    writer = BitWriter()
    writer.bits(reader.bits(size), size)
    return writer


def test_a_codebook_of_four_billion_entries_is_a_limit() -> None:
    tree = {"codebook_egk": 0, "codebook_size": 1, "codebook_center_offset": 0, "codebook_zero_value": 3}
    tree |= {"codebook_delta_left": [], "codebook_delta_right": []}
    whole = coded("w", "e2-016-cb1", codebook_present_flag=1, codebook=tree)
    writer = up_to("codebook_size", whole)
    writer.exp_golomb(1 << 32, 2)
    writer.bits(0, -writer.position % 8)
    report = checked(HEAD + with_size(writer.getvalue() + bytes(100)))
    assert stopped_by(report, "limit_codebook")


def test_ten_thousand_zero_bits_are_no_exp_golomb_code() -> None:
    writer = up_to("count_tensor_dimensions", raw("w", GRID))
    writer.bits(0, 10_000)
    writer.bits(0, -writer.position % 8)
    report = checked(HEAD + with_size(writer.getvalue()))
    assert "exp_golomb_too_long" in codes_of(report)
    assert report.verdict is Verdict.NONCONFORMING


@pytest.mark.parametrize("payload", [b"\xfd\xff" * 200, bytes(400), b"\x55" * 400], ids=["ones", "zeros", "mixed"])
def test_a_unary_length_of_256_takes_no_more_bins_than_the_payload_has(payload: bytes) -> None:
    unit = coded("w", "e1-009-unary256", profile=1, cabac_unary_length_minus1=255, dims=[64, 64], payload=payload)
    stream = HEAD + unit
    budget = 200 * 8 * len(payload)
    assert calls(lambda: nnr_conformance.check(stream, compiled=False)) < budget
    assert checked(stream).verdict in Verdict


def test_tensors_that_cost_nothing_share_one_budget() -> None:
    codebook = {"codebook_zero_value": 3, "codebook_size": 1, "tensor_dimensions": [4096, 1024]}
    units = [{"NNR_NDU": {"topology_elem_id": f"w{n}", **codebook, "tensors": [{"levels": [0]}]}} for n in range(12)]
    stream = build_recipe([{"NNR_STR": {}}, {"NNR_MPS": {"mps_quantization_method_flags": 3}}, *units]).data
    report = nnr_conformance.check(stream)
    assert report.verdict is Verdict.UNDETERMINED
    assert set(codes_of(report)) == {"limit_elements"}
    assert len(report.streams[0].tensors) == 4


# ---- side effects


def test_values_beyond_binary32_are_diagnosed_without_a_warning_of_another_package() -> None:
    stream = bytes.fromhex(
        "0004020100080681004fff8000060e000000001416016e00d0418241418541d7a003817f2b80001716097700d0c208d01d8242418541f8"
        "00f32069d7e0"
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        report = nnr_conformance.check(stream)
        nnr_conformance.decode(stream)
    assert "format_overflow" in codes_of(report)


names = st.sampled_from(["a", "b", "c"])
plain = st.one_of(st.integers(-9, 9), names.map(lambda name: this[name]))
expressions = st.recursive(
    plain,
    lambda inner: st.one_of(
        st.builds(operator.add, inner, inner),
        st.builds(operator.mul, inner, inner),
        st.builds(operator.eq, inner, inner),
        st.builds(operator.and_, inner, inner),
        st.builds(either, inner, inner),
        st.builds(lambda a: Function("Max", max, a, 0), inner),
        st.builds(lambda a: ceil_div(a, 3), inner),
        st.builds(operator.neg, inner),
        st.just(at(this.items, 1)),
    ),
)


@given(expressions, st.integers(-9, 9), st.integers(-9, 9), st.integers(-9, 9))
def test_a_prepared_expression_has_the_value_of_the_plain_one(expression: object, a: int, b: int, c: int) -> None:
    scope = {"a": a, "b": b, "c": c, "items": [3, 4]}
    assert prepared(expression)(scope) == evaluate(expression, scope)
