"""State machines: tables that say all, states that stay where nothing is said."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from nnr_conformance.checker import aggregate_rules, order_rules, partition_rules, update_rules
from nnr_conformance.checker.all_rules import ALL_RULES
from nnr_conformance.decoder.order_machines import DECODER_MACHINES
from nnr_conformance.diagnostics import Findings, catalogue
from nnr_conformance.machines import END, Event, Judge, Machine, Watch, anew, broken, left_open, met, to

DOOR = Machine(
    "A door is opened before one goes through it, and closed at the end.",
    start="closed",
    table={
        ("closed", "open"): to("open"),
        ("closed", "pass"): to("closed", broken("unit_underrun", "{found} met a door closed since {origin}")),
        ("open", "pass"): to("open", met("unit_underrun")),
        ("open", "open"): anew("open"),
        ("open", "close"): to("closed"),
        ("open", END): to("closed", left_open("unit_overrun", "open since {origin}")),
    },
)

MACHINES = tuple(dict.fromkeys(rule.watcher.machine for rule in ALL_RULES if rule.watcher is not None))
ROWS = [(machine, state, event) for machine in MACHINES for state, event in machine.table]


def name_of(machine: Machine) -> str:
    return machine.about.partition(":")[0]


def route(machine: Machine, goal: str) -> list[str]:
    """Events that lead from the first state to another."""
    routes: dict[str, list[str]] = {machine.start: []}
    waiting = [machine.start]
    for state in waiting:
        for (origin, event), transition in machine.table.items():
            if origin == state and transition.state not in routes:
                routes[transition.state] = [*routes[state], event]
                waiting.append(transition.state)
    return routes[goal]


def brought_to(machine: Machine, state: str) -> Watch:
    watch = Watch(machine)
    for number, event in enumerate(route(machine, state)):
        watch.take(Event(event, f"unit {number}"))
    assert watch.state() == state
    return watch


def test_every_machine_of_the_decoder_is_told_to_the_checker() -> None:
    assert set(DECODER_MACHINES) <= set(MACHINES)
    for module in (aggregate_rules, order_rules, partition_rules, update_rules):
        own = [value for value in vars(module).values() if isinstance(value, Machine)]
        assert set(own) <= set(MACHINES)


@pytest.mark.parametrize("machine", MACHINES, ids=name_of)
def test_every_state_can_be_reached_and_every_code_can_be_met_and_broken(machine: Machine) -> None:
    assert all(brought_to(machine, state) for state in machine.states)
    remarks = [remark for transition in machine.table.values() for remark in transition.remarks]
    for code in {remark.code for remark in remarks}:
        assert code in catalogue()
        assert {remark.met for remark in remarks if remark.code == code} == {True, False}


@pytest.mark.parametrize(
    ("machine", "state", "event"), ROWS, ids=lambda part: name_of(part) if isinstance(part, Machine) else part
)
def test_every_transition_leads_where_its_row_says(machine: Machine, state: str, event: str) -> None:
    watch = brought_to(machine, state)
    transition = machine.table[state, event]
    decisions = watch.take(Event(event, "unit 9", "something"))
    assert watch.state() == transition.state
    assert [(one.code, one.met) for one in decisions] == [(one.code, one.met) for one in transition.remarks]
    for decision in decisions:
        assert decision.met or decision.message
        assert "{" not in decision.message


@pytest.mark.parametrize("machine", MACHINES, ids=name_of)
def test_an_unknown_event_leaves_every_state(machine: Machine) -> None:
    for state in machine.states:
        watch = brought_to(machine, state)
        assert watch.take(Event("something else", "unit 9")) == ()
        assert watch.state() == state


def decided(*events: str, watch: Watch | None = None) -> Iterator[tuple[str, bool, str, str]]:
    watch = Watch(DOOR) if watch is None else watch
    for number, event in enumerate(events):
        for one in watch.take(Event(event, f"unit {number}", "a cat")):
            yield one.code, one.met, one.message, one.label


def test_a_message_names_what_was_found_and_the_unit_that_led_to_the_state() -> None:
    assert list(decided("wait", "pass")) == [("unit_underrun", False, "a cat met a door closed since unit 0", "unit 1")]
    events = "open", "close", "open", "close", "pass"
    assert list(decided(*events)) == [("unit_underrun", False, "a cat met a door closed since unit 3", "unit 4")]


def test_what_is_left_open_is_placed_where_it_was_opened() -> None:
    watch = Watch(DOOR)
    assert list(decided("open", "pass", watch=watch)) == [("unit_underrun", True, "", "unit 1")]
    assert [(one.message, one.label) for one in watch.end()] == [("open since unit 0", "unit 0")]
    assert watch.state() == "closed"
    assert list(watch.end()) == []


def test_a_state_that_is_renewed_begins_with_the_present_unit() -> None:
    watch = Watch(DOOR)
    assert list(decided("open", "pass", "open", watch=watch)) == [("unit_underrun", True, "", "unit 1")]
    assert [one.label for one in watch.end()] == ["unit 2"]


def test_every_key_has_a_state_of_its_own() -> None:
    watch = Watch(DOOR)
    watch.take(Event("open", "unit 0", key="front"))
    assert (watch.state("front"), watch.state("back")) == ("open", "closed")
    assert [one.met for one in watch.take(Event("pass", "unit 1", key="back"))] == [False]
    assert len(list(watch.end())) == 1


def test_braces_in_what_was_found_are_no_template() -> None:
    watch = Watch(DOOR)
    (decision,) = watch.take(Event("pass", "unit 0", "{origin}{0}"))
    assert decision.message == "{origin}{0} met a door closed since unit 0"


def test_a_judge_reports_what_was_broken_and_nothing_else() -> None:
    findings = Findings()
    judge = Judge(findings)
    watch = Watch(DOOR)
    for event in ("pass", "open", "pass"):
        for decision in watch.take(Event(event, "unit 4")):
            judge.hear(decision, bits=(1, 2))
    (found,) = findings
    assert (found.code, found.path, found.bits) == ("unit_underrun", "unit 4", (1, 2))
