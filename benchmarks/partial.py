"""One tensor of about a megabyte out of a long stream by `nnr-decode --tensor`: ``python -m benchmarks.partial``.

The stream is made for the occasion; its length changes, the tensor does not. Two times are taken: of the command after
its start, that is with its modules and compiled code loaded, and of the whole process.
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
    """The rows of the table: time and memory for each length, and what more of the rest costs."""
    found = streams.pattern(SHAPE, FINE)
    sizes = QUICK_MEGABYTES if effort.quick else MEGABYTES
    measured = []
    with tempfile.TemporaryDirectory() as folder:
        for megabytes in sizes:
            one = measure(found, megabytes, Path(folder), effort.repetitions)
            measured.append(one)
            last = megabytes == sizes[-1]
            what = f"one tensor of {len(found.unit) / 1e6:.1f} MB out of {one.stream_bytes / 1e6:.0f} MB"
            yield Row("partial", f"{what}: after the start", "s", one.seconds, target=TIME_TARGET if last else None)
            yield Row("partial", f"{what}: whole process", "s", one.whole_seconds)
    slope, _ = np.polyfit([one.stream_bytes / 1e8 for one in measured], [one.seconds for one in measured], 1)
    yield Row("partial", "more for each 100 MB of other tensors", "ms", 1000 * float(slope))
    yield Row("partial", f"{what}: memory", "MB", measured[-1].peak / 1e6, target=MEMORY_TARGET)


if __name__ == "__main__":
    sys.exit(alone("partial", rows, __doc__))
