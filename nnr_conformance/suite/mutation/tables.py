"""Wrong entries in the numeric tables of the entropy-coded payload, at seeded positions."""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from nnr_conformance.data import load_yaml

TABLES = "spec/tables/cabac.yaml"
PER_TABLE = 24
"""Entries of each table that are made wrong; smaller tables have every entry wrong in turn."""
NAMES = ("id", "index")
"""Keys whose values tell a reader which row it is; no code reads them."""
STEPS = {"transition": 16}
"""How much an entry is wrong where less would be shifted out: steps of counters lose at least four bits."""


@dataclass(frozen=True, slots=True)
class TableFault:
    """One number of a table that is wrong. `place`: the indices and keys that lead to it."""

    table: str
    operator: str
    place: tuple[int | str, ...]
    before: int
    after: int

    def __str__(self) -> str:
        where = "".join(f"[{step}]" for step in self.place)
        return f"{self.table}{where}: {self.before} becomes {self.after}"


def table_faults() -> Iterator[TableFault]:
    """The faults of all tables, the same in every run."""
    for table, content in load_yaml(TABLES).items():
        places = [(place, number) for place, number in _numbers(content, ()) if place[-1] not in NAMES]
        chosen = sorted(random.Random(table).sample(range(len(places)), min(PER_TABLE, len(places))))
        step = STEPS.get(table, 1)
        for index in chosen:
            place, number = places[index]
            yield TableFault(table, "table_entry", place, number, number + (step if index % 2 == 0 else -step))


def with_fault(content: Any, fault: TableFault) -> Any:
    """The tables with the wrong entry; `content` stays as it is."""
    changed = copy.deepcopy(content)
    holder = changed[fault.table]
    for step in fault.place[:-1]:
        holder = holder[step]
    holder[fault.place[-1]] = fault.after
    return changed


def _numbers(content: Any, place: tuple[int | str, ...]) -> Iterator[tuple[tuple[int | str, ...], int]]:
    if isinstance(content, int):
        yield place, content
    elif isinstance(content, list):
        for index, inner in enumerate(content):
            yield from _numbers(inner, (*place, index))
    elif isinstance(content, dict):
        for key, inner in content.items():
            yield from _numbers(inner, (*place, key))
