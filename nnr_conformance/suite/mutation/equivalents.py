"""Mutants that no stream can kill, with the reason, from `spec/mutants/`, a file for each module."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache

from nnr_conformance.data import data_path, load_yaml

FOLDER = "spec/mutants"


@cache
def equivalents() -> Mapping[str, str]:
    """Reasons by the id of the mutant."""
    return {
        identifier: row["reason"] for name in equivalent_files() for row in load_yaml(name) for identifier in row["ids"]
    }


def equivalent_files() -> list[str]:
    """The files, ``spec/mutants/<module>.yaml``."""
    return [f"{FOLDER}/{path.name}" for path in sorted(data_path(FOLDER).glob("*.yaml"))]


def unknown(known: Iterable[str]) -> list[str]:
    """Ids in the files that no mutant has: the source has changed since, and the reason must be thought over."""
    return sorted(set(equivalents()).difference(known))
