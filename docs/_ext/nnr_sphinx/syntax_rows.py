"""Rows of a syntax table with what the pages add: the edition, the readings, and what covers each row."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from nnr_conformance.suite.coverage.items import Item
from nnr_conformance.suite.coverage.syntax_items import BRANCHES, ELEMENTS, LOOPS, part_names
from nnr_conformance.syntax.declaration import Enclosed, For, If, Part, Structure
from nnr_conformance.syntax.describe import Row, describe, loop_text

_PROFILE = re.compile(r"general_profile_idc == (\w+(?: \w+)*)")
_READING = re.compile(r"reading ([\w-]+)")


@dataclass(frozen=True, slots=True)
class PageRow:
    """A row with `editions` (empty: those of the row around it are both), `readings` that its text asks for, and the
    `items` of coverage that it stands for, by a word for each."""

    row: Row
    editions: tuple[int, ...] = ()
    readings: tuple[str, ...] = ()
    items: tuple[tuple[str, Item], ...] = ()


def page_rows(structure: Structure) -> list[PageRow]:
    """The rows of a structure's table. Raises ValueError when they do not agree with its declaration."""
    parts = list(_conditions(structure))
    rows = []
    open_editions: list[tuple[int, ...]] = []
    for row in describe(structure):
        page = PageRow(row, readings=tuple(dict.fromkeys(_READING.findall(row.text))))
        if row.kind == "end" and open_editions and row.indentation:
            open_editions.pop()
        if row.kind == "otherwise":
            before = open_editions.pop()
            editions = _editions_of(row.text) or tuple(edition for edition in (1, 2) if edition not in before)
            open_editions.append(editions if before and len(editions) == 1 else ())
        page = replace(page, editions=next((found for found in reversed(open_editions) if found), ()))
        if row.kind == "condition":
            open_editions.append(_editions_of(row.text))
        elif row.kind == "loop":
            open_editions.append(())
        rows.append(replace(page, items=tuple(_items(row, parts))))
    if parts:
        raise ValueError(f"{structure.name}: conditions without a row: {[str(part) for part in parts]}")
    return rows


def _items(row: Row, parts: list[Part]) -> Iterator[tuple[str, Item]]:
    if row.kind == "element":
        yield "", Item(ELEMENTS, row.name)
        if row.inferred:
            yield "absent", Item(ELEMENTS, f"{row.name} (inferred)")
    elif row.kind == "condition" or (row.kind == "otherwise" and " if(" in row.text):
        part = parts.pop(0)
        if not isinstance(part, If):
            raise ValueError(f"{row.text}: the declaration has a loop here")
        key = part_names()[id(part)]
        yield "holds", Item(BRANCHES, f"{key}: holds")
        yield "does not", Item(BRANCHES, f"{key}: does not hold")
    elif row.kind == "loop" and parts and isinstance(parts[0], For) and loop_text(parts[0]) == row.text:
        key = part_names()[id(parts.pop(0))]
        yield from ((word, Item(LOOPS, f"{key}: {word}")) for word in ("never", "once", "often"))


def _conditions(part: Part) -> Iterator[Part]:
    """Conditions and loops of one structure in the order of the rows."""
    for inner in part.parts():
        if not isinstance(inner, Enclosed):
            if isinstance(inner, (If, For)):
                yield inner
            yield from _conditions(inner)


def _editions_of(text: str) -> tuple[int, ...]:
    """The edition whose profile a condition asks for."""
    found = _PROFILE.search(text)
    return () if found is None or " || " in text else (2 if found[1] == "1" else 1,)
