"""Parsers as straight-line Python, generated from the declarations: for units of which nothing is wrong.

A generated parser gives just what walking the declarations gives: trees, names, positions, and the trace if it is
wanted. It reads from a window of bits, has local variables in place of look-ups, and no branches on what is known
beforehand, such as the edition and the readings. Whatever is out of the ordinary (a requirement that is not met, a
limit, the end of the unit, a descriptor that is not below) raises an exception, and then the declarations are walked,
which gives the diagnostics. ``python -m nnr_conformance.syntax.specialised`` prints such a parser.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from construct import Container
from construct.expr import BinExpr, Path

from nnr_conformance.bits import LONGEST_PREFIX
from nnr_conformance.descriptors import (
    ByteAlignment,
    Bytes,
    Descriptor,
    Must,
    SignedExpGolomb,
    String,
    Unsigned,
    UnsignedExpGolomb,
)
from nnr_conformance.expressions import Expression, names
from nnr_conformance.scope import SEPARATOR, TraceEntry
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
from nnr_conformance.syntax.enumerations import NDU
from nnr_conformance.syntax.expression_source import ExpressionWriter, Folded, NotSpecialised, constant, variable

PADDING = 64
"""Zero bits behind the window, so that looking ahead needs no care; a parser that has used any of them gives up."""

_MOST_GROUPED = 56
"""Bits that are fetched at once and then taken apart; a larger integer would cost more than another look."""


class Irregular(ValueError):
    """Something is out of the ordinary, so that the declarations have to be walked."""


Parser = Callable[..., tuple[list[Container], list[int]]]
"""`parse(head, buffer, first, end, names, limits, label, record)` to the tree of each structure and the bit behind it.

`head`: bytes of the unit from its first on, as many as are to be looked at; `buffer`, `first`, `end`: where it is;
`names`: gets all names; `label`, `record`: the unit in words and what takes entries of the trace, where there is one.
A parser that gives up raises ValueError or LookupError.
"""

Taken = frozenset[tuple[Part, bool]]
"""Conditions with whether they hold, and loops with whether they run at all: the ways through the declarations."""


@lru_cache(maxsize=64)
def specialised(
    structures: tuple[Structure, ...],
    known: tuple[tuple[str, Any], ...] = (),
    expected: tuple[tuple[str, Any], ...] = (),
    taken: Taken | None = None,
    traced: bool = False,
) -> Parser:
    """The parser of structures that follow each other.

    `known`: values of names that come from before. `expected`: values of elements; with others the parser gives up, and
    so it does where a condition or a loop goes a way that is not in `taken`, which keeps it short (None: all ways).
    `traced`: it records.
    """
    source, bound = source_of(structures, dict(known), dict(expected), taken, traced)
    namespace = dict(bound)
    exec(compile(source, f"<{structures[-1].name}, specialised>", "exec"), namespace)
    parser: Parser = namespace["parse"]
    return parser


def source_of(
    structures: Sequence[Structure],
    known: Mapping[str, Any],
    expected: Mapping[str, Any],
    taken: Taken | None = None,
    traced: bool = False,
) -> tuple[str, dict[str, Any]]:
    """The source of a parser, and the objects that it refers to by name."""
    return _Writer(expected, taken, traced).parser(structures, known)


def condition_names(structures: Iterable[Structure]) -> frozenset[str]:
    """The names that decide which parts are present; it pays to know them beforehand."""
    parts = (part for structure in structures for part in walk(structure))
    return frozenset(name for part in parts if isinstance(part, If) for name in names(part.condition))


@dataclass(slots=True)
class _Facts:
    """What holds at a place of the source, however it is reached.

    `known`: values of names. `local`: names whose values are in local variables. `in_tree`: names that may be in their
    tree already. `inferring`: trees that have a set of inferred names.
    """

    known: dict[str, Any]
    local: set[str] = field(default_factory=set)
    in_tree: set[tuple[str, str]] = field(default_factory=set)
    inferring: set[str] = field(default_factory=set)

    def copy(self) -> _Facts:
        return _Facts(dict(self.known), set(self.local), set(self.in_tree), set(self.inferring))

    def store(self, name: str, folded: Folded | None = None) -> None:
        """A name gets a value, which is in its local variable."""
        self.local.add(name)
        self.known.pop(name, None)
        if folded is not None and folded.known:
            self.known[name] = folded.value

    def forget(self, stored: Iterable[str]) -> None:
        """These names may have got other values."""
        for name in stored:
            self.local.discard(name)
            self.known.pop(name, None)

    def learn(self, condition: Expression) -> None:
        """The condition holds; one that compares a name with a constant tells its value."""
        if isinstance(condition, BinExpr) and condition.op is operator.eq and isinstance(condition.rhs, int):
            for name in names(condition.lhs) if isinstance(condition.lhs, Path) else ():
                self.known[name] = condition.rhs

    def join(self, other: _Facts) -> None:
        """Keep what holds here and there."""
        self.known = {n: v for n, v in self.known.items() if n in other.known and other.known[n] == v}
        self.local &= other.local
        self.in_tree |= other.in_tree
        self.inferring &= other.inferring


@dataclass(slots=True)
class _Place:
    """Where a part is: the local variable of its tree, and the loops around it inside of the structure.

    `lists`: for each element of the loops the variable of the list that it joins. `optional`: it is below a condition
    inside the loop. `path`: the structure in words, behind the label.
    """

    tree: str
    path: str
    loops: tuple[str, ...] = ()
    lists: Mapping[str, str] = field(default_factory=dict)
    optional: bool = False


class _Writer:
    def __init__(self, expected: Mapping[str, Any], taken: Taken | None, traced: bool) -> None:
        self._expected = expected
        self._taken = taken
        self._traced = traced
        self._lines: list[str] = []
        self._depth = 1
        self._numbers: dict[str, int] = {}
        self._bound: dict[str, Any] = {
            "Container": Container,
            "Irregular": Irregular,
            "Entry": TraceEntry,
            "new": tuple.__new__,
            "number": int.from_bytes,
        }

    def parser(self, structures: Sequence[Structure], known: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
        self._put(f"window = number(head) << {PADDING}")
        self._put(f"left = 8 * len(head) + {PADDING}")
        self._put("base = 8 * first + left")
        self._put("used = 0")
        facts: _Facts | None = _Facts(dict(known))
        trees, ends = [], []
        for structure in structures:
            tree, end = self._new("tree"), self._new("end")
            self._put(f"{tree} = Container()")
            if facts is not None:
                facts = self._block(structure.members, facts, _Place(tree, SEPARATOR + structure.name))
            self._put(f"{end} = used or base - left")
            trees.append(tree)
            ends.append(end)
        self._put(f"if left < {PADDING}:")
        self._put("    raise Irregular")
        self._put(f"return [{', '.join(trees)}], [{', '.join(ends)}]")
        header = "def parse(head, buffer, first, end, names, limits, label='', record=None):"
        return "\n".join([header, *self._lines]) + "\n", self._bound

    def _put(self, line: str) -> None:
        self._lines.append("    " * self._depth + line)

    def _new(self, kind: str) -> str:
        self._numbers[kind] = self._numbers.get(kind, 0) + 1
        return f"{kind}_{self._numbers[kind]}"

    def _bind(self, what: Any) -> str:
        """The name of an object in the source."""
        for name, known in self._bound.items():
            if known is what:
                return name
        name = self._new("descriptor" if isinstance(what, Descriptor) else "function")
        self._bound[name] = what
        return name

    def _fold(self, expression: Expression, facts: _Facts, own: str = "") -> Folded:
        return ExpressionWriter(facts.known, facts.local, self._bind).write(expression, own)

    def _block(self, parts: Sequence[Part], facts: _Facts, place: _Place) -> _Facts | None:
        """Parts one after the other; None when the parser always gives up in them."""
        reached: _Facts | None = facts
        for group in _groups(parts):
            if reached is None:
                break
            try:
                reached = self._parts(group, reached, place)
            except NotSpecialised:
                self._put("raise Irregular")
                return None
        return reached

    def _parts(self, group: Sequence[Part], facts: _Facts, place: _Place) -> _Facts | None:
        part = group[0]
        if isinstance(part, If):
            return self._condition(part, facts, place)
        if len(group) > 1:
            self._fetch_group(group, facts, place)
        elif isinstance(part, Element):
            self._element(part, facts, place)
        elif isinstance(part, For):
            self._loop(part, facts, place)
        elif isinstance(part, Enclosed):
            return self._enclosed(part, facts, place)
        elif isinstance(part, Let):
            self._let(part, facts)
        elif isinstance(part, Bound):
            self._give_up_when(f"{self._fold_name(part.name, facts)} > limits.{part.limit}")
        elif isinstance(part, OutOfBand):
            self._out_of_band(part, facts, place)
        elif isinstance(part, Alignment):
            self._alignment(part, place)
        else:
            raise NotSpecialised(type(part).__name__)
        return facts

    def _fold_name(self, name: str, facts: _Facts) -> str:
        return variable(name) if name in facts.local else f"names[{name!r}]"

    def _give_up_when(self, condition: str) -> None:
        self._put(f"if {condition}:")
        self._put("    raise Irregular")

    # Conditions, loops, structures

    def _condition(self, part: If, facts: _Facts, place: _Place) -> _Facts | None:
        condition = self._fold(part.condition, facts)
        if condition.known:
            return self._branch(*part.branches(bool(condition.value)), facts, place)
        if not self._may_go(part, True) or not self._may_go(part, False):
            holds = self._may_go(part, True)
            self._give_up_when(f"not {condition.text}" if holds else condition.text)
            if holds:
                facts.learn(part.condition)
            return self._branch(*part.branches(holds), facts, place)
        inside = _Place(place.tree, place.path, place.loops, place.lists, optional=True)
        otherwise = facts.copy()
        when_true, when_false = part.branches(True), part.branches(False)
        self._put(f"if {condition.text}:")
        facts.learn(part.condition)
        reached = self._indented(*when_true, facts, inside)
        if any(when_false):
            self._put("else:")
            reached_otherwise = self._indented(*when_false, otherwise, inside)
        else:
            reached_otherwise = otherwise
        if reached is None or reached_otherwise is None:
            return reached or reached_otherwise
        reached.join(reached_otherwise)
        return reached

    def _may_go(self, part: Part, way: bool) -> bool:
        return self._taken is None or (part, way) in self._taken

    def _indented(
        self, present: Sequence[Part], absent: Sequence[Element], facts: _Facts, place: _Place
    ) -> _Facts | None:
        self._depth += 1
        before = len(self._lines)
        reached = self._branch(present, absent, facts, place)
        if len(self._lines) == before:
            self._put("pass")
        self._depth -= 1
        return reached

    def _branch(
        self, present: Sequence[Part], absent: Sequence[Element], facts: _Facts, place: _Place
    ) -> _Facts | None:
        reached = self._block(present, facts, place)
        if reached is not None:
            for element in absent:
                self._infer(element, reached, place)
        return reached

    def _loop(self, part: For, facts: _Facts, place: _Place) -> None:
        """Elements join lists that are made before the loop; names have the lists behind it."""
        if place.loops and place.optional:
            raise NotSpecialised("a loop that is not always there, inside a loop")
        count, first = self._fold(part.count, facts), self._fold(part.first, facts)
        lists = dict(place.lists)
        for name in part.element_names:
            items = self._new("items")
            self._put(f"{items} = []")
            if place.loops:
                self._put(f"{place.lists[name]}.append({items})")
            else:
                self._put(f"{place.tree}[{name!r}] = {items}")
            lists[name] = items
        facts.forget(_assigned(part))
        if self._may_go(part, True):
            self._body(part, count, first, facts.copy(), place, lists)
        else:
            self._give_up_when(f"{count.text} > 0")
        if not place.loops:
            for name in part.element_names:
                self._put(f"{variable(name)} = names[{name!r}] = {lists[name]}")
                facts.store(name)
                facts.in_tree.add((place.tree, name))

    def _body(
        self, part: For, count: Folded, first: Folded, facts: _Facts, place: _Place, lists: Mapping[str, str]
    ) -> None:
        steps, index = self._new("number"), variable(part.index)
        self._put(f"for {steps} in range({count.text}):")
        self._depth += 1
        step = {1: f" + {steps}", -1: f" - {steps}"}.get(part.step, f" + {part.step} * {steps}")
        plain = first.known and first.value == 0 and part.step == 1
        self._put(f"{index} = names[{part.index!r}] = {steps if plain else first.text + step}")
        facts.local.add(part.index)
        self._block(part.members, facts, _Place(place.tree, place.path, (*place.loops, index), lists))
        self._depth -= 1

    def _enclosed(self, part: Enclosed, facts: _Facts, place: _Place) -> _Facts | None:
        if place.loops:
            raise NotSpecialised("a structure inside a loop")
        for parameter, argument in zip(part.structure.parameters, part.arguments, strict=True):
            folded = self._fold(argument, facts)
            self._put(f"{variable(parameter)} = names[{parameter!r}] = {folded.text}")
            facts.store(parameter, folded)
        tree = self._new("tree")
        self._put(f"{tree} = Container()")
        reached = self._block(part.structure.members, facts, _Place(tree, f"{place.path}{SEPARATOR}{part.name}"))
        self._put(f"{place.tree}[{part.name!r}] = {tree}")
        return reached

    def _let(self, part: Let, facts: _Facts) -> None:
        folded = self._fold(part.expression, facts)
        self._put(f"{variable(part.name)} = names[{part.name!r}] = {folded.text}")
        facts.store(part.name, folded)
        self._require(part.must, variable(part.name), facts)

    # Elements

    def _element(self, part: Element, facts: _Facts, place: _Place) -> None:
        value = variable(part.name)
        before = self._before()
        size = self._read(part.descriptor, value, facts)
        self._take(part, facts, place, before, size)

    def _fetch_group(self, group: Sequence[Part], facts: _Facts, place: _Place) -> None:
        """Elements of fixed widths: one look at the window, and then at what was found there."""
        elements = [(part, part.descriptor.width) for part in group if isinstance(part, Element)]
        total = sum(width for _, width in elements)
        self._put(f"left -= {total}")
        self._put(f"bits = window >> left & {(1 << total) - 1:#x}")
        rest = total
        for part, width in elements:
            rest -= width
            shifted = f"bits >> {rest}" if rest else "bits"
            masked = shifted if rest + width == total else f"{shifted} & {(1 << width) - 1:#x}"
            self._put(f"{variable(part.name)} = {masked}")
            self._take(part, facts, place, f"base - left - {rest + width}", str(width))

    def _before(self) -> str:
        """The bit at which the next element begins, as an expression that holds behind it."""
        if not self._traced:
            return ""
        self._put("begin = base - left")
        return "begin"

    def _take(self, part: Element, facts: _Facts, place: _Place, first: str, size: str) -> None:
        """An element was read into its local variable."""
        value, name = variable(part.name), part.name
        self._record(name, first, size, value, self._bound_when_traced(part.descriptor), "False", place)
        self._give(name, value, facts, place)
        if name in self._expected:
            self._give_up_when(f"{value} != {self._expected[name]!r}")
            facts.store(name, constant(self._expected[name]))
        self._require(part.descriptor.must, value, facts)

    def _give(self, name: str, text: str, facts: _Facts, place: _Place) -> None:
        if place.loops:
            self._put(f"names[{name!r}] = {text}")
            self._put(f"{place.lists[name]}.append({text})")
        else:
            self._put(f"names[{name!r}] = {place.tree}[{name!r}] = {text}")
            facts.in_tree.add((place.tree, name))
        facts.store(name)

    def _infer(self, part: Element, facts: _Facts, place: _Place) -> None:
        name, inferred = part.name, part.descriptor.infer
        unsure = not place.loops and (place.tree, name) in facts.in_tree
        before = facts.copy()
        if unsure:
            self._put(f"if {name!r} not in {place.tree}:")
            self._depth += 1
        self._put(f"{variable(name)} = {inferred!r}")
        self._give(name, variable(name), facts, place)
        facts.store(name, constant(inferred))
        self._note_inferred(name, facts, place)
        self._record(name, "0", "0", repr(inferred), self._bound_when_traced(part.descriptor), "True", place)
        if unsure:
            self._depth -= 1
            facts.join(before)
            facts.forget([name])

    def _out_of_band(self, part: OutOfBand, facts: _Facts, place: _Place) -> None:
        """What the application gives is left to the plain parser; here it has given nothing."""
        if part.default is None or place.loops:
            raise NotSpecialised(part.names[0])
        for name in part.names:
            self._put(f"{variable(name)} = {part.default!r}")
            self._give(name, variable(name), facts, place)
            facts.store(name, constant(part.default))
            self._note_inferred(name, facts, place)
            self._record(name, "base - left", "0", repr(part.default), "None", "True", place)

    def _note_inferred(self, name: str, facts: _Facts, place: _Place) -> None:
        inferred = f"inferred_{place.tree}"
        if place.tree not in facts.inferring:
            self._put(f"{inferred} = {place.tree}.setdefault('_inferred', set())")
            facts.inferring.add(place.tree)
        self._put(f"{inferred}.add({_subscripted(name, place)})")

    def _require(self, must: Must | None, own: str, facts: _Facts) -> None:
        if must is None:
            return
        condition = self._fold(must.condition, facts, "" if must.on_scope else own)
        if not condition.known:
            self._give_up_when(f"not {condition.text}")
        elif not condition.value:
            raise NotSpecialised(must.code)

    def _bound_when_traced(self, descriptor: Descriptor) -> str:
        return self._bind(descriptor) if self._traced else ""

    def _record(
        self, name: str, first: str, size: str, value: str, descriptor: str, inferred: str, place: _Place
    ) -> None:
        if not self._traced:
            return
        whole = _subscripted(name, place)
        path = f"label + {place.path + SEPARATOR!r}"
        path = f"{path} + {whole}" if place.loops else f"label + {place.path + SEPARATOR + name!r}"
        self._put(f"record(new(Entry, ({path}, {whole}, {first}, {size}, {value}, {descriptor}, {inferred})))")

    # Descriptors

    def _alignment(self, part: Alignment, place: _Place) -> None:
        if type(part.descriptor) is not ByteAlignment:
            raise NotSpecialised(Alignment.name)
        before = self._before()
        self._put("width = left & 7 or 8")
        self._put("left -= width")
        self._give_up_when("window >> left & (1 << width) - 1 != 1 << width - 1")
        if self._traced:
            flat = _Place(place.tree, place.path)
            descriptor = self._bind(part.descriptor)
            self._record(Alignment.name, before, "width", "1 << width - 1", descriptor, "False", flat)

    def _read(self, descriptor: Descriptor, value: str, facts: _Facts) -> str:
        """Read into a local variable; the size in bits as an expression. Raises NotSpecialised."""
        kind = type(descriptor)
        if kind is Unsigned and isinstance(descriptor, Unsigned):
            width = self._fold(descriptor.width, facts)
            if not width.known:
                self._put(f"width = {width.text}")
            self._put(f"left -= {width.text if width.known else 'width'}")
            mask = f"{(1 << width.value) - 1:#x}" if width.known else "(1 << width) - 1"
            self._put(f"{value} = window >> left & {mask}")
            return width.text if width.known else "width"
        if isinstance(descriptor, UnsignedExpGolomb) and kind in (UnsignedExpGolomb, SignedExpGolomb):
            return self._read_exp_golomb(value, self._fold(descriptor.order, facts), kind is SignedExpGolomb)
        if kind is String:
            self._give_up_when("left & 7")
            self._put("at = (base - left >> 3) - first")
            self._put("length = head.index(0, at) - at")
            self._give_up_when("length > limits.string_bytes")
            self._put(f"{value} = head[at : at + length].decode()")
            self._put("left -= 8 * length + 8")
            return "8 * length + 8"
        if kind is Bytes:
            # Behind the last bytes of a unit nothing is left, of the window neither.
            self._give_up_when(f"used or left & 7 or left < {PADDING}")
            self._put("at = base - left >> 3")
            self._put(f"{value} = buffer[at:end]")
            self._put("used = 8 * end")
            self._put(f"left = {PADDING}")
            return "8 * (end - at)"
        raise NotSpecialised(descriptor.label())

    def _read_exp_golomb(self, value: str, order: Folded, signed: bool) -> str:
        """The prefix is looked at in the bits ahead; read with it, the code is a number with one bit too many."""
        window = LONGEST_PREFIX + 1
        self._put(f"width = {window} - (window >> left - {window} & {(1 << window) - 1:#x}).bit_length()")
        self._give_up_when(f"width == {window}")
        if not order.known or order.value:
            self._put(f"left -= 2 * width + 1 + {order.text}")
            width = f"width + {order.text}"
        else:
            self._put("left -= 2 * width + 1")
            width = "width"
        less = f"{1 << order.value}" if order.known else f"(1 << {order.text})"
        self._put(f"{value} = (window >> left & (2 << {width}) - 1) - {less}")
        if signed:
            self._put(f"{value} = ({value} >> 1) + 1 if {value} & 1 else -({value} >> 1)")
        return f"width + 1 + {width}"


def _subscripted(name: str, place: _Place) -> str:
    """An element's name with its subscript, as source."""
    if not place.loops:
        return repr(name)
    return f"f'{name}{''.join(f'[{{{index}}}]' for index in place.loops)}'"


def _groups(parts: Sequence[Part]) -> Iterator[Sequence[Part]]:
    """Elements of fixed widths that follow each other, together; all other parts alone."""
    group: list[Part] = []
    total = 0
    for part in parts:
        width = _fixed_width(part)
        if group and (not width or total + width > _MOST_GROUPED):
            yield group
            group, total = [], 0
        if width:
            group.append(part)
            total += width
        else:
            yield [part]
    if group:
        yield group


def _fixed_width(part: Part) -> int:
    """Bits of an element that is looked at together with others; 0 for all other parts."""
    width = part.descriptor.width if isinstance(part, Element) and type(part.descriptor) is Unsigned else 0
    return width if isinstance(width, int) and width <= _MOST_GROUPED else 0


def _assigned(part: Part) -> Iterator[str]:
    """All names that may get a value inside a part, its own loop variable included."""
    for one in (part, *walk(part)):
        if isinstance(one, Element | Let):
            yield one.name
        elif isinstance(one, For):
            yield one.index
        elif isinstance(one, OutOfBand):
            yield from one.names
        elif isinstance(one, Enclosed):
            yield from one.structure.parameters


if __name__ == "__main__":
    from nnr_conformance.readings import DEFAULT_READINGS
    from nnr_conformance.syntax.unit_parser import initial_state
    from nnr_conformance.syntax.units import nnr_unit_header

    edition_2 = {**initial_state(DEFAULT_READINGS), "general_profile_idc": 1}
    print(source_of((nnr_unit_header,), edition_2, {"nnr_unit_type": NDU})[0], end="")
