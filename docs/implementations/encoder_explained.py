"""What is behind each problem and observation of an encoder's report, by the table `encoder_causes.yaml`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from explained import divergences

CAUSES = Path(__file__).with_name("encoder_causes.yaml")
Body = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Said:
    """A problem or an observation, and where the suite saw it."""

    input: str
    point: str
    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class EncoderCause:
    """A row of the table. `divergence` and `why` say what is behind; the rest is what fits, anything when empty."""

    kinds: tuple[str, ...]
    divergence: str = ""
    why: str = ""
    says: str = ""
    inputs: tuple[str, ...] = ("",)
    points: tuple[str, ...] = ("",)

    def fits(self, said: Said) -> bool:
        """Whether it is behind what was said."""
        return (
            said.kind in self.kinds
            and bool(re.search(self.says, said.text))
            and said.input.startswith(self.inputs)
            and said.point.startswith(self.points)
        )

    @property
    def text(self) -> str:
        """What is behind, in words."""
        known = str(divergences()[self.divergence]["text"]) if self.divergence else ""
        return f"{known} {self.why}".strip()


def encoder_causes(path: Path = CAUSES) -> tuple[EncoderCause, ...]:
    """The rows of the table."""
    rows = yaml.safe_load(path.read_text(encoding="utf-8"))
    lists = ("kinds", "inputs", "points")
    return tuple(
        EncoderCause(**{name: tuple(value) if name in lists else value for name, value in row.items()}) for row in rows
    )


def all_said(body: Body, field: str) -> Iterator[Said]:
    """`problems`, or `observations`, of all examinations of a report, in its order."""
    for row in body["results"]:
        for one in row.get(field, ()):
            yield Said(row["input"], row["point"], one["kind"], one["text"])


def explained_sayings(
    said: Iterable[Said], table: Iterable[EncoderCause]
) -> Iterator[tuple[EncoderCause | None, list[Said]]]:
    """What was said by what is behind it, in the order of the table; behind None that of which nothing is known."""
    rows = tuple(table)
    found: dict[EncoderCause | None, list[Said]] = {row: [] for row in (*rows, None)}
    for one in said:
        found[next((row for row in rows if row.fits(one)), None)].append(one)
    yield from ((row, ones) for row, ones in found.items() if ones)
