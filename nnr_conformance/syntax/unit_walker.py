"""All units of a stream in order, aggregates unfolded, with what parameter sets tell the units behind them (clause 6).

The walk is the flattened sequence of units on which the rules of order are defined (R-AGG-14): an aggregate unit comes
first, then the units that it encloses. Sources: standard facts C.2, D.12; high-level-syntax facts 2.6.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from typing import Any

from nnr_conformance.framing import frame
from nnr_conformance.readings import DEFAULT_READINGS, Readings
from nnr_conformance.scope import Session, joined
from nnr_conformance.syntax.compressed_data import holds_h
from nnr_conformance.syntax.enumerations import AGG, CPT_DC, MPS, PT_BLOCK, STR, unit_type_name
from nnr_conformance.syntax.repeated_units import UnitParser
from nnr_conformance.syntax.unit_parser import Unit, initial_state

State = Mapping[str, Any]


def walk_units(
    buffer: memoryview,
    session: Session,
    readings: Readings = DEFAULT_READINGS,
) -> Iterator[Unit]:
    """Frame and parse the units of a stream one after the other; units that enclosed ones follow their aggregate unit.

    Everything found wrong goes to the session's findings, and no exception leaves. When a unit is delivered, the trace
    and the findings of that unit are complete; its state is that of the moment and does not change later.
    """
    if not buffer:
        session.findings.report("stream_empty", "no byte at all", bits=(0, 0))
    state: State = initial_state(readings)
    parser = UnitParser(session)
    for span in frame(buffer, session):
        unit = parser.parse(buffer, span.label, span.first, span.end, state)
        state = state_after(unit, state, readings)
        yield unit
        state = _with_list_of(session, state)
        if unit.unit_type == AGG and not unit.broken:
            state = yield from _enclosed_units(buffer, unit, state, parser, readings, depth=1)


def state_after(unit: Unit, state: State, readings: Readings) -> State:
    """The names that the declarations of the next unit see: a start unit resets them, a model parameter set sets some.

    ``G_pending`` says that the factor G of a decomposed tensor came in the unit just before, so that H is due
    (R-ORD-14). It is kept while the parts of a partitioned unit follow each other.
    """
    if unit.unit_type == STR:
        reset = initial_state(readings)
        return reset if unit.broken else {**reset, "general_profile_idc": unit.get("general_profile_idc")}
    if unit.unit_type == MPS:
        names = ("mps_topology_indexed_reference_flag", "mps_parent_signalling_enabled_flag")
        return {**state, "G_pending": 0} | {name: unit.get(name) for name in names}
    # A part of a list, or a compressed one, is read by whoever takes the unit.
    if "topology_elements_ids_list" in unit.payload and not unit.broken:
        state = {**state, "reference_list": tuple(unit.payload["topology_elements_ids_list"]["topology_elem_id_list"])}
    if unit.unit_type == AGG or (unit.is_part and unit.get("partial_data_counter") > 1):
        return state
    pending = int(_holds_g(unit))
    # Who has a parser for this state need not look at each name of another one.
    return state if state["G_pending"] == pending else {**state, "G_pending": pending}


def _with_list_of(session: Session, state: State) -> State:
    found, session.reference_list = session.reference_list, None
    return state if found is None else {**state, "reference_list": found}


def _holds_g(unit: Unit) -> bool:
    return (
        # Of the names used here this one is the last in the header, and only headers of compressed data have it.
        unit.get("count_tensor_dimensions", 0) > 1
        and unit.get("compressed_parameter_types") & CPT_DC != 0
        and unit.get("nnr_compressed_data_unit_payload_type") != PT_BLOCK
        and not holds_h(unit.get("element_name"), unit.get("G_pending"))
    )


def _enclosed_units(
    buffer: memoryview, aggregate: Unit, state: State, parser: UnitParser, readings: Readings, depth: int
) -> Generator[Unit, None, State]:
    session = parser.session
    if depth > session.limits.aggregate_depth:
        session.findings.report(
            "limit_aggregate_depth",
            f"nested {depth} deep, the limit aggregate_depth is {session.limits.aggregate_depth}",
            bits=(8 * aggregate.first, 8 * aggregate.end),
            path=aggregate.label,
        )
        return state
    starts: list[int] = []
    reached = aggregate.payload_first
    for span in frame(buffer, session, aggregate.payload_first, aggregate.end, aggregate.label):
        unit = parser.parse(buffer, span.label, span.first, span.end, state)
        state = state_after(unit, state, readings)
        _check_type(aggregate, len(starts), unit, session)
        yield unit
        state = _with_list_of(session, state)
        if unit.unit_type == AGG and not unit.broken:
            state = yield from _enclosed_units(buffer, unit, state, parser, readings, depth + 1)
        starts.append(span.first - aggregate.first)
        reached = span.end
    if reached == aggregate.end:
        _check_count(aggregate, len(starts), session)
    _check_entries(aggregate, starts, session)
    return state


def _check_count(aggregate: Unit, found: int, session: Session) -> None:
    declared = aggregate.get("num_of_nnr_units")
    if found != declared:
        first = _header_first(aggregate) + _COUNT_AT
        session.findings.report(
            "aggregate_count",
            f"found {found} units, num_of_nnr_units_minus2 announces {declared}",
            bits=(first, first + 16),
            path=_header_path(aggregate, "num_of_nnr_units_minus2"),
        )


def _check_type(aggregate: Unit, index: int, unit: Unit, session: Session) -> None:
    if not aggregate.get("entry_points_present_flag") or index >= aggregate.get("num_of_nnr_units"):
        return
    announced = aggregate.get("enclosed_unit_type")[index]
    if unit.unit_type not in (announced, -1):
        first = _header_first(aggregate) + _ENTRIES_AT + _ENTRY_SIZE * index
        session.findings.report(
            "aggregate_unit_type",
            f"found {unit_type_name(announced)}, {unit.label} is {unit_type_name(unit.unit_type)}",
            bits=(first, first + 6),
            path=_header_path(aggregate, f"enclosed_unit_type[{index}]"),
        )


def _check_entries(aggregate: Unit, starts: list[int], session: Session) -> None:
    """Entry points against the bytes at which the enclosed units were found, from the start of the aggregate unit.

    One that leads to another enclosed unit is the offset of the wrong unit (R-AGG-04), any other leads to none at all
    (R-AGG-06).
    """
    if not aggregate.get("entry_points_present_flag"):
        return
    numbers = {start: number for number, start in enumerate(starts)}
    for index, (entry, start) in enumerate(zip(aggregate.get("nnr_unit_entry_point"), starts, strict=False)):
        if entry == start:
            continue
        first = _header_first(aggregate) + _ENTRIES_AT + _ENTRY_SIZE * index
        other = numbers.get(entry)
        message = f"found {entry}, {aggregate.label}.{index} starts {start} bytes after its aggregate unit"
        session.findings.report(
            "aggregate_entry_point" if other is None else "aggregate_entry_point_other",
            message if other is None else f"{message}, {aggregate.label}.{other} starts at {entry}",
            bits=(first + 6, first + _ENTRY_SIZE),
            path=_header_path(aggregate, f"nnr_unit_entry_point[{index}]"),
        )


_COUNT_AT, _ENTRIES_AT, _ENTRY_SIZE = 16, 32, 40
"""Bits from the start of nnr_aggregate_unit_header to the count and the entry points, and of one entry point."""


def _header_first(aggregate: Unit) -> int:
    size_field = 32 if aggregate.get("nnr_unit_size_flag") else 16
    common_header = 16 if aggregate.get("partial_data_counter_present_flag") else 8
    return 8 * aggregate.first + size_field + common_header


def _header_path(aggregate: Unit, element: str) -> str:
    return joined(joined(joined(aggregate.label, "nnr_unit_header"), "nnr_aggregate_unit_header"), element)
