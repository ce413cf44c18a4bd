"""Speed of the entropy decoder beside NNCodec's, on the same payloads, in one run.

``python -m benchmarks.decode`` makes five tensors, encodes each once with NNCodec's encoder (initialization ids
optimized), and decodes them in turn with NNCodec's C++ decoder and with this package, one thread each, on one core.
Where this package decodes two payloads faster in one loop (`decode_payloads`), two tensors are measured as well.
Timed is the whole payload: QP, initialization ids, weights, terminate bin, and here all checks. The ratio of each
repetition is taken before the median, so that a disturbance of the machine meets both.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.effort import Effort
from benchmarks.machine import environment, pin, pinned
from benchmarks.peer import entropy_coder
from benchmarks.table import Row, Target
from nnr_conformance.entropy import (
    EntropyFault,
    TensorCoding,
    compiled_available,
    decode_payload,
    trellis_states,
)
from nnr_conformance.entropy.binarization import count_bins
from nnr_conformance.entropy.binding import bound_compiled, load_compiled
from nnr_conformance.entropy.pairs import decode_payloads, partners
from nnr_conformance.entropy.together import PayloadJob

UNARY_LENGTH = 11
QP_DENSITY = 2
ROWS = 1000
SEED = 15938
SPREAD = 0.02
"""Gives about 8.6 and 2.7 bins per weight at QP -38 and -26."""

WEIGHTS, QUICK_WEIGHTS = 10_000_000, 1_000_000
FEW_BINS = 3
"""Bins per weight up to which more is promised."""

Levels = NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class DataSet:
    """A tensor to decode: integers, whether they are dependently quantized, and their payload."""

    name: str
    quantized: Levels
    dq: bool
    qp: int
    payload: bytes

    @property
    def coding(self) -> TensorCoding:
        """The tensor as this package's decoder is told of it."""
        return TensorCoding(self.quantized.shape, UNARY_LENGTH, self.dq, 0, 2, 6 + QP_DENSITY)

    @property
    def job(self) -> PayloadJob:
        """The payload as this package's decoder of several payloads is told of it."""
        return PayloadJob(self.payload, [self.coding])

    def bins(self) -> int:
        """Bins of the weights, bypass bins included; those of the header (some hundred) are left out."""
        levels = trellis_states(self.quantized, 0, compiled=True).levels if self.dq else self.quantized
        return count_bins(levels, UNARY_LENGTH)


@dataclass(frozen=True, slots=True)
class Measurement:
    """Medians over the repetitions; rates are per second. `better_at_once`: two such payloads share a loop."""

    data_set: str
    weights: int
    payload_bytes: int
    bins: int
    nncodec_weights_per_second: float
    nncodec_bins_per_second: float
    weights_per_second: float
    bins_per_second: float
    ratio: float
    lowest_ratio: float
    highest_ratio: float
    better_at_once: bool = False


def data_sets(cabac: Any, weights: int, spread: float = SPREAD, seed: int = SEED) -> Iterator[DataSet]:
    """The five tensors, one at a time, because each takes memory; `spread`: Laplace scale of the two DQ ones."""
    rng = np.random.default_rng(seed)
    shape = (ROWS, max(2, weights // ROWS))

    def laplace(scale: float) -> NDArray[np.float32]:
        return rng.laplace(0, scale, shape).astype(np.float32)

    def dependently_quantized(qp: int) -> Levels:
        quantized = np.zeros(shape, np.int32)
        cabac.Encoder().quantLayer(laplace(spread), quantized, 1, QP_DENSITY, qp, 0.0, UNARY_LENGTH - 1, 0, 1)
        return quantized

    sparse = np.round(laplace(3)).astype(np.int32)
    sparse[rng.random(shape) < 0.9] = 0
    yield _encoded(cabac, "dense", np.round(laplace(8)).astype(np.int32), dq=False)
    yield _encoded(cabac, "DQ, QP -38", dependently_quantized(-38), dq=True, qp=-38)
    yield _encoded(cabac, "DQ, QP -26", dependently_quantized(-26), dq=True, qp=-26)
    yield _encoded(cabac, "small levels", np.round(laplace(1)).astype(np.int32), dq=False)
    yield _encoded(cabac, "90 % sparse", sparse, dq=False)


def shares_a_loop(data: DataSet) -> bool:
    """Whether two payloads like this one are decoded in one loop."""
    bound_compiled("decode_pair")
    return any(partners([data.job, data.job]))


def measure(cabac: Any, data: DataSet, repetitions: int, partner: DataSet | None = None) -> Measurement:
    """Decode a data set in turn with both decoders, or two of them at once; stops when any result is wrong."""
    sets = [data] if partner is None else [data, partner]
    theirs, ours = [], []
    for _ in range(repetitions):
        theirs.append(_timed(lambda: [decode_with_nncodec(cabac, one) for one in sets], sets))
        ours.append(_timed(lambda: [decode(data)] if partner is None else decode_at_once(sets), sets))
    weights, bins = sum(one.quantized.size for one in sets), sum(one.bins() for one in sets)
    their_median, our_median = statistics.median(theirs), statistics.median(ours)
    ratios = [their / our for their, our in zip(theirs, ours, strict=True)]
    return Measurement(
        data_set=data.name if partner is None else f"two of {data.name}",
        weights=weights,
        payload_bytes=sum(len(one.payload) for one in sets),
        bins=bins,
        nncodec_weights_per_second=weights / their_median,
        nncodec_bins_per_second=bins / their_median,
        weights_per_second=weights / our_median,
        bins_per_second=bins / our_median,
        ratio=statistics.median(ratios),
        lowest_ratio=min(ratios),
        highest_ratio=max(ratios),
    )


def rows(effort: Effort) -> Iterator[Row]:
    """The rows of the table: one thread on each tensor, or on two of a kind."""
    cabac = entropy_coder()
    if cabac is None or not compiled_available():
        return
    with pinned():
        load_compiled()
        for found in measurements(cabac, QUICK_WEIGHTS if effort.quick else WEIGHTS, effort.repetitions):
            bins = found.bins / found.weights
            yield Row(
                "decode",
                f"{found.data_set} ({bins:.1f} bins/weight), {found.weights / 1e6:g}M weights, 1 thread",
                "Mw/s",
                found.weights_per_second / 1e6,
                found.nncodec_weights_per_second / 1e6,
                found.ratio,
                found.lowest_ratio,
                found.highest_ratio,
                Target(">=", 2.8 if bins <= FEW_BINS and not found.better_at_once else 2.3, "ratio"),
            )


def measurements(cabac: Any, weights: int, repetitions: int, spread: float = SPREAD) -> Iterator[Measurement]:
    """All tensors, each followed by two of its kind where these share a loop."""
    others = data_sets(cabac, weights, spread, SEED + 1)
    for data, other in zip(data_sets(cabac, weights, spread), others, strict=True):
        shared = shares_a_loop(data)
        yield replace(measure(cabac, data, repetitions), better_at_once=shared)
        if shared:
            yield measure(cabac, data, repetitions, other)


def main(arguments: list[str] | None = None) -> int:
    """Run the benchmark; returns the exit code: 0, or 2 when NNCodec or numba is missing."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.decode", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--weights", type=int, default=WEIGHTS, help="weights of each tensor (default 10 million)")
    parser.add_argument("--repetitions", type=int, default=5, help="times that each payload is decoded (default 5)")
    parser.add_argument("--spread", type=float, default=SPREAD, help=f"spread of the DQ weights (default {SPREAD})")
    parser.add_argument("--core", type=int, help="core to run on (default: the last one that is allowed)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args(arguments)
    if options.weights < 2 * ROWS or options.repetitions < 1:
        parser.error(f"at least {2 * ROWS} weights and 1 repetition")
    cabac = entropy_coder()
    if cabac is None:
        print("this benchmark compares with NNCodec: pip install --no-deps nncodec==2.1.3", file=sys.stderr)
        return 2
    if not compiled_available():
        print("this benchmark needs numba: pip install nnr-conformance[fast], and no NNR_PURE=1", file=sys.stderr)
        return 2

    core = pin(options.core)
    load_compiled()
    about = environment() | {"core": core}
    if not options.json:
        print("\n".join(f"{name}: {value}" for name, value in about.items()))
        print(f"{options.repetitions} repetitions, one thread\n")
        print(f"{'':20}{'bits':>8}{'bins':>8}{'NNCodec':>18}{'this package':>20}{'ratio':>9}")
        print(f"{'':20}{'per weight':>16}{'Mweights/s Mbins/s':>20}{'Mweights/s Mbins/s':>20}{'median':>8}  (range)")
    found = []
    for measurement in measurements(cabac, options.weights, options.repetitions, options.spread):
        found.append(measurement)
        if not options.json:
            print(_line(found[-1]), flush=True)
    if options.json:
        print(json.dumps({"environment": about, "measurements": [asdict(row) for row in found]}, indent=2))
    return 0


def _encoded(cabac: Any, name: str, quantized: Levels, *, dq: bool, qp: int = -20) -> DataSet:
    encoder = cabac.Encoder()
    encoder.iae_v(6 + QP_DENSITY, qp)
    encoder.initCtxModels(UNARY_LENGTH, 1)
    no_rows, no_history = np.zeros(quantized.shape[0], np.int32), np.zeros(1, np.int8)
    encoder.encodeLayer(quantized, int(dq), 0, 1, 0, 0, no_rows, cabac.HdspMode.AlwaysOff, no_history, 0, 0)
    return DataSet(name, quantized, dq, qp, bytes(encoder.finish()))


def decode_with_nncodec(cabac: Any, data: DataSet) -> Levels:
    """The integers of a data set, by NNCodec."""
    quantized = np.zeros(data.quantized.shape, np.int32)
    decoder = cabac.Decoder()
    decoder.setStream(np.frombuffer(data.payload, np.uint8))
    decoder.iae_v(6 + QP_DENSITY)
    decoder.initCtxModels(UNARY_LENGTH)
    decoder.decodeLayer(quantized, int(data.dq), 0, 1, 0, cabac.HdspMode.AlwaysOff, np.zeros(1, np.int8), 0, 0)
    decoder.finish()
    return quantized


def decode(data: DataSet) -> Levels:
    """The integers of a data set, by this package."""
    return decode_payload(data.payload, [data.coding], compiled=True).tensors[0].quantized


def decode_at_once(sets: Sequence[DataSet]) -> list[Levels]:
    """The integers of several data sets, by this package."""
    found = []
    for outcome in decode_payloads([data.job for data in sets]):
        if isinstance(outcome, EntropyFault):
            raise outcome
        found.append(outcome.tensors[0].quantized)
    return found


def _timed(decode: Callable[[], list[Levels]], sets: Sequence[DataSet]) -> float:
    started = time.perf_counter()
    found = decode()
    taken = time.perf_counter() - started
    for quantized, data in zip(found, sets, strict=True):
        if not np.array_equal(quantized, data.quantized):
            raise SystemExit(f"{data.name}: the decoded integers are not those that were encoded")
    return taken


def _line(row: Measurement) -> str:
    rates = (
        row.nncodec_weights_per_second,
        row.nncodec_bins_per_second,
        row.weights_per_second,
        row.bins_per_second,
    )
    millions = "".join(f"{rate / 1e6:10.1f}" for rate in rates)
    per_weight = f"{8 * row.payload_bytes / row.weights:8.2f}{row.bins / row.weights:8.2f}"
    spread = f"({row.lowest_ratio:.2f}-{row.highest_ratio:.2f})"
    return f"{row.data_set:20}{per_weight}{millions}{row.ratio:8.2f}  {spread}"


if __name__ == "__main__":
    sys.exit(main())
