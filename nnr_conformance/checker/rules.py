"""The engine of rules: one small function for each requirement, with an explicit scope, and counts of what happened.

A rule looks at one unit, or at the whole model when it ends. It yields `PASSED` for every place at which its
requirement was met and a `Violation` for every place at which it was not; a rule that yields nothing did not apply.
Coverage over a set of streams comes from the counts, which nobody writes by hand.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from nnr_conformance.diagnostics import Findings, catalogue
from nnr_conformance.scope import joined
from nnr_conformance.syntax.enumerations import LPS, MPS, NDU, STR, TPL
from nnr_conformance.syntax.unit_parser import Unit


@dataclass(frozen=True, slots=True)
class Violation:
    """A place at which a requirement is not met: what was found, and the element that shows it (with its subscript)."""

    message: str
    element: str = ""


PASSED = None
"""What a rule yields where its requirement is met."""

Outcome = Violation | None


@dataclass(frozen=True, slots=True)
class SeenUnit:
    """A unit as rules see it: parsed, with the places (bits) and paths of its elements by name and subscript."""

    unit: Unit
    places: Mapping[str, tuple[int, int]]
    paths: Mapping[str, str]

    def get(self, name: str, default: Any = None) -> Any:
        """Value of an element of this unit."""
        return self.unit.get(name, default)


@dataclass(slots=True)
class ModelSoFar:
    """What rules need to know of the units before, in constant time and little memory for each unit.

    `parameter_set`: the first MPS. `first_data`: label of the first compressed data unit. `independence`: by element
    name the label and independently_decodable_flag of its first unit. `pruned`: by element name the label of the unit
    whose pruning dictionary has it, and its dimensions. `layer_set`: label of the LPS in force as long as no compressed
    data unit followed it. `used_layer_sets`, `unused_layer_sets`: labels. `methods`: quantization method flags of all
    parameter sets. `nodes`: label of the unit that has device_id, parameter_id and put_node_depth. `partition`: label
    of the unit that began a partition which has not reached its last part.
    """

    started: bool = False
    parameter_set: SeenUnit | None = None
    first_data: str = ""
    independence: dict[str, tuple[str, int]] = field(default_factory=dict)
    pruned: dict[str, tuple[str, list[int]]] = field(default_factory=dict)
    layer_set: str = ""
    used_layer_sets: list[str] = field(default_factory=list)
    unused_layer_sets: list[str] = field(default_factory=list)
    methods: int = 0
    nodes: dict[tuple[int, int, int], str] = field(default_factory=dict)
    partition: str = ""

    def add(self, seen: SeenUnit) -> None:
        """Remember a unit."""
        self.started = True
        unit_type, label = seen.unit.unit_type, seen.unit.label
        self.methods |= seen.unit.payload.get("mps_quantization_method_flags", 0)
        self.methods |= seen.unit.payload.get("lps_quantization_method_flags", 0)
        if seen.unit.is_part:
            last = seen.get("partial_data_counter") == 1
            self.partition = "" if last else self.partition or label
        if unit_type == MPS and self.parameter_set is None and not seen.unit.broken:
            self.parameter_set = seen
        elif unit_type == LPS:
            if self.layer_set:
                self.unused_layer_sets.append(self.layer_set)
            self.layer_set = label
        elif unit_type == TPL:
            tree = seen.unit.payload.get("nnr_pruning_topology_container", {}).get("pruning_dictionary", {})
            for name, dims in zip(tree.get("element_id", ()), tree.get("dim", ()), strict=False):
                self.pruned[name] = (label, dims)
        elif unit_type == NDU:
            self.first_data = self.first_data or label
            name = seen.get("element_name", "")
            if name and not seen.unit.broken:
                self.independence.setdefault(name, (label, seen.get("independently_decodable_flag")))
            if seen.get("node_id_present_flag") and not seen.unit.broken and not seen.unit.is_part:
                self.nodes.setdefault(node_of(seen), label)
            if self.layer_set:
                self.used_layer_sets.append(self.layer_set)
                self.layer_set = ""


def node_of(seen: SeenUnit) -> tuple[int, int, int]:
    """device_id, parameter_id and put_node_depth of a unit that has them."""
    return seen.get("device_id"), seen.get("parameter_id"), seen.get("put_node_depth")


UnitCheck = Callable[[SeenUnit, ModelSoFar], Iterator[Outcome]]
ModelCheck = Callable[[ModelSoFar], Iterator[tuple[str, Outcome]]]


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule: the code of its violations (whose catalogue row names the requirement), and its function.

    `unit_types`: the scope of a unit rule; empty for a rule on the whole model.
    """

    code: str
    unit_types: tuple[int, ...]
    on_unit: UnitCheck | None = None
    on_model: ModelCheck | None = None

    @property
    def requirement(self) -> str:
        """The requirement that the rule checks."""
        return catalogue()[self.code].requirement


@dataclass(slots=True)
class RuleSet:
    """The rules of one module, collected by decorators."""

    rules: list[Rule] = field(default_factory=list)

    def unit(self, code: str, *unit_types: int) -> Callable[[UnitCheck], UnitCheck]:
        """Declare a rule on units of these types."""

        def declare(function: UnitCheck) -> UnitCheck:
            self.rules.append(Rule(code, unit_types, on_unit=function))
            return function

        return declare

    def model(self, code: str) -> Callable[[ModelCheck], ModelCheck]:
        """Declare a rule on a whole model."""

        def declare(function: ModelCheck) -> ModelCheck:
            self.rules.append(Rule(code, (), on_model=function))
            return function

        return declare


@dataclass(slots=True)
class RuleCount:
    """How often a rule's requirement was met and not met."""

    passed: int = 0
    failed: int = 0


@dataclass(slots=True)
class RuleRunner:
    """Runs rules over the units of a stream; `disabled`: codes of rules that are left out."""

    rules: tuple[Rule, ...]
    findings: Findings
    disabled: frozenset[str] = frozenset()
    counts: dict[str, RuleCount] = field(default_factory=dict)
    _model: ModelSoFar = field(default_factory=ModelSoFar)

    def __post_init__(self) -> None:
        self.rules = tuple(rule for rule in self.rules if rule.code not in self.disabled)
        self.counts = {rule.code: RuleCount() for rule in self.rules}

    def see(self, seen: SeenUnit) -> None:
        """Run the unit rules on the next unit; a start unit ends the model before it."""
        if seen.unit.unit_type == STR and self._model.started:
            self.end_model()
        if not seen.unit.broken:
            for rule in self.rules:
                if rule.on_unit is not None and seen.unit.unit_type in rule.unit_types:
                    for found in rule.on_unit(seen, self._model):
                        self._count(rule, found, seen.unit.label, seen)
        self._model.add(seen)

    def end_model(self) -> None:
        """Run the model rules on the model that ends here."""
        for rule in self.rules:
            if rule.on_model is not None:
                for label, found in rule.on_model(self._model):
                    self._count(rule, found, label, None)
        self._model = ModelSoFar()

    def _count(self, rule: Rule, found: Outcome, label: str, seen: SeenUnit | None) -> None:
        if found is PASSED:
            self.counts[rule.code].passed += 1
            return
        self.counts[rule.code].failed += 1
        path, bits = joined(label, found.element) if found.element else label, None
        if seen is not None:
            path, bits = seen.paths.get(found.element, path), seen.places.get(found.element)
        self.findings.report(rule.code, found.message, bits=bits, path=path)


def outcome(met: bool, message: str, element: str = "") -> Outcome:
    """PASSED when a requirement is met, else a violation with this message."""
    return PASSED if met else Violation(message, element)
