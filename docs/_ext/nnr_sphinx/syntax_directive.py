"""``nnr:syntax``: the table of a syntax structure from its declaration, with links and coverage."""

from __future__ import annotations

from collections.abc import Iterable

from docutils import nodes

from nnr_conformance.diagnostics import catalogue
from nnr_conformance.suite.coverage.items import Item
from nnr_conformance.syntax.describe import Row, structures
from nnr_conformance.syntax.semantics import all_semantics
from nnr_sphinx.base import PageDirective
from nnr_sphinx.covered import met_items, why_not
from nnr_sphinx.pieces import Cell, Nodes, edition_mark, link, links, mark, prose, stream_link, table
from nnr_sphinx.syntax_rows import PageRow, page_rows

HEADS = ("syntax", "descriptor", "value", "requirements", "smallest stream")


class SyntaxDirective(PageDirective):
    """Argument: the name of a structure."""

    def page_part(self) -> Nodes:
        structure = structures()[self.arguments[0]]
        anchor = f"syntax-{structure.name}"
        self.note("struct", structure.name, anchor, f"syntax structure {structure.name}")
        rows = page_rows(structure)
        found = table(HEADS, (_cells(row) for row in rows), classes=["nnr-syntax"])
        found["ids"].append(anchor)
        return [found]


def _cells(page: PageRow) -> list[Cell]:
    row = page.row
    return [
        _syntax(page),
        [nodes.literal(row.descriptor, row.descriptor)] if row.descriptor else "",
        _value(row),
        links("req", _requirements(row)),
        covered(page.items),
    ]


def _syntax(page: PageRow) -> nodes.paragraph:
    row = page.row
    found = nodes.paragraph(classes=["nnr-row", f"nnr-{row.kind}", f"nnr-in-{min(row.indentation, 9)}"])
    if row.name and row.kind in {"element", "outside"} and row.name in all_semantics():
        found += link("el", row.name, row.text)
    elif row.kind == "structure":
        found += link("struct", row.name, row.text)
    else:
        found += nodes.literal(row.text, row.text) if row.kind in {"limit", "variable"} else _named(row.text)
    for piece in (*edition_mark(page.editions), *(link("reading", name, f"reading {name}") for name in page.readings)):
        found += nodes.Text(" ")
        found += piece
    if row.kind == "limit":
        found += mark("limit of this software", "limit")
    return found


def _named(text: str) -> nodes.inline:
    return nodes.inline("", "", *prose(text), classes=["nnr-code"])


def _value(row: Row) -> Cell:
    parts = []
    if row.requirement and row.kind != "limit":
        condition = row.requirement.rpartition(" (")[0]
        parts.append(condition)
    if row.inferred:
        parts.append(f"{row.inferred} when absent" if row.kind != "outside" else row.inferred)
    return "; ".join(parts)


def _requirements(row: Row) -> list[str]:
    named = all_semantics()[row.name].requirements if row.kind == "element" else ()
    code = row.requirement.rpartition("(")[2].rstrip(")")
    own = [catalogue()[code].requirement] if code in catalogue() else []
    return list(dict.fromkeys((*own, *named)))


def covered(items: Iterable[tuple[str, Item]]) -> Nodes:
    """For each item the smallest stream that meets it, or why none can."""
    found: Nodes = []
    for word, item in items:
        if found:
            found.append(nodes.Text("; "))
        if word:
            found.append(nodes.Text(f"{word}: "))
        met = met_items().get(item)
        if met is not None:
            found.append(stream_link(met.smallest))
        elif why_not(item):
            found += [mark("unreachable", "unreachable"), nodes.Text(f" {why_not(item)}")]
        else:
            found.append(mark("not covered", "uncovered"))
    return found
