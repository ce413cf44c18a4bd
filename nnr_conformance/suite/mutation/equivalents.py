"""Mutants that no stream can kill, with the reason, from `spec/mutants.yaml`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache

from nnr_conformance.data import load_yaml

FILE = "spec/mutants.yaml"


@cache
def equivalents() -> Mapping[str, str]:
    """Reasons by the id of the mutant."""
    return {identifier: row["reason"] for row in load_yaml(FILE) for identifier in row["ids"]}


def unknown(known: Iterable[str]) -> list[str]:
    """Ids in the file that no mutant has: the source has changed since, and the reason must be thought over."""
    return sorted(set(equivalents()).difference(known))
