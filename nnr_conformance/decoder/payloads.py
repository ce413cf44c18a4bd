"""Payload bytes with their places in the stream, and the joining of payloads that travel in parts (clause 6).

A partitioned payload is cut into units of the same type and ids whose partial_data_counter counts down to 1
(R-UNIT-08 to R-UNIT-19).
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field

from nnr_conformance.decoder.order_machines import PARTITION
from nnr_conformance.machines import END, Event, Judge, Watch
from nnr_conformance.scope import joined
from nnr_conformance.syntax.enumerations import NDU
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
        part = bisect_right(self.starts, bit >> 3) - 1
        return bit + 8 * (self.places[part] - self.starts[part])


@dataclass(slots=True)
class _Started:
    unit: Unit
    ids: object
    first_counter: int
    next_counter: int
    units: list[Unit] = field(default_factory=list)


@dataclass(slots=True)
class PartCollector:
    """Collects the parts of partitioned payloads, one partition of each unit type at a time.

    What is right and wrong in the order of parts is the table `order_machines.PARTITION`; the judge hears of it.
    """

    judge: Judge
    _order: Watch = field(default_factory=lambda: Watch(PARTITION))
    _started: dict[int, _Started] = field(default_factory=dict)
    _completed: dict[int, object] = field(default_factory=dict)

    def complete(self, unit: Unit, ids: object) -> None:
        """Take a unit that holds all data of its element."""
        started = self._started.get(unit.unit_type)
        if started is None or started.ids == ids:
            self._tell("complete unit", unit)

    def add(self, buffer: memoryview, unit: Unit, ids: object) -> PayloadBytes | None:
        """Take one part; the joined payload when it was the last one, else None. `ids` must agree between parts."""
        counter = int(unit.get("partial_data_counter"))
        started = self._started.get(unit.unit_type)
        event = self._relation(unit, ids, counter, started)
        message = f"part {counter}" if started is None else _out_of_place(counter, started)
        self._tell(event, unit, message)
        if started is None or event != "next part":
            started = _Started(unit, ids, counter, counter)
        started.units.append(unit)
        started.next_counter = counter - 1
        if started.next_counter > 0:
            self._started[unit.unit_type] = started
            return None
        self._tell("part 1", unit)
        self._started.pop(unit.unit_type, None)
        self._completed[unit.unit_type] = ids
        return _joined(buffer, started.units)

    def finish(self) -> None:
        """The model ends: partitions that never reached part 1 are incomplete."""
        for unit_type, started in self._started.items():
            self._hear(Event(END, started.unit.label, f"parts {started.next_counter} to 1 are missing", key=unit_type))
        self._started.clear()
        self._completed.clear()

    def _relation(self, unit: Unit, ids: object, counter: int, started: _Started | None) -> str:
        """How a part stands to those before it: the name of the event."""
        if started is None:
            # Several topologies may have the same storage format, the only id that they have.
            again = unit.unit_type == NDU and self._completed.get(unit.unit_type) == ids
            return "another part" if again else "part"
        if ids != started.ids:
            return "part of another element"
        if counter > started.first_counter:
            return "part above the first"
        return "next part" if counter == started.next_counter else "part out of order"

    def _tell(self, event: str, unit: Unit, found: str = "") -> None:
        place = (None, "") if event == "part of another element" else _counter_place(unit)
        self._hear(Event(event, unit.label, found, key=unit.unit_type), *place)

    def _hear(self, event: Event, bits: tuple[int, int] | None = None, path: str = "") -> None:
        for decision in self._order.take(event):
            self.judge.hear(decision, bits=bits, path=path)


def _counter_place(unit: Unit) -> tuple[tuple[int, int] | None, str]:
    """Bits and path of partial_data_counter, which follows the unit size and the first byte of the header."""
    if not unit.get("partial_data_counter_present_flag"):
        return None, unit.label
    first = 8 * unit.first + (40 if unit.get("nnr_unit_size_flag") else 24)
    return (first, first + 8), joined(joined(unit.label, "nnr_unit_header"), "partial_data_counter")


def _out_of_place(counter: int, started: _Started) -> str:
    return (
        f"part {counter} follows part {started.next_counter + 1} of {started.unit.label}; "
        f"part {started.next_counter} of the same element is required"
    )


def _joined(buffer: memoryview, units: list[Unit]) -> PayloadBytes:
    parts = [buffer[unit.payload_first : unit.end] for unit in units]
    starts = [sum(len(part) for part in parts[:number]) for number in range(len(parts))]
    return PayloadBytes(memoryview(b"".join(parts)), tuple(starts), tuple(unit.payload_first for unit in units))
