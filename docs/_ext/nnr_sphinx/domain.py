"""The Sphinx domain ``nnr``: what can be linked to, its roles, and the indices of the site."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.builders import Builder
from sphinx.domains import Domain, Index, IndexEntry, ObjType
from sphinx.environment import BuildEnvironment
from sphinx.roles import XRefRole
from sphinx.util.nodes import make_refnode

from nnr_sphinx.directives import DIRECTIVES
from nnr_sphinx.stored_streams import stream_name


class Place(NamedTuple):
    """Where an object is: the page, the anchor there, and how indices call it."""

    page: str
    anchor: str
    title: str


KINDS = {
    "req": "requirement",
    "el": "syntax element",
    "struct": "syntax structure",
    "stream": "stream",
    "table": "table",
    "reading": "reading",
    "div": "divergence",
    "code": "diagnostic",
    "fn": "function",
    "page": "statement of method",
    "command": "command",
    "schema": "schema",
    "api": "public symbol",
    "module": "module",
}
"""Kinds of objects by the name of their role."""


class NnrRole(XRefRole):
    """A role whose target must exist; streams may be named by the last part of their path."""

    def __init__(self) -> None:
        super().__init__(warn_dangling=True)


class _ObjectIndex(Index):
    kind = ""

    def generate(self, docnames: Iterable[str] | None = None) -> tuple[list[tuple[str, list[IndexEntry]]], bool]:
        """All objects of one kind by the first part of their names."""
        wanted = None if docnames is None else set(docnames)
        groups: dict[str, list[IndexEntry]] = {}
        for (kind, name), place in sorted(self.domain.objects.items()):
            if kind == self.kind and (wanted is None or place.page in wanted):
                entry = IndexEntry(name, 0, place.page, place.anchor, "", "", place.title)
                groups.setdefault(self.group(name), []).append(entry)
        return sorted(groups.items()), False

    def group(self, name: str) -> str:
        """The heading that a name is listed under."""
        return name[0].lower()


class ElementIndex(_ObjectIndex):
    """All syntax elements."""

    name, localname, shortname, kind = "elements", "Index of syntax elements", "elements", "el"


class RequirementIndex(_ObjectIndex):
    """All requirements."""

    name, localname, shortname, kind = "requirements", "Index of requirements", "requirements", "req"

    def group(self, name: str) -> str:
        return name.split("-")[1]


class TableIndex(_ObjectIndex):
    """Syntax tables are found as structures; these are the tables of numbers and names."""

    name, localname, shortname, kind = "tables", "Index of tables", "tables", "table"


class StreamIndex(_ObjectIndex):
    """All stored streams."""

    name, localname, shortname, kind = "streams", "Index of streams", "streams", "stream"

    def group(self, name: str) -> str:
        return name.rpartition("/")[0]


class NnrDomain(Domain):
    """Requirements, elements, structures, streams, tables, readings, divergences, diagnostics and functions."""

    name = "nnr"
    label = "NNR"
    object_types = {kind: ObjType(title, kind) for kind, title in KINDS.items()}
    roles = {kind: NnrRole() for kind in KINDS}
    directives = DIRECTIVES
    indices = [ElementIndex, RequirementIndex, TableIndex, StreamIndex]
    initial_data: dict[str, Any] = {"objects": {}}
    data_version = 1

    @property
    def objects(self) -> dict[tuple[str, str], Place]:
        """All objects by kind and name."""
        found: dict[tuple[str, str], Place] = self.data["objects"]
        return found

    def note(self, kind: str, name: str, anchor: str, title: str = "") -> None:
        """Say that the present page has an object. Raises ValueError when another place has it too."""
        known = self.objects.get((kind, name))
        page = self.env.docname
        if known is not None and (known.page, known.anchor) != (page, anchor):
            raise ValueError(f"{KINDS[kind]} {name} is on {known.page} and on {page}")
        self.objects[kind, name] = Place(page, anchor, title)

    def clear_doc(self, docname: str) -> None:
        for key in [key for key, place in self.objects.items() if place.page == docname]:
            del self.objects[key]

    def merge_domaindata(self, docnames: Any, otherdata: dict[str, Any]) -> None:
        for key, place in otherdata["objects"].items():
            if place.page in docnames:
                self.objects[key] = place

    def resolve_xref(
        self,
        env: BuildEnvironment,
        fromdocname: str,
        builder: Builder,
        typ: str,
        target: str,
        node: pending_xref,
        contnode: nodes.Element,
    ) -> nodes.reference | None:
        place = self.objects.get((typ, stream_name(target) if typ == "stream" else target))
        if place is None:
            return None
        return make_refnode(builder, fromdocname, place.page, place.anchor, [contnode], place.title or None)

    def resolve_any_xref(
        self,
        env: BuildEnvironment,
        fromdocname: str,
        builder: Builder,
        target: str,
        node: pending_xref,
        contnode: nodes.Element,
    ) -> list[tuple[str, nodes.reference]]:
        found = []
        for kind in KINDS:
            reference = self.resolve_xref(env, fromdocname, builder, kind, target, node, contnode)
            if reference is not None:
                found.append((f"nnr:{kind}", reference))
        return found

    def get_objects(self) -> Iterator[tuple[str, str, str, str, str, int]]:
        for (kind, name), place in self.objects.items():
            yield name, name, kind, place.page, place.anchor, 1
