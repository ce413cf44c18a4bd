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

    def structure(self, *names: str) -> Mapping[str, Any] | None:
        """The tree of an enclosed structure of header or payload, None when it is absent."""
        tree: Any = {**self.unit.header, **self.unit.payload}
        for name in names:
            tree = tree.get(name) if isinstance(tree, Mapping) else None
        return tree if isinstance(tree, Mapping) else None


@dataclass(slots=True)
class ModelSoFar:
    """The units of the model that is being read, in order, as far as they could be read."""

    units: list[SeenUnit] = field(default_factory=list)

    def of_type(self, unit_type: int) -> Iterator[SeenUnit]:
        """The units of one type, in order."""
        return (seen for seen in self.units if seen.unit.unit_type == unit_type)

    def first(self, unit_type: int) -> SeenUnit | None:
        """The first unit of a type."""
        return next(self.of_type(unit_type), None)


UnitCheck = Callable[[SeenUnit, ModelSoFar], Iterator[Outcome]]
ModelCheck = Callable[[ModelSoFar], Iterator[tuple[SeenUnit, Outcome]]]


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
        if seen.unit.unit_type == 0 and self._model.units:
            self.end_model()
        if not seen.unit.broken:
            for rule in self.rules:
                if rule.on_unit is not None and seen.unit.unit_type in rule.unit_types:
                    for outcome in rule.on_unit(seen, self._model):
                        self._count(rule, seen, outcome)
        self._model.units.append(seen)

    def end_model(self) -> None:
        """Run the model rules on the model that ends here."""
        for rule in self.rules:
            if rule.on_model is not None:
                for seen, outcome in rule.on_model(self._model):
                    self._count(rule, seen, outcome)
        self._model = ModelSoFar()

    def _count(self, rule: Rule, seen: SeenUnit, outcome: Outcome) -> None:
        if outcome is PASSED:
            self.counts[rule.code].passed += 1
            return
        self.counts[rule.code].failed += 1
        path = seen.paths.get(outcome.element)
        if path is None:
            path = joined(seen.unit.label, outcome.element) if outcome.element else seen.unit.label
        self.findings.report(rule.code, outcome.message, bits=seen.places.get(outcome.element), path=path)


def outcome(met: bool, message: str, element: str = "") -> Outcome:
    """PASSED when a requirement is met, else a violation with this message."""
    return PASSED if met else Violation(message, element)
