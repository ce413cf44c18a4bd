"""Speed of the entropy encoder beside NNCodec's, on the same integers, in one run.

``python -m benchmarks.encode`` makes four tensors and encodes each in turn with NNCodec's C++ encoder and with this
package, one thread each, on one core: QP, initialization ids (all 0), weights, terminate bin. The payloads must be
equal byte by byte. Then come the choice of initialization ids and the search of dependent quantization of this package
alone.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.decode import QP_DENSITY, QUICK_WEIGHTS, ROWS, SEED, UNARY_LENGTH, WEIGHTS
from benchmarks.effort import Effort
from benchmarks.machine import environment, pin, pinned
from benchmarks.peer import entropy_coder
from benchmarks.repetition import Ratio
from benchmarks.table import Row, Target
from nnr_conformance.encoder.dependent import dependent_levels
from nnr_conformance.encoder.init_ids import choose_ids
from nnr_conformance.encoder.payload_writer import TensorPlan, write_payload
from nnr_conformance.entropy import compiled_available

QP = -20
LAMBDA = 0.2
"""Price of a bit in squared steps for the search of dependent quantization."""

Levels = NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class DataSet:
    """A tensor to encode: quantized integers for NNCodec, the same as levels for this package."""

    name: str
    quantized: Levels
    levels: Levels
    dq: bool

    @property
    def plan(self) -> TensorPlan:
        """The tensor as this package's encoder is told of it."""
        return TensorPlan(self.levels, unary_length=UNARY_LENGTH, dq=self.dq, qp_value=QP, qp_bits=6 + QP_DENSITY)


@dataclass(frozen=True, slots=True)
class Measurement:
    """Medians over the repetitions, weights per second; None without NNCodec."""

    data_set: str
    weights: int
    payload_bytes: int
    nncodec: float | None
    ours: float
    ratio: float | None
    lowest_ratio: float | None
    highest_ratio: float | None
    choosing_ids: float


def data_sets(weights: int) -> Iterator[DataSet]:
    """The four tensors, one at a time, because each takes memory."""
    rng = np.random.default_rng(SEED)
    shape = (ROWS, max(2, weights // ROWS))
    for name, scale in (("dense", 8.0), ("small levels", 1.0)):
        levels = np.round(rng.laplace(0, scale, shape)).astype(np.int32)
        yield DataSet(name, levels, levels, dq=False)
    found = dependent_levels(rng.laplace(0, 2.0, shape), 0, LAMBDA)
    yield DataSet("DQ", found.quantized, found.levels, dq=True)
    sparse = np.round(rng.laplace(0, 3, shape)).astype(np.int32)
    sparse[rng.random(shape) < 0.9] = 0
    yield DataSet("90 % sparse", sparse, sparse, dq=False)


def measure(cabac: Any, data: DataSet, repetitions: int) -> Measurement:
    """Encode a data set in turn with both encoders; stops when the payloads differ."""
    theirs: list[float] = []
    ours: list[float] = []
    payload = write_payload([data.plan]).data
    for _ in range(repetitions):
        if cabac is not None:
            theirs.append(_timed(lambda: _encode_with_nncodec(cabac, data), payload, data.name))
        ours.append(_timed(lambda: write_payload([data.plan]).data, payload, data.name))
    weights = data.levels.size
    ratio = Ratio.of(theirs, ours) if theirs else None
    started = time.perf_counter()
    choose_ids(data.plan)
    choosing = time.perf_counter() - started
    return Measurement(
        data_set=data.name,
        weights=weights,
        payload_bytes=len(payload),
        nncodec=weights / statistics.median(theirs) if theirs else None,
        ours=weights / statistics.median(ours),
        ratio=None if ratio is None else ratio.median,
        lowest_ratio=None if ratio is None else ratio.lowest,
        highest_ratio=None if ratio is None else ratio.highest,
        choosing_ids=weights / choosing,
    )


def search_rate(weights: int) -> float:
    """Weights per second of the search of dependent quantization, both passes and the estimates included."""
    values = np.random.default_rng(SEED).laplace(0, 2.0, (ROWS, max(2, weights // ROWS)))
    dependent_levels(values[:, :2], 0, LAMBDA, compiled=True)
    started = time.perf_counter()
    dependent_levels(values, 0, LAMBDA)
    return values.size / (time.perf_counter() - started)


def rows(effort: Effort) -> Iterator[Row]:
    """The rows of the table: one thread on each tensor."""
    if not compiled_available():
        return
    with pinned():
        for data in data_sets(QUICK_WEIGHTS if effort.quick else WEIGHTS):
            found = measure(entropy_coder(), data, effort.repetitions)
            yield Row(
                "encode",
                f"{data.name} ({8 * found.payload_bytes / found.weights:.1f} bits/weight), "
                f"{found.weights / 1e6:g}M weights, 1 thread",
                "Mw/s",
                found.ours / 1e6,
                None if found.nncodec is None else found.nncodec / 1e6,
                found.ratio,
                found.lowest_ratio,
                found.highest_ratio,
                Target(">=", 1.0, "ratio"),
            )


def main(arguments: list[str] | None = None) -> int:
    """Run the benchmark; returns the exit code: 0, or 2 when numba is missing."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.encode", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--weights", type=int, default=WEIGHTS, help="weights of each tensor (default 10 million)")
    parser.add_argument("--repetitions", type=int, default=5, help="times that each is encoded (default 5)")
    parser.add_argument("--core", type=int, help="core to run on (default: the last one that is allowed)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args(arguments)
    if options.weights < 2 * ROWS or options.repetitions < 1:
        parser.error(f"at least {2 * ROWS} weights and 1 repetition")
    if not compiled_available():
        print("this benchmark needs numba: pip install nnr-conformance[fast], and no NNR_PURE=1", file=sys.stderr)
        return 2
    cabac = entropy_coder()
    about = environment() | {"core": pin(options.core)}
    if not options.json:
        print("\n".join(f"{name}: {value}" for name, value in about.items()))
        print(f"{options.repetitions} repetitions, one thread; million weights per second\n")
        print(f"{'':14}{'bits/weight':>12}{'NNCodec':>10}{'ours':>8}{'ratio':>8}{'choosing ids':>15}")
    found = []
    for data in data_sets(options.weights):
        found.append(measure(cabac, data, options.repetitions))
        if not options.json:
            print(_line(found[-1]), flush=True)
    search = search_rate(options.weights)
    if options.json:
        rows = [asdict(row) for row in found]
        print(json.dumps({"environment": about, "measurements": rows, "trellis_search": search}, indent=2))
    else:
        print(f"\nsearch of dependent quantization: {search / 1e6:.1f}")
    return 0


def _encode_with_nncodec(cabac: Any, data: DataSet) -> bytes:
    encoder = cabac.Encoder()
    encoder.iae_v(6 + QP_DENSITY, QP)
    encoder.initCtxModels(UNARY_LENGTH, 0)
    no_rows, no_history = np.zeros(data.quantized.shape[0], np.int32), np.zeros(1, np.int8)
    encoder.encodeLayer(data.quantized, int(data.dq), 0, 1, 0, 0, no_rows, cabac.HdspMode.AlwaysOff, no_history, 0, 0)
    return bytes(encoder.finish())


def _timed(encode: Callable[[], bytes], payload: bytes, name: str) -> float:
    started = time.perf_counter()
    found = encode()
    taken = time.perf_counter() - started
    if found != payload:
        raise SystemExit(f"{name}: the payloads differ")
    return taken


def _line(row: Measurement) -> str:
    theirs = "-" if row.nncodec is None else f"{row.nncodec / 1e6:.1f}"
    ratio = "-" if row.ratio is None else f"{row.ratio:.2f}"
    bits = 8 * row.payload_bytes / row.weights
    return f"{row.data_set:14}{bits:12.2f}{theirs:>10}{row.ours / 1e6:8.1f}{ratio:>8}{row.choosing_ids / 1e6:15.1f}"


if __name__ == "__main__":
    sys.exit(main())
