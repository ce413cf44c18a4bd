"""``nnr:table``: tables of numbers and of names of values, from `spec/tables`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from docutils import nodes

from nnr_conformance.data import data_path, load_yaml
from nnr_conformance.suite.coverage.items import Item
from nnr_conformance.suite.coverage.syntax_items import VALUES
from nnr_sphinx.base import PageDirective
from nnr_sphinx.pieces import Cell, Nodes, basis, link, mark, paragraph, table
from nnr_sphinx.syntax_directive import covered

FILES = ("cabac", "encoder_cost", "enumerations")
WIDEST = 16
"""Columns of a long row of numbers before it goes on in the next line."""


def all_tables() -> Mapping[str, tuple[str, Any]]:
    """All tables by name, each with its file and its content."""
    return {name: (file, rows) for file in FILES for name, rows in load_yaml(f"spec/tables/{file}.yaml").items()}


def comment_of(file: str, name: str) -> str:
    """What the file says above a table."""
    said: list[str] = []
    for line in data_path(f"spec/tables/{file}.yaml").read_text(encoding="utf-8").splitlines():
        if line.startswith(f"{name}:"):
            break
        said = [*said, line.removeprefix("#").strip()] if line.startswith("#") else []
    return " ".join(said)


class TableDirective(PageDirective):
    """Argument: the name of a table or, for names of values, of an element."""

    def page_part(self) -> Nodes:
        name = self.arguments[0]
        file, content = all_tables()[name]
        anchor = f"table-{name}"
        self.note("table", name, anchor, f"table {name}")
        if file == "enumerations":
            found = _enumeration(name, content)
        elif isinstance(content[0], Mapping):
            found = [_mappings(content)]
        else:
            found = [_numbers(content)]
        found[-1]["ids"].append(anchor)
        head = paragraph(
            [nodes.strong(name, name), nodes.Text(f" (spec/tables/{file}.yaml). ")], comment_of(file, name)
        )
        if file == "cabac":
            head += [nodes.Text(" "), *basis("P2", "high")]
        return [head, *found]


def _enumeration(name: str, content: Mapping[str, Any]) -> Nodes:
    head = paragraph([nodes.Text("Values of "), link("el", name), nodes.Text(". "), *_basis_of(content)])
    rows: list[list[Cell]] = []
    for number, meaning in content["values"].items():
        rows.append(
            [str(number), [nodes.literal(meaning, meaning)], covered([("", Item(VALUES, f"{name}: {meaning}"))])]
        )
    return [head, table(("value", "name", "smallest stream"), rows)]


def _basis_of(content: Mapping[str, Any]) -> Nodes:
    return basis(content["evidence"], content["confidence"])


def _mappings(content: Sequence[Mapping[str, Any]]) -> nodes.table:
    heads = list(content[0])
    return table(heads, ([str(row[head]) for head in heads] for row in content), classes=["nnr-numbers"])


def _numbers(content: Sequence[Any]) -> nodes.table:
    rows = content if isinstance(content[0], Sequence) else [content]
    if len(rows[0]) <= 2 and len(rows) > WIDEST:
        return _pairs(rows)
    widest = min(WIDEST, max(len(row) for row in rows))
    lines: list[list[Cell]] = []
    for number, row in enumerate(rows):
        for first in range(0, len(row), widest):
            label = f"{number}" if len(row) <= widest else f"{number}, from {first}"
            part = list(map(str, row[first : first + widest]))
            lines.append([label, *part, *[""] * (widest - len(part))])
    return table(["row", *map(str, range(widest))], lines, classes=["nnr-numbers"])


def _pairs(rows: Sequence[Sequence[int]]) -> nodes.table:
    """Many short rows, several beside each other."""
    beside = 8
    lines: list[list[Cell]] = []
    for first in range(0, len(rows), beside):
        shown = (", ".join(map(str, row)) for row in rows[first : first + beside])
        lines.append([str(first), *shown])
    return table(["row", *(f"+{number}" for number in range(beside))], lines, classes=["nnr-numbers"])


class ToolsDirective(PageDirective):
    """The tools of the 2019 proposals and the syntax that carries them, from `spec/tools.yaml`."""

    required_arguments = 0

    def page_part(self) -> Nodes:
        rows = load_yaml("spec/tools.yaml")
        heads = ("tool", "proposals", "in the standard", "elements", "trace in a stream")
        return [table(heads, map(_tool_cells, rows))]


def _tool_cells(row: Mapping[str, Any]) -> Sequence[Cell]:
    elements: Nodes = []
    for name in row["elements"]:
        elements += [nodes.Text(", " if elements else ""), link("el", name)]
    return [
        [nodes.strong(row["name"], row["name"]), nodes.Text(" "), mark(row["confidence"], row["confidence"])],
        ", ".join(row["proposals"]),
        row["tool"],
        elements or "",
        f"{row['trace']}: {row['reason']}",
    ]
