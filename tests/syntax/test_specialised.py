"""Generated parsers give what walking the declarations gives, or give up: on all streams, headers and broken bytes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import nnr_conformance
from nnr_conformance.api import chain_decoder
from nnr_conformance.checker.check import check_chain
from nnr_conformance.diagnostics import Findings
from nnr_conformance.encoder.recipe import build_recipe
from nnr_conformance.limits import DEFAULT_LIMITS, Limits
from nnr_conformance.readings import DEFAULT_READINGS
from nnr_conformance.scope import Session, TraceEntry
from nnr_conformance.suite.coverage.samples import samples, stream_files
from nnr_conformance.syntax import repeated_units
from nnr_conformance.syntax.declaration import If, walk
from nnr_conformance.syntax.enumerations import NDU
from nnr_conformance.syntax.repeated_units import PLAIN_UNITS, LateTrace, UnitParser, parse_with, parser_of
from nnr_conformance.syntax.specialised import source_of, specialised
from nnr_conformance.syntax.unit_parser import PAYLOADS, Unit, initial_state, parse_unit
from nnr_conformance.syntax.unit_walker import walk_units
from nnr_conformance.syntax.units import nnr_unit_header, nnr_unit_size
from tests.syntax.strategies import plain
from tests.syntax.test_round_trip import thorough, units

State = Mapping[str, Any]


def as_compared(unit: Unit) -> tuple[Any, ...]:
    trees = (plain(unit.size), plain(unit.header), plain(unit.payload))
    where = (unit.label, unit.first, unit.end, unit.payload_first)
    return *where, unit.unit_type, unit.broken, trees, plain(unit.names.flat())


def by_declarations(
    data: memoryview, first: int, end: int, state: State, limits: Limits = DEFAULT_LIMITS
) -> tuple[Unit, list[TraceEntry], Findings]:
    trace: list[TraceEntry] = []
    session = Session(trace=trace, limits=limits)
    return parse_unit(data, "unit 7", first, end, state, session), trace, session.findings


def by_generated(
    data: memoryview, first: int, end: int, state: State, unit_type: int, limits: Limits = DEFAULT_LIMITS
) -> Unit | None:
    """The unit by the parser for all ways, which has the same outcome and trace with and without recording."""
    trace: list[TraceEntry] = []
    recorded = Session(trace=trace, limits=limits)
    parser = parser_of(unit_type, state, traced=True)
    unit = parse_with(parser, data, "unit 7", first, end, state, recorded)
    silent = parse_with(
        parser_of(unit_type, state), data, "unit 7", first, end, state, Session(trace=None, limits=limits)
    )
    assert not list(recorded.findings)
    if unit is None:
        assert silent is None
        assert not trace
        return None
    assert silent is not None
    assert as_compared(silent) == as_compared(unit)
    assert trace == by_declarations(data, first, end, state, limits)[1]
    return unit


def agrees(data: memoryview, first: int, end: int, state: State, limits: Limits = DEFAULT_LIMITS) -> bool:
    """True when the generated parser did not give up; what it gives must be right then."""
    unit, _, findings = by_declarations(data, first, end, state, limits)
    if unit.unit_type not in PAYLOADS:
        return False
    found = by_generated(data, first, end, state, unit.unit_type, limits)
    if found is None:
        return False
    assert not unit.broken
    assert not list(findings)
    assert as_compared(found) == as_compared(unit)
    return True


def units_of(sample: Any) -> Iterator[tuple[Unit, State]]:
    """The units of a stream with the state before each, which is around their names."""
    session = Session(limits=sample.limits, out_of_band=sample.out_of_band, specialise=False)
    for unit in walk_units(memoryview(sample.data[-1]), session, sample.readings):
        state: Any = unit.names
        while hasattr(state, "parent"):
            state = state.parent
        yield unit, state


def is_regular(data: memoryview, unit: Unit, state: State, limits: Limits) -> bool:
    """True when nothing is wrong with a unit that is no part of another one."""
    again, _, findings = by_declarations(data, unit.first, unit.end, state, limits)
    return not (list(findings) or again.broken or again.get("partial_data_counter_present_flag"))


def test_the_units_of_all_streams_of_the_suite() -> None:
    quick: Counter[int] = Counter()
    regular: Counter[int] = Counter()
    for sample in samples(stream_files([])):
        data = memoryview(sample.data[-1])
        for unit, state in units_of(sample):
            right = agrees(data, unit.first, unit.end, state, sample.limits)
            quick[unit.unit_type] += right
            regular[unit.unit_type] += is_regular(data, unit, state, sample.limits)
    # What gives up on a regular unit is a parser of parameter sets with real numbers, or containers.
    assert all(quick[kind] for kind in PAYLOADS)
    assert quick[NDU] == regular[NDU] > 1000


@thorough
@given(unit=units())
def test_units_made_from_the_declarations_with_every_reading(unit: Any) -> None:
    data, state, parameters, _, _ = unit
    if not parameters:
        agrees(memoryview(data), 0, len(data), state)


@thorough
@given(unit=units(), cut=st.integers(0, 1 << 30), before=st.binary(max_size=3))
def test_units_that_are_cut(unit: Any, cut: int, before: bytes) -> None:
    data, state, _, _, _ = unit
    end = len(before) + max(1, cut % len(data))
    agrees(memoryview(before + data), len(before), end, state)


@thorough
@given(unit=units(), flips=st.lists(st.integers(0, 1 << 12), min_size=1, max_size=4))
def test_units_with_flipped_bits(unit: Any, flips: list[int]) -> None:
    data, state, _, _, _ = unit
    broken = bytearray(data)
    for flip in flips:
        broken[flip // 8 % len(broken)] ^= 1 << flip % 8
    agrees(memoryview(bytes(broken)), 0, len(broken), state)


@thorough
@given(unit=units(), limits=st.builds(Limits, dimensions=st.integers(0, 3), string_bytes=st.integers(0, 9)))
def test_limits_hold(unit: Any, limits: Limits) -> None:
    data, state, _, _, _ = unit
    agrees(memoryview(data), 0, len(data), state, limits)


def stream_of(kinds: str) -> memoryview:
    """A stream with a unit for each letter of KINDS; names of elements are all different."""
    recipe: list[dict[str, Any]] = [{"NNR_STR": {"general_profile_idc": 1}}, {"NNR_MPS": {"mps_qp_density": 2}}]
    for number, kind in enumerate(kinds):
        elements = {"topology_elem_id": f"layer.{number}.{kind}", **KINDS[kind]}
        recipe.append({"NNR_NDU": elements})
    return memoryview(build_recipe(recipe).data)


_ENTRIES = [[value, 1, -1] for value in range(9)]
KINDS: dict[str, dict[str, Any]] = {
    "r": {"float32": [[1.5, 2.5]]},
    "c": {"tensors": [{"levels": [[1, 0, 2], [-1, 0, 3]]}]},
    "s": {"scan_order": 1, "tensors": [{"levels": _ENTRIES}]},
    "q": {"dq_flag": 1, "scan_order": 1, "tensors": [{"levels": _ENTRIES}]},
    "x": {"scan_order": 9, "tensors": [{"levels": [[1, 0], [2, 3]]}]},
    "u": {"tensors": [{"levels": [[1, 0, 2], [-1, 0, 3]]}], "behind": b"\0\1"},
}
"""Raw, coded, scanned in blocks, with dependent quantization; a reserved scan order, and bytes behind the last."""


def walked(stream: memoryview, trace: Any, specialise: bool) -> Iterator[tuple[Any, ...]]:
    """What walking a stream gives for each unit, with its trace and its findings."""
    session = Session(trace=trace, specialise=specialise)
    for unit in walk_units(stream, session):
        found = list(session.findings)
        session.findings.diagnostics.clear()
        yield as_compared(unit), None if trace is None else list(trace), found
        if trace is not None:
            trace.clear()


@given(kinds=st.text("".join(KINDS), min_size=1, max_size=30))
@thorough
def test_walks_with_units_of_many_kinds(kinds: str) -> None:
    stream = stream_of("r" * PLAIN_UNITS + kinds + "c" * PLAIN_UNITS + kinds)
    expected = list(walked(stream, [], specialise=False))
    assert list(walked(stream, [], specialise=True)) == expected
    assert list(walked(stream, LateTrace(), specialise=True)) == expected


def test_a_parser_is_generated_after_some_units_again_when_others_come_and_kept_for_later_streams() -> None:
    repeated_units._last_ways.cache_clear()
    stream = stream_of("r" * (PLAIN_UNITS + 2) + "c" * (PLAIN_UNITS + 2))
    session, calls = Session(specialise=True), []
    parser = UnitParser(session)
    for unit in walk_units(stream, Session(specialise=False)):
        state = unit.names.parent.parent.parent  # type: ignore[attr-defined] # units of one model have the same state
        session.trace = LateTrace()
        parser.parse(stream, unit.label, unit.first, unit.end, state)
        calls.append(session.trace.is_late)
    plain_units, quick = [False] * PLAIN_UNITS, [True] * 2
    assert calls[2:] == [*plain_units, *quick, *plain_units, *quick]
    session.trace = LateTrace()
    UnitParser(session).parse(stream, unit.label, unit.first, unit.end, state)
    assert session.trace.is_late


def test_checking_and_decoding_give_the_same_with_generated_parsers() -> None:
    stream = bytes(stream_of("rcsq" * 20 + "x" + "rc" * 20 + "u" + "c" * 20))
    reports, decoded = [], []
    for compiled in (None, False):
        reports.append(check_chain(chain_decoder(stream, compiled=compiled)))
        decoded.append(nnr_conformance.decode(stream, compiled=compiled))
    assert reports[0] == reports[1]
    assert reports[0].diagnostics
    assert decoded[0].digests == decoded[1].digests
    assert decoded[0].diagnostics == decoded[1].diagnostics


def test_what_is_given_out_of_band_is_seen_by_every_unit() -> None:
    missing = {"input_parameters_present_flag": 0, "tensors": [{"levels": [[1, 0]]}]}
    given_shape = {"tensor_dimensions": [1, 2]}
    recipe: list[dict[str, Any]] = [{"NNR_STR": {}}, {"NNR_MPS": {"mps_qp_density": 2}}]
    recipe += [
        {"NNR_NDU": {"topology_elem_id": f"w{number}", "out_of_band": given_shape, **missing}}
        for number in range(2 * PLAIN_UNITS)
    ]
    stream = build_recipe(recipe).data
    assert len(nnr_conformance.decode(stream, out_of_band=given_shape).tensors) == 2 * PLAIN_UNITS
    assert not nnr_conformance.decode(stream).tensors


def test_without_ways_to_go_all_branches_are_generated_and_with_them_only_those() -> None:
    structures = (nnr_unit_size, nnr_unit_header, PAYLOADS[NDU])
    state = initial_state(DEFAULT_READINGS)
    whole, _ = source_of(structures, state, {"nnr_unit_type": NDU})
    ways = frozenset((part, False) for one in structures for part in walk(one) if isinstance(part, If))
    short, _ = source_of(structures, state, {"nnr_unit_type": NDU}, ways)
    for name in ("codebook_egk", "bit_offset_delta", "device_id"):
        assert (name in whole) is (name != "device_id"), "the first edition has no nodes"
        assert name not in short


@pytest.mark.parametrize("count", [1, PLAIN_UNITS, 3 * PLAIN_UNITS])
def test_a_late_trace_is_that_of_the_last_unit_alone(count: int) -> None:
    stream = stream_of("c" * count)
    for (_, late, _), (_, eager, _) in zip(walked(stream, LateTrace(), True), walked(stream, [], True), strict=True):
        assert late == eager


def test_who_forces_interpreted_execution_gets_the_declarations_walked() -> None:
    stream = bytes(stream_of("c" * (PLAIN_UNITS + 2)))
    generated = []
    for compiled in (False, None):
        specialised.cache_clear()
        nnr_conformance.decode(stream, compiled=compiled)
        generated.append(specialised.cache_info().misses > 0)
    assert generated == [False, True]
