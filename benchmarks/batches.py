"""Independent payloads, two at a time, beside NNCodec's C++ decoder on one thread: ``python -m benchmarks.batches``.

A batch is one tensor eight times, as if it were eight units; each payload is decoded whole, with all checks. Those that
are faster in one loop with another are decoded in pairs, as units of a stream are.
"""

from __future__ import annotations

import statistics
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from benchmarks.decode import DataSet, data_sets, decode, decode_at_once, decode_with_nncodec, shares_a_loop
from benchmarks.effort import Effort, alone
from benchmarks.machine import cores
from benchmarks.peer import entropy_coder
from benchmarks.repetition import Ratio, interleaved
from benchmarks.table import Row, Target
from nnr_conformance.entropy import compiled_available
from nnr_conformance.entropy.binding import load_compiled

TENSORS, THREADS = 8, 2
WEIGHTS, QUICK_WEIGHTS = 3_000_000, 500_000
LONG = 0.2
"""Seconds from which on something is promised."""
TARGET = Target(">=", 4.3, "ratio")


def measure(cabac: Any, data: DataSet, repetitions: int) -> dict[str, list[float]]:
    """Seconds of each repetition: with one thread, with two, and with NNCodec."""
    batch = [data] * TENSORS
    tasks = [[data, data]] * (TENSORS // 2) if shares_a_loop(data) else [[data]] * TENSORS
    with ThreadPoolExecutor(THREADS) as pool:
        return interleaved(
            {
                "NNCodec": lambda: [decode_with_nncodec(cabac, one) for one in batch],
                "one": lambda: [_decode(task) for task in tasks],
                "two": lambda: list(pool.map(_decode, tasks)),
            },
            repetitions,
        )


def _decode(task: list[DataSet]) -> list[Any]:
    return decode_at_once(task) if len(task) > 1 else [decode(one) for one in task]


def rows(effort: Effort) -> Iterator[Row]:
    """The rows of the table, one for each tensor."""
    cabac = entropy_coder()
    if cabac is None or not compiled_available() or cores() < THREADS:
        return
    load_compiled()
    for data in data_sets(cabac, QUICK_WEIGHTS if effort.quick else WEIGHTS):
        seconds = measure(cabac, data, effort.repetitions)
        medians = {name: statistics.median(each) for name, each in seconds.items()}
        weights = TENSORS * data.quantized.size
        scaling = Ratio.of(seconds["one"], seconds["two"]).median
        batch = f"{TENSORS} x {data.quantized.size / 1e6:g}M weights"
        yield Row.compared(
            "batches",
            f"{data.name}, {batch}, 2 threads (scaling {scaling:.2f})",
            "Mw/s",
            weights / medians["two"] / 1e6,
            weights / medians["NNCodec"] / 1e6,
            Ratio.of(seconds["NNCodec"], seconds["two"]),
            TARGET if medians["two"] > LONG else None,
        )


if __name__ == "__main__":
    sys.exit(alone("batches", rows, __doc__))
