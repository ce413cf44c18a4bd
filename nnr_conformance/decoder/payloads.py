"""Payload bytes with their places in the stream, and the joining of payloads that travel in parts (clause 6).

A partitioned payload is cut into units of the same type and ids whose partial_data_counter counts down to 1
(R-UNIT-08 to R-UNIT-19).
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field

from nnr_conformance.diagnostics import Findings
from nnr_conformance.syntax.unit_parser import Unit


@dataclass(frozen=True, slots=True)
class PayloadBytes:
    """A payload: its bytes, and for each part the payload byte at which it starts and the stream byte it comes from."""

    data: memoryview
    starts: tuple[int, ...]
    places: tuple[int, ...]

    @classmethod
    def of_unit(cls, buffer: memoryview, unit: Unit) -> PayloadBytes:
        """The payload of one unit."""
        return cls(buffer[unit.payload_first : unit.end], (0,), (unit.payload_first,))

    def absolute(self, bit: int) -> int:
        """The bit of the stream that bit `bit` of the payload is; the end of the payload maps to its end."""
        part = max(0, bisect_right(self.starts, bit >> 3) - 1)
        return bit + 8 * (self.places[part] - self.starts[part])


@dataclass(slots=True)
class _Started:
    unit: Unit
    ids: object
    next_counter: int
    units: list[Unit] = field(default_factory=list)


@dataclass(slots=True)
class PartCollector:
    """Collects the parts of partitioned payloads, one partition of each unit type at a time."""

    findings: Findings
    _started: dict[int, _Started] = field(default_factory=dict)

    def add(self, buffer: memoryview, unit: Unit, ids: object) -> PayloadBytes | None:
        """Take one part; the joined payload when it was the last one, else None. `ids` must agree between parts."""
        counter = int(unit.get("partial_data_counter"))
        started = self._started.get(unit.unit_type)
        if started is not None and (ids != started.ids or counter != started.next_counter):
            code = "partial_data_ids" if ids != started.ids else "partial_data_sequence"
            self.findings.report(
                code,
                f"part {counter} follows part {started.next_counter + 1} of {started.unit.label}; "
                f"part {started.next_counter} of the same element is required",
                path=unit.label,
            )
            started = None
        if started is None:
            started = _Started(unit, ids, counter)
        started.units.append(unit)
        started.next_counter = counter - 1
        if started.next_counter > 0:
            self._started[unit.unit_type] = started
            return None
        self._started.pop(unit.unit_type, None)
        return _joined(buffer, started.units)

    def finish(self) -> None:
        """The model ends: report partitions that never reached part 1 (R-UNIT-18)."""
        for started in self._started.values():
            self.findings.report(
                "partial_data_incomplete",
                f"parts {started.next_counter} to 1 are missing",
                path=started.unit.label,
            )
        self._started.clear()


def _joined(buffer: memoryview, units: list[Unit]) -> PayloadBytes:
    parts = [buffer[unit.payload_first : unit.end] for unit in units]
    starts = [sum(len(part) for part in parts[:number]) for number in range(len(parts))]
    return PayloadBytes(memoryview(b"".join(parts)), tuple(starts), tuple(unit.payload_first for unit in units))
