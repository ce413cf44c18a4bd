"""Readings: places where the text can be read in two ways, each with its competing readings, and which one is chosen.

The readings and their defaults are rows of `spec/readings.yaml`. A choice is made with `Readings.choose`, or on a
command line with ``--reading ID=NAME``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from nnr_conformance.data import load_yaml
from nnr_conformance.errors import UsageError


@cache
def known_readings() -> dict[str, dict[str, Any]]:
    """All rows of `spec/readings.yaml` by id."""
    return {row["id"]: row for row in load_yaml("spec/readings.yaml")}


@dataclass(frozen=True, slots=True)
class Readings:
    """A choice for every reading; those not named have their default.

    `marked`: ids of readings that made a difference, where somebody wants to know; None records nothing.
    """

    chosen: Mapping[str, str] = field(default_factory=dict)
    marked: set[str] | None = field(default=None, compare=False, repr=False)

    @classmethod
    def choose(cls, choices: Iterable[str] | Mapping[str, str] = ()) -> Readings:
        """Readings from ``ID=NAME`` strings or a mapping. Raises UsageError for an unknown id or name."""
        pairs = choices.items() if isinstance(choices, Mapping) else [_split(choice) for choice in choices]
        chosen = {}
        for reading, name in pairs:
            row = known_readings().get(reading)
            if row is None:
                raise UsageError(f"no reading {reading!r}; known: {', '.join(sorted(known_readings()))}")
            if name not in row["readings"]:
                raise UsageError(f"reading {reading} has no {name!r}; known: {', '.join(row['readings'])}")
            chosen[reading] = name
        return cls(chosen)

    def __getitem__(self, reading: str) -> str:
        if reading in self.chosen:
            return self.chosen[reading]
        return str(known_readings()[reading]["default"])

    def mark(self, reading: str) -> None:
        """Note that another choice for this reading would make something else of the stream here."""
        if self.marked is not None:
            self.marked.add(reading)

    def recording(self) -> Readings:
        """The same choices, which record what is marked."""
        return Readings(self.chosen, set())

    def but(self, reading: str, name: str) -> Readings:
        """The same choices with another one for this reading, which record nothing."""
        return Readings({**self.chosen, reading: name})

    def is_default(self, reading: str) -> bool:
        """True when the default of this reading is in force."""
        return bool(self[reading] == known_readings()[reading]["default"])


def _split(choice: str) -> tuple[str, str]:
    reading, separator, name = choice.partition("=")
    if not separator:
        raise UsageError(f"a reading is given as ID=NAME, not {choice!r}")
    return reading, name


DEFAULT_READINGS = Readings()
