"""Every pair of coding tools that can meet in a unit does so in a stream, and only those that cannot are left out."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nnr_conformance.suite.corpus.checks import claim_problems, report_of
from nnr_conformance.suite.corpus.covering import Constraints, Forbidden, covering_array
from nnr_conformance.suite.corpus.recipes import CorpusStream, corpus_streams
from nnr_conformance.suite.corpus.tool_constraints import EDITION_1, tool_constraints
from nnr_conformance.suite.coverage.items import exclusions
from nnr_conformance.suite.coverage.tool_items import UNIT_TOOLS, pair

STREAMS = [stream for stream in corpus_streams() if stream.kind == "tools"]
FLAGS = "abcdef"
WRONG_ONLY = {pair("decomposition", "dimension mapping")}
"""Pairs that a decoder can meet, though no conforming stream has them."""


def named(stream: CorpusStream) -> str:
    return stream.name


@pytest.mark.parametrize("stream", STREAMS, ids=named)
def test_a_stream_of_tools_is_what_its_recipe_claims(stream: CorpusStream) -> None:
    assert list(claim_problems(stream)) == []


@pytest.mark.parametrize("stream", [one for one in STREAMS if one.purpose.startswith("Together")], ids=named)
def test_a_stream_of_the_covering_array_uses_the_tools_that_its_purpose_names(stream: CorpusStream) -> None:
    tools = set(stream.purpose.removeprefix("Together in one unit: ").removesuffix(".").split(", "))
    used = {"block scan" if tool.startswith("scan order") else tool for tool in report_of(stream).tools}
    assert tools <= used


def test_pairs_of_tools_are_left_out_exactly_where_a_constraint_forbids_them() -> None:
    constraints = tool_constraints()
    impossible = {
        pair(one, other)
        for one, other in itertools.combinations(UNIT_TOOLS, 2)
        if not constraints.possible({one: True, other: True})
    }
    listed = {one.name: one.reason for one in exclusions() if one.group == "tool pairs"}
    assert set(listed) == impossible - WRONG_ONLY
    assert set(listed.values()) <= {rule.reason for rule in constraints.forbidden}


def test_each_tool_can_be_had_without_any_other_that_it_does_not_need() -> None:
    constraints = tool_constraints()
    for tool in UNIT_TOOLS:
        assert constraints.possible({tool: True, EDITION_1: False}), tool


def breaks(row: dict[str, bool], rule: Forbidden) -> bool:
    return all(row[flag] for flag in rule.on) and not any(row[flag] for flag in rule.off)


@st.composite
def rules(draw: st.DrawFn) -> Forbidden:
    flags = draw(st.lists(st.sampled_from(FLAGS), min_size=1, max_size=3, unique=True))
    count = draw(st.integers(0, len(flags)))
    return Forbidden("a reason", on=tuple(flags[:count]), off=tuple(flags[count:]))


@given(st.lists(rules(), max_size=6))
def test_a_covering_array_has_every_pair_of_settings_that_some_row_can_have(forbidden: list[Forbidden]) -> None:
    every = [dict(zip(FLAGS, values, strict=True)) for values in itertools.product((False, True), repeat=len(FLAGS))]
    allowed = [row for row in every if not any(breaks(row, rule) for rule in forbidden)]
    possible = {two for row in allowed for two in itertools.combinations(row.items(), 2)}
    array = covering_array(Constraints(FLAGS, forbidden))
    assert all(row in allowed for row in array)
    assert {two for row in array for two in itertools.combinations(row.items(), 2)} == possible


def test_a_covering_array_needs_far_fewer_rows_than_there_are_combinations() -> None:
    assert len(covering_array(Constraints([str(number) for number in range(12)], []))) <= 16
