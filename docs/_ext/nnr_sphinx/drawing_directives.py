"""``nnr:machine`` and ``nnr:drawing``: generated drawings, with the words that say the same."""

from __future__ import annotations

from base64 import b64encode
from html import escape

from docutils import nodes

from nnr_conformance.diagnostics import catalogue
from nnr_conformance.suite.cfp2019.plot import plot
from nnr_sphinx.base import PageDirective
from nnr_sphinx.entropy_drawings import DRAWINGS
from nnr_sphinx.machine_drawing import machine_at, machine_drawing
from nnr_sphinx.pieces import Nodes, link, mark, paragraph
from nnr_sphinx.stored_pipelines import stored_evaluations


def figure(svg: str, caption: str = "") -> nodes.raw:
    """A drawing as it stands in a page."""
    below = f"<figcaption>{escape(caption)}</figcaption>" if caption else ""
    return nodes.raw("", f'<figure class="nnr-drawing">{svg}{below}</figure>', format="html")


class MachineDirective(PageDirective):
    """Argument: a path such as ``nnr_conformance.decoder.order_machines:ELEMENT``."""

    def page_part(self) -> Nodes:
        where = self.arguments[0]
        machine = machine_at(where)
        name = where.rpartition(":")[2].lower()
        words: Nodes = []
        for code in machine.codes:
            words += [nodes.Text(", " if words else "Diagnostics: "), link("code", code), nodes.Text(" for ")]
            rule = catalogue()[code]
            words += [link("req", rule.requirement), nodes.Text(" "), mark(rule.confidence, rule.confidence)]
        about = paragraph(machine.about, " ")
        about += words
        return [about, figure(machine_drawing(machine, name), f"Generated from {where.replace(':', '.')}")]


class DrawingDirective(PageDirective):
    """Argument: the name of a drawing."""

    def page_part(self) -> Nodes:
        name = self.arguments[0]
        return [figure(DRAWINGS[name](name))]


class PipelinesDirective(PageDirective):
    """Size and accuracy of the pipelines of 2019."""

    required_arguments = 0

    def page_part(self) -> Nodes:
        # A drawing with styles of its own, which must not reach the page.
        data = b64encode(plot(stored_evaluations()).encode()).decode()
        image = f'<img src="data:image/svg+xml;base64,{data}" alt="Size and accuracy of the pipelines of 2019">'
        return [nodes.raw("", f'<figure class="nnr-drawing">{image}</figure>', format="html")]
