"""Valid trees of any declaration, derived from the declaration itself by one walker.

Building takes its values from a source; a source that draws them turns every `Structure` into a generator. What the
declaration says of an element bounds what is drawn: its descriptor, its requirement, its enumeration, the requirements
of variables computed from it, and the loops that it drives.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from hypothesis import assume
from hypothesis import strategies as st

import nnr_conformance.syntax
from nnr_conformance.binary32 import Binary32
from nnr_conformance.bits import BitWriter
from nnr_conformance.descriptors import (
    BitString,
    Bytes,
    Descriptor,
    Float,
    Signed,
    SignedExpGolomb,
    String,
    Unsigned,
    UnsignedExpGolomb,
)
from nnr_conformance.errors import BuildError
from nnr_conformance.expressions import Function, evaluate, names
from nnr_conformance.readings import known_readings
from nnr_conformance.scope import Scope, Session
from nnr_conformance.syntax.declaration import (
    Bound,
    Element,
    Enclosed,
    For,
    If,
    Let,
    OutOfBand,
    Part,
    Structure,
    walk,
)

FEW = 4
"""Most steps of a loop whose count is an element."""

SOME = 70
"""Largest value of an element that drives a loop through a computation, or the length of a bit string."""


@cache
def all_structures() -> dict[str, Structure]:
    """Every `Structure` that a module of the syntax package holds, found by importing them all."""
    found: dict[str, Structure] = {}
    for module in pkgutil.iter_modules(nnr_conformance.syntax.__path__, "nnr_conformance.syntax."):
        for candidate in vars(importlib.import_module(module.name)).values():
            if isinstance(candidate, Structure):
                found[candidate.name] = candidate
    return found


@cache
def _all_parts() -> tuple[Part, ...]:
    return tuple(part for structure in all_structures().values() for part in walk(structure))


@cache
def _elements() -> dict[str, Descriptor]:
    return {part.name: part.descriptor for part in _all_parts() if isinstance(part, Element)}


@cache
def _repeated() -> frozenset[str]:
    loops = [part for part in _all_parts() if isinstance(part, For)]
    return frozenset(part.name for loop in loops for part in walk(loop) if isinstance(part, Element))


@cache
def _largest() -> dict[str, int]:
    """The largest value to draw of each name that drives a loop, a bit string or a project limit."""
    parts = _all_parts()
    few = {name for part in parts if isinstance(part, For) for name in names(part.count) | names(part.first)}
    few |= {part.name for part in parts if isinstance(part, Bound)}
    some: set[str] = set()
    for part in parts:
        if isinstance(part, Element) and isinstance(part.descriptor, BitString):
            some |= names(part.descriptor.count)
    variables = [part for part in parts if isinstance(part, Let)]
    grows = True
    while grows:
        before = len(few) + len(some)
        for variable in variables:
            computed = isinstance(variable.expression, Function)
            if variable.name in some or (variable.name in few and computed):
                some |= names(variable.expression)
            elif variable.name in few:
                few |= names(variable.expression)
        grows = len(few) + len(some) > before
    return dict.fromkeys(some, SOME) | dict.fromkeys(few, FEW)


@dataclass(frozen=True)
class Case:
    """A structure's drawn tree and bits, with the surroundings that it was built in."""

    structure: Structure
    state: Mapping[str, Any]
    out_of_band: Mapping[str, Any]
    tree: Any
    bits: int
    data: bytes
    trace: list[Any] = field(repr=False)


class DrawingSource:
    """A source of building that draws a valid value for every element."""

    def __init__(self, draw: st.DrawFn, structure: Structure) -> None:
        self._draw = draw
        self._checked = [
            (part, names(part.expression) | names(part.must.condition) - {part.name})
            for part in walk(structure)
            if isinstance(part, Let) and part.must is not None
        ]

    def enter(self, name: str, path: str) -> DrawingSource:
        return self

    def value(self, name: str, descriptor: Descriptor, scope: Scope, path: str) -> Any:
        must = descriptor.must
        checks = [let for let, needed in self._checked if name in needed and needed - {name} <= scope.keys()]
        if not checks and (must is None or not must.on_scope):
            return self._draw(values(name, descriptor, scope))
        near = range(-FEW, 2 * FEW) if isinstance(descriptor, SignedExpGolomb) else range(2 * FEW)
        fitting = [candidate for candidate in near if _fits(candidate, name, must, checks, scope)]
        return self._draw(st.sampled_from(fitting))


def _fits(candidate: int, name: str, must: Any, checks: list[Let], scope: Scope) -> bool:
    trial = Scope(scope.session, scope)
    trial[name] = candidate
    if must is not None and not must.holds(candidate, trial):
        return False
    for let in checks:
        trial[let.name] = evaluate(let.expression, trial)
        if not let.must.holds(trial[let.name], trial):
            return False
    return True


def values(name: str, descriptor: Descriptor, scope: Scope) -> st.SearchStrategy[Any]:
    """Values of an element that its descriptor can code and that its requirement allows."""
    largest = _largest().get(name)
    if isinstance(descriptor, BitString):
        return _bit_strings(evaluate(descriptor.count, scope))
    if isinstance(descriptor, Unsigned):
        strategy = _integers(0, (1 << evaluate(descriptor.width, scope)) - 1, largest)
    elif isinstance(descriptor, Signed):
        strategy = st.integers(-(1 << (descriptor.width - 1)), (1 << (descriptor.width - 1)) - 1)
    elif isinstance(descriptor, SignedExpGolomb):
        codes = st.sampled_from(_golomb_boundaries(evaluate(descriptor.order, scope)))
        strategy = codes.map(lambda code: (code + 1) >> 1 if code & 1 else -(code >> 1)) | st.integers(-300, 300)
    elif isinstance(descriptor, UnsignedExpGolomb):
        boundaries = _golomb_boundaries(evaluate(descriptor.order, scope))
        strategy = st.integers(0, largest) if largest else st.integers(0, 300) | st.sampled_from(boundaries)
    elif isinstance(descriptor, Float):
        special = st.sampled_from([0, 1 << 31, 0x7F800000, 0xFF800000, 0x7FC00001, 0x7F812345, 0xFFFFFFFF, 1])
        strategy = (special | st.integers(0, (1 << 32) - 1)).map(Binary32.from_pattern)
    elif isinstance(descriptor, String):
        text = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=6)
        strategy = text | text.map(lambda stem: stem + "_H") | text.map(lambda stem: stem + "_G")
    elif isinstance(descriptor, Bytes):
        strategy = st.binary(max_size=12)
    else:
        raise TypeError(f"no values known for {descriptor!r}")
    must = descriptor.must
    if must is None or must.on_scope:
        return strategy
    if isinstance(descriptor, Unsigned) and evaluate(descriptor.width, scope) <= 8:
        return st.sampled_from(_allowed(descriptor, evaluate(descriptor.width, scope), largest))
    return strategy.filter(lambda drawn: must.holds(drawn, scope))


@cache
def _allowed(descriptor: Unsigned, width: int, largest: int | None) -> tuple[int, ...]:
    assert descriptor.must is not None
    numbers = range(min(1 << width, 1 << 8 if largest is None else largest + 1))
    return tuple(number for number in numbers if evaluate(descriptor.must.condition, number))


def _integers(first: int, last: int, largest: int | None) -> st.SearchStrategy[int]:
    last = last if largest is None else min(last, largest)
    return st.integers(first, last) | st.sampled_from([first, last])


@cache
def _golomb_boundaries(order: int) -> list[int]:
    """First and last values of the codes with 0 to 32 leading zeros."""
    firsts = [((1 << zeros) - 1) << order for zeros in range(34)]
    return sorted({*firsts[:-1], *(first - 1 for first in firsts[1:])})


def _bit_strings(count: int) -> st.SearchStrategy[bytes]:
    size = (count + 7) >> 3
    return st.integers(0, (1 << count) - 1).map(lambda bits: (bits << (8 * size - count)).to_bytes(size, "big"))


CARRIED = (
    "general_profile_idc",
    "mps_topology_indexed_reference_flag",
    "mps_parent_signalling_enabled_flag",
    "G_pending",
    "reference_list",
)
"""What units tell those behind them, besides the readings."""


@st.composite
def surroundings(draw: st.DrawFn, structure: Structure) -> dict[str, Any]:
    """The names that a structure takes from before and around it: carried state, readings, parameters, elements."""
    state: dict[str, Any] = {}
    scope = Scope(Session(), state)
    for name in sorted({*_free_names(structure), *structure.parameters}):
        if name == "reference_list":
            state[name] = tuple(draw(st.lists(st.text(max_size=3), max_size=3)))
        elif name in CARRIED or name in structure.parameters:
            state[name] = draw(st.integers(0, 1))
        elif name.startswith("reading "):
            state[name] = draw(st.sampled_from(list(known_readings()[name.removeprefix("reading ")]["readings"])))
        else:
            descriptor = _elements().get(name)
            state[name] = draw(st.integers(2, FEW) if descriptor is None else values(name, descriptor, scope))
    return state


@cache
def _free_names(structure: Structure) -> frozenset[str]:
    used: set[str] = set()
    defined: set[str] = set()
    for part in (structure, *walk(structure)):
        used |= _names_used(part)
        if isinstance(part, Element | Let):
            defined.add(part.name)
        elif isinstance(part, For):
            defined.add(part.index)
        elif isinstance(part, OutOfBand):
            defined |= set(part.names)
        elif isinstance(part, Structure):
            defined |= set(part.parameters)
    # A parameter set defines some of what is carried only in one edition, so the carried names are always given.
    return frozenset((used - defined) | (used & set(CARRIED)))


def _names_used(part: Part) -> set[str]:
    if isinstance(part, If):
        return names(part.condition)
    if isinstance(part, For):
        return names(part.count) | names(part.first)
    if isinstance(part, Let):
        return names(part.expression)
    if isinstance(part, Enclosed):
        return set().union(*(names(argument) for argument in part.arguments))
    return set()


@cache
def _left_out(structure: Structure) -> tuple[str, ...]:
    parts = [part for part in walk(structure) if isinstance(part, OutOfBand)]
    return tuple(sorted({name for part in parts for name in part.names}))


@st.composite
def out_of_band(draw: st.DrawFn, structure: Structure) -> dict[str, Any]:
    """A value for everything that a structure may leave to the application."""
    scope = Scope(Session())
    given: dict[str, Any] = {}
    for name in _left_out(structure):
        drawn = values(name, _elements()[name], scope)
        given[name] = draw(st.lists(drawn, min_size=1, max_size=FEW) if name in _repeated() else drawn)
    return given


@st.composite
def cases(draw: st.DrawFn, structure: Structure) -> Case:
    """A valid tree of a structure, with its bits and the trace of building them."""
    state = draw(surroundings(structure))
    given = draw(out_of_band(structure))
    session = Session(trace=[], out_of_band=given)
    writer = BitWriter()
    try:
        tree = structure.build_tree(DrawingSource(draw, structure), writer, state, session)
    except BuildError as fault:
        # The dictionary that is aligned only once, at its end, puts strings between byte boundaries; nothing else does.
        if "byte boundary" not in str(fault) or state.get("reading pruning-dictionary") != "once":
            raise
        assume(False)
    assert not list(session.findings)
    bits = writer.position
    writer.bits(0, -bits % 8)
    return Case(structure, state, given, tree, bits, writer.getvalue(), session.trace or [])


def plain(tree: Any) -> Any:
    """A tree as plain values that compare exactly: inferred names included, views as bytes, floats by pattern."""
    if isinstance(tree, Mapping):
        return {name: plain(found) for name, found in tree.items() if name != "_io"}
    if isinstance(tree, list):
        return [plain(item) for item in tree]
    if isinstance(tree, memoryview):
        return bytes(tree)
    return ("pattern", tree.pattern) if isinstance(tree, Binary32) else tree
