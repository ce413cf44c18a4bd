"""Damaged and malicious streams: a verdict or a diagnostic, never another exception; work bounded by the stream.

`python -m benchmarks.hostile` runs more of the same and prints times and memory.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import nnr_conformance
from nnr_conformance import Verdict
from nnr_conformance.encoder.recipe import build_recipe
from nnr_conformance.encoder.units import with_size
from nnr_conformance.limits import Limits
from tests.decoder.stream_builder import (
    aggregate,
    coded,
    layer_set,
    parameter_set,
    raw,
    reference_list,
    start,
    topology,
)
from tests.decoder.test_bitstreams import EXAMPLES, NNCODEC, chain_of

SMALL = [*EXAMPLES, *(path for path in sorted(NNCODEC.glob("*.nnc")) if path.stat().st_size < 8000)]
GRID = np.zeros((2, 2), np.float32)


def survives(chain: list[bytes], damaged: bytes) -> Verdict:
    """Check and decode a damaged stream behind its chain."""
    streams = [*chain[:-1], damaged]
    report = nnr_conformance.check(streams)
    decoded = nnr_conformance.decode(streams)
    assert all(isinstance(values, np.ndarray) for values in decoded.tensors.values())
    if report.verdict is not Verdict.CONFORMING:
        assert report.diagnostics
    return report.verdict


@pytest.mark.parametrize("path", SMALL, ids=lambda path: path.stem)
def test_truncated_streams_get_a_verdict(path: Path) -> None:
    chain = chain_of(path)
    whole = chain[-1]
    verdicts = [survives(chain, whole[: len(whole) * number // 12]) for number in range(12)]
    assert verdicts.count(Verdict.CONFORMING) <= 3


@pytest.mark.parametrize("path", SMALL, ids=lambda path: path.stem)
def test_streams_with_one_flipped_bit_get_a_verdict(path: Path) -> None:
    chain = chain_of(path)
    random_bits = random.Random(path.stem)
    for _ in range(12):
        damaged = bytearray(chain[-1])
        bit = random_bits.randrange(8 * len(damaged))
        damaged[bit >> 3] ^= 0x80 >> (bit & 7)
        survives(chain, bytes(damaged))


@given(st.binary(max_size=200))
def test_random_bytes_get_a_verdict(data: bytes) -> None:
    assert nnr_conformance.check(data).verdict in Verdict
    nnr_conformance.decode(data)


@given(st.lists(st.binary(min_size=1, max_size=60), max_size=6))
def test_random_bodies_in_proper_frames_get_a_verdict(bodies: list[bytes]) -> None:
    data = b"".join((start(), parameter_set(), *(with_size(body) for body in bodies)))
    report = nnr_conformance.check(data)
    assert len(report.streams[0].units) == len(bodies) + 2 or report.diagnostics


@pytest.mark.parametrize(
    "dims", [[1 << 20, 1 << 20], [1 << 31], [1 << 16, 1 << 16, 1 << 16], [3] * 64, [1] * 65, [0, 4]]
)
def test_dimensions_beyond_reason_are_refused_before_memory_is_taken(dims: list[int]) -> None:
    stream = b"".join((start(), parameter_set(), coded("w", "e2-001-plain", dims=dims)))
    report = nnr_conformance.check(stream)
    assert report.verdict is not Verdict.CONFORMING
    assert not report.streams[0].tensors


def test_a_codebook_of_one_entry_does_not_buy_unlimited_elements() -> None:
    codebook = {
        "codebook_egk": 0,
        "codebook_size": 1,
        "codebook_center_offset": 0,
        "codebook_zero_value": 3,
        "codebook_delta_left": [],
        "codebook_delta_right": [],
    }
    changes = {"codebook_present_flag": 1, "codebook": codebook, "dims": [1 << 15, 1 << 15]}
    stream = b"".join((start(), parameter_set(), coded("w", "e2-016-cb1", **changes)))
    report = nnr_conformance.check(stream)
    assert [found.code for found in report.diagnostics] == ["limit_elements"]
    assert report.verdict is Verdict.UNDETERMINED


def test_a_scaling_vector_of_an_integer_tensor_makes_real_numbers_of_it() -> None:
    integers = {"nnr_compressed_data_unit_payload_type": "NNR_PT_INT"}
    scaling = {**integers, "topology_elem_id": "w_scaling", "compressed_parameter_types": 2}
    units = [{**scaling, "tensors": [{"levels": [2, 3]}]}, {**integers, "topology_elem_id": "w"}]
    units[1]["tensors"] = [{"levels": [[1, 0], [0, -2]]}]
    data = build_recipe([{"NNR_STR": {}}, {"NNR_MPS": {}}, *({"NNR_NDU": unit} for unit in units)]).data
    assert survives([data], data) is Verdict.CONFORMING
    scaled = nnr_conformance.decode(data).tensors["w"]
    assert (scaled.dtype, scaled.tolist()) == (np.float32, [[2, 0], [0, -6]])


def test_nested_aggregates_stop_at_their_limit() -> None:
    inner = aggregate(raw("a", GRID), raw("b", GRID))
    outer = aggregate(inner, raw("c", GRID))
    stream = b"".join((start(), parameter_set(), outer))
    codes = [found.code for found in nnr_conformance.check(stream).diagnostics]
    assert "limit_aggregate_depth" in codes
    deeper = nnr_conformance.check(stream, limits=Limits(aggregate_depth=2))
    assert {tensor.name for tensor in deeper.streams[0].tensors} == {"a", "b", "c"}


def test_a_product_of_factors_beyond_the_limit_is_not_computed() -> None:
    rank, rows = 64, 64
    changes = {"compressed_parameter_types": 1, "decomposition_rank": rank, "g_number_of_rows": rows, "dims": [64, 64]}
    units = [
        raw("w_G", np.ones((rows, rank), np.float32), **changes),
        raw("w_H", np.ones((rank, 64), np.float32), **{**changes, "state": {"G_pending": 1}}),
    ]
    stream = b"".join((start(), parameter_set(), *units))
    assert np.array_equal(nnr_conformance.decode(stream).tensors["w"], np.full((64, 64), 64, np.float32))
    limited = nnr_conformance.decode(stream, limits=Limits(composition_products=1000))
    assert [found.code for found in limited.diagnostics] == ["limit_composition"]
    assert set(limited.tensors) == {"w_G", "w_H"}


def test_many_tiny_units_are_walked_one_by_one() -> None:
    stream = start() + parameter_set() + b"".join(raw(f"t{number}", GRID) for number in range(300))
    report = nnr_conformance.check(stream)
    assert report.verdict is Verdict.CONFORMING
    assert len(report.streams[0].tensors) == 300


def test_more_units_than_the_limit_leave_the_verdict_open() -> None:
    stream = start() + parameter_set() + raw("a", GRID) + raw("b", GRID)
    report = nnr_conformance.check(stream, limits=Limits(units=3))
    assert report.verdict is Verdict.UNDETERMINED
    assert [found.code for found in report.diagnostics] == ["limit_units"]


def calls(work: Callable[[], object]) -> int:
    """Number of Python calls that some work makes: a measure of time that no other process disturbs."""
    count = 0

    def note(_frame: object, event: str, _argument: object) -> None:
        nonlocal count
        count += event == "call"

    sys.setprofile(note)
    try:
        work()
    finally:
        sys.setprofile(None)
    return count


KINDS: dict[str, Callable[[int], bytes]] = {
    "data": lambda number: raw(f"t{number}", GRID),
    "same data": lambda number: raw("t", GRID),
    "parts": lambda number: raw(f"t{number}", GRID, part=2, payload=b"\0"),
    "nodes": lambda number: raw(
        f"t{number}", GRID, node_id_present_flag=1, device_id=0, parameter_id=number, put_node_depth=0
    ),
    "layer sets": lambda number: layer_set((2, number % 8)),
    "topology": lambda number: topology(1, {"topology_data": b"graph"}),
    "reference lists": lambda number: reference_list("a", f"b{number}"),
    "aggregates": lambda number: aggregate(raw(f"q{number}", GRID), raw(f"r{number}", GRID)),
    "starts": lambda number: start() + parameter_set(),
    "unknown": lambda number: with_size(bytes([63 << 2]) + b"x"),
    "broken": lambda number: with_size(bytes([5 << 2]) + b"x"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_checking_takes_time_in_proportion_to_the_number_of_units(kind: str) -> None:
    def work(count: int) -> int:
        stream = start() + parameter_set() + b"".join(KINDS[kind](number) for number in range(count)) + raw("z", GRID)
        return calls(lambda: nnr_conformance.check(stream))

    base, single, double = work(10), work(210), work(410)
    assert (double - single) < 1.1 * (single - base)


def test_decoding_onto_a_base_takes_time_in_proportion_to_its_tensors() -> None:
    def work(count: int) -> int:
        base = {f"t{number}": GRID for number in range(count)}
        stream = start() + parameter_set() + b"".join(raw(f"t{number}", GRID) for number in range(count))
        return calls(lambda: nnr_conformance.decode(stream, base=base))

    base, single, double = work(10), work(210), work(410)
    assert (double - single) < 1.1 * (single - base)
