"""``nnr:requirements`` and ``nnr:diagnostics``: the registry, each row with evidence, status and streams."""

from __future__ import annotations

from collections.abc import Iterator

from docutils import nodes

from nnr_conformance.diagnostics import Rule, Stage, catalogue
from nnr_conformance.suite.registry_rows import GROUPS, Requirement, Status, load_divergences, load_requirements
from nnr_conformance.syntax.semantics import all_semantics
from nnr_sphinx.base import PageDirective
from nnr_sphinx.pieces import (
    Cell,
    Nodes,
    basis,
    edition_mark,
    fields,
    link,
    links,
    mark,
    paragraph,
    stream_link,
    stream_links,
    table,
)
from nnr_sphinx.stored_streams import pairs_of_codes, smallest, streams_about

STATUS = {
    Status.CHECKED: "checked: nnr-check reports a violation",
    Status.DECODER_OBSERVABLE: "only a test of a decoder can show it",
    Status.OPEN: "open: a rule is still to be written",
    Status.EXCLUDED: "not tested",
}


class RequirementsDirective(PageDirective):
    """Argument: letters of groups, such as ``NDU`` or ``EP AC``."""

    def page_part(self) -> Nodes:
        letters = self.arguments[0].split()
        unknown = set(letters) - {group.letters for group in GROUPS}
        if unknown:
            raise ValueError(f"no group {', '.join(sorted(unknown))}")
        return [self._card(row) for row in load_requirements().values() if row.letters in letters]

    def _card(self, row: Requirement) -> nodes.Node:
        self.note("req", row.id, row.id, f"requirement {row.id}: {row.text}")
        head = [nodes.strong(row.id, row.id), nodes.Text(" "), mark(row.strength, row.strength), nodes.Text(" ")]
        head += [*basis(row.evidence, row.confidence), nodes.Text(" "), *edition_mark(row.editions)]
        card = nodes.container(classes=["nnr-card"], ids=[row.id])
        card += [paragraph(head, classes=["nnr-head"]), paragraph(row.text), fields(_requirement_fields(row))]
        return card


def _requirement_fields(row: Requirement) -> Iterator[tuple[str, Cell]]:
    if row.source:
        yield "source", row.source
    yield "status", f"{STATUS[row.status]}{': ' + row.reason if row.reason else ''}; stage {row.stage}"
    elements = [name for name, semantics in all_semantics().items() if row.id in semantics.requirements]
    if elements:
        yield "elements", links("el", elements)
    codes = [rule.code for rule in catalogue().values() if rule.requirement == row.id]
    if codes:
        yield "diagnostics", links("code", codes)
    divergences = [one.id for one in load_divergences().values() if row.id in one.requirements]
    if divergences:
        yield "divergences", links("div", divergences)
    yield "streams", shown_by(row.id)


def shown_by(requirement: str) -> Nodes:
    """The smallest streams that are about a requirement, or a mark that there are none."""
    names = streams_about().get(requirement, ())
    if not names:
        return [mark("no stream", "uncovered")]
    return [nodes.Text(f"{len(names)}: "), *stream_links(smallest(names, 3))]


class DiagnosticsDirective(PageDirective):
    """All codes, by stage."""

    required_arguments = 0

    def page_part(self) -> Nodes:
        rules = sorted(catalogue().values(), key=lambda rule: list(Stage).index(rule.stage))
        for rule in rules:
            self.note("code", rule.code, f"code-{rule.code}", f"diagnostic {rule.code}: {rule.text}")
        heads = ("code", "stage", "says", "requirement", "meets it", "breaks it")
        return [table(heads, map(_code_cells, rules), ids=[f"code-{rule.code}" for rule in rules])]


def _code_cells(rule: Rule) -> list[Cell]:
    meets, breaks = pairs_of_codes().get(rule.code, ("", ""))
    severity = [mark(rule.severity.value, rule.severity.value), nodes.Text(" "), *basis(rule.evidence, rule.confidence)]
    return [
        [nodes.literal(rule.code, rule.code), nodes.Text(" "), *severity],
        rule.stage.value,
        f"{rule.text}{' ' + rule.hint if rule.hint else ''}",
        [link("req", rule.requirement)],
        [stream_link(meets)] if meets else "",
        [stream_link(breaks)] if breaks else rule.no_stream,
    ]
