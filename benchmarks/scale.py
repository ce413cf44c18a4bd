"""Streams of a million weights to a billion, decoded by a process of its own: ``python -m benchmarks.scale``.

The streams are made for the occasion (`streams.py`) and read by mmap; tensors are decoded one by one and dropped. Time
is that of decoding, after compiled code was loaded, the median of as many passes as fit into some seconds; memory is
the most that the whole process has resident. ``--largest 9`` goes up to a billion weights.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks import child, streams
from benchmarks.effort import Effort, alone
from benchmarks.machine import cores
from benchmarks.table import Row, Target

SMALLEST_POWER, QUICK_POWER = 6, 7
SLOWEST_TARGET = Target(">=", 0.8)
"""The fastest is at most 25 % faster."""
FIXED_MEGABYTES, TENSOR_FACTOR = 250, 1.3
IN_FLIGHT_BYTES_PER_WEIGHT = 9
"""Of each unit that is being decoded: int32 levels, float32 values, and at most a byte of payload."""

DECODE = """
import json, statistics, sys, time
from benchmarks.machine import peak_bytes
from nnr_conformance.api import chain_decoder
from nnr_conformance.cli.streams import ReadPages, read_streams
from nnr_conformance.entropy.binding import load_compiled

load_compiled()
passes, began = [], time.perf_counter()
while not passes or (time.perf_counter() - began < 3 and len(passes) < 15):
    streams = read_streams([sys.argv[1]])
    chain = chain_decoder(streams, threads=int(sys.argv[2]), compiled=True)
    chain.digesting = chain.with_levels = False
    chain.on_progress = ReadPages(streams).at
    weights, started = 0, time.perf_counter()
    for tensor in chain:
        weights += tensor.values.size
        del tensor
    passes.append(time.perf_counter() - started)
    assert not any(chain.findings), list(chain.findings[0])[:3]
print(json.dumps({"weights": weights, "seconds": statistics.median(passes), "peak": peak_bytes()}))
"""


@dataclass(frozen=True, slots=True)
class Decoded:
    """What decoding a stream took. `largest`: weights of its largest tensor. `peak`: bytes."""

    weights: int
    largest: int
    threads: int
    seconds: float
    peak: int

    @property
    def rate(self) -> float:
        """Weights per second."""
        return self.weights / self.seconds

    @property
    def bound(self) -> float:
        """Megabytes that it may have resident: fixed ones, the largest tensor, and what is in flight."""
        in_flight = self.threads * IN_FLIGHT_BYTES_PER_WEIGHT * self.largest
        return FIXED_MEGABYTES + (TENSOR_FACTOR * 4 * self.largest + in_flight) / 1e6


def decode(path: Path, largest: int, threads: int) -> Decoded:
    """Decode a stream file in a process of its own."""
    said = child.python(DECODE, path, threads).said()
    return Decoded(said["weights"], largest, threads, said["seconds"], said["peak"])


def measure(powers: range, threads: int, folder: Path) -> Iterator[Decoded]:
    """Make a stream of each power of ten of weights, and decode it."""
    path = folder / "scale.nnr"
    for power in powers:
        count, shape = streams.division(10**power)
        streams.write(path, streams.pattern(shape), count)
        yield decode(path, shape[0] * shape[1], threads)
        path.unlink()


def rows(effort: Effort) -> Iterator[Row]:
    """The rows of the table: rate and memory of each stream, and the slowest rate beside the fastest."""
    threads = min(2, cores())
    last = min(effort.largest, QUICK_POWER) if effort.quick else effort.largest
    rates = []
    with tempfile.TemporaryDirectory() as folder:
        for found in measure(range(SMALLEST_POWER, last + 1), threads, Path(folder)):
            rates.append(found.rate)
            about = f"{found.weights:.0e} weights, units of {found.largest / 1e6:g}M, {threads} threads"
            yield Row("scale", about, "Mw/s", found.rate / 1e6)
            yield Row("scale", f"{about}: memory", "MB", found.peak / 1e6, target=Target("<=", round(found.bound)))
    if len(rates) > 1:
        what = f"slowest of these rates by the fastest, 1e{SMALLEST_POWER} to 1e{last} weights"
        yield Row("scale", what, "", min(rates) / max(rates), target=SLOWEST_TARGET)


if __name__ == "__main__":
    sys.exit(alone("scale", rows, __doc__))
