"""When the checks that decoding makes apply: how often they could have been broken, and how often they were.

A rule of the checker is a function that counts by itself. Other codes are found while bits are read and values are
computed; for these `applies` in `spec/diagnostics.yaml` says what they look at, and this module counts how often a
stream has it. Every code thus has a number of passes and failures for every stream, which nobody writes by hand.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from nnr_conformance.decoder.tensors import DecodedUnit
from nnr_conformance.descriptors import ByteAlignment, SignedExpGolomb, String, UnsignedExpGolomb
from nnr_conformance.diagnostics import Diagnostic, catalogue
from nnr_conformance.scope import TraceEntry
from nnr_conformance.syntax.enumerations import unit_type_name
from nnr_conformance.syntax.unit_parser import Unit

DESCRIPTORS: Mapping[str, tuple[type, ...]] = {
    "exp-golomb": (UnsignedExpGolomb, SignedExpGolomb),
    "string": (String,),
    "alignment": (ByteAlignment,),
}


@dataclass(slots=True)
class ScopeCounts:
    """How often a stream has what checks look at.

    A scope is a word and names: ``stream``, ``unit NNR_NDU``, ``element scan_order``, ``descriptor string``,
    ``tensor coded`` (or raw, codebook), ``tool row skip``. `things`: the counts of tensors and tools.
    """

    things: Counter[str] = field(default_factory=Counter)
    _unit_types: Counter[int] = field(default_factory=Counter)
    _elements: Counter[str] = field(default_factory=Counter)
    _kinds: Counter[type] = field(default_factory=Counter)

    def see_unit(self, unit: Unit, trace: Iterable[TraceEntry]) -> None:
        """Count a unit and the elements that are in it."""
        self._unit_types[unit.unit_type] += 1
        elements, kinds = self._elements, self._kinds
        for entry in trace:
            if entry.size:
                name = entry.name
                if name[-1] == "]":
                    name = name.partition("[")[0]
                elements[name] += 1
                kinds[entry.descriptor.__class__] += 1

    def see_decoded(self, unit: DecodedUnit) -> None:
        """Count the tensors of a decoded unit, and the tools that it uses."""
        for tensor in unit.tensors:
            self.things["tensor"] += 1
            self.things["tensor raw" if tensor.quantized is None else "tensor coded"] += 1
            self.things["tensor codebook"] += tensor.codebook_size > 0
        for tool in unit.tools:
            self.things[f"tool {tool}"] += 1

    def occurrences(self, scope: str) -> int:
        """How often a scope occurred; several names in one scope are separated by commas."""
        word, _, names = scope.partition(" ")
        if word == "stream":
            return 1
        if word == "descriptor":
            kinds = [kind for name in names.split(", ") for kind in DESCRIPTORS[name]]
            return sum(self._kinds[kind] for kind in kinds)
        if word == "element":
            return sum(self._elements[name] for name in names.split(", "))
        if word == "unit":
            counts = {unit_type_name(number): count for number, count in self._unit_types.items()}
            return sum(counts.get(name, 0) for name in names.split(", ")) if names else sum(counts.values())
        if not names:
            return self.things[word]
        return sum(self.things[f"{word} {name}"] for name in names.split(", "))


def counts_of_checks(
    seen: ScopeCounts, diagnostics: Iterable[Diagnostic], disabled: frozenset[str] = frozenset()
) -> dict[str, tuple[int, int]]:
    """For each code with a scope, how often its condition was met and broken; (0, 0) where it did not apply.

    `disabled`: codes that are not reported and not counted.
    """
    failed = Counter(found.code for found in diagnostics)
    return {
        code: (max(0, seen.occurrences(rule.applies) - failed[code]), failed[code])
        for code, rule in catalogue().items()
        if rule.applies and code not in disabled
    }
