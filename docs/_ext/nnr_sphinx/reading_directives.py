"""``nnr:readings``, ``nnr:divergences``, ``nnr:editions``: where texts, implementations and editions part."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from docutils import nodes

from nnr_conformance.readings import known_readings
from nnr_conformance.suite.registry_rows import Divergence, load_divergences, load_requirements
from nnr_conformance.syntax.describe import structures
from nnr_conformance.syntax.semantics import all_semantics
from nnr_sphinx.base import PageDirective
from nnr_sphinx.pieces import Cell, Nodes, basis, bullets, fields, link, links, mark, paragraph, stream_links, table
from nnr_sphinx.requirement_directives import shown_by
from nnr_sphinx.stored_streams import smallest, stored_streams, stream_name
from nnr_sphinx.syntax_rows import page_rows


class ReadingsDirective(PageDirective):
    """All readings, or those named."""

    required_arguments = 0
    optional_arguments = 1

    def page_part(self) -> Nodes:
        wanted = self.arguments[0].split() if self.arguments else list(known_readings())
        return [self._card(known_readings()[name]) for name in wanted]

    def _card(self, row: Mapping[str, Any]) -> nodes.Node:
        anchor = f"reading-{row['id']}"
        self.note("reading", row["id"], anchor, f"reading {row['id']}: {row['question']}")
        card = nodes.container(classes=["nnr-card"], ids=[anchor])
        head = [nodes.strong(row["id"], row["id"]), nodes.Text(" "), *basis(row["evidence"], row["confidence"])]
        card += [paragraph(head, classes=["nnr-head"]), paragraph(row["question"]), fields(_reading_fields(row))]
        return card


def _reading_fields(row: Mapping[str, Any]) -> Iterator[tuple[str, Cell]]:
    for name, text in row["readings"].items():
        chosen = " (default)" if name == row["default"] else ""
        who = row["follows"].get(name)
        yield f"{name}{chosen}", f"{text}{'; so does ' + who if who else ''}"
    yield "why the default", row["why"]
    yield "chosen by", [nodes.literal("", f"--reading {row['id']}=NAME")]
    if "open_question" in row:
        yield "open question", row["open_question"]
    names = [stream_name(f"readings/{one}") for one in row.get("streams", ())]
    yield "streams that tell them apart", stream_links(names) if names else [mark("none", "uncovered")]
    elements = [name for name, one in all_semantics().items() if row["id"] in one.readings]
    if elements:
        yield "elements", links("el", elements)


class DivergencesDirective(PageDirective):
    """All divergences of public implementations."""

    required_arguments = 0

    def page_part(self) -> Nodes:
        return [self._card(row) for row in load_divergences().values()]

    def _card(self, row: Divergence) -> nodes.Node:
        self.note("div", row.id, row.id, f"divergence {row.id}: {row.text}")
        card = nodes.container(classes=["nnr-card"], ids=[row.id])
        versions = " and ".join(f"NNCodec {version}" for version in row.versions)
        head = [
            nodes.strong(row.id, row.id),
            nodes.Text(" "),
            mark(row.verdict, row.verdict),
            nodes.Text(f" {versions}"),
        ]
        card += [paragraph(head, classes=["nnr-head"]), paragraph(row.text), fields(_divergence_fields(row))]
        return card


def _divergence_fields(row: Divergence) -> Iterator[tuple[str, Cell]]:
    yield "this package", row.checker
    if row.requirements:
        yield "requirements", links("req", row.requirements)
    if row.readings:
        yield "readings", links("reading", row.readings)
    if row.stream:
        yield "stream", stream_links([stream_name(row.stream)])


class EditionsDirective(PageDirective):
    """Argument: what of the differences between the editions: syntax, requirements or streams."""

    def page_part(self) -> Nodes:
        parts = {"syntax": _syntax, "requirements": _requirements, "streams": _streams}
        return parts[self.arguments[0]]()


def _syntax() -> Nodes:
    rows: list[list[Cell]] = []
    for name, structure in structures().items():
        for page in page_rows(structure):
            if len(page.editions) == 1 and page.row.kind == "element":
                row = page.row
                rows.append(
                    [[link("struct", name)], [link("el", row.name, row.text)], row.descriptor, f"{page.editions[0]}"]
                )
    return [table(("structure", "element", "descriptor", "only in edition"), rows)]


def _requirements() -> Nodes:
    rows: list[list[Cell]] = []
    for row in load_requirements().values():
        if len(row.editions) == 1:
            where = [link("req", row.id), nodes.Text(" "), *basis(row.evidence, row.confidence)]
            rows.append([where, row.text, str(row.editions[0]), shown_by(row.id)])
    return [table(("requirement", "says", "only in edition", "streams"), rows)]


def _streams() -> Nodes:
    """Streams that keep the requirements of one edition, of the other, of both."""
    found: Nodes = []
    for editions, words in (((1, 2), "both editions"), ((1,), "edition 1 alone"), ((2,), "edition 2 alone")):
        names = [
            name
            for name, stream in stored_streams().items()
            if stream.conforming and tuple(stream.row.get("editions", ())) == editions
        ]
        counted = f"{len(names)} conforming streams keep the requirements of {words}"
        if not names:
            found.append(paragraph(f"{counted}."))
        elif editions == (1, 2):
            found += [paragraph(f"{counted}:"), paragraph(stream_links(names))]
        else:
            found += [
                paragraph(f"{counted}; the smallest for each tool that only this edition has, or that goes with it:")
            ]
            found.append(bullets(_by_tool(names)))
    return found


def _by_tool(names: list[str]) -> Iterator[Nodes]:
    by_tool: dict[str, list[str]] = {}
    for name in names:
        for tool in stored_streams()[name].row["tools"]:
            by_tool.setdefault(tool, []).append(name)
    for tool, having in sorted(by_tool.items()):
        yield [nodes.Text(f"{tool}: "), *stream_links(smallest(having))]
