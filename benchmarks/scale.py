"""Streams of a million weights to a billion, and what memory they take: ``python -m benchmarks.scale``.

The streams are made for the occasion (`streams.py`) and read by mmap, each by a process of its own. Rates: all streams
have the same units, more or fewer, so that their length is the only difference; tensors are decoded one by one and
dropped, after compiled code was loaded, in as many passes as fit into some seconds. Memory: nnr-decode writes a few
large tensors, one that is as large as a stream, and very many small ones; the most that a process has resident counts.
``--largest 9`` goes up to a billion weights.
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
UNIT = (100, 1000)
"""Of the streams whose rates are compared."""
SLOWEST_TARGET = Target(">=", 0.8)
"""The fastest is at most 25 % faster."""
FIXED_MEGABYTES, TENSOR_FACTOR = 250, 1.3
IN_FLIGHT_BYTES_PER_WEIGHT = 9
"""Of each unit that is being decoded: int32 levels, float32 values, and at most a byte of payload."""
LARGE, QUICK_LARGE = (10, (10_000, 1000)), (10, (1000, 1000))
HUGE, QUICK_HUGE = (1, (100_000, 1000)), (1, (10_000, 1000))
MANY, QUICK_MANY = (100_000, (10, 10)), (10_000, (10, 10))
"""Units and the shape of the tensor in each, of the streams that are written to files."""

DECODE = """
import json, statistics, sys, time
from benchmarks.machine import peak_bytes
from nnr_conformance.api import chain_decoder
from nnr_conformance.cli.streams import ReadPages, read_streams
from nnr_conformance.entropy.binding import load_compiled

load_compiled()
seconds, processor, began = [], [], time.perf_counter()
while not seconds or (time.perf_counter() - began < 3 and len(seconds) < 15):
    streams = read_streams([sys.argv[1]])
    chain = chain_decoder(streams, threads=int(sys.argv[2]), compiled=True)
    chain.digesting = chain.with_levels = False
    chain.on_read = ReadPages(streams).at
    weights, started, started_processor = 0, time.perf_counter(), time.process_time()
    for tensor in chain:
        weights += tensor.values.size
        del tensor
    seconds.append(time.perf_counter() - started)
    processor.append(time.process_time() - started_processor)
    assert not any(chain.findings), list(chain.findings[0])[:3]
print(json.dumps({
    "weights": weights, "seconds": statistics.median(seconds), "processor": min(processor), "peak": peak_bytes()
}))
"""

WRITE = """
import json, sys
from benchmarks.machine import peak_bytes
from nnr_conformance.cli.decode import main
from nnr_conformance.entropy.binding import load_compiled

load_compiled()
code = main()
print(json.dumps({"peak": peak_bytes(), "code": code}))
"""


@dataclass(frozen=True, slots=True)
class Decoded:
    """What decoding a stream took. `largest`: weights of its largest tensor. `seconds`: the median of all passes.
    `processor_seconds`: of all threads in the fastest pass. `peak`: bytes."""

    weights: int
    largest: int
    threads: int
    seconds: float
    processor_seconds: float
    peak: int


def memory_bound(largest: int, threads: int) -> float:
    """Megabytes that a process may have resident: fixed ones, the largest tensor, and what is in flight."""
    in_flight = threads * IN_FLIGHT_BYTES_PER_WEIGHT * largest
    return FIXED_MEGABYTES + (TENSOR_FACTOR * 4 * largest + in_flight) / 1e6


def decode(path: Path, largest: int, threads: int) -> Decoded:
    """Decode a stream file in a process of its own."""
    said = child.python(DECODE, path, threads).said()
    return Decoded(said["weights"], largest, threads, said["seconds"], said["processor"], said["peak"])


def write_peak(path: Path, output: Path, threads: int) -> int:
    """The bytes that nnr-decode has resident at most when it writes the tensors of a stream to a file."""
    said = child.python(WRITE, path, "-q", "-o", output, "--threads", threads).said()
    return int(said["peak"])


def measure(powers: range, threads: int, folder: Path) -> Iterator[Decoded]:
    """Make a stream of each power of ten of weights, and decode it."""
    path = folder / "scale.nnr"
    unit = streams.pattern(UNIT)
    for power in powers:
        streams.write(path, unit, max(1, 10**power // unit.decoded.size))
        yield decode(path, unit.decoded.size, threads)
        path.unlink()


def rows(effort: Effort) -> Iterator[Row]:
    """The rows of the table: rates, how far they are apart, and memory."""
    threads = min(2, cores())
    with tempfile.TemporaryDirectory() as folder:
        yield from _rates(effort, threads, Path(folder))
        kinds = (QUICK_LARGE, QUICK_HUGE, QUICK_MANY) if effort.quick else (LARGE, HUGE, MANY)
        for count, shape in kinds:
            yield from _memory(count, shape, threads, Path(folder))


def _rates(effort: Effort, threads: int, folder: Path) -> Iterator[Row]:
    last = min(effort.largest, QUICK_POWER) if effort.quick else effort.largest
    rates = []
    for found in measure(range(SMALLEST_POWER, last + 1), threads, folder):
        rates.append(found.weights / found.processor_seconds)
        about = f"{found.weights:.0e} weights, units of {found.largest / 1e6:g}M, {threads} threads"
        yield Row("scale", about, "Mw/s", found.weights / found.seconds / 1e6)
        yield Row("scale", f"{about}: processor time", "Mw/s", rates[-1] / 1e6)
        bound = Target("<=", round(memory_bound(found.largest, threads)))
        yield Row("scale", f"{about}: memory", "MB", found.peak / 1e6, target=bound)
    if len(rates) > 1:
        what = f"slowest by fastest, processor time, 1e{SMALLEST_POWER} to 1e{last} weights"
        yield Row("scale", what, "", min(rates) / max(rates), target=SLOWEST_TARGET)


def _memory(count: int, shape: tuple[int, int], threads: int, folder: Path) -> Iterator[Row]:
    path, largest = folder / "memory.nnr", shape[0] * shape[1]
    streams.write(path, streams.pattern(shape), count)
    for suffix, number in ((".npz", 1), (".npz", threads), (".safetensors", threads)):
        output = folder / f"memory{suffix}"
        peak = write_peak(path, output, number)
        output.unlink()
        what = f"{count:,} of {largest / 1e6:g}M weights to {suffix}, {number} threads: memory"
        yield Row("scale", what, "MB", peak / 1e6, target=Target("<=", round(memory_bound(largest, number))))
    path.unlink()


if __name__ == "__main__":
    sys.exit(alone("scale", rows, __doc__))
