"""Units of a kind that comes again and again: parsed by generated parsers, with the outcome of the declarations.

The first units of a type are parsed by their declarations, and it is noted which ways they take through them. Then a
parser for these ways is generated (`syntax.specialised`). A unit that it gives up on is parsed by the declarations, so
that diagnostics are always theirs.
"""

from __future__ import annotations

from collections import UserList
from collections.abc import Callable, Mapping, MutableSequence
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

from nnr_conformance.limits import Limits
from nnr_conformance.scope import Scope, Session, TraceEntry
from nnr_conformance.syntax.declaration import Part, Structure
from nnr_conformance.syntax.unit_parser import PAYLOADS, Unit, parse_size, parse_unit
from nnr_conformance.syntax.units import nnr_unit_header, nnr_unit_size

if TYPE_CHECKING:
    from nnr_conformance.syntax.specialised import Parser, Taken

GIVEN_UP = (ValueError, LookupError)
"""How a generated parser gives up."""

PLAIN_UNITS = 16
"""Units of a type that are parsed by their declarations before a parser is generated, which takes about as long."""

SIZES = 64
"""Size fields that are parsed by their declaration before a parser is generated."""

WINDOWS = (96, 4096)
"""Bytes of a unit that a generated parser looks at first, and when they did not suffice."""

State = Mapping[str, Any]


class LateTrace(UserList[TraceEntry]):
    """A trace that is made when somebody looks at it."""

    def __init__(self) -> None:
        self._entries: list[TraceEntry] = []
        self._make: Callable[[], list[TraceEntry]] | None = None

    def later(self, make: Callable[[], list[TraceEntry]]) -> None:
        """The trace of a unit is what `make` gives."""
        self._entries, self._make = [], make

    def clear(self) -> None:
        """Forget everything, also what was never made."""
        self._entries, self._make = [], None

    @property
    def is_late(self) -> bool:
        """True while nobody has looked at it."""
        return self._make is not None

    @property
    def data(self) -> list[TraceEntry]:  # type: ignore[override] # UserList keeps it in an attribute
        """The entries."""
        if self._make is not None:
            self._entries, self._make = self._make(), None
        return self._entries


def parser_of(unit_type: int, state: State, ways: Taken | None = None, traced: bool = False) -> Parser:
    """The parser of whole units of a type, but for parts of partitioned units, behind a state; see `specialised`."""
    from nnr_conformance.syntax.specialised import specialised  # noqa: PLC0415 - few streams have so many units

    structures, deciding = _structures(unit_type)
    known = tuple((name, state[name]) for name in deciding if name in state)
    expected = (("nnr_unit_type", unit_type), ("partial_data_counter_present_flag", 0))
    return specialised(structures, known, expected, ways, traced)


@cache
def _structures(unit_type: int) -> tuple[tuple[Structure, ...], tuple[str, ...]]:
    """The structures of a unit, and the names that decide what is in them."""
    from nnr_conformance.syntax.specialised import condition_names  # noqa: PLC0415 - see above

    structures = (nnr_unit_size, nnr_unit_header, PAYLOADS[unit_type])
    return structures, tuple(sorted(condition_names(structures)))


@cache
def _last_ways(unit_type: int) -> list[frozenset[tuple[Part, bool]]]:
    """The ways for which a parser was generated last in this process, if there was one; what it parses is the same."""
    return []


@cache
def _size_parser() -> Parser:
    from nnr_conformance.syntax.specialised import specialised  # noqa: PLC0415 - see above

    return specialised((nnr_unit_size,))


@dataclass(slots=True)
class _Kind:
    """Units of one type: how many were parsed by the declarations, the ways that they took, and the parser for these.

    `state`: for which the parser is.
    """

    unit_type: int
    parsed: int = 0
    ways: set[tuple[Part, bool]] = field(default_factory=set)
    known_ways: int = 0
    parser: Parser | None = None
    state: State | None = None

    def see(self, part: Part, times: int) -> None:
        """A condition holds or not, a loop runs so many times."""
        self.ways.add((part, times > 0))

    def generated(self, state: State, traced: bool) -> Parser | None:
        """The parser for units behind this state; None as long as there are too few units."""
        if state is not self.state:
            self.state, self.parser = state, None
        if self.parsed >= PLAIN_UNITS and self.known_ways < len(self.ways):
            self.parsed, self.known_ways, self.parser = 0, len(self.ways), None
        if self.parser is None and self.known_ways:
            ways = frozenset(self.ways)
            self.parser = parser_of(self.unit_type, state, ways, traced)
            _last_ways(self.unit_type)[:] = [ways]
        return self.parser


@dataclass(slots=True)
class UnitParser:
    """Parses the units of one walk, as `parse_unit` does."""

    session: Session
    _kinds: dict[int, _Kind] = field(default_factory=dict)

    def parse(self, buffer: memoryview, label: str, first: int, end: int, state: State) -> Unit:
        """Parse bytes `first` .. `end` - 1 as one unit; everything found wrong goes to the session's findings."""
        session = self.session
        # Who observes wants to hear of each condition, and what is given out of band is for the declarations.
        if not session.specialise or session.out_of_band or (session.observe is not None):
            return parse_unit(buffer, label, first, end, state, session)
        kind = self._kind(buffer, first, end)
        if kind is None:
            return parse_unit(buffer, label, first, end, state, session)
        traced = session.trace is not None and not isinstance(session.trace, LateTrace)
        parser = kind.generated(state, traced)
        if parser is not None:
            unit = parse_with(parser, buffer, label, first, end, state, session)
            if unit is not None:
                return unit
        kind.parsed += 1
        session.observe = kind.see
        try:
            return parse_unit(buffer, label, first, end, state, session)
        finally:
            session.observe = None

    def _kind(self, buffer: memoryview, first: int, end: int) -> _Kind | None:
        """What the unit seems to be; None when nothing is known of such units."""
        header = first + (4 if buffer[first] & 0x80 else 2)
        unit_type = buffer[header] >> 2 if header < end else -1
        if unit_type not in PAYLOADS:
            return None
        kind = self._kinds.get(unit_type)
        if kind is None:
            kind = self._kinds[unit_type] = _Kind(unit_type)
            for ways in _last_ways(unit_type):
                kind.ways, kind.known_ways = set(ways), len(ways)
        return kind


@dataclass(slots=True)
class SizeParser:
    """Parses the size fields of the units of one walk, as `parse_size` does."""

    session: Session
    _parsed: int = 0
    _parser: Parser | None = None

    def parse(self, buffer: memoryview, first: int, end: int) -> tuple[Mapping[str, Any], int]:
        """The size field at byte `first` of those before `end`, and the bit behind it. Raises BitstreamError."""
        if self._parser is not None:
            head = bytes(buffer[first : min(first + 4, end)])
            try:
                trees, ends = self._parser(head, buffer, first, end, {}, self.session.limits)
            except GIVEN_UP:
                """What is left is too short."""
            else:
                return trees[0], ends[0]
        self._parsed += 1
        if self.session.specialise and (self._parsed == SIZES or _size_parser.cache_info().currsize):
            self._parser = _size_parser()
        return parse_size(buffer, first, end, self.session)


def parse_with(
    parser: Parser, buffer: memoryview, label: str, first: int, end: int, state: State, session: Session
) -> Unit | None:
    """The unit by a generated parser; None when it gives up, with nothing recorded."""
    trace = session.trace
    late = isinstance(trace, LateTrace)
    mark = 0 if trace is None or late else len(trace)
    record = None if trace is None or late else trace.append
    for window in WINDOWS:
        names = Scope(session, state)
        head = bytes(buffer[first : min(end, first + window)])
        try:
            (size, header, payload), ends = parser(head, buffer, first, end, names, session.limits, label, record)
        except GIVEN_UP:
            if record is not None:
                _drop(trace, mark)
            if first + window >= end:
                return None
            continue
        if ends[2] != 8 * end:
            if record is not None:
                _drop(trace, mark)
            return None
        names.tree = payload
        if isinstance(trace, LateTrace):
            trace.later(lambda: _trace_of(buffer, label, first, end, state, session.limits))
        return Unit(label, first, end, names, size, header, payload, ends[1] >> 3, False)
    return None


def _drop(trace: MutableSequence[TraceEntry] | None, mark: int) -> None:
    if trace is not None:
        del trace[mark:]


def _trace_of(buffer: memoryview, label: str, first: int, end: int, state: State, limits: Limits) -> list[TraceEntry]:
    """The trace of a unit by its declarations."""
    trace: list[TraceEntry] = []
    parse_unit(buffer, label, first, end, state, Session(trace=trace, limits=limits))
    return trace
