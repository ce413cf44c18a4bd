"""What a report needs beyond the verdict to show a stream bit by bit: bytes and histograms, all bounded."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnr_conformance.descriptors import Bytes
from nnr_conformance.diagnostics import Diagnostic, Severity
from nnr_conformance.report.model import Histogram, StreamDetails
from nnr_conformance.scope import TraceEntry
from nnr_conformance.syntax.unit_parser import Unit

MOST_OF_UNIT = 5_000
"""Elements of one unit whose bytes are kept, so that a long list does not use up what the units behind it need."""

MOST_BYTES = 1 << 16
"""Bytes kept of one stream."""

MOST_PLACES = 200
"""Findings of one stream around which bytes are kept."""

ROW = 16
"""Bytes are kept in rows of this many."""

MOST_BINS = 33
"""Bins of a histogram."""

_PORTION = 1 << 20
"""Levels counted at once."""


@dataclass(slots=True)
class DetailsCollector:
    """Notes where the elements of units are as they come, and picks the bytes of a stream when all of it is known.

    `left`: elements whose bytes may still be kept, of all streams together. `extents`: of each unit of a stream the
    first byte, and the one behind the elements.
    """

    left: int
    extents: dict[int, list[tuple[int, int]]] = field(default_factory=dict)

    def see(self, number: int, unit: Unit, trace: Sequence[TraceEntry]) -> None:
        """Note what is to be kept of a unit of stream `number`."""
        if self.left <= 0:
            return
        kept = trace[: min(self.left, MOST_OF_UNIT)]
        # A unit of which nothing could be read counts too, so that units are bounded as well.
        self.left -= max(1, len(kept))
        self.extents.setdefault(number, []).append((unit.first, _end_of(kept, unit.first)))

    def histogram(self, levels: NDArray[np.int32]) -> Histogram | None:
        """The histogram of a tensor's levels; None for a tensor without elements."""
        return level_histogram(levels)

    def of_stream(
        self, number: int, buffer: memoryview, found: Iterable[Diagnostic], out_of_band: Mapping[str, Any]
    ) -> StreamDetails:
        """The details of stream `number` when it has been decoded; `found` are its diagnostics."""
        return StreamDetails(_pieces(buffer, self.extents.get(number, ()), found), out_of_band)


def _end_of(trace: Sequence[TraceEntry], first: int) -> int:
    """The byte behind the elements of a unit; of payloads the first row is enough."""
    ends = [(one.first >> 3) + ROW if _is_payload(one) else one.first + one.size + 7 >> 3 for one in trace]
    return max(ends, default=first + ROW)


def _is_payload(entry: TraceEntry) -> bool:
    return isinstance(entry.descriptor, Bytes) and not entry.inferred


def _pieces(
    buffer: memoryview, extents: Sequence[tuple[int, int]], found: Iterable[Diagnostic]
) -> tuple[tuple[int, bytes], ...]:
    """The rows of bytes that are kept: all, or those of elements, then those of findings, then what comes first."""
    count = -(-len(buffer) // ROW)
    chosen = np.zeros(count, dtype=bool)
    left = MOST_BYTES // ROW
    for first, end in _wanted(len(buffer), extents, found):
        rows = np.flatnonzero(~chosen[first // ROW : -(-end // ROW)])[:left] + first // ROW
        chosen[rows] = True
        left -= len(rows)
        if not left:
            break
    edges = np.flatnonzero(np.diff(chosen, prepend=False, append=False)) * ROW
    ranges = list(pairwise(edges.tolist()))[::2]
    return tuple((first, bytes(buffer[first:end])) for first, end in ranges)


def _wanted(size: int, extents: Sequence[tuple[int, int]], found: Iterable[Diagnostic]) -> Iterable[tuple[int, int]]:
    """Ranges of bytes, the most telling first."""
    if size <= MOST_BYTES:
        yield 0, size
        return
    for first, end in extents:
        yield first, min(size, end)
    worst_first = sorted(found, key=lambda one: list(Severity).index(one.severity))
    places = [one.bits[0] >> 3 for one in worst_first if one.bits is not None]
    for place in places[:MOST_PLACES]:
        yield max(0, place - ROW), max(0, min(size, place + 2 * ROW))
    yield 0, size


def level_histogram(levels: NDArray[np.integer[Any]]) -> Histogram | None:
    """Count levels (any shape) in at most `MOST_BINS` bins of one odd width, level 0 in the middle of its own.

    None for a tensor without elements. Takes memory for a bounded number of levels at a time.
    """
    if not levels.size:
        return None
    low, high = int(levels.min()), int(levels.max())
    half = 0
    while _bin(high, half) - _bin(low, half) >= MOST_BINS:
        half = max(half + 1, (high - low) // (2 * MOST_BINS) - 1)
    origin = _bin(low, half)
    counts = np.zeros(_bin(high, half) - origin + 1, dtype=np.int64)
    flat = levels.reshape(-1)
    for start in range(0, flat.size, _PORTION):
        part = flat[start : start + _PORTION].astype(np.int64)
        if half:
            part = (part + half) // (2 * half + 1)
        counts += np.bincount(part - origin, minlength=len(counts))
    return Histogram(origin * (2 * half + 1) - half, 2 * half + 1, tuple(counts.tolist()))


def _bin(level: int, half: int) -> int:
    return (level + half) // (2 * half + 1)
