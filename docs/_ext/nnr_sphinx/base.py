"""What the directives share: a place for objects in the domain, and checks of their arguments."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

if TYPE_CHECKING:
    from nnr_sphinx.domain import NnrDomain


class PageDirective(SphinxDirective):
    """Base: a directive that writes a part of a page from data."""

    required_arguments = 1
    optional_arguments = 0
    final_argument_whitespace = True
    has_content = False

    def run(self) -> list[nodes.Node]:
        """The nodes, each with the place where the directive stands."""
        try:
            found = self.page_part()
        except (KeyError, ValueError) as fault:
            raise self.error(f"{self.name} {' '.join(self.arguments)}: {fault}") from fault
        for node in found:
            self.set_source_info(node)
        return found

    def page_part(self) -> list[nodes.Node]:
        """What the directive writes. ValueError or KeyError: an argument names nothing."""
        raise NotImplementedError

    def note(self, kind: str, name: str, anchor: str, title: str = "") -> None:
        """Say that this page has an object, at an anchor."""
        cast("NnrDomain", self.env.get_domain("nnr")).note(kind, name, anchor, title)
