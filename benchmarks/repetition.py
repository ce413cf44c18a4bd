"""Repetitions in turn: everything that is compared runs once, then once more, so that a disturbance meets it all."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Ratio:
    """How many times faster: the ratio of each repetition, and of these the median, the lowest and the highest."""

    median: float
    lowest: float
    highest: float

    @classmethod
    def of(cls, theirs: Sequence[float], ours: Sequence[float]) -> Ratio:
        """From the seconds of each repetition."""
        ratios = [their / our for their, our in zip(theirs, ours, strict=True)]
        return cls(statistics.median(ratios), min(ratios), max(ratios))


def interleaved(ways: Mapping[str, Callable[[], Any]], repetitions: int) -> dict[str, list[float]]:
    """Seconds of each repetition of each way; the ways take turns, and the garbage of one is gone before the next."""
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(repetitions):
        for name, way in ways.items():
            gc.collect()
            started = time.perf_counter()
            result = way()
            seconds[name].append(time.perf_counter() - started)
            del result
    return seconds


def reported(ways: Mapping[str, Callable[[], float]], repetitions: int) -> dict[str, list[float]]:
    """The same for ways that say themselves how many seconds they took."""
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(repetitions):
        for name, way in ways.items():
            seconds[name].append(way())
    return seconds
