"""Which tools of the call a stream shows: `spec/tools.yaml` against what decoding the stream finds."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nnr_conformance.api import chain_decoder
from nnr_conformance.checker.check import check
from nnr_conformance.data import load_yaml
from nnr_conformance.report.model import StreamReport
from nnr_conformance.scope import TraceEntry
from nnr_conformance.syntax.unit_parser import Unit

PROPOSALS = tuple(f"P{number}" for number in range(1, 10))
PRESENT = True
"""Stands for payload bytes, of which only matters that they are there."""


@dataclass(frozen=True, slots=True)
class Tool:
    """A row of the table. `marks`: by proposal; `trace`: direct, indirect or none."""

    id: str
    name: str
    marks: Mapping[str, str]
    trace: str
    conditions: tuple[tuple[Mapping[str, Any], ...], ...]
    streams: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Footprint:
    """What a stream holds: values of its elements by name, types of its units, facts that its report gives."""

    elements: Mapping[str, frozenset[Any]]
    units: frozenset[str]
    facts: frozenset[str]
    report: StreamReport

    def meets(self, condition: Mapping[str, Any]) -> bool:
        """Whether a condition of `spec/tools.yaml` holds."""
        if "unit" in condition:
            return condition["unit"] in self.units
        if "fact" in condition:
            return condition["fact"] in self.facts
        values = self.elements.get(condition["element"], frozenset())
        if "equals" in condition:
            return condition["equals"] in values
        if "bit" in condition:
            return any(value >> condition["bit"] & 1 for value in values)
        return bool(values)

    def shows(self, tool: Tool) -> bool:
        """Whether one of the alternatives of a tool holds."""
        return any(all(map(self.meets, conditions)) for conditions in tool.conditions)


def tools() -> tuple[Tool, ...]:
    """The rows of the table in their order."""
    return tuple(
        Tool(
            row["id"],
            row["name"],
            row["proposals"],
            row["trace"],
            tuple(tuple(conditions) for conditions in row["shown_when"]),
            tuple(row["streams"]),
        )
        for row in load_yaml("spec/tools.yaml")
    )


def footprint(chain: Sequence[bytes]) -> Footprint:
    """Check a chain of streams and collect what the last one holds; elements that are inferred do not count."""
    elements: dict[str, set[Any]] = defaultdict(set)
    last = len(chain) - 1

    def see(number: int, unit: Unit, trace: Sequence[TraceEntry]) -> None:
        if number == last:
            for entry in trace:
                if not entry.inferred:
                    elements[entry.name.partition("[")[0]].add(
                        entry.value if isinstance(entry.value, (int, float, str)) else PRESENT
                    )

    decoder = chain_decoder(chain)
    decoder.on_unit = see
    for _ in decoder.units():
        """Only the traces matter here."""
    report = check(chain).streams[-1]
    facts = set(report.tools)
    if len({tensor.qp for tensor in report.tensors if tensor.qp is not None and len(tensor.shape) > 1}) > 1:
        facts.add("several quantization parameters")
    units = frozenset(row.unit_type for row in report.units)
    return Footprint({name: frozenset(found) for name, found in elements.items()}, units, frozenset(facts), report)
