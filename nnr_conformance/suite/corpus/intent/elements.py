"""The elements of each unit as they were written, beside what the recipe says of its tensors (clause 6)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from nnr_conformance.encoder.recipe import BuiltStream
from nnr_conformance.scope import SEPARATOR
from nnr_conformance.suite.corpus.intent.refusal import NoIntent

NOT_MEANT = ("state", "behind")
"""Keys of a compressed data unit that make it one that its stream does not announce."""


@dataclass(frozen=True, slots=True)
class UnitIntent:
    """One unit of the stream, or one part of it.

    `label`: ``unit 3`` or, inside of an aggregate unit, ``unit 3.1``. `written`: the elements that are in the stream,
    by name with index. `second`: those of the codebook of H. `recipe`: what the recipe says; `part`: its number.
    """

    label: str
    recipe: Mapping[str, Any]
    part: int
    written: dict[str, Any] = field(default_factory=dict)
    second: dict[str, Any] = field(default_factory=dict)

    def get(self, name: str, default: Any = 0) -> Any:
        """An element of the stream, or what is inferred where it is absent."""
        return self.written.get(name, default)

    def listed(self, name: str, elements: Mapping[str, Any] | None = None) -> list[Any]:
        """The elements ``name[0]``, ``name[1]`` and so on, which may begin or end anywhere."""
        source = self.written if elements is None else elements
        found = {key: value for key, value in source.items() if key.startswith(f"{name}[") and key.count("[") == 1}
        return [found[key] for key in sorted(found, key=lambda key: int(key[len(name) + 1 : -1]))]

    @property
    def unit_type(self) -> int:
        """nnr_unit_type."""
        return int(self.get("nnr_unit_type"))

    @property
    def aggregate(self) -> str:
        """The label of the aggregate unit around it; empty outside of one."""
        return self.label.rpartition(".")[0]

    @property
    def left(self) -> int:
        """How many parts are still to come, this one included; 0 for a whole unit. Raises NoIntent."""
        counter = int(self.get("partial_data_counter"))
        if counter and self.get("independently_decodable_flag"):
            raise NoIntent(f"{self.label}: an independent part of a model has no known meaning")
        return counter


def units_of(recipe: Sequence[Mapping[str, Any]], built: BuiltStream) -> list[UnitIntent]:
    """The units in the order of the stream, those that an aggregate unit encloses behind it."""
    units = {unit.label: unit for unit in _labelled(recipe, "unit ")}
    for entry in built.trace:
        label, *between, _ = entry.path.split(SEPARATOR)
        if label not in units:
            raise NoIntent(f"{label} has no entry in the recipe")
        if entry.size or (not entry.inferred and entry.name in {"part", "raw_float32_parameter"}):
            (units[label].second if "codebook_dc" in between else units[label].written)[entry.name] = entry.value
    return list(units.values())


def _labelled(recipe: Sequence[Mapping[str, Any]], before: str) -> Iterator[UnitIntent]:
    number = 0
    for entry in recipe:
        elements = next(iter(entry.values())) or {}
        for part in range(1 + len(elements.get("parts", ()))):
            yield UnitIntent(f"{before}{number + part}", elements, part)
        if "units" in elements:
            yield from _labelled(elements["units"], f"{before}{number}.")
        number += 1 + len(elements.get("parts", ()))
