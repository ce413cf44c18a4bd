"""``nnr:statement``: an anchor for a statement of method that marks on all pages link to."""

from __future__ import annotations

from docutils import nodes

from nnr_sphinx.base import PageDirective
from nnr_sphinx.pieces import Nodes


class StatementDirective(PageDirective):
    """Argument: the name by which it is linked to."""

    def page_part(self) -> Nodes:
        name = self.arguments[0]
        anchor = f"about-{name}"
        self.note("page", name, anchor)
        return [nodes.target("", "", ids=[anchor])]
