"""The document that `nnr-suite export --json` writes; spec/schemas/specification.schema.json says what is in it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from nnr_conformance.data import load_yaml
from nnr_conformance.suite.export import behaviour
from nnr_conformance.suite.export.expressions import FUNCTIONS
from nnr_conformance.suite.export.notation import DESCRIPTORS, OPERATORS, PARTS
from nnr_conformance.suite.export.structures import all_structures
from nnr_conformance.suite.registry_rows import GROUPS, REQUIREMENT_FILES
from nnr_conformance.syntax.semantics import GROUPS as SEMANTICS_FILES
from nnr_conformance.version import VERSION

FORMAT = "nnr-specification"
FORMAT_VERSION = 1
"""Counts up when a program that reads the document has to be changed."""

TABLES = ("cabac", "encoder_cost")
"""The files of `spec/tables` beside the enumerations."""


@cache
def specification() -> Mapping[str, Any]:
    """The whole document; callers do not change it. The same specification gives the same document."""
    return {**syntax(), **knowledge()}


@cache
def syntax() -> Mapping[str, Any]:
    """What a parser needs of the document."""
    return {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "version": VERSION,
        "standard": "ISO/IEC 15938-17",
        "notation": {"parts": PARTS, "descriptors": DESCRIPTORS, "operators": OPERATORS},
        "structures": all_structures(),
        "functions": FUNCTIONS,
        "descriptor_codes": behaviour.descriptor_codes(),
        "framing": behaviour.framing(),
        "unit": behaviour.unit(),
        "state": behaviour.state(),
        "limits": behaviour.limits(),
        "enumerations": _enumerations(),
        "readings": load_yaml("spec/readings.yaml"),
    }


@cache
def explained() -> Mapping[str, Any]:
    """What a page about streams needs of the document: the syntax, and what it says of elements and requirements."""
    rows = knowledge()
    return {
        **syntax(),
        "readings": _of_each(syntax()["readings"], "id", "question", "readings", "default"),
        "semantics": _of_each(rows["semantics"], "name", "meaning", "range", "requirements"),
        "requirements": _of_each(rows["requirements"], "id", "text", "clause", "edition", "strength", "confidence"),
        "diagnostics": _of_each(rows["diagnostics"], "code", "requirement", "clause", "text", "confidence", "severity"),
    }


def _of_each(rows: Sequence[Mapping[str, Any]], *members: str) -> list[Mapping[str, Any]]:
    return [{member: row[member] for member in members if member in row} for row in rows]


def knowledge() -> Mapping[str, Any]:
    """What a reader needs of the document: what elements mean, what is required of them, and the tables."""
    return {
        "semantics": [row for name in SEMANTICS_FILES for row in load_yaml(f"spec/semantics/{name}.yaml")],
        "requirement_groups": [{"letters": group.letters, "title": group.title} for group in GROUPS],
        "requirements": [row for name in REQUIREMENT_FILES for row in load_yaml(f"spec/requirements/{name}.yaml")],
        "diagnostics": load_yaml("spec/diagnostics.yaml"),
        "divergences": load_yaml("spec/divergences.yaml"),
        "tools": load_yaml("spec/tools.yaml"),
        "tables": {name: load_yaml(f"spec/tables/{name}.yaml") for name in TABLES},
    }


def _enumerations() -> Mapping[str, Any]:
    rows = load_yaml("spec/tables/enumerations.yaml")
    # JSON has names as keys, not numbers.
    return {
        name: {**row, "values": {str(key): text for key, text in row["values"].items()}} for name, row in rows.items()
    }


def render(content: Mapping[str, Any]) -> str:
    """A document as text."""
    return json.dumps(content, ensure_ascii=False, indent=1) + "\n"
