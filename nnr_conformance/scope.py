"""What a declaration sees while it is parsed or built: the names of the syntax, and the run that it belongs to.

The names of syntax elements are visible from their declaration on, in the structure that holds them and in every
structure that follows (clause 6: elements are variables). Conditions are evaluated on a `Scope`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, MutableSequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from construct import Container

from nnr_conformance.diagnostics import Findings
from nnr_conformance.errors import BuildError
from nnr_conformance.limits import DEFAULT_LIMITS, Limits

SEPARATOR = " · "
"""Stands between the parts of a path: structure, enclosed structure, element."""


class TraceEntry(NamedTuple):
    """One element in the stream: `first` and `size` are bits, absolute; `size` is 0 when the value is inferred."""

    path: str
    name: str
    first: int
    size: int
    value: Any
    descriptor: Any
    inferred: bool


class Source(Protocol):
    """Where building takes the values of elements from."""

    def value(self, name: str, descriptor: Any, scope: Scope, path: str) -> Any:
        """The value to write for an element, at the loop indices of the scope."""

    def enter(self, name: str, path: str) -> Source:
        """The source of the elements of an enclosed structure."""


@dataclass(slots=True)
class Session:
    """One run over declarations: where findings and the trace go, and the limits; `trace` None records nothing.

    `observe`: told of each condition whether it holds, and of each loop how often it runs. `reference_list`: set by
    whoever takes a unit and finds the list in joined or inflated data, which the unit alone does not show.
    `specialise`: units of a kind that comes again and again may be parsed by generated parsers.
    """

    findings: Findings = field(default_factory=Findings)
    trace: MutableSequence[TraceEntry] | None = None
    limits: Limits = DEFAULT_LIMITS
    out_of_band: Mapping[str, Any] = field(default_factory=dict)
    observe: Callable[[Any, int], None] | None = None
    reference_list: tuple[str, ...] | None = None
    specialise: bool = True

    def record(self, entry: TraceEntry) -> None:
        """Add an element to the trace, if there is one."""
        if self.trace is not None:
            self.trace.append(entry)


class Scope(dict[str, Any]):
    """Names and values; a name that is not here is looked up in the scope around it."""

    __slots__ = ("indices", "parent", "session", "subscripts", "tree")

    def __init__(self, session: Session, parent: Mapping[str, Any] | None = None) -> None:
        self.session = session
        self.parent: Mapping[str, Any] = {} if parent is None else parent
        self.tree = Container()
        self.indices: list[int] = []
        self.subscripts: list[int] = []

    def __missing__(self, name: str) -> Any:
        return self.parent[name]

    def find(self, name: str, default: Any = None) -> Any:
        """The value of a name here or around, else the default."""
        try:
            return self[name]
        except KeyError:
            return default

    def flat(self) -> dict[str, Any]:
        """All names with the values that they have here, in one mapping."""
        around = self.parent.flat() if isinstance(self.parent, Scope) else dict(self.parent)
        around.update(self)
        return around

    def store(self, name: str, value: Any) -> None:
        """Give an element its value; inside loops it joins the list (of lists) of its name."""
        self[name] = value
        if not self.indices:
            self.tree[name] = value
            return
        self._list_at(name, self.indices[:-1]).append(value)

    def open_list(self, name: str) -> list[Any]:
        """The list of an element at the loop indices, empty when the loop inside them ran no time."""
        return self._list_at(name, self.indices)

    def _list_at(self, name: str, indices: list[int]) -> list[Any]:
        items: list[Any] = self.tree.setdefault(name, [])
        for index in indices:
            while len(items) <= index:
                items.append([])
            items = items[index]
        return items

    def subscript(self) -> str:
        """The loop indices as they stand behind an element's name: ``[i][j]``."""
        return "".join([f"[{index}]" for index in self.subscripts]) if self.subscripts else ""


class TreeSource:
    """The values of a parsed or hand-made tree."""

    __slots__ = ("_tree",)

    def __init__(self, tree: Mapping[str, Any]) -> None:
        self._tree = tree

    def value(self, name: str, descriptor: Any, scope: Scope, path: str) -> Any:
        """The tree's value of an element; elements with a default may be left out. Raises BuildError."""
        try:
            found = self._tree[name]
            for index in scope.indices:
                found = found[index]
        except (KeyError, IndexError, TypeError):
            if descriptor.default is not None:
                return descriptor.default
            raise BuildError(f"{path}: the tree has no value") from None
        return found

    def enter(self, name: str, path: str) -> TreeSource:
        """The values of an enclosed structure. Raises BuildError."""
        found = self._tree.get(name)
        if not isinstance(found, Mapping):
            raise BuildError(f"{path}: the tree has no {name}")
        return TreeSource(found)


def joined(path: str, name: str) -> str:
    """`path` extended by one part."""
    return f"{path}{SEPARATOR}{name}" if path else name
