"""What a report needs beyond the verdict to show a stream bit by bit: elements, bytes and histograms, all bounded."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnr_conformance.diagnostics import Diagnostic, Severity
from nnr_conformance.report.bit_listing import BitRow, bit_rows, value_text
from nnr_conformance.report.model import Histogram, StreamDetails, TracedElement, TracedUnit
from nnr_conformance.scope import TraceEntry
from nnr_conformance.syntax.enumerations import unit_type_name
from nnr_conformance.syntax.unit_parser import Unit

MOST_OF_UNIT = 5_000
"""Elements kept of one unit, so that a long list does not use up what the units behind it need."""

MOST_BYTES = 1 << 16
"""Bytes kept of one stream."""

MOST_PLACES = 200
"""Findings of one stream around which bytes are kept."""

LONGEST_TEXT = 160
"""Characters kept of a value or a meaning."""

ROW = 16
"""Bytes are kept in rows of this many."""

MOST_BINS = 33
"""Bins of a histogram."""

_PORTION = 1 << 20
"""Levels counted at once."""


@dataclass(slots=True)
class DetailsCollector:
    """Keeps the elements of units as they come, and picks the bytes of a stream when all of it is known.

    `left`: how many elements may still be kept, of all streams together.
    """

    left: int
    units: dict[int, list[TracedUnit]] = field(default_factory=dict)
    left_out: dict[int, int] = field(default_factory=dict)

    def see(self, number: int, buffer: memoryview, unit: Unit, trace: Sequence[TraceEntry]) -> None:
        """Keep what is shown of a unit of stream `number`."""
        if self.left <= 0:
            self.left_out[number] = self.left_out.get(number, 0) + 1
            return
        kept = trace[: min(self.left, MOST_OF_UNIT)]
        # A unit of which nothing could be read counts too, so that units are bounded as well.
        self.left -= max(1, len(kept))
        self.units.setdefault(number, []).append(
            TracedUnit(
                unit.label,
                unit_type_name(unit.unit_type) if unit.unit_type >= 0 else "unreadable",
                unit.first,
                unit.end,
                tuple(_element(row) for row in bit_rows(kept, buffer)),
                len(trace) - len(kept),
            )
        )

    def histogram(self, levels: NDArray[np.int32]) -> Histogram | None:
        """The histogram of a tensor's levels; None for a tensor without elements."""
        return level_histogram(levels)

    def of_stream(self, number: int, buffer: memoryview, found: Iterable[Diagnostic]) -> StreamDetails:
        """The details of stream `number` when it has been decoded; `found` are its diagnostics."""
        units = tuple(self.units.get(number, ()))
        return StreamDetails(units, self.left_out.get(number, 0), _pieces(buffer, units, found))


def _element(row: BitRow) -> TracedElement:
    value = row.value[:LONGEST_TEXT] if isinstance(row.value, str) else row.value
    return TracedElement(
        row.structures,
        row.name,
        row.descriptor,
        row.first,
        row.size,
        "" if row.name == "byte_alignment()" else _cut(value_text(value)),
        _cut(row.meaning),
        row.inferred,
        row.is_payload,
    )


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST_TEXT else text[: LONGEST_TEXT - 2] + " …"


def _pieces(
    buffer: memoryview, units: Sequence[TracedUnit], found: Iterable[Diagnostic]
) -> tuple[tuple[int, bytes], ...]:
    """The rows of bytes that are kept: all, or those of elements, then those of findings, then what comes first."""
    count = -(-len(buffer) // ROW)
    chosen = np.zeros(count, dtype=bool)
    left = MOST_BYTES // ROW
    for first, end in _wanted(len(buffer), units, found):
        rows = np.flatnonzero(~chosen[first // ROW : -(-end // ROW)])[:left] + first // ROW
        chosen[rows] = True
        left -= len(rows)
        if not left:
            break
    edges = np.flatnonzero(np.diff(chosen, prepend=False, append=False)) * ROW
    ranges = list(pairwise(edges.tolist()))[::2]
    return tuple((first, bytes(buffer[first:end])) for first, end in ranges)


def _wanted(size: int, units: Sequence[TracedUnit], found: Iterable[Diagnostic]) -> Iterable[tuple[int, int]]:
    """Ranges of bytes, the most telling first."""
    if size <= MOST_BYTES:
        yield 0, size
        return
    for unit in units:
        ends = [(one.first >> 3) + ROW if one.payload else one.first + one.size + 7 >> 3 for one in unit.elements]
        yield unit.first, min(size, max(ends, default=unit.first + ROW))
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
