"""Declarations as JSON values: every syntax structure with its parts in order (clause 6)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from nnr_conformance.descriptors import (
    BitString,
    Bytes,
    Descriptor,
    Float,
    Must,
    Signed,
    SignedExpGolomb,
    String,
    Unsigned,
    UnsignedExpGolomb,
)
from nnr_conformance.suite.export.expressions import Tree, expression_tree
from nnr_conformance.syntax.declaration import (
    Alignment,
    Bound,
    Element,
    Enclosed,
    For,
    If,
    Let,
    OutOfBand,
    Part,
    Structure,
)
from nnr_conformance.syntax.describe import structures
from nnr_conformance.syntax.notes import Counted
from nnr_conformance.syntax.unit_parser import part_of_payload, unknown_payload

LONGEST_TABLE = 4
"""Elements of at most this many bits have the meanings of all their values in a table."""


def all_structures() -> Mapping[str, Any]:
    """The structures by name, each enclosing one before those that it encloses."""
    known = {**structures(), part_of_payload.name: part_of_payload, unknown_payload.name: unknown_payload}
    return {name: structure_to_json(structure) for name, structure in known.items()}


def structure_to_json(structure: Structure) -> Mapping[str, Any]:
    """One structure: the names of its parameters, and its parts."""
    return {"parameters": list(structure.parameters), "parts": parts_to_json(structure.members)}


def parts_to_json(parts: Sequence[Part]) -> list[Mapping[str, Any]]:
    """Parts in order. Raises TypeError for one that the document cannot say."""
    return [dict(_part(part)) for part in parts]


def _part(part: Part) -> Iterator[tuple[str, Any]]:
    if isinstance(part, Element):
        yield from (("part", "element"), ("name", part.name))
        yield "descriptor", descriptor_to_json(part.descriptor)
        if part.descriptor.infer is not None:
            yield "infer", part.descriptor.infer
        yield from _must(part.descriptor.must)
        yield from _meaning(part.descriptor)
    elif isinstance(part, Alignment):
        yield "part", "alignment"
    elif isinstance(part, Enclosed):
        yield from (("part", "structure"), ("name", part.name), ("structure", part.structure.name))
        yield "arguments", [expression_tree(argument) for argument in part.arguments]
    elif isinstance(part, If):
        yield from (("part", "if"), ("condition", expression_tree(part.condition)))
        yield from (("then", parts_to_json(part.members)), ("else", parts_to_json(part.otherwise)))
    elif isinstance(part, For):
        yield from (("part", "for"), ("index", part.index), ("count", expression_tree(part.count)))
        yield from (("first", expression_tree(part.first)), ("step", part.step))
        yield "parts", parts_to_json(part.members)
    elif isinstance(part, Let):
        yield from (("part", "let"), ("name", part.name), ("value", expression_tree(part.expression)))
        yield from _must(part.must)
    elif isinstance(part, Bound):
        yield from (("part", "limit"), ("name", part.name), ("limit", part.limit), ("code", part.code))
    elif isinstance(part, OutOfBand):
        yield from _outside(part)
    else:
        raise TypeError(f"{part!r} has no place in the document")


def _must(must: Must | None) -> Iterator[tuple[str, Any]]:
    if must is not None:
        yield "must", {"condition": expression_tree(must.condition), "code": must.code}


def _outside(part: OutOfBand) -> Iterator[tuple[str, Any]]:
    yield from (("part", "outside"), ("names", list(part.names)))
    if part.default is not None:
        yield "default", part.default
    yield "code", part.code
    condition, code = part.otherwise
    if condition is not False:
        yield "otherwise", {"condition": expression_tree(condition), "code": code}


def descriptor_to_json(descriptor: Descriptor) -> Mapping[str, Tree]:
    """The descriptor of an element: its `kind`, and what this kind needs. Raises TypeError for an unknown kind."""
    # Signed Exp-Golomb codes are a subclass of the unsigned ones.
    if isinstance(descriptor, SignedExpGolomb):
        return {"kind": "ie", "order": expression_tree(descriptor.order)}
    if isinstance(descriptor, UnsignedExpGolomb):
        return {"kind": "ue", "order": expression_tree(descriptor.order)}
    if isinstance(descriptor, Unsigned):
        return {"kind": "u", "width": expression_tree(descriptor.width)}
    if isinstance(descriptor, Signed):
        return {"kind": "i", "width": descriptor.width}
    if isinstance(descriptor, Float):
        return {"kind": "flt", "width": 32}
    if isinstance(descriptor, String):
        return {"kind": "st"}
    if isinstance(descriptor, BitString):
        return {"kind": "mask", "count": expression_tree(descriptor.count)}
    if isinstance(descriptor, Bytes):
        return {"kind": "bytes", "label": descriptor.label()}
    raise TypeError(f"{descriptor!r} has no place in the document")


def _meaning(descriptor: Descriptor) -> Iterator[tuple[str, Any]]:
    """What values mean: the name of an enumeration, the texts of all values, or a text with a number in it."""
    if descriptor.enum is not None:
        yield "enumeration", descriptor.enum.name
    elif isinstance(descriptor.note, Counted):
        yield "meaning", _counted(descriptor.note)
    elif descriptor.note is not None:
        if not isinstance(descriptor, Unsigned) or not 0 < _fixed_width(descriptor) <= LONGEST_TABLE:
            raise TypeError(f"the note of {descriptor.label()} is neither short nor a Counted")
        yield "meaning", [descriptor.note(value) for value in range(1 << _fixed_width(descriptor))]


def _fixed_width(descriptor: Unsigned) -> int:
    return descriptor.width if isinstance(descriptor.width, int) else 0


def _counted(note: Counted) -> Mapping[str, Any]:
    with_zero = {} if note.zero is None else {"zero": note.zero}
    return {"text": note.text, "plus": note.plus, **with_zero}
