"""Pieces of pages: paragraphs, tables, marks and links, as docutils nodes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cache
from typing import TypeAlias

from docutils import nodes
from sphinx.addnodes import pending_xref

from nnr_conformance.suite.registry_rows import load_divergences, load_requirements
from nnr_conformance.syntax.describe import structures
from nnr_conformance.syntax.semantics import all_semantics
from nnr_sphinx.stored_streams import stored_streams

Nodes: TypeAlias = "list[nodes.Node]"
Cell: TypeAlias = "nodes.Node | Nodes | str"

_WORD = re.compile(r"R-[A-Z0-9]+-\d+|D-\d+|[A-Za-z][A-Za-z0-9]*(?:_[A-Za-z0-9]+)+|`[^`]+`")


def link(kind: str, target: str, label: str | None = None, classes: Sequence[str] = ()) -> pending_xref:
    """A checked link to an object of the domain, such as ("req", "R-NDU-05")."""
    text = target if label is None else label
    shown: nodes.Node = nodes.literal(text, text, classes=["xref", f"nnr-{kind}", *classes])
    if kind in {"reading", "page"}:
        shown = nodes.inline(text, text, classes=["xref", f"nnr-{kind}"])
    return pending_xref("", shown, refdomain="nnr", reftype=kind, reftarget=target, refexplicit=True, refwarn=True)


@cache
def _targets() -> dict[str, str]:
    """What prose may name, with the kind of object that it is; names without an underscore are words as well."""
    found = dict.fromkeys(load_divergences(), "div") | dict.fromkeys(load_requirements(), "req")
    found |= dict.fromkeys(structures(), "struct") | dict.fromkeys(all_semantics(), "el")
    return found


def named_by(word: str) -> str | None:
    """The kind of object that a word of code names; None for words that may name something else as well."""
    return None if word.isalpha() else _targets().get(word)


def prose(text: str) -> Nodes:
    """Text in which requirements, divergences, elements and structures are links."""
    found: Nodes = []
    at = 0
    for match in _WORD.finditer(text):
        found.append(nodes.Text(text[at : match.start()]))
        found.append(_word(match[0]))
        at = match.end()
    return [*found, nodes.Text(text[at:])]


def _word(word: str) -> nodes.Node:
    inner = word.strip("`")
    # In code, a name without an underscore is more often a variable than the element that is called so.
    if inner in _targets() and (inner == word or not inner.isalpha()):
        return link(_targets()[inner], inner)
    return nodes.literal(inner, inner) if word != inner else nodes.Text(word)


def paragraph(*children: Cell, classes: Sequence[str] = ()) -> nodes.paragraph:
    """A paragraph of inline pieces; a string is prose."""
    found = nodes.paragraph(classes=list(classes))
    for child in children:
        found += _as_nodes(child)
    return found


def mark(text: str, kind: str) -> nodes.inline:
    """A small label, such as a confidence."""
    return nodes.inline(text, text, classes=["nnr-mark", f"nnr-mark-{kind}"])


def basis(evidence: str | Iterable[str], confidence: str) -> Nodes:
    """Where a statement is known from and how surely."""
    tags = evidence.split(",") if isinstance(evidence, str) else list(evidence)
    text = " ".join(tag.strip() for tag in tags)
    return [mark(confidence, confidence), nodes.Text(" "), link("page", "evidence", text)]


def edition_mark(editions: Sequence[int]) -> Nodes:
    """A label where a thing is not in both editions."""
    return [mark(f"edition {editions[0]}", f"edition{editions[0]}")] if len(editions) == 1 else []


def stream_link(name: str) -> pending_xref:
    """A link to a stream, shown by the last part of its name."""
    return link("stream", name, name.rpartition("/")[2])


def stream_links(names: Iterable[str]) -> Nodes:
    """Links to streams with their sizes."""
    found: Nodes = []
    for name in names:
        found += [
            nodes.Text(", " if found else ""),
            stream_link(name),
            nodes.Text(f" ({stored_streams()[name].size} B)"),
        ]
    return found


def links(kind: str, targets: Iterable[str]) -> Nodes:
    """Several links, with commas."""
    found: Nodes = []
    for target in targets:
        found += [nodes.Text(", " if found else ""), link(kind, target)]
    return found


def code(text: str, language: str = "text") -> nodes.literal_block:
    """A block of code."""
    return nodes.literal_block(text, text, language=language)


def bullets(items: Iterable[Cell]) -> nodes.bullet_list:
    """A list of inline pieces."""
    return nodes.bullet_list("", *(nodes.list_item("", paragraph(item)) for item in items))


def fields(pairs: Iterable[tuple[str, Cell]], classes: Sequence[str] = ()) -> nodes.definition_list:
    """Names with what they say, such as those of one element."""
    found = nodes.definition_list(classes=["nnr-fields", *classes])
    for name, body in pairs:
        term = nodes.term(name, name)
        found += nodes.definition_list_item("", term, nodes.definition("", paragraph(body)))
    return found


_UNLABELLED = frozenset({"nnr-syntax", "nnr-steps", "nnr-numbers"})
"""Tables whose cells speak for themselves."""


def table(
    heads: Sequence[str], rows: Iterable[Sequence[Cell]], *, classes: Sequence[str] = (), ids: Sequence[str] = ()
) -> nodes.table:
    """A table of inline pieces. `ids`: an anchor for each row, in the order of the rows."""
    group = nodes.tgroup(cols=len(heads))
    for _ in heads:
        group += nodes.colspec(colwidth=1)
    group += nodes.thead("", nodes.row("", *(nodes.entry("", nodes.paragraph(head, head)) for head in heads)))
    body = nodes.tbody()
    labelled = not _UNLABELLED.intersection(classes)
    for number, cells in enumerate(rows):
        row = nodes.row("", *(nodes.entry("", *_blocks(cell)) for cell in cells))
        for head, entry in zip(heads[1:], row.children[1:], strict=True) if labelled else ():
            if entry.children:
                # Shown on narrow screens alone, where the rows are blocks and the heads are gone.
                entry[0].insert(0, nodes.inline("", f"{head}: ", classes=["nnr-narrow"]))
        if number < len(ids) and ids[number]:
            # HTML writers give rows no anchors, paragraphs have them.
            row.next_node(nodes.paragraph)["ids"].append(ids[number])
        body += row
    group += body
    return nodes.table("", group, classes=["nnr-table", *classes])


def _blocks(cell: Cell) -> Nodes:
    if isinstance(cell, nodes.paragraph | nodes.container):
        return [cell]
    return [paragraph(cell)] if cell else []


def _as_nodes(child: Cell) -> Nodes:
    if isinstance(child, str):
        return prose(child)
    return child if isinstance(child, list) else [child]


def section(title: Cell, anchor: str, *children: nodes.Node) -> nodes.section:
    """A section with an anchor of its own, for lists of things that are linked to."""
    found = nodes.section(ids=[anchor])
    head = nodes.title()
    head += _as_nodes(title)
    found += head
    found += list(children)
    return found
