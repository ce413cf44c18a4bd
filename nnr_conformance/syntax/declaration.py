"""The parts that a syntax declaration is made of: structures, elements, conditions, loops, variables (clause 6).

A declaration reads like the syntax table it mirrors::

    tensor_dimensions_list = Structure(
        "tensor_dimensions_list",
        "count_tensor_dimensions" / ue(1),
        For("j", this.count_tensor_dimensions, "tensor_dimensions" / ue(7)),
    )

All parts are `construct.Construct`s. Conditional and repeated elements belong to the tree of the structure around them,
as in the tables; an element inside loops holds a list (of lists) of values. Parsing and building walk the same parts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from construct import Construct, Container, Renamed

from nnr_conformance.bits import BitReader, BitWriter
from nnr_conformance.descriptors import Descriptor, Must
from nnr_conformance.diagnostics import stop
from nnr_conformance.expressions import Expression, evaluate, prepared
from nnr_conformance.scope import Scope, Session, Source, TraceEntry, TreeSource, joined

Member = Any
"""A `Construct` as written in a declaration: a named descriptor or structure, a condition, a loop, a variable."""


class Part(Construct):
    """Base of all parts: parsing and building put elements into the scope instead of returning them."""

    def parts(self) -> tuple[Part, ...]:
        """The parts directly inside, in order."""
        return ()


class Element(Part):
    """One syntax element: a name and its descriptor."""

    def __init__(self, name: str, descriptor: Descriptor) -> None:
        super().__init__()
        self.name = name
        self.descriptor = descriptor

    def _parse(self, reader: BitReader, scope: Scope, path: str) -> None:
        name = self.name
        where = f"{path} · {name}{scope.subscript()}" if scope.indices else f"{path} · {name}"
        first = reader.position
        descriptor = self.descriptor
        element = descriptor._parse(reader, scope, where)
        scope.store(name, element)
        must = descriptor.must
        if must is not None and not must.holds(element, scope):
            message = f"found {element} ({descriptor.meaning(element)})" if descriptor.enum else f"found {element}"
            scope.session.findings.report(must.code, message, bits=(first, reader.position), path=where)

    def _build(self, source: Source, writer: BitWriter, scope: Scope, path: str) -> None:
        where = joined(path, self.name + scope.subscript())
        element = source.value(self.name, self.descriptor, scope, where)
        scope.store(self.name, self.descriptor._build(element, writer, scope, where))

    def infer(self, scope: Scope, path: str) -> None:
        """Give the element its inferred value, because it is absent, unless a part in its place has given it one."""
        inferred = self.descriptor.infer
        if self.name in scope.tree and not scope.indices:
            return
        scope.store(self.name, inferred)
        name = self.name + scope.subscript()
        scope.tree.setdefault("_inferred", set()).add(name)
        scope.session.record(TraceEntry(joined(path, name), name, 0, 0, inferred, self.descriptor, True))


class Alignment(Part):
    """byte_alignment(): bits without a value of their own in the tree."""

    name = "byte_alignment()"

    def __init__(self, descriptor: Descriptor) -> None:
        super().__init__()
        self.descriptor = descriptor

    def _parse(self, reader: BitReader, scope: Scope, path: str) -> None:
        self.descriptor._parse(reader, scope, joined(path, "byte_alignment()"))

    def _build(self, source: Source, writer: BitWriter, scope: Scope, path: str) -> None:
        code = 1 << (7 - (writer.position & 7))
        self.descriptor._build(code, writer, scope, joined(path, "byte_alignment()"))


class Structure(Part):
    """A syntax structure: its standard name, its members in order, the parameters that its callers give."""

    def __init__(self, name: str, *members: Member, parameters: tuple[str, ...] = ()) -> None:
        super().__init__()
        self.name = name
        self.parameters = parameters
        self.members = tuple(_part(member) for member in members)

    def __call__(self, *arguments: Expression) -> Enclosed:
        """The structure as a member of another one, with values for its parameters."""
        return Enclosed(self.name, self, arguments)

    def parts(self) -> tuple[Part, ...]:
        return self.members

    def _parse(self, reader: BitReader, scope: Scope, path: str) -> Container:
        here = joined(path, self.name)
        for member in self.members:
            member._parse(reader, scope, here)
        return scope.tree

    def _build(self, source: Source, writer: BitWriter, scope: Scope, path: str) -> Container:
        here = joined(path, self.name)
        for member in self.members:
            member._build(source, writer, scope, here)
        return scope.tree

    def parse_tree(
        self, reader: BitReader, state: Any = None, session: Session | None = None, path: str = ""
    ) -> Container:
        """Parse the structure at the reader's cursor into a tree.

        `state`: values of names that come from other structures, such as general_profile_idc, and of the readings.
        Raises BitstreamError; other violations go to the session's findings.
        """
        return self._parse(reader, Scope(session or Session(), state), path)

    def build_tree(
        self, source: Source, writer: BitWriter, state: Any = None, session: Session | None = None, path: str = ""
    ) -> Container:
        """Write the structure with the values of `source`; returns the tree of what was written. Raises BuildError."""
        return self._build(source, writer, Scope(session or Session(), state), path)

    def build_bytes(self, tree: Any, state: Any = None, session: Session | None = None) -> bytes:
        """The bytes of a tree of a structure that ends byte aligned. Raises BuildError."""
        writer = BitWriter()
        self.build_tree(TreeSource(tree), writer, state, session)
        return writer.getvalue()


class Enclosed(Part):
    """A structure inside another one; its names are visible behind it, as all names are in the standard."""

    def __init__(self, name: str, structure: Structure, arguments: tuple[Expression, ...] = ()) -> None:
        super().__init__()
        self.name = name
        self.structure = structure
        self.arguments = arguments

    def parts(self) -> tuple[Part, ...]:
        return (self.structure,)

    def _enter(self, scope: Scope) -> Scope:
        inner = Scope(scope.session, scope)
        for parameter, argument in zip(self.structure.parameters, self.arguments, strict=True):
            inner[parameter] = evaluate(argument, scope)
        return inner

    def _leave(self, inner: Scope, scope: Scope) -> None:
        scope.tree[self.name] = inner.tree
        for name, found in inner.items():
            scope[name] = found

    def _parse(self, reader: BitReader, scope: Scope, path: str) -> None:
        inner = self._enter(scope)
        here = joined(path, self.name)
        try:
            for member in self.structure.members:
                member._parse(reader, inner, here)
        finally:
            # What could be read of a broken structure is kept: the id of a tensor tells which one was lost.
            self._leave(inner, scope)

    def _build(self, source: Source, writer: BitWriter, scope: Scope, path: str) -> None:
        inner = self._enter(scope)
        here = joined(path, self.name)
        entered = source.enter(self.name, path)
        for member in self.structure.members:
            member._build(entered, writer, inner, here)
        self._leave(inner, scope)


class If(Part):
    """Members that are present when a condition holds; `otherwise` are those present when it does not."""

    def __init__(self, condition: Expression, *members: Member, otherwise: tuple[Member, ...] = ()) -> None:
        super().__init__()
        self.condition = condition
        self._holds = prepared(condition)
        self.members = tuple(_part(member) for member in members)
        self.otherwise = tuple(_part(member) for member in otherwise)
        self._when_true = self.members, tuple(_inferring(self.otherwise))
        self._when_false = self.otherwise, tuple(_inferring(self.members))

    def branches(self, holds: bool) -> tuple[tuple[Part, ...], tuple[Element, ...]]:
        """The present parts and the absent elements that have an inferred value, by what the condition says."""
        return self._when_true if holds else self._when_false

    def parts(self) -> tuple[Part, ...]:
        return self.members + self.otherwise

    def _choose(self, scope: Scope) -> tuple[tuple[Part, ...], tuple[Element, ...]]:
        """The present parts and the absent elements that have an inferred value.

        What is present may give a value to a name that is absent too.
        """
        holds = self._holds(scope)
        if scope.session.observe is not None:
            scope.session.observe(self, int(bool(holds)))
        return self._when_true if holds else self._when_false

    def _parse(self, reader: BitReader, scope: Scope, path: str) -> None:
        present, absent = self._choose(scope)
        for part in present:
            part._parse(reader, scope, path)
        for part in absent:
            part.infer(scope, path)

    def _build(self, source: Source, writer: BitWriter, scope: Scope, path: str) -> None:
        present, absent = self._choose(scope)
        for part in present:
            part._build(source, writer, scope, path)
        for part in absent:
            part.infer(scope, path)


class For(Part):
    """Members repeated `count` times; the loop variable `index` counts from `first` in steps of `step`.

    Lists of values are in coded order, whatever the loop variable counts.
    """

    def __init__(self, index: str, count: Expression, *members: Member, first: Expression = 0, step: int = 1) -> None:
        super().__init__()
        self.index = index
        self.count = count
        self.first = first
        self.step = step
        self.members = tuple(_part(member) for member in members)
        self._elements = tuple(_elements(self))

    @property
    def element_names(self) -> tuple[str, ...]:
        """Names of the elements that become lists by the loop."""
        return self._elements

    def parts(self) -> tuple[Part, ...]:
        return self.members

    def _steps(self, scope: Scope) -> Iterator[int]:
        first, count = evaluate(self.first, scope), evaluate(self.count, scope)
        if scope.session.observe is not None:
            scope.session.observe(self, count)
        for number in range(count):
            scope[self.index] = first + self.step * number
            scope.indices.append(number)
            scope.subscripts.append(scope[self.index])
            yield number
            scope.indices.pop()
            scope.subscripts.pop()
        for name in self._elements:
            items = scope.open_list(name)
            if not scope.indices:
                scope[name] = items

    def _parse(self, reader: BitReader, scope: Scope, path: str) -> None:
        for _ in self._steps(scope):
            for part in self.members:
                part._parse(reader, scope, path)

    def _build(self, source: Source, writer: BitWriter, scope: Scope, path: str) -> None:
        for _ in self._steps(scope):
            for part in self.members:
                part._build(source, writer, scope, path)


class Let(Part):
    """A variable of the standard, computed from elements. It takes no bits."""

    def __init__(self, name: str, expression: Expression, must: Must | None = None) -> None:
        super().__init__()
        self.name = name
        self.expression = expression
        self._value = prepared(expression)
        self.must = must

    def _compute(self, scope: Scope) -> None:
        scope[self.name] = self._value(scope)

    def _parse(self, reader: BitReader, scope: Scope, path: str) -> None:
        self._compute(scope)
        if self.must is not None and not self.must.holds(scope[self.name], scope):
            message, bits = f"{self.name} is {scope[self.name]}", _just_parsed(reader, scope)
            stop(self.must.code, message, bits=bits, path=joined(path, self.name))

    def _build(self, source: Source, writer: BitWriter, scope: Scope, path: str) -> None:
        self._compute(scope)


def _just_parsed(reader: BitReader, scope: Scope) -> tuple[int, int]:
    """The bits of the element before, which a variable follows from or a limit is for; none without a trace."""
    first = scope.session.trace[-1].first if scope.session.trace else reader.position
    return first, reader.position


class Bound(Part):
    """A project limit on a count that was just parsed, checked before anything is read or allocated by it."""

    def __init__(self, name: str, limit: str, code: str) -> None:
        super().__init__()
        self.name = name
        self.limit = limit
        self.code = code

    def _parse(self, reader: BitReader, scope: Scope, path: str) -> None:
        most = getattr(scope.session.limits, self.limit)
        if scope[self.name] > most:
            message = f"found {scope[self.name]}, the limit {self.limit} is {most}"
            stop(self.code, message, bits=_just_parsed(reader, scope), path=joined(path, self.name))

    def _build(self, source: Source, writer: BitWriter, scope: Scope, path: str) -> None:
        """What is built is not limited."""


class OutOfBand(Part):
    """Values that the stream leaves to the application: taken from the session's out-of-band parameters.

    One that is not given has `default`; without a default the unit cannot be read any further, which is the diagnostic
    of `code`. `otherwise`: a condition under which it is that of another code.
    """

    def __init__(
        self,
        *names: str,
        default: Any = None,
        code: str = "parameters_out_of_band",
        otherwise: tuple[Expression, str] = (False, ""),
    ) -> None:
        super().__init__()
        self.names = names
        self.default = default
        self.code = code
        self.otherwise = otherwise

    def _take(self, scope: Scope, path: str, position: int) -> None:
        for name in self.names:
            given = _out_of_band(scope, name, self.default)
            if given is None:
                message = f"{name} is not in the stream and was not given"
                code = self.code
                if evaluate(self.otherwise[0], scope):
                    code = self.otherwise[1]
                stop(code, message, bits=(position, position), path=joined(path, name))
            scope.store(name, given)
            scope.tree.setdefault("_inferred", set()).add(name)
            scope.session.record(TraceEntry(joined(path, name), name, position, 0, given, None, True))

    def _parse(self, reader: BitReader, scope: Scope, path: str) -> None:
        self._take(scope, path, reader.position)

    def _build(self, source: Source, writer: BitWriter, scope: Scope, path: str) -> None:
        self._take(scope, path, writer.position)


def _out_of_band(scope: Scope, name: str, default: Any) -> Any:
    """A parameter of the unit's (first) topology element, else one that is given for all units."""
    known = scope.session.out_of_band
    own = known.get(scope.find("element_name"))
    return own[name] if isinstance(own, Mapping) and name in own else known.get(name, default)


def walk(part: Part) -> Iterator[Part]:
    """All parts inside a part, depth first, in the order of the table; enclosed structures included."""
    for inner in part.parts():
        yield inner
        yield from walk(inner)


def _inferring(parts: Iterable[Part]) -> Iterator[Element]:
    """The elements that have a value when these parts are absent; absent structures and loops leave none."""
    for part in parts:
        if isinstance(part, Element):
            if part.descriptor.infer is not None:
                yield part
        elif isinstance(part, If):
            yield from _inferring(part.parts())


def _elements(part: Part) -> Iterator[str]:
    """Names of the elements inside a part that belong to the tree around it."""
    for inner in part.parts():
        if isinstance(inner, Element):
            yield inner.name
        elif not isinstance(inner, Enclosed):
            yield from _elements(inner)


def _part(member: Member) -> Part:
    if isinstance(member, Part):
        return member
    if isinstance(member, Renamed):
        if isinstance(member.subcon, Enclosed):
            return Enclosed(member.name, member.subcon.structure, member.subcon.arguments)
        if isinstance(member.subcon, Structure):
            return Enclosed(member.name, member.subcon)
        return Element(member.name, member.subcon)
    if isinstance(member, Descriptor):
        return Alignment(member)
    raise TypeError(f"{member!r} is no part of a declaration")
