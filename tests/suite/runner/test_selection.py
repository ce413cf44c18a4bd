"""Selection of cases by what is asked for and by what is claimed."""

from __future__ import annotations

import pytest

from nnr_conformance.errors import UsageError
from nnr_conformance.suite.corpus.summary import manifest_rows
from nnr_conformance.suite.runner.cases import golden_cases, known_tools
from nnr_conformance.suite.runner.implementation import Implementation
from nnr_conformance.suite.runner.selection import Selection, matches, not_claimed


def selected(*selectors: str, only: tuple[str, ...] = (), exclude: tuple[str, ...] = ()) -> set[str]:
    return {case.id for case in Selection(selectors, only, exclude).of(golden_cases())}


def test_each_stream_of_the_manifest_is_a_case_with_its_verdict_and_digests():
    assert len(golden_cases()) == len(manifest_rows())
    for case, row in zip(golden_cases(), manifest_rows(), strict=True):
        assert (f"{case.id}.nnr", case.source) == (row["path"], f"golden:{row['path']}")
        assert (case.verdict, dict(case.digests)) == (row["verdict"], row.get("digests", {}))


def test_a_clause_and_an_idea_select_the_streams_that_are_named_so():
    found = selected("10/entry-points")
    assert found
    assert all(name.rpartition("/")[2].startswith("10-entry-points") for name in found)
    assert found < selected("10")


@pytest.mark.parametrize("clause", ["6", "7", "8", "10"])
def test_a_clause_is_a_number_and_not_a_beginning_of_one(clause: str):
    assert {name.rpartition("/")[2].partition("-")[0] for name in selected(clause)} == {clause}


def test_patterns_and_beginnings_of_ids_select():
    assert selected("core") == selected("core/*") == selected("class:core")
    assert selected("core/10-codebook-*") < selected("core/*")
    assert selected("cor*") >= selected("core")


def test_a_requirement_selects_the_streams_that_are_about_it():
    assert selected("R-EP-02") == {case.id for case in golden_cases() if "R-EP-02" in case.requirements}


def test_tools_verdicts_codes_and_editions_select():
    assert selected("tool:codebook") == {case.id for case in golden_cases() if "codebook" in case.tools}
    assert selected("verdict:nonconforming") == {case.id for case in golden_cases() if case.verdict == "nonconforming"}
    assert selected("code:terminate_missing") == {
        case.id for case in golden_cases() if "terminate_missing" in case.codes
    }
    assert selected("edition:1") == {case.id for case in golden_cases() if 1 in case.editions}


def test_only_narrows_and_exclude_takes_away():
    both = selected("core", only=("10",))
    assert both == selected("core") & selected("10")
    assert selected("core", exclude=("10",)) == selected("core") - selected("10")


@pytest.mark.parametrize("selection", [Selection(("nothing/*",)), Selection(exclude=("R-EP-99",)), Selection(("10x",))])
def test_a_selector_that_matches_nothing_is_wrong_use(selection: Selection):
    with pytest.raises(UsageError, match="no case matches"):
        selection.of(golden_cases())


def test_selectors_that_leave_nothing_are_wrong_use():
    with pytest.raises(UsageError, match="left"):
        Selection(("core",), exclude=("core",)).of(golden_cases())


def test_who_claims_everything_gets_everything():
    assert not any(not_claimed(Implementation("x", "1", decoder="x {stream}"), case) for case in golden_cases())


def test_cases_of_tools_that_are_not_claimed_are_not_supported():
    claims = Implementation("x", "1", decoder="x {stream}", tools=known_tools() - {"codebook"})
    for case in golden_cases():
        if matches("tool:codebook", case):
            assert not_claimed(claims, case) == "not claimed: codebook"


def test_the_tools_of_streams_that_are_updated_are_needed_too():
    by_source = {case.source: case for case in golden_cases()}
    needed = [
        (case, tool)
        for case in golden_cases()
        for source in case.before
        for tool in by_source[source].tools
        if tool not in case.tools and not tool.startswith("edition")
    ]
    assert needed
    for case, tool in needed:
        claims = Implementation("x", "1", decoder="x {stream}", tools=known_tools() - {tool})
        assert not_claimed(claims, case) == f"not claimed: {tool}"


def test_a_decoder_of_edition_1_is_not_asked_for_streams_of_edition_2():
    claims = Implementation("x", "1", decoder="x {stream}", editions=(1,))
    asked = [case for case in golden_cases() if not not_claimed(claims, case)]
    assert asked
    assert all(1 in case.editions or "edition 2" not in case.tools for case in asked)
    assert any(case.verdict == "nonconforming" for case in asked)
