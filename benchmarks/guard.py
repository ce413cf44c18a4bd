"""Guards against slowness without a clock's say: ``python -m benchmarks --guard``, in less than a minute.

Counted are instructions of Python that fixed streams take, which are the same on every machine and nearly the same in
every release of Python. Where NNCodec and numba are installed, ratios of times against NNCodec come in addition, taken
in turn on one core. All bounds are generous: they are there to find what became half as fast, not what lost a tenth.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from functools import partial
from types import FrameType
from typing import Any

import numpy as np

import nnr_conformance
from benchmarks import decode, models, networks, units
from benchmarks.machine import environment, pinned
from benchmarks.peer import entropy_coder
from benchmarks.table import Results, Row, Target, headings, line
from nnr_conformance.api import chain_decoder
from nnr_conformance.encoder.model_encoder import encode_model
from nnr_conformance.encoder.settings import EncoderSettings
from nnr_conformance.entropy import compiled_available
from nnr_conformance.entropy.binding import load_compiled

# About half more than it took when this was written.
MOST_PER_UNIT_PARSED, MOST_PER_UNIT_CHECKED, MOST_PER_UNIT_DECODED, MOST_PER_WEIGHT = 15_000, 24_000, 24_000, 720
MOST_PER_UNIT_GENERATED = 3_600
LEAST_RATIO, LEAST_RATIO_OF_A_NETWORK = 1.4, 0.5
COUNTED_UNITS = 80
"""More than are parsed by their declarations before parsers are generated."""
SHAPE = (40, 50)
WEIGHTS, REPETITIONS = 500_000, 5
SEED = 15938


def instructions(work: Callable[[], Any]) -> int:
    """Instructions of Python that a call takes, with all that it calls; what is compiled counts as nothing."""
    count = 0

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal count
        frame.f_trace_lines, frame.f_trace_opcodes = False, True
        count += event == "opcode"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        work()
    finally:
        sys.settrace(before)
    return count


def counts() -> Iterator[Row]:
    """What units and weights take; the work is done once before, so that what is loaded is loaded."""
    stream, empty = units.stream_of(COUNTED_UNITS), units.stream_of(0)
    works: tuple[tuple[str, Callable[[bytes], Any], int], ...] = (
        ("framing and syntax of a unit", partial(units.seconds_to_parse, specialise=False), MOST_PER_UNIT_PARSED),
        ("check() of a unit", nnr_conformance.check, MOST_PER_UNIT_CHECKED),
        ("decoding a raw unit", _decode_interpreted, MOST_PER_UNIT_DECODED),
    )
    for what, work, most in works:
        work(stream)
        more = instructions(partial(work, stream)) - instructions(partial(work, empty))
        yield Row("guard", what, "instr.", more / COUNTED_UNITS, target=Target("<=", most))
    begun, stream = units.stream_of(COUNTED_UNITS), units.stream_of(2 * COUNTED_UNITS)
    units.seconds_to_parse(stream)
    more = instructions(partial(units.seconds_to_parse, stream)) - instructions(partial(units.seconds_to_parse, begun))
    name = "framing and syntax of a unit, by a generated parser"
    yield Row("guard", name, "instr.", more / COUNTED_UNITS, target=Target("<=", MOST_PER_UNIT_GENERATED))
    weights = np.random.default_rng(SEED).laplace(0, 2, SHAPE).astype(np.float32)
    coded = encode_model({"weights": weights}, EncoderSettings(qp=0, dq=True)).data
    _decode_interpreted(coded)
    per_weight = instructions(lambda: _decode_interpreted(coded)) / weights.size
    yield Row("guard", "decoding a weight, interpreted", "instr.", per_weight, target=Target("<=", MOST_PER_WEIGHT))


def ratios() -> Iterator[Row]:
    """Payloads and a network beside NNCodec, on one core."""
    cabac = entropy_coder()
    if cabac is None or not compiled_available():
        return
    with pinned():
        load_compiled()
        for data in decode.data_sets(cabac, WEIGHTS):
            found = decode.measure(cabac, data, REPETITIONS)
            target = Target(">=", LEAST_RATIO, "ratio")
            ours, theirs = found.weights_per_second / 1e6, found.nncodec_weights_per_second / 1e6
            between = found.ratio, found.lowest_ratio, found.highest_ratio
            yield Row("guard", f"{data.name}, {WEIGHTS / 1e6:g}M weights", "Mw/s", ours, theirs, *between, target)
        stream = networks.encoded(models.network("ResNet-20"))
        compared = networks.compare(stream, 1, REPETITIONS)
        yield Row.compared(
            "guard",
            "ResNet-20, no digests, 1 thread",
            "ms",
            1000 * compared.seconds["tensors"],
            1000 * compared.seconds["NNCodec"],
            compared.ratios["tensors"],
            Target(">=", LEAST_RATIO_OF_A_NETWORK, "ratio"),
        )


def main(*, json: bool = False) -> int:
    """Print all guards; returns 1 when a bound is broken."""
    rows = []
    if not json:
        print(headings())
    for guards in (counts, ratios):
        for row in guards():
            rows.append(row)
            if not json:
                print(line(row), flush=True)
    if json:
        print(Results(environment(), tuple(rows)).to_json())
    return int(any(row.met is False for row in rows))


def _decode_interpreted(stream: bytes) -> None:
    chain = chain_decoder(stream, threads=1, compiled=False)
    chain.digesting = False
    for tensor in chain:
        del tensor


if __name__ == "__main__":
    sys.exit(main())
