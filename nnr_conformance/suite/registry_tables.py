"""Validity of the tables in `spec/` that are no lists of rows: enumerations, numbers, exclusions from coverage."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nnr_conformance.data import load_yaml
from nnr_conformance.suite.registry_schemas import validator

TABLES: Mapping[str, str] = {
    "tables/enumerations": "enumerations",
    "tables/cabac": "cabac",
    "tables/encoder_cost": "encoder_cost",
    "coverage": "coverage",
}
"""Files below `spec/`, each with the name of its schema."""


def table_problems(tables: Mapping[str, Any] | None = None) -> list[str]:
    """What is wrong in the form of the tables, or of others by the same names, one line each.

    Raises UsageError without the package jsonschema.
    """
    found = []
    for name, schema in TABLES.items():
        content = load_yaml(f"spec/{name}.yaml") if tables is None or name not in tables else tables[name]
        for error in validator(schema).iter_errors(_with_texts_as_keys(content)):
            place = ", ".join(map(str, [*error.absolute_path, error.message]))
            found.append(f"spec/{name}.yaml: {place}")
    return sorted(found)


def _with_texts_as_keys(content: Any) -> Any:
    """JSON knows no numbers as keys."""
    if isinstance(content, Mapping):
        return {str(key): _with_texts_as_keys(value) for key, value in content.items()}
    return [_with_texts_as_keys(item) for item in content] if isinstance(content, list) else content
