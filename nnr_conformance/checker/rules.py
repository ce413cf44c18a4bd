"""The engine of rules: one small function for each requirement, with an explicit scope, and counts of what happened.

A rule looks at one unit, at the tensors that a unit was decoded to, at data that travels beside tensors, or at the
whole model when it ends. It yields `PASSED` for every place at which its requirement was met and a `Violation` for
every place at which it was not; a rule that yields nothing did not apply. Rules on units in their order are state
machines (`nnr_conformance.machines`), fed with the events of each unit. Coverage over a set of streams comes from the
counts, which nobody writes by hand.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from nnr_conformance.checker.model_so_far import ModelSoFar, SeenUnit
from nnr_conformance.decoder.tensors import DecodedUnit
from nnr_conformance.decoder.topology import CarriedData
from nnr_conformance.diagnostics import Findings, catalogue
from nnr_conformance.machines import Decision, Event, Judge, Machine, Watch
from nnr_conformance.scope import joined
from nnr_conformance.syntax.enumerations import STR

__all__ = [
    "PASSED",
    "CountingJudge",
    "ModelSoFar",
    "Outcome",
    "Rule",
    "RuleCount",
    "RuleRunner",
    "RuleSet",
    "SeenUnit",
    "Violation",
    "Watcher",
    "outcome",
]


@dataclass(frozen=True, slots=True)
class Violation:
    """A place at which a requirement is not met: what was found, and the element that shows it (with its subscript)."""

    message: str
    element: str = ""


PASSED = None
"""What a rule yields where its requirement is met."""

Outcome = Violation | None


UnitCheck = Callable[[SeenUnit, ModelSoFar], Iterator[Outcome]]
ModelCheck = Callable[[ModelSoFar], Iterator[tuple[str, Outcome]]]
DecodedCheck = Callable[[DecodedUnit, ModelSoFar], Iterator[Outcome]]
CarriedCheck = Callable[[CarriedData, ModelSoFar], Iterator[Outcome]]
Events = Callable[[SeenUnit, ModelSoFar], Iterator[Event]]


@dataclass(frozen=True, slots=True, eq=False)
class Watcher:
    """A state machine and what feeds it: the events of each unit; None when the decoder tells what it decides.

    `unit_types`: those that have events, empty for all. `whole_stream`: the machine goes on when a model ends.
    """

    machine: Machine
    events: Events | None = None
    unit_types: tuple[int, ...] = ()
    whole_stream: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Rule:
    """A rule: the code of its violations (whose catalogue row names the requirement), and its function.

    `unit_types`: the scope of a rule on units and of one on carried data; empty for all others. Exactly one of the
    functions is there; a state machine is the watcher of all rules whose codes its table has.
    """

    code: str
    unit_types: tuple[int, ...] = ()
    on_unit: UnitCheck | None = None
    on_model: ModelCheck | None = None
    on_decoded: DecodedCheck | None = None
    on_carried: CarriedCheck | None = None
    watcher: Watcher | None = None
    told: str = ""

    @property
    def requirement(self) -> str:
        """The requirement that the rule checks."""
        return catalogue()[self.code].requirement

    @property
    def description(self) -> str:
        """What the rule checks, in words."""
        if self.watcher is not None:
            return self.watcher.machine.about
        function = self.on_unit or self.on_model or self.on_decoded or self.on_carried
        return self.told if function is None else function.__doc__ or ""


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
            self.rules.append(Rule(code, on_model=function))
            return function

        return declare

    def decoded(self, code: str) -> Callable[[DecodedCheck], DecodedCheck]:
        """Declare a rule on the tensors of a decoded unit, before the units behind it are read."""

        def declare(function: DecodedCheck) -> DecodedCheck:
            self.rules.append(Rule(code, on_decoded=function))
            return function

        return declare

    def carried(self, code: str, unit_type: int) -> Callable[[CarriedCheck], CarriedCheck]:
        """Declare a rule on the data of topology or quantization units, inflated and its parts joined."""

        def declare(function: CarriedCheck) -> CarriedCheck:
            self.rules.append(Rule(code, (unit_type,), on_carried=function))
            return function

        return declare

    def machine(self, machine: Machine, *unit_types: int, whole_stream: bool = False) -> Callable[[Events], Events]:
        """Declare a state machine, which is a rule for each code in its table; the function gives a unit's events."""

        def declare(function: Events) -> Events:
            watcher = Watcher(machine, function, unit_types, whole_stream)
            self.rules.extend(Rule(code, watcher=watcher) for code in machine.codes)
            return function

        return declare

    def told_machine(self, machine: Machine) -> None:
        """Declare a state machine that the decoder feeds and tells of."""
        watcher = Watcher(machine)
        self.rules.extend(Rule(code, watcher=watcher) for code in machine.codes)

    def told(self, code: str, description: str) -> None:
        """Declare a rule that the decoder checks and tells of."""
        self.rules.append(Rule(code, told=description))


@dataclass(slots=True)
class RuleCount:
    """How often a rule's requirement was met and not met."""

    passed: int = 0
    failed: int = 0


@dataclass(slots=True)
class CountingJudge(Judge):
    """A judge that counts for each rule what it hears."""

    counts: dict[str, RuleCount] = field(default_factory=dict)
    disabled: frozenset[str] = frozenset()

    def met(self, code: str) -> None:
        """The requirement of this code was met once."""
        if code in self.counts:
            self.counts[code].passed += 1

    def broken(self, code: str, message: str, *, bits: tuple[int, int] | None = None, path: str = "") -> None:
        """The requirement of this code was not met; nothing is reported of rules that are left out."""
        if code in self.counts:
            self.counts[code].failed += 1
        if code not in self.disabled:
            self.findings.report(code, message, bits=bits, path=path)


@dataclass(slots=True)
class RuleRunner:
    """Runs rules over the units of a stream; `disabled`: codes of rules that are left out.

    `judge` counts what rules and machines find, and what the decoder tells it.
    """

    rules: tuple[Rule, ...]
    findings: Findings
    disabled: frozenset[str] = frozenset()
    judge: CountingJudge = field(init=False)
    _watches: list[tuple[Watcher, Watch]] = field(default_factory=list)
    _events_by_type: dict[int, list[tuple[Events, Watch]]] = field(default_factory=dict)
    _by_type: dict[int, list[tuple[str, UnitCheck]]] = field(default_factory=dict)
    _on_decoded: list[tuple[str, DecodedCheck]] = field(default_factory=list)
    _carried: int = 0
    _model: ModelSoFar = field(default_factory=ModelSoFar)

    def __post_init__(self) -> None:
        self.rules = tuple(rule for rule in self.rules if rule.code not in self.disabled)
        self.judge = CountingJudge(self.findings, {rule.code: RuleCount() for rule in self.rules}, self.disabled)
        for watcher in dict.fromkeys(rule.watcher for rule in self.rules if rule.watcher is not None):
            if watcher.events is not None:
                self._watches.append((watcher, Watch(watcher.machine)))
        for rule in self.rules:
            if rule.on_unit is not None:
                for unit_type in rule.unit_types:
                    self._by_type.setdefault(unit_type, []).append((rule.code, rule.on_unit))
            if rule.on_decoded is not None:
                self._on_decoded.append((rule.code, rule.on_decoded))

    @property
    def counts(self) -> dict[str, RuleCount]:
        """For each rule by its code how often its requirement was met and not met."""
        return self.judge.counts

    def see(self, seen: SeenUnit) -> None:
        """Run machines and unit rules on the next unit; a start unit ends the model before it."""
        if seen.unit.unit_type == STR and self._model.started:
            self.end_model()
        self._model.approach(seen)
        for events, watch in self._feeds(seen.unit.unit_type):
            for event in events(seen, self._model):
                for decision in watch.take(event):
                    self._decide(decision, seen)
        if not seen.unit.broken:
            for code, check in self._by_type.get(seen.unit.unit_type, ()):
                for found in check(seen, self._model):
                    self._tell(code, found, seen.unit.label, seen)
        self._model.add(seen)

    def see_decoded(self, unit: DecodedUnit) -> None:
        """Run the rules on decoded units on the unit that was seen last."""
        for code, check in self._on_decoded:
            for found in check(unit, self._model):
                self._tell(code, found, unit.label, None)
        self._model.add_decoded(unit)

    def see_all_carried(self, carried: Sequence[CarriedData]) -> None:
        """Run the rules on carried data on what came since the last time; `carried`: all that the stream had so far."""
        for data in carried[self._carried :]:
            self._see_carried(data)
        self._carried = len(carried)

    def _see_carried(self, data: CarriedData) -> None:
        for rule in self.rules:
            if rule.on_carried is not None and data.unit_type in rule.unit_types:
                for found in rule.on_carried(data, self._model):
                    self._tell(rule.code, found, data.label, None)
        self._model.add_carried(data)

    def end_model(self) -> None:
        """Run the model rules on the model that ends here, and let the machines end."""
        for watcher, watch in self._watches:
            if not watcher.whole_stream:
                for decision in watch.end():
                    self._decide(decision, None)
        for rule in self.rules:
            if rule.on_model is not None:
                for label, found in rule.on_model(self._model):
                    self._tell(rule.code, found, label, None)
        self._model = ModelSoFar()

    def _feeds(self, unit_type: int) -> list[tuple[Events, Watch]]:
        """The machines that units of this type may have events for."""
        known = self._events_by_type.get(unit_type)
        if known is None:
            known = self._events_by_type[unit_type] = [
                (watcher.events, watch)
                for watcher, watch in self._watches
                if watcher.events is not None and (not watcher.unit_types or unit_type in watcher.unit_types)
            ]
        return known

    def _decide(self, decision: Decision, seen: SeenUnit | None) -> None:
        found = PASSED if decision.met else Violation(decision.message, decision.element)
        self._tell(decision.code, found, decision.label, seen)

    def _tell(self, code: str, found: Outcome, label: str, seen: SeenUnit | None) -> None:
        if found is PASSED:
            self.judge.met(code)
            return
        path, bits = joined(label, found.element) if found.element else label, None
        if seen is not None and found.element:
            path, bits = seen.path_of(found.element, path), seen.place_of(found.element)
        self.judge.broken(code, found.message, bits=bits, path=path)


def outcome(met: bool, message: str, element: str = "") -> Outcome:
    """PASSED when a requirement is met, else a violation with this message."""
    return PASSED if met else Violation(message, element)
