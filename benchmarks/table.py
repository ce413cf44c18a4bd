"""The table of all figures: its rows, and how they look as text, Markdown and JSON."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

from benchmarks.repetition import Ratio

NONE = "-"
HEADINGS = ("measurement", "what", "figure", "NNCodec", "ratio", "(range)", "target", "met")
WIDTHS = (11, 66, 11, 11, 6, 13, 9, 3)
NUMBERS = (2, 3, 4)
"""Columns that are set to the right."""


@dataclass(frozen=True, slots=True)
class Target:
    """What a row has to reach: its figure, or its ratio, is at least or at most a bound."""

    sense: str
    bound: float
    of: str = "figure"

    def met_by(self, value: float) -> bool:
        """Whether a value reaches it."""
        return value >= self.bound if self.sense == ">=" else value <= self.bound

    def __str__(self) -> str:
        return f"{self.sense} {self.bound:g}" + ("" if self.of == "figure" else " x")


@dataclass(frozen=True, slots=True)
class Row:
    """One figure. `unit`: of `figure` and `peer`. `peer`: NNCodec's figure in the same run, None without one.

    `ratio`: how many times better than NNCodec, the median of the ratios of each repetition; `lowest`, `highest`: of
    these. `target`: None where nothing was promised, or not of this size.
    """

    measurement: str
    what: str
    unit: str
    figure: float
    peer: float | None = None
    ratio: float | None = None
    lowest: float | None = None
    highest: float | None = None
    target: Target | None = None

    @classmethod
    def compared(
        cls,
        measurement: str,
        what: str,
        unit: str,
        figure: float,
        peer: float | None,
        ratio: Ratio | None,
        target: Target | None = None,
    ) -> Row:
        """A row with a ratio, where there is one."""
        if ratio is None:
            return cls(measurement, what, unit, figure, peer, target=target)
        return cls(measurement, what, unit, figure, peer, ratio.median, ratio.lowest, ratio.highest, target)

    @property
    def met(self) -> bool | None:
        """Whether the target is reached; None without one, and where what it is about could not be measured."""
        if self.target is None:
            return None
        value = self.figure if self.target.of == "figure" else self.ratio
        return None if value is None else self.target.met_by(value)

    def cells(self) -> tuple[str, ...]:
        """What the table shows."""
        return (
            self.measurement,
            self.what,
            f"{significant(self.figure)} {self.unit}".rstrip(),
            NONE if self.peer is None else f"{significant(self.peer)} {self.unit}".rstrip(),
            NONE if self.ratio is None else f"{self.ratio:.2f}",
            NONE if self.lowest is None or self.highest is None else f"({self.lowest:.2f}-{self.highest:.2f})",
            NONE if self.target is None else str(self.target),
            {True: "yes", False: "no", None: NONE}[self.met],
        )


@dataclass(frozen=True, slots=True)
class Results:
    """All rows of a run, and the machine and versions that they belong to."""

    environment: Mapping[str, str]
    rows: tuple[Row, ...]

    def to_json(self) -> str:
        """As JSON; `from_json` reads it again."""
        rows = [{**asdict(row), "met": row.met} for row in self.rows]
        return json.dumps({"environment": dict(self.environment), "rows": rows}, indent=2, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> Results:
        """What `to_json` wrote; whether a target is met is found anew."""
        found = json.loads(text)
        return cls(found["environment"], tuple(_row(row) for row in found["rows"]))


def significant(value: float, digits: int = 3) -> str:
    """A number with so many significant digits, without an exponent; whole numbers up to a million stay whole."""
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    places = digits - 1 - math.floor(math.log10(abs(value)))
    return f"{round(value, places):.{max(0, places)}f}"


def headings() -> str:
    """The first lines of the table as text."""
    return f"{_line(HEADINGS)}\n{'-' * (sum(WIDTHS) + 2 * len(WIDTHS) - 2)}"


def line(row: Row) -> str:
    """A row as text."""
    return _line(row.cells())


def as_text(results: Results) -> str:
    """The whole table with the machine, for terminals."""
    about = [f"{name}: {value}" for name, value in results.environment.items()]
    return "\n".join([*about, "", headings(), *map(line, results.rows), "", summary(results.rows)])


def as_markdown(results: Results) -> str:
    """The whole table with the machine, for documents."""
    about = ", ".join(f"{name} {value}" for name, value in results.environment.items())
    rule = ["---:" if number in NUMBERS else "---" for number in range(len(HEADINGS))]
    rows = [HEADINGS, rule, *(row.cells() for row in results.rows)]
    table = "\n".join(f"| {' | '.join(cell.replace('|', '/') for cell in row)} |" for row in rows)
    return f"{table}\n\n{summary(results.rows)}\nMeasured with {about}."


def summary(rows: Iterable[Row]) -> str:
    """How many targets are met."""
    judged = [row.met for row in rows if row.met is not None]
    return f"{sum(judged)} of {len(judged)} targets met."


def _row(found: dict[str, Any]) -> Row:
    known = {field.name for field in fields(Row)}
    target = found["target"]
    return Row(
        **{
            **{name: value for name, value in found.items() if name in known},
            "target": None if target is None else Target(**target),
        }
    )


def _line(cells: Sequence[str]) -> str:
    padded = (
        cell.rjust(width) if number in NUMBERS else cell.ljust(width)
        for number, (cell, width) in enumerate(zip(cells, WIDTHS, strict=True))
    )
    return "  ".join(padded).rstrip()
