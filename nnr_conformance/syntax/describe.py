"""Declarations as rows of a syntax table (clause 6 notation), for printing and for the pages of the specification.

An enclosed structure is one row and is not expanded, as in the standard; `structures` lists all of them by name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal

from nnr_conformance.descriptors import BitString, Descriptor, Must
from nnr_conformance.expressions import linear, render
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
    walk,
)
from nnr_conformance.syntax.unit_parser import PAYLOADS
from nnr_conformance.syntax.units import nnr_unit_header, nnr_unit_size

Kind = Literal[
    "start",
    "element",
    "alignment",
    "condition",
    "otherwise",
    "loop",
    "variable",
    "outside",
    "limit",
    "structure",
    "end",
]
"""What a row is. start, end: of a structure, condition or loop; structure: an enclosed one; variable: takes no bits;
outside: an element that comes from outside the stream; limit: a project limit, no rule of the standard."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a syntax table.

    `name`: the element, variable or enclosed structure of the row, else empty. `descriptor`: such as ``u(8)``.
    `requirement`: what the value must be, with the code that a violation gives. `inferred`: the value when absent.
    """

    kind: Kind
    indentation: int
    text: str
    name: str = ""
    descriptor: str = ""
    requirement: str = ""
    inferred: str = ""


def structures() -> Mapping[str, Structure]:
    """All syntax structures by name, each enclosing one before those that it encloses."""
    found: dict[str, Structure] = {}
    for root in (nnr_unit_size, nnr_unit_header, *PAYLOADS.values()):
        for part in (root, *walk(root)):
            if isinstance(part, Structure):
                found.setdefault(part.name, part)
    return found


def describe(structure: Structure) -> tuple[Row, ...]:
    """The rows of a structure's table, from its name to its closing brace."""
    parameters = ", ".join(structure.parameters)
    rows = [Row("start", 0, f"{structure.name}( {parameters} ) {{" if parameters else f"{structure.name}( ) {{")]
    rows += _rows(structure.members, 1, ())
    rows.append(Row("end", 0, "}"))
    return tuple(rows)


def render_table(rows: Sequence[Row]) -> str:
    """The rows as text: syntax, descriptor, requirement of the value, value when absent."""
    titles = ("syntax", "descriptor", "value", "when absent")
    cells = [("    " * row.indentation + row.text, row.descriptor, row.requirement, row.inferred) for row in rows]
    used = [column for column in range(len(titles)) if column < 2 or any(line[column] for line in cells)]
    # A long condition has nothing beside it, so it may stick out instead of pushing the descriptors away.
    beside = [titles, *(line for line in cells if any(line[1:]))]
    widths = {column: max(len(line[column]) for line in beside) for column in used}
    lines = [titles, tuple("-" * widths.get(column, 0) for column in range(len(titles))), *cells]
    return "\n".join("  ".join(line[column].ljust(widths[column]) for column in used).rstrip() for line in lines)


def _rows(parts: Sequence[Part], indentation: int, loops: tuple[str, ...]) -> Iterator[Row]:
    for part in parts:
        if isinstance(part, Element):
            yield from _element(part, indentation, loops)
        elif isinstance(part, Alignment):
            yield Row("alignment", indentation, "byte_alignment( )")
        elif isinstance(part, Enclosed):
            yield _enclosed(part, indentation)
        elif isinstance(part, If):
            yield from _condition(part, indentation, loops)
        elif isinstance(part, For):
            yield Row("loop", indentation, loop_text(part))
            yield from _rows(part.members, indentation + 1, (*loops, part.index))
            yield Row("end", indentation, "}")
        elif isinstance(part, Let):
            computed = render(part.expression) or '""'
            text = f"{part.name} = {computed}"
            yield Row("variable", indentation, text, part.name, requirement=_requirement(part.must))
        elif isinstance(part, Bound):
            yield Row("limit", indentation, f"{part.name} <= limit {part.limit}", part.name, requirement=part.code)
        elif isinstance(part, OutOfBand):
            otherwise = "" if part.default is None else f", else {part.default}"
            for name in part.names:
                yield Row("outside", indentation, name, name, inferred=f"out of band{otherwise}")
        else:
            raise TypeError(f"{part!r} has no row")


def _element(part: Element, indentation: int, loops: tuple[str, ...]) -> Iterator[Row]:
    descriptor = part.descriptor
    if isinstance(descriptor, BitString):
        index = next(name for name in "jkl" if name not in loops)
        yield Row("loop", indentation, f"for( {index} = 0; {index} < {render(descriptor.count)}; {index}++ ) {{")
        yield _element_row(part, descriptor, indentation + 1, (*loops, index))
        yield Row("end", indentation, "}")
    else:
        yield _element_row(part, descriptor, indentation, loops)


def _element_row(part: Element, descriptor: Descriptor, indentation: int, loops: tuple[str, ...]) -> Row:
    return Row(
        "element",
        indentation,
        part.name + "".join(f"[ {index} ]" for index in loops),
        part.name,
        descriptor.label(),
        _requirement(descriptor.must),
        "" if descriptor.infer is None else str(descriptor.infer),
    )


def _enclosed(part: Enclosed, indentation: int) -> Row:
    arguments = ", ".join(render(argument) for argument in part.arguments)
    call = f"{part.structure.name}( {arguments} )" if arguments else f"{part.structure.name}( )"
    text = call if part.name == part.structure.name else f"{part.name}: {call}"
    return Row("structure", indentation, text, part.structure.name)


def _condition(part: If, indentation: int, loops: tuple[str, ...]) -> Iterator[Row]:
    yield Row("condition", indentation, f"if( {_condition_text(part)} ) {{")
    while True:
        yield from _rows(part.members, indentation + 1, loops)
        following = part.otherwise[0] if len(part.otherwise) == 1 else None
        if not isinstance(following, If):
            break
        yield Row("otherwise", indentation, f"}} else if( {_condition_text(following)} ) {{")
        part = following
    if part.otherwise:
        yield Row("otherwise", indentation, "} else {")
        yield from _rows(part.otherwise, indentation + 1, loops)
    yield Row("end", indentation, "}")


def _condition_text(part: If) -> str:
    """The condition, with values of enumerated elements by name: ``nnr_unit_type == NNR_STR``."""

    def named(match: re.Match[str]) -> str:
        name, operator, number = match.groups()
        meaning = _enumerations().get(name, {}).get(int(number), number)
        return f"{name} {operator} {meaning if meaning.isidentifier() else number}"

    return re.sub(r"(\w+) (==|!=) (\d+)", named, render(part.condition))


@cache
def _enumerations() -> dict[str, Mapping[int, str]]:
    parts = (part for structure in structures().values() for part in walk(structure))
    elements = (part for part in parts if isinstance(part, Element))
    return {element.name: element.descriptor.enum.values for element in elements if element.descriptor.enum is not None}


def loop_text(loop: For) -> str:
    """The head of a loop; bounds are simplified, so that loops that count down look as in the standard."""
    index = loop.index
    if loop.step == 1:
        behind = linear(loop.first + loop.count)
        return f"for( {index} = {render(loop.first)}; {index} < {behind}; {index}++ ) {{"
    last = linear(loop.first - loop.count + 1)
    return f"for( {index} = {render(loop.first)}; {index} >= {last}; {index}-- ) {{"


def _requirement(must: Must | None) -> str:
    return "" if must is None else f"{render(must.condition)} ({must.code})"
