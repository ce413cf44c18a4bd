"""Small state machines for rules on units in their order: a table of transitions that can be read row by row.

A machine has a table ``{(state, event): transition}``. A transition leads to the next state and remarks for each
requirement that it decides whether it was met. An event that has no row for the present state leaves the state alone.
A running machine has one instance for each key, so that one table can watch over every element, node or unit type.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from nnr_conformance.diagnostics import Findings

END = "end"
"""The event of every instance when the model ends."""


@dataclass(frozen=True, slots=True)
class Remark:
    """A requirement, by the code of its diagnostic, was met or broken.

    `message` may speak of ``{origin}``, the label of the unit that brought the machine into its state, and of
    ``{found}``, what the event says. `at_origin`: the place of the violation is the origin, not the present unit.
    """

    code: str
    met: bool
    message: str = ""
    at_origin: bool = False


@dataclass(frozen=True, slots=True)
class Transition:
    """The next state and what is remarked on the way; `renew`: a state that stays the same counts as a new one."""

    state: str
    remarks: tuple[Remark, ...] = ()
    renew: bool = False


def to(state: str, *remarks: Remark) -> Transition:
    """A transition to a state."""
    return Transition(state, remarks)


def anew(state: str, *remarks: Remark) -> Transition:
    """A transition to a state that begins again with the present unit."""
    return Transition(state, remarks, renew=True)


def met(code: str) -> Remark:
    """The requirement of this code was met."""
    return Remark(code, met=True)


def broken(code: str, message: str) -> Remark:
    """The requirement of this code was not met."""
    return Remark(code, met=False, message=message)


def left_open(code: str, message: str) -> Remark:
    """The requirement of this code was not met by the unit that brought the machine into its state."""
    return Remark(code, met=False, message=message, at_origin=True)


@dataclass(frozen=True, slots=True, eq=False)
class Machine:
    """A table of transitions. `about`: the requirements, and what they ask for; `start`: the first state."""

    about: str
    start: str
    table: Mapping[tuple[str, str], Transition]

    @property
    def codes(self) -> tuple[str, ...]:
        """Codes of the diagnostics that the table can give, in its order."""
        remarks = (remark for transition in self.table.values() for remark in transition.remarks)
        return tuple(dict.fromkeys(remark.code for remark in remarks if not remark.met))

    @property
    def states(self) -> frozenset[str]:
        """All states."""
        return frozenset({self.start, *(state for state, _ in self.table), *(row.state for row in self.table.values())})


class Event(NamedTuple):
    """Something that a unit does to a machine: `found` and `element` are for messages, `key` chooses the instance."""

    name: str
    label: str
    found: str = ""
    element: str = ""
    key: Hashable = None


class Decision(NamedTuple):
    """A remark with its message, the label of the unit and the element at which it is made."""

    code: str
    met: bool
    message: str
    label: str
    element: str


@dataclass(slots=True)
class Watch:
    """A running machine: for each key its state, and the label of the unit that brought it there."""

    machine: Machine
    instances: dict[Hashable, tuple[str, str]] = field(default_factory=dict)

    def state(self, key: Hashable = None) -> str:
        """The present state of an instance."""
        return self.instances[key][0] if key in self.instances else self.machine.start

    def take(self, event: Event) -> tuple[Decision, ...]:
        """Let an event happen; what is decided by it."""
        state, origin = self.instances.get(event.key) or (self.machine.start, event.label)
        transition = self.machine.table.get((state, event.name))
        if transition is None:
            self.instances.setdefault(event.key, (state, origin))
            return ()
        renewed = transition.renew or transition.state != state
        self.instances[event.key] = (transition.state, event.label if renewed else origin)
        return tuple(_decided(remark, event, origin) for remark in transition.remarks)

    def end(self) -> Iterator[Decision]:
        """The model ends: the event END for every instance, after which all begin again."""
        instances, self.instances = self.instances, {}
        for state, origin in instances.values():
            transition = self.machine.table.get((state, END))
            for remark in () if transition is None else transition.remarks:
                yield _decided(remark, Event(END, origin), origin)


def _decided(remark: Remark, event: Event, origin: str) -> Decision:
    message = "" if remark.met else remark.message.format(origin=origin, found=event.found)
    at_origin = remark.at_origin
    return Decision(
        remark.code, remark.met, message, origin if at_origin else event.label, "" if at_origin else event.element
    )


@dataclass(slots=True)
class Judge:
    """Hears of requirements that were met or broken; those that were broken become findings."""

    findings: Findings

    def met(self, code: str) -> None:
        """The requirement of this code was met once."""

    def broken(self, code: str, message: str, *, bits: tuple[int, int] | None = None, path: str = "") -> None:
        """The requirement of this code was not met."""
        self.findings.report(code, message, bits=bits, path=path)

    def hear(self, decision: Decision, *, bits: tuple[int, int] | None = None, path: str = "") -> None:
        """What a machine decided; `path`: where, if not just the unit."""
        if decision.met:
            self.met(decision.code)
        else:
            self.broken(decision.code, decision.message, bits=bits, path=path or decision.label)
