"""``nnr:semantics``: what syntax elements say, group by group, with evidence, values and the streams that have them."""

from __future__ import annotations

from collections.abc import Iterator

from docutils import nodes

from nnr_conformance.data import load_yaml
from nnr_conformance.suite.coverage.items import Item
from nnr_conformance.suite.coverage.syntax_items import ELEMENTS, VALUES, syntax_universe
from nnr_conformance.syntax.semantics import GROUPS, Semantics, all_semantics
from nnr_sphinx.base import PageDirective
from nnr_sphinx.covered import met_items
from nnr_sphinx.pieces import Cell, Nodes, basis, fields, link, links, mark, paragraph, section, stream_link
from nnr_sphinx.syntax_directive import covered


class SemanticsDirective(PageDirective):
    """Argument: a group of elements; with ``:structure:`` those that this structure is the first to hold."""

    option_spec = {"structure": str}

    def page_part(self) -> Nodes:
        group = self.arguments[0]
        if group not in GROUPS:
            raise ValueError(f"known groups: {', '.join(GROUPS)}")
        first = self.options.get("structure")
        rows = [row for row in all_semantics().values() if row.group == group]
        chosen = [row for row in rows if first is None or row.structures[0] == first]
        if not chosen:
            raise ValueError(f"no element with {first} as its first structure")
        return [self._element(row) for row in chosen]

    def _element(self, row: Semantics) -> nodes.Node:
        anchor = f"el-{row.name}"
        self.note("el", row.name, anchor, f"syntax element {row.name}")
        title = [nodes.literal(row.name, row.name)]
        head: Nodes = []
        for number, descriptor in enumerate(row.descriptors):
            head += [nodes.Text(" or " if number else ""), nodes.literal(descriptor, descriptor)]
        head += [nodes.Text(" "), *basis(row.evidence, row.confidence)]
        if row.own_name:
            head += [nodes.Text(" "), mark("name is ours", "own")]
        if not row.declared:
            head += [nodes.Text(" "), mark("inside the entropy-coded payload", "payload")]
        return section(title, anchor, paragraph(head), paragraph(row.meaning), fields(_fields(row), ["nnr-element"]))


def _fields(row: Semantics) -> Iterator[tuple[str, Cell]]:
    yield "range", row.range
    if row.name in load_yaml("spec/tables/enumerations.yaml"):
        yield "names of values", [link("table", row.name)]
    if row.inferred is not None:
        yield "when absent", f"{row.inferred.value}, when {row.inferred.when}"
    if row.out_of_band:
        yield "out of band", "can be given from outside the stream"
    if row.structures:
        yield "in", [*links("struct", row.structures)]
    if row.requirements:
        yield "requirements", links("req", row.requirements)
    if row.readings:
        yield "readings", links("reading", row.readings)
    met = met_items().get(Item(ELEMENTS, row.name))
    if met is not None:
        yield "streams", [nodes.Text(f"{met.streams}, the smallest is "), stream_link(met.smallest)]
    values = _values(row.name)
    if values:
        yield "by value", covered(values)


def _values(name: str) -> list[tuple[str, Item]]:
    """The values of an element that coverage counts one by one, and its absence."""
    found = {}
    for item in syntax_universe():
        if item.group == VALUES and item.name.startswith(f"{name}: "):
            found[item] = item.name.partition(": ")[2]
        elif item.group == ELEMENTS and item.name == f"{name} (inferred)":
            found[item] = "absent"
    return [(word, item) for item, word in found.items()]
