"""A part of a stream: one tensor, some of its rows, or its headers alone: ``python -m benchmarks.partial``.

The streams are made for the occasion. For `nnr-decode --tensor` the length of the stream changes and the tensor does
not; two times are taken: of the command after its start, that is with its modules and compiled code loaded, and of the
whole process. `nnr-decode --rows` decodes one block row of a tensor with entry points, and all of them. `nnr-check
--headers` reads streams of several lengths; beside it is what checking the payloads as well takes.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks import child, streams
from benchmarks.effort import Effort, alone
from benchmarks.repetition import interleaved
from benchmarks.table import Row, Target
from nnr_conformance.encoder.settings import EncoderSettings

SHAPE = (1000, 1000)
FINE = EncoderSettings(qp=-26, node_ids=False)
"""About a byte for each weight."""
WITH_ENTRY_POINTS = EncoderSettings(qp=-26, node_ids=False, scan_order=4)
"""Rows are decoded in blocks of 64, each with an entry point."""
BLOCK_ROWS = 64
TALL, QUICK_TALL = (10_048, 1000), (1088, 1000)
MEGABYTES, QUICK_MEGABYTES = (1, 50, 100, 200), (1, 10, 20)
TIME_TARGET = Target("<=", 0.3)
MEMORY_TARGET = Target("<=", 255)
"""250 MB and 1.3 times the tensor."""

COMMAND = """
import json, sys, time
from benchmarks.machine import peak_bytes
from nnr_conformance.cli.decode import main
from nnr_conformance.entropy.binding import load_compiled

load_compiled()
started = time.perf_counter()
code = main()
print(json.dumps({"seconds": time.perf_counter() - started, "peak": peak_bytes(), "code": code}))
"""


@dataclass(frozen=True, slots=True)
class Decoded:
    """Medians over the repetitions: seconds after the start, of whole processes, and bytes."""

    stream_bytes: int
    seconds: float
    whole_seconds: float
    peak: float


def measure(found: streams.Pattern, megabytes: float, folder: Path, repetitions: int) -> Decoded:
    """Decode the middle tensor of a stream of about so many megabytes; raises SystemExit if it is another one."""
    count = max(1, round(megabytes * 1e6 / len(found.unit)))
    path, output = folder / "partial.nnr", folder / "tensor.npz"
    streams.write(path, found, count)
    name = streams.name_of(count // 2)
    arguments = (path, "-q", "-o", output, "--tensor", name)
    said = [child.python(COMMAND, *arguments).said() for _ in range(repetitions)]
    whole = interleaved({"whole": lambda: child.python(child.DECODE, *arguments)}, repetitions)["whole"]
    with np.load(output) as tensors:
        if list(tensors) != [name] or not np.array_equal(tensors[name], found.decoded):
            raise SystemExit("another tensor was decoded")
    return Decoded(
        path.stat().st_size,
        statistics.median(one["seconds"] for one in said),
        statistics.median(whole),
        statistics.median(one["peak"] for one in said),
    )


def rows(effort: Effort) -> Iterator[Row]:
    """The rows of the table."""
    with tempfile.TemporaryDirectory() as folder:
        yield from _one_tensor(effort, Path(folder))
        yield from _some_rows(effort, Path(folder))
        yield from _headers(effort, Path(folder))


def _one_tensor(effort: Effort, folder: Path) -> Iterator[Row]:
    """Time and memory for each length, and what more of the rest costs."""
    found = streams.pattern(SHAPE, FINE)
    sizes = QUICK_MEGABYTES if effort.quick else MEGABYTES
    measured = []
    for megabytes in sizes:
        one = measure(found, megabytes, folder, effort.repetitions)
        measured.append(one)
        last = megabytes == sizes[-1]
        what = f"one tensor of {len(found.unit) / 1e6:.1f} MB out of {one.stream_bytes / 1e6:.0f} MB"
        yield Row("partial", f"{what}: after the start", "s", one.seconds, target=TIME_TARGET if last else None)
        yield Row("partial", f"{what}: whole process", "s", one.whole_seconds)
    slope, _ = np.polyfit([one.stream_bytes / 1e8 for one in measured], [one.seconds for one in measured], 1)
    yield Row("partial", "more for each 100 MB of other tensors", "ms", 1000 * float(slope))
    yield Row("partial", f"{what}: memory", "MB", measured[-1].peak / 1e6, target=MEMORY_TARGET)


def seconds_for_rows(found: streams.Pattern, first: int, end: int, folder: Path, repetitions: int) -> float:
    """Seconds after the start for some rows of a tensor; raises SystemExit if they are other ones."""
    path, output = folder / "rows.nnr", folder / "rows.npz"
    streams.write(path, found, 1)
    name = streams.name_of(0)
    arguments = (path, "-q", "-o", output, "--tensor", name, "--rows", f"{first}:{end}")
    seconds = [float(child.python(COMMAND, *arguments).said()["seconds"]) for _ in range(repetitions)]
    with np.load(output) as tensors:
        if not np.array_equal(tensors[name], found.decoded[first:end]):
            raise SystemExit("other rows were decoded")
    return statistics.median(seconds)


def _some_rows(effort: Effort, folder: Path) -> Iterator[Row]:
    found = streams.pattern(QUICK_TALL if effort.quick else TALL, WITH_ENTRY_POINTS)
    height = len(found.decoded)
    middle = height // 2 // BLOCK_ROWS * BLOCK_ROWS
    for first, end in ((middle, middle + BLOCK_ROWS), (0, height)):
        seconds = seconds_for_rows(found, first, end, folder, effort.repetitions)
        what = f"{end - first} of {height} rows of a tensor of {len(found.unit) / 1e6:.1f} MB: after the start"
        yield Row("partial", what, "s", seconds)


def seconds_to_check(path: Path, *options: str, repetitions: int = 1) -> float:
    """Seconds of a whole nnr-check; raises SystemExit if something is wrong with the stream."""
    return statistics.median(child.python(child.CHECK, path, *options).seconds for _ in range(repetitions))


def _headers(effort: Effort, folder: Path) -> Iterator[Row]:
    found = streams.pattern(SHAPE, FINE)
    path = folder / "headers.nnr"
    sizes = QUICK_MEGABYTES if effort.quick else MEGABYTES
    for megabytes in (sizes[1], sizes[-1]):
        count = round(megabytes * 1e6 / len(found.unit))
        streams.write(path, found, count)
        what = f"nnr-check, {count} units, {path.stat().st_size / 1e6:.0f} MB"
        seconds = seconds_to_check(path, "--headers", repetitions=effort.repetitions)
        yield Row("partial", f"{what}: headers, whole process", "s", seconds)
        if megabytes == sizes[1]:
            yield Row("partial", f"{what}: payloads as well, once", "s", seconds_to_check(path))


if __name__ == "__main__":
    sys.exit(alone("partial", rows, __doc__))
