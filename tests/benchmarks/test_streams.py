"""Streams of repeated units: always the same, of the length asked for, and decoded to what is in the unit."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from benchmarks import partial, scale, startup, streams, switch, units
from nnr_conformance.api import chain_decoder, decode
from nnr_conformance.checker.check import check
from nnr_conformance.decoder.some_rows import SomeRows
from nnr_conformance.report.model import Verdict
from nnr_conformance.tensor_files import read_tensors

needs_numba = pytest.mark.skipif(importlib.util.find_spec("numba") is None, reason="decodes compiled")


def test_a_stream_of_repeated_units_decodes_to_the_same_tensor_under_each_name(tmp_path: Path) -> None:
    found = streams.pattern((6, 7))
    path = tmp_path / "stream.nnr"
    streams.write(path, found, 12)
    decoded = decode(path.read_bytes())
    assert not decoded.diagnostics
    assert list(decoded.tensors) == [streams.name_of(number) for number in range(12)]
    assert all(np.array_equal(values, found.decoded) for values in decoded.tensors.values())


def test_the_pattern_is_always_the_same_and_its_integers_are_next_to_the_weights() -> None:
    one, other = streams.pattern((5, 9)), streams.pattern((5, 9))
    assert (one.head, one.unit) == (other.head, other.unit)
    weights = np.random.default_rng(streams.SEED).laplace(0, 1, (5, 9))
    assert np.abs(one.decoded - weights).max() <= 0.5


def test_streams_of_repeated_units_conform() -> None:
    assert check(b"".join(streams.repeated(streams.pattern((6, 7)), 3))).verdict is Verdict.CONFORMING


@pytest.mark.parametrize("power", range(1, 10))
def test_a_stream_is_divided_into_units_of_at_most_ten_million_weights(power: int) -> None:
    count, (rows, columns) = streams.division(10**power)
    assert count * rows * columns == 10**power
    assert rows * columns <= streams.LARGEST_UNIT
    assert count >= streams.UNITS


def test_the_command_writes_the_stream_that_was_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "stream.nnr"
    assert streams.main([str(path), "--weights", "1000"]) == 0
    assert sum(values.size for values in decode(path.read_bytes()).tensors.values()) == 1000


@needs_numba
def test_a_process_decodes_all_weights_and_says_how_long_and_how_much(tmp_path: Path) -> None:
    one, other = scale.measure(range(5, 7), 2, tmp_path)
    assert (one.weights, one.largest, other.weights, other.largest) == (100_000, 100_000, 1_000_000, 100_000)
    for found in (one, other):
        assert found.seconds > 0
        assert found.processor_seconds > 0
        assert found.peak > 1 << 20
    assert not list(tmp_path.iterdir()), "the streams are gone"


@needs_numba
def test_a_process_writes_a_stream_and_says_how_much_memory_it_took(tmp_path: Path) -> None:
    path, output = tmp_path / "stream.nnr", tmp_path / "out.safetensors"
    found = streams.pattern((20, 30))
    streams.write(path, found, 3)
    assert scale.write_peak(path, output, 2) > 1 << 20
    with read_tensors(output) as tensors:
        assert [np.array_equal(tensors[name], found.decoded) for name in tensors] == 3 * [True]


def test_the_bound_of_memory_has_a_fixed_part_the_largest_tensor_and_what_is_in_flight() -> None:
    assert scale.memory_bound(0, 2) == 250
    assert scale.memory_bound(10_000_000, 2) == 250 + 52 + 180


@needs_numba
def test_one_tensor_of_a_stream_is_the_one_that_was_made(tmp_path: Path) -> None:
    found = streams.pattern((20, 30), partial.FINE)
    measured = partial.measure(found, 3 * len(found.unit) / 1e6, tmp_path, 1)
    assert measured.stream_bytes == len(found.head) + 3 * len(found.unit)
    assert measured.whole_seconds > measured.seconds > 0


@needs_numba
def test_rows_of_a_tensor_are_those_that_were_made(tmp_path: Path) -> None:
    found = streams.pattern((3 * partial.BLOCK_ROWS, 20), partial.WITH_ENTRY_POINTS)
    assert partial.seconds_for_rows(found, partial.BLOCK_ROWS, 2 * partial.BLOCK_ROWS, tmp_path, 1) > 0


def test_tensors_of_which_rows_are_decoded_have_an_entry_point_for_each_block() -> None:
    found = streams.pattern((3 * partial.BLOCK_ROWS, 20), partial.WITH_ENTRY_POINTS)
    chain = chain_decoder(found.head + found.unit)
    rows = chain.decode_data = SomeRows(partial.BLOCK_ROWS, 2 * partial.BLOCK_ROWS)
    (tensor,) = chain
    assert rows.cut == {tensor.name}
    assert len(tensor.values) == partial.BLOCK_ROWS


def test_a_stream_whose_headers_alone_are_checked_may_have_any_payload(tmp_path: Path) -> None:
    found = streams.pattern((20, 30), partial.FINE)
    path = tmp_path / "stream.nnr"
    streams.write(path, found, 3)
    assert partial.seconds_to_check(path, "--headers") > 0
    assert partial.seconds_to_check(path) > 0
    whole = path.read_bytes()
    path.write_bytes(whole[:-10] + bytes(10))
    assert partial.seconds_to_check(path, "--headers") > 0
    with pytest.raises(SystemExit):
        partial.seconds_to_check(path)


def test_the_streams_of_start_ups_are_large_enough_for_compiled_code() -> None:
    plain, tools = startup.plain_stream(), startup.streams_with_tools()
    assert 8 * len(plain) > 1.1 * switch.COMPILED_FROM
    assert tools.startswith(plain)
    assert len(tools) > len(plain)


@pytest.mark.parametrize("bits", [10_000, 100_000])
def test_streams_around_the_switch_have_about_the_payload_bits_that_were_asked_for(bits: int) -> None:
    assert 0.85 * bits < 8 * len(switch.stream_of(bits)) < 1.15 * bits


def test_tiny_units_are_parsed_without_findings() -> None:
    assert units.seconds_to_parse(units.stream_of(3)) > 0
