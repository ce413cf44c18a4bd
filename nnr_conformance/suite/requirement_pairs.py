"""Pairs of streams, one for each condition that the checker knows: one stream meets it, the other breaks it.

A pair is a recipe in `bitstreams/requirements/<clause>/<idea>.yaml`. Its streams lie beside it, named
``<clause>-<idea>-01.nnr`` (meets) and ``<clause>-<idea>-02.nnr`` (breaks), and are rebuilt byte-identically from it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from nnr_conformance.data import data_path, load_yaml
from nnr_conformance.diagnostics import catalogue
from nnr_conformance.encoder.overrides import override
from nnr_conformance.encoder.recipe import BuiltStream, build_recipe
from nnr_conformance.errors import BuildError
from nnr_conformance.readings import Readings

FOLDER = "bitstreams/requirements"


@dataclass(frozen=True, slots=True)
class Pair:
    """A recipe: what is checked, in which two streams, and what the checker must say.

    `code`: the diagnostic that the second stream must give; `at`: the element at which it must (a path, as the recipe
    builder writes it), or the unit, empty for the whole stream; `companions`: codes that come with it because the same
    bits are wrong in more than one way; `always`: codes that both streams give; `check`: arguments for checking.
    """

    name: str
    clause: str
    code: str
    idea: str
    meets: Mapping[str, Any]
    breaks: Mapping[str, Any]
    at: str = ""
    companions: frozenset[str] = frozenset()
    always: frozenset[str] = frozenset()
    check: Mapping[str, Any] = field(default_factory=dict)

    @property
    def requirement(self) -> str:
        """Id of the requirement that the code cites."""
        return catalogue()[self.code].requirement

    def stream_name(self, breaking: bool) -> str:
        """File name of one of the streams."""
        return f"{self.clause}-{self.name}-{1 + breaking:02}.nnr"

    def stream_path(self, breaking: bool) -> str:
        """Path of one of the streams below the data folder."""
        return f"{FOLDER}/{self.clause}/{self.stream_name(breaking)}"

    @property
    def readings(self) -> Readings:
        """The readings under which the pair is built and checked."""
        return Readings.choose(self.check.get("readings", {}))

    def units(self, breaking: bool) -> list[Mapping[str, Any]]:
        """The recipe of one of the streams."""
        units = list(self.meets["units"])
        return _changed(units, self.breaks) if breaking else units

    def after(self, breaking: bool) -> Sequence[Mapping[str, Any]]:
        """The overrides of its bytes."""
        found: Sequence[Mapping[str, Any]] = (self.breaks if breaking else self.meets).get("after", ())
        return found

    def build(self, breaking: bool) -> Built:
        """One of the streams from the recipe. Raises BuildError with the name of the pair."""
        try:
            stream = build_recipe(self.units(breaking), self.readings)
            return Built(override(stream, self.after(breaking)), stream)
        except (BuildError, KeyError, IndexError, TypeError, ValueError) as fault:
            raise BuildError(f"{self.name}: {fault}") from fault


@dataclass(frozen=True, slots=True)
class Built:
    """The bytes of a stream, and the stream as it was before overrides, with the places of its elements."""

    data: bytes
    intent: BuiltStream


def _changed(units: Sequence[Mapping[str, Any]], changes: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The units of the breaking stream: all new, or some elements changed, or units put in, left out, moved.

    `change`: by unit number, elements that are set, or taken away by ``null``; enclosed units as ``3.1``. `order`: the
    numbers of the units in a new order. `insert`: by number, the unit or the list of units that comes before that one.
    """
    if "units" in changes:
        return list(changes["units"])
    found = list(units)
    for number, elements in changes.get("change", {}).items():
        found = _with_elements(found, str(number).split("."), elements)
    if "order" in changes:
        found = [found[number] for number in changes["order"]]
    for number, unit in sorted(changes.get("insert", {}).items(), reverse=True):
        found[number:number] = unit if isinstance(unit, list) else [unit]
    return found


def _with_elements(
    units: Sequence[Mapping[str, Any]], place: Sequence[str], elements: Mapping[str, Any]
) -> list[Mapping[str, Any]]:
    found = list(units)
    number = int(place[0])
    unit_type, old = next(iter(found[number].items()))
    if len(place) > 1:
        new = {**old, "units": _with_elements(old["units"], place[1:], elements)}
    else:
        new = {name: value for name, value in {**(old or {}), **elements}.items() if value is not None}
    found[number] = {unit_type: new}
    return found


@cache
def load_pairs() -> tuple[Pair, ...]:
    """All pairs, by clause and name."""
    return tuple(_pair(path) for path in sorted(recipe_paths(), key=lambda path: (int(path.parent.name), path.name)))


def recipe_paths() -> Iterator[Path]:
    """The recipes of all pairs, beside which sidecars lie."""
    for folder in data_path(FOLDER).iterdir():
        if folder.is_dir():
            yield from (path for path in folder.glob("*.yaml") if not path.name.endswith(".nnr.yaml"))


def _pair(path: Path) -> Pair:
    row = load_yaml(f"{FOLDER}/{path.parent.name}/{path.name}")
    return Pair(
        name=path.stem,
        clause=path.parent.name,
        code=row["code"],
        idea=row["idea"],
        meets=row["meets"],
        breaks=row["breaks"],
        at=row.get("at", ""),
        companions=frozenset(row.get("companions", ())),
        always=frozenset(row.get("always", ())),
        check=row.get("check", {}),
    )
