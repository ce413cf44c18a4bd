"""Names of elements, structures, requirements and divergences in the text of pages become links."""

from __future__ import annotations

from typing import TYPE_CHECKING

from docutils import nodes
from sphinx.addnodes import pending_xref

from nnr_sphinx.pieces import named_by, prose

if TYPE_CHECKING:
    from sphinx.application import Sphinx

FOLDERS = ("specification/", "guides/", "streams/")
"""Pages that speak of the standard; others call their own things by such names."""
_CLOSED = (nodes.literal, nodes.literal_block, nodes.reference, pending_xref, nodes.title, nodes.term, nodes.raw)


def link_mentions(app: Sphinx, doctree: nodes.document) -> None:
    """Make links of all names in the text of a page that are not inside code, titles or other links."""
    if not app.env.docname.startswith(FOLDERS):
        return
    for text in list(doctree.findall(nodes.Text)):
        if not _inside(text, _CLOSED):
            found = prose(text.astext())
            if len(found) > 1:
                text.parent.replace(text, [node for node in found if node.astext()])
    for literal in list(doctree.findall(nodes.literal)):
        name = literal.astext()
        if named_by(name) is not None and "xref" not in literal["classes"] and not _inside(literal, _CLOSED):
            literal.parent.replace(literal, prose(name))


def _inside(node: nodes.Node, kinds: tuple[type, ...]) -> bool:
    parent = node.parent
    while parent is not None:
        if isinstance(parent, kinds):
            return True
        parent = parent.parent
    return False
