"""``nnr:command`` and ``nnr:schemas``: commands from their parsers, documents from their schemas."""

from __future__ import annotations

import argparse
import json
import textwrap
from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any

from docutils import nodes

from nnr_conformance.data import data_path
from nnr_sphinx.base import PageDirective
from nnr_sphinx.pieces import Cell, Nodes, code, paragraph, section, table

PROGRAMS = ("nnr-check", "nnr-decode", "nnr-encode", "nnr-explain", "nnr-suite")


def parser_of(program: str) -> argparse.ArgumentParser:
    """The options of a program. Raises ValueError for another one."""
    if program not in PROGRAMS:
        raise ValueError(f"known programs: {', '.join(PROGRAMS)}")
    module = import_module(f"nnr_conformance.cli.{program.removeprefix('nnr-')}")
    parser: argparse.ArgumentParser = module.parser()
    return parser


def subcommands(parser: argparse.ArgumentParser) -> Mapping[str, argparse.ArgumentParser]:
    """The subcommands of a program by name."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            return action.choices
    return {}


class CommandDirective(PageDirective):
    """Argument: a program."""

    def page_part(self) -> Nodes:
        program = self.arguments[0]
        parser = parser_of(program)
        found = self._command(program, parser)
        for name, inner in subcommands(parser).items():
            called = f"{program} {name}"
            parts = self._command(called, inner)
            found.append(
                section([nodes.literal(called, called)], f"command-{called.replace(' ', '-')}-section", *parts)
            )
        return found

    def _command(self, called: str, parser: argparse.ArgumentParser) -> Nodes:
        anchor = f"command-{called.replace(' ', '-')}"
        self.note("command", called, anchor, called)
        head = paragraph([nodes.Text(" ".join((parser.description or "").split()))])
        head["ids"].append(anchor)
        rows = [cells for action in parser._actions if (cells := _option(action, parser))]
        found: Nodes = [head, table(("option", "does"), rows)]
        if parser.epilog:
            found.append(code(textwrap.dedent(parser.epilog).strip()))
        return found


def _option(action: argparse.Action, parser: argparse.ArgumentParser) -> list[Cell]:
    """The cells of an option; none for subcommands, which have sections."""
    if isinstance(action, argparse._SubParsersAction) or action.help == argparse.SUPPRESS:
        return []
    formatter = parser._get_formatter()
    names = formatter._format_action_invocation(action)
    text = formatter._expand_help(action) if action.help else ""
    return [[nodes.literal(names, names)], [nodes.Text(text)]]


class SchemasDirective(PageDirective):
    """All schemas of `spec/schemas`."""

    required_arguments = 0

    def page_part(self) -> Nodes:
        return [self._schema(path.name, json.loads(path.read_text(encoding="utf-8"))) for path in schema_files()]

    def _schema(self, file: str, schema: Mapping[str, Any]) -> nodes.Node:
        name = file.removesuffix(".schema.json")
        anchor = f"schema-{name}"
        self.note("schema", name, anchor, schema.get("title", name))
        said = paragraph([nodes.Text(schema.get("description", "")), nodes.Text(f" ({file})")])
        rows = list(_members(schema))
        parts: Nodes = [said, table(("member", "type", "says"), rows)] if rows else [said]
        return section(schema.get("title", name), anchor, *parts)


def schema_files() -> list[Any]:
    """The files of the schemas, by name."""
    return sorted(data_path("spec/schemas").glob("*.schema.json"))


def _members(schema: Mapping[str, Any]) -> Iterator[list[Cell]]:
    """The members of the outer object, or of the rows where the document is a list of such."""
    inner = schema.get("items", schema)
    required = set(inner.get("required", ()))
    for name, member in inner.get("properties", {}).items():
        kind = member.get("type") or ("one of " + ", ".join(map(str, member["enum"])) if "enum" in member else "")
        kind = kind if isinstance(kind, str) else " or ".join(kind)
        if "const" in member:
            kind = f"always {member['const']}"
        said = member.get("description", "")
        yield [
            [nodes.literal(name, name)],
            [nodes.Text(kind)],
            [nodes.Text(said if name in required else f"{said} (optional)")],
        ]
