"""``nnr:api`` and ``nnr:modules``: the package's public symbols, from their signatures and docstrings."""

from __future__ import annotations

import inspect
import textwrap
from typing import Any

from docutils import nodes

from nnr_sphinx.base import PageDirective
from nnr_sphinx.docstrings import (
    USERS,
    Symbol,
    fields_of,
    members,
    module,
    module_names,
    paragraphs,
    public_symbols,
    signature,
)
from nnr_sphinx.pieces import Cell, Nodes, bullets, code, link, paragraph, section, table


class ApiDirective(PageDirective):
    """All modules that callers import, each with its symbols."""

    required_arguments = 0

    def page_part(self) -> Nodes:
        return [self._module(name) for name in USERS]

    def _module(self, name: str) -> nodes.Node:
        parts = [node for text in paragraphs(module(name)) for node in docstring(text)]
        symbols = [self._symbol(one) for one in public_symbols(name) if _home(one) == name]
        return section([nodes.literal(name, name)], f"module-{name}", *parts, *symbols)

    def _symbol(self, one: Symbol) -> nodes.Node:
        anchor = f"api-{one.path}"
        self.note("api", one.path, anchor, one.summary)
        card = nodes.container(classes=["nnr-card"], ids=[anchor])
        kind = "class " if inspect.isclass(one.what) else ""
        fields = fields_of(one.what)
        shown = (
            f"{kind}{one.name}"
            if fields or (kind and not _has_init(one.what))
            else f"{kind}{one.name}{signature(one.what)}"
        )
        card += code(shown, "python")
        for text in paragraphs(one.what):
            card += docstring(text)
        if fields:
            card += table(("field", "type", "default or value"), map(_field_cells, fields))
        if inspect.isclass(one.what):
            for name, member in members(one.what):
                head = f"{name}{signature(member)}"
                card += paragraph([nodes.literal(head, head)], " ", paragraphs(member)[0])
        return card


def _has_init(what: type) -> bool:
    return "__init__" in vars(what)


def _field_cells(field: tuple[str, str, str]) -> list[Cell]:
    return [[nodes.literal(text, text)] if text else "" for text in field]


def _home(one: Symbol) -> str:
    """The module that shows a symbol: the package for what it exports."""
    if one.module != "nnr_conformance" and one.what in [shown.what for shown in public_symbols("nnr_conformance")]:
        return "nnr_conformance"
    return one.module


def docstring(text: str) -> Nodes:
    """A paragraph of a docstring: a block of code, a list, or text."""
    if text.startswith("    "):
        return [code(textwrap.dedent(text))]
    if "* " in text and text.lstrip().startswith("* "):
        return [bullets(" ".join(item.split()) for item in text.split("* ") if item.strip())]
    return [paragraph(text)]


class ModulesDirective(PageDirective):
    """Argument: a part of the package, ``nnr_conformance`` for the modules at its top; each with its public symbols."""

    def page_part(self) -> Nodes:
        part = self.arguments[0]
        names = [name for name in module_names() if part_of(name) == part]
        if not names:
            raise ValueError(f"no module in {part}")
        return [node for name in names for node in self._module(name)]

    def _module(self, name: str) -> Nodes:
        self.note("module", name, f"listed-{name}", name)
        head = paragraph([nodes.strong(name, name)], " ", " ".join(paragraphs(module(name))[:1]))
        head["ids"].append(f"listed-{name}")
        rows = [_symbol_cells(one) for one in public_symbols(name)]
        return [head, table(("symbol", "is"), rows, classes=["nnr-symbols"])] if rows else [head]


def _symbol_cells(one: Symbol) -> list[Cell]:
    shown: Any = (
        link("api", f"{_home(one)}.{one.name}", one.name) if _home(one) in USERS else nodes.literal("", one.name)
    )
    return [[shown], one.summary]


def part_of(name: str) -> str:
    """The part of the package that lists a module: its first subpackage, or below `suite` the one there."""
    parts = name.split(".")
    depth = 3 if parts[1:2] == ["suite"] and len(parts) > 3 else 2
    return ".".join(parts[:depth]) if len(parts) > depth or _is_package(name) else ".".join(parts[:depth][:-1]) or name


def _is_package(name: str) -> bool:
    return hasattr(module(name), "__path__")
