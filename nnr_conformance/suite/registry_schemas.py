"""Validity of the YAML files in `spec/` against the JSON Schemas that ship with them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from importlib import import_module
from typing import Any

from nnr_conformance.data import data_path, load_yaml
from nnr_conformance.errors import UsageError
from nnr_conformance.suite.mutation.equivalents import equivalent_files
from nnr_conformance.suite.registry_rows import Row, SpecRows

SCHEMAS = ("requirements", "divergences", "readings", "diagnostics", "semantics", "mutants", "tools")
"""Names of the schemas, each `spec/schemas/NAME.schema.json`."""


def schema(name: str) -> Any:
    """The schema for one kind of file."""
    return json.loads(data_path(f"spec/schemas/{name}.schema.json").read_text(encoding="utf-8"))


def schema_problems(rows: SpecRows) -> list[str]:
    """What is wrong in the form of the files, one line each. Raises UsageError without the package jsonschema."""
    files = [
        *((f"requirements/{name}", "requirements", content) for name, content in rows.requirements.items()),
        ("divergences", "divergences", rows.divergences),
        ("readings", "readings", rows.readings),
        ("diagnostics", "diagnostics", rows.diagnostics),
        ("tools", "tools", rows.tools),
        *((f"semantics/{name}", "semantics", content) for name, content in rows.semantics.items()),
        *((name[len("spec/") : -len(".yaml")], "mutants", load_yaml(name)) for name in equivalent_files()),
    ]
    validators = {name: validator(name) for name in SCHEMAS}
    return [line for name, kind, content in files for line in _file_problems(name, validators[kind], content)]


def validator(name: str) -> Any:
    """What validates against one schema. Raises UsageError without the package jsonschema."""
    try:
        # Imported by name: it is needed by those who edit spec/, not by those who use the package.
        jsonschema = import_module("jsonschema")
    except ModuleNotFoundError:
        raise UsageError("checking spec/ needs jsonschema: pip install jsonschema") from None
    return jsonschema.Draft202012Validator(schema(name))


def _file_problems(name: str, validator: Any, content: Sequence[Row]) -> Iterator[str]:
    for error in sorted(validator.iter_errors(content), key=lambda error: [str(step) for step in error.absolute_path]):
        path = list(error.absolute_path)
        place = [_row_name(content[path[0]], path[0]), *map(str, path[1:])] if path else []
        yield f"spec/{name}.yaml: {': '.join([*place, error.message])}"


def _row_name(row: Any, index: int) -> str:
    """What a reader looks for in the file."""
    if isinstance(row, dict):
        for key in ("id", "code", "name"):
            if key in row:
                return str(row[key])
    return f"row {index + 1}"
