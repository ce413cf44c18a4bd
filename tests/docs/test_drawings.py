"""Drawings agree with what they are made of."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest

from nnr_conformance.data import load_yaml
from nnr_conformance.entropy.contexts import SIG_BASE, SIG_HISTORY, SIG_NEIGHBOUR
from nnr_conformance.suite.cfp2019.plot import plot
from nnr_sphinx.entropy_drawings import DRAWINGS, significance_context
from nnr_sphinx.machine_drawing import machine_at, machine_drawing, states_in_order
from nnr_sphinx.page_text import used
from nnr_sphinx.stored_pipelines import stored_evaluations

NAME = "{http://www.w3.org/2000/svg}"
MACHINES = [one.argument for one in used("nnr:machine")]


@pytest.mark.parametrize("where", MACHINES)
def test_a_machine_has_a_column_for_each_state_and_an_arrow_for_each_transition(where: str) -> None:
    machine = machine_at(where)
    root = ET.fromstring(machine_drawing(machine, "m"))
    assert set(states_in_order(machine)) == set(machine.states)
    assert len(root.findall(f"{NAME}rect")) == len(machine.states)
    arrows = [one for one in root.iter() if one.get("marker-end")]
    assert len(arrows) == len(machine.table)


@pytest.mark.parametrize("where", MACHINES)
def test_arrows_name_each_diagnostic_of_the_machine(where: str) -> None:
    machine = machine_at(where)
    words = " ".join(one.text or "" for one in ET.fromstring(machine_drawing(machine, "m")).iter(f"{NAME}text"))
    assert [code for code in machine.codes if code not in words] == []


@pytest.mark.parametrize("name", DRAWINGS)
def test_drawings_are_well_formed_and_named(name: str) -> None:
    root = ET.fromstring(DRAWINGS[name](name))
    assert root.findtext(f"{NAME}title")


def test_contexts_are_those_of_the_layout() -> None:
    # spec/tables/cabac.yaml says how the indices inside each group are made.
    layout = [group["name"] for group in load_yaml("spec/tables/cabac.yaml")["context_layout"]]
    assert layout[:3] == ["sig_neighbour", "sig_base", "sig_history"]
    for state in range(8):
        for neighbour in range(3):
            assert significance_context(state, neighbour=neighbour) == SIG_NEIGHBOUR + 3 * state + neighbour
        assert significance_context(state, base=1) == SIG_BASE + 2 * state
        assert significance_context(state, base=-4) == SIG_BASE + 2 * state + 1
        assert significance_context(state, base=4, history=1) == SIG_HISTORY + state


def test_the_plot_has_a_mark_for_each_stream_of_2019() -> None:
    rows = stored_evaluations()
    root = ET.fromstring(plot(rows))
    titles = [one.findtext(f"{NAME}title") or "" for one in root.iter(f"{NAME}circle")]
    assert len(titles) == len(rows)
    assert all(any(title.startswith(f"{row.name}: {row.size} bytes") for title in titles) for row in rows)
