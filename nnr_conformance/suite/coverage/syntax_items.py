"""Coverage of the syntax: elements and the ends of their ranges, enumerations, conditions both ways, loops."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from nnr_conformance.descriptors import (
    Bytes,
    Descriptor,
    Float,
    Signed,
    SignedExpGolomb,
    String,
    Unsigned,
    UnsignedExpGolomb,
)
from nnr_conformance.expressions import render
from nnr_conformance.scope import Scope, Session, TraceEntry
from nnr_conformance.suite.coverage.items import Item, StreamHits
from nnr_conformance.syntax.declaration import Element, Enclosed, For, If, Part
from nnr_conformance.syntax.describe import structures

BROADEST = 16
"""Bits of an element up to which the ends of its range are items; wider ones have a large value instead."""
LARGE = 1 << 14
ELEMENTS, VALUES, BRANCHES, LOOPS = "elements", "values", "branches", "loops"


def syntax_universe() -> Iterator[Item]:
    """Items of the declarations."""
    for structure in structures().values():
        for part in _own_parts(structure):
            if isinstance(part, Element):
                yield from _element_items(part)
            elif isinstance(part, If):
                yield from (Item(BRANCHES, f"{part_names()[id(part)]}: {way}") for way in ("holds", "does not hold"))
            elif isinstance(part, For):
                yield from (Item(LOOPS, f"{part_names()[id(part)]}: {times}") for times in ("never", "once", "often"))


def _element_items(part: Element) -> Iterator[Item]:
    yield Item(ELEMENTS, part.name)
    if part.descriptor.infer is not None:
        yield Item(ELEMENTS, f"{part.name} (inferred)")
    yield from (Item(VALUES, f"{part.name}: {name}") for name in _value_names(part.descriptor))


def _own_parts(part: Part) -> Iterator[Part]:
    """Parts of one structure, without those of structures that it encloses."""
    for inner in part.parts():
        if not isinstance(inner, Enclosed):
            yield inner
            yield from _own_parts(inner)


@cache
def part_names() -> Mapping[int, str]:
    """Names of conditions and loops by the identity of their part: structure, number in it, text."""
    keys: dict[int, str] = {}
    for structure in structures().values():
        number = 0
        for part in _own_parts(structure):
            if isinstance(part, (If, For)) and id(part) not in keys:
                number += 1
                text = render(part.condition) if isinstance(part, If) else f"{part.index} < {render(part.count)}"
                keys[id(part)] = f"{structure.name} #{number} ({text})"
    return keys


def _value_names(descriptor: Descriptor) -> list[str]:
    """The values of an element that are items of their own."""
    if descriptor.enum is not None:
        return [meaning for number, meaning in descriptor.enum.values.items() if _allowed(descriptor, number)]
    if isinstance(descriptor, (Unsigned, Signed)):
        ends = _ends(descriptor)
        return [str(end) for end in ends] if ends else ["zero", "large"]
    if isinstance(descriptor, SignedExpGolomb):
        return ["negative", "zero", "positive"]
    if isinstance(descriptor, UnsignedExpGolomb):
        return [name for name, one in (("zero", 0), ("one", 1), ("more", 2)) if _allowed(descriptor, one)]
    names: Mapping[type, list[str]] = {
        String: ["empty", "ASCII", "beyond ASCII"],
        Float: ["negative", "zero", "positive"],
        Bytes: ["no byte", "bytes"],
    }
    return names.get(type(descriptor), [])


@cache
def _ends(descriptor: Descriptor) -> tuple[int, ...]:
    """The lowest and the highest value that is allowed; empty for broad elements and for widths that vary."""
    width = getattr(descriptor, "width", None)
    if not isinstance(width, int) or width > BROADEST:
        return ()
    lowest, highest = (-(1 << width - 1), 1 << width - 1) if isinstance(descriptor, Signed) else (0, 1 << width)
    allowed = [number for number in range(lowest, highest) if _allowed(descriptor, number)]
    return (allowed[0], allowed[-1]) if allowed[0] != allowed[-1] else (allowed[0],)


def _allowed(descriptor: Descriptor, number: int) -> bool:
    must = descriptor.must
    return must is None or must.on_scope or must.holds(number, Scope(Session()))


def _names_of(descriptor: Descriptor, found: Any) -> Iterator[str]:
    """The value items that a value is one of."""
    if descriptor.enum is not None:
        yield descriptor.enum.meaning(found)
    elif isinstance(descriptor, (Unsigned, Signed)):
        ends = _ends(descriptor)
        if ends:
            yield str(found)
        elif found == 0 or found >= LARGE:
            yield "zero" if found == 0 else "large"
    elif isinstance(descriptor, (SignedExpGolomb, Float)):
        yield "negative" if found < 0 else "positive" if found > 0 else "zero"
    elif isinstance(descriptor, UnsignedExpGolomb):
        yield ("zero", "one", "more")[min(found, 2)]
    elif isinstance(descriptor, String):
        yield "empty" if not found else "ASCII" if found.isascii() else "beyond ASCII"
    elif isinstance(descriptor, Bytes):
        yield "bytes" if len(found) else "no byte"


class SyntaxObserver:
    """Counts conditions and loops as they are evaluated, and elements from the trace."""

    def __init__(self, hits: StreamHits) -> None:
        self._hits = hits

    def part(self, part: Any, outcome: int) -> None:
        """A condition held (1) or not (0); a loop ran so many times."""
        key = part_names().get(id(part))
        if key is None:
            return
        if isinstance(part, If):
            self._hits.add(BRANCHES, f"{key}: {'holds' if outcome else 'does not hold'}")
        else:
            self._hits.add(LOOPS, f"{key}: {('never', 'once', 'often')[min(outcome, 2)]}")

    def elements(self, trace: list[TraceEntry]) -> None:
        """The elements of a unit."""
        for entry in trace:
            name = entry.name.partition("[")[0]
            if entry.inferred:
                self._hits.add(ELEMENTS, f"{name} (inferred)")
                continue
            self._hits.add(ELEMENTS, name)
            if entry.descriptor is not None:
                for value_name in _names_of(entry.descriptor, entry.value):
                    self._hits.add(VALUES, f"{name}: {value_name}")
