"""The results of mutation as a table by module, a list of survivors, and JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nnr_conformance.suite.mutation.mutants import Mutant, Sources
from nnr_conformance.suite.mutation.runner import EQUIVALENT, KILLED, NOT_REACHED, SURVIVED, Result

COLUMNS = ("mutants", "killed", "survived", "not reached", "equivalent")


@dataclass(frozen=True, slots=True)
class Count:
    """How many mutants of a module, or of all modules, came to what; `survived` has those that are not reached too."""

    mutants: int
    killed: int
    survived: int
    not_reached: int
    equivalent: int

    @property
    def percent(self) -> float:
        """Share of the killed ones among those that are not equivalent; 100 when there are none."""
        counted = self.mutants - self.equivalent
        return 100.0 * self.killed / counted if counted else 100.0

    @property
    def cells(self) -> tuple[int, ...]:
        """In the order of `COLUMNS`."""
        return self.mutants, self.killed, self.survived, self.not_reached, self.equivalent


def count(results: Sequence[Result]) -> Count:
    """Count results by their state."""
    states = [result.state for result in results]
    return Count(
        len(states),
        states.count(KILLED),
        states.count(SURVIVED) + states.count(NOT_REACHED),
        states.count(NOT_REACHED),
        states.count(EQUIVALENT),
    )


def by_module(mutants: Sequence[Mutant], results: Sequence[Result]) -> dict[str, Count]:
    """Counts by module, in the order of the mutants."""
    found: dict[str, list[Result]] = {}
    for mutant, result in zip(mutants, results, strict=True):
        found.setdefault(mutant.module, []).append(result)
    return {module: count(of_module) for module, of_module in found.items()}


def table(mutants: Sequence[Mutant], results: Sequence[Result]) -> Iterator[str]:
    """Lines of the table by module, the sum last."""
    yield f"{'module':24}{'mutants':>8}{'killed':>8}{'survived':>10}{'(not reached)':>14}{'equiv.':>8}{'killed':>8}"
    rows = [*by_module(mutants, results).items(), ("all", count(results))]
    for module, row in rows:
        cells = f"{row.mutants:8}{row.killed:8}{row.survived:10}{row.not_reached:14}{row.equivalent:8}"
        yield f"{module:24}{cells}{row.percent:7.1f}%"


def survivors(sources: Sources, mutants: Sequence[Mutant], results: Sequence[Result]) -> Iterator[str]:
    """Lines that show each survivor: its id, its line before and after."""
    for mutant, result in zip(mutants, results, strict=True):
        if result.state in (SURVIVED, NOT_REACHED):
            before, after = sources.changed(mutant)
            yield f"{result.state}: {mutant.id} (line {mutant.line})"
            yield from (f"    - {line}" for line in before)
            yield from (f"    + {line}" for line in after)


def as_json(
    sources: Sources, mutants: Sequence[Mutant], results: Sequence[Result], reasons: Mapping[str, str]
) -> dict[str, Any]:
    """Everything as plain data: totals, modules, and each mutant with its lines."""
    return {
        "total": _row(count(results)),
        "modules": {module: _row(row) for module, row in by_module(mutants, results).items()},
        "mutants": [_mutant(sources, *pair, reasons) for pair in zip(mutants, results, strict=True)],
    }


def _row(row: Count) -> dict[str, Any]:
    cells = {name.replace(" ", "_"): cell for name, cell in zip(COLUMNS, row.cells, strict=True)}
    return {**cells, "percent": round(row.percent, 2)}


def _mutant(sources: Sources, mutant: Mutant, result: Result, reasons: Mapping[str, str]) -> dict[str, Any]:
    before, after = sources.changed(mutant)
    row = {
        "id": mutant.id,
        "module": mutant.module,
        "operator": mutant.operator,
        "line": mutant.line,
        "before": before,
        "after": after,
        "state": result.state,
    }
    more = {"stream": result.stream, "by": result.by, "reason": reasons.get(mutant.id, "")}
    return row | {name: value for name, value in more.items() if value}
