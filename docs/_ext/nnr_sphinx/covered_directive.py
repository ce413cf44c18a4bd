"""``nnr:covered``: how much of the declared syntax the stored streams exercise."""

from __future__ import annotations

from nnr_conformance.suite.coverage.syntax_items import syntax_universe
from nnr_sphinx.base import PageDirective
from nnr_sphinx.covered import met_items, why_not
from nnr_sphinx.pieces import Cell, Nodes, table


class CoveredDirective(PageDirective):
    """A table of the groups: elements, values, conditions, loops."""

    required_arguments = 0

    def page_part(self) -> Nodes:
        rows: list[list[Cell]] = []
        items = list(dict.fromkeys(syntax_universe()))
        for group in dict.fromkeys(item.group for item in items):
            inside = [item for item in items if item.group == group]
            reachable = [item for item in inside if item in met_items() or not why_not(item)]
            met = sum(item in met_items() for item in reachable)
            rows.append([group, str(met), str(len(reachable)), str(len(inside) - len(reachable))])
        return [table(("of the syntax", "exercised", "of", "unreachable"), rows)]
