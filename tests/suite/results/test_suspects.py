"""What fails as a whole is found in runs of which it is known, and nowhere else."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nnr_conformance.suite.results.formats import renderer
from nnr_conformance.suite.results.report import About, RunReport
from nnr_conformance.suite.results.suspects import MOST_FINDINGS, findings
from nnr_conformance.suite.results.traits import properties_of, symptom
from nnr_conformance.suite.runner.model import CaseResult, Result
from tests.suite.results.golden import HEADER

TOOLS = ("bias", "block", "codebook", "entry points", "raw float", "uniform", "update")
TOOLS_OF_CASES = st.lists(st.frozensets(st.sampled_from(TOOLS)), min_size=40, max_size=80)


def run(tools: Sequence[frozenset[str]], wrong: Mapping[int, CaseResult]) -> RunReport:
    """A run of cases with these tools, of which some came to something else than a pass."""
    names = [f"core/6-case-{number:03}" for number in range(len(tools))]
    results = tuple(
        replace(wrong[number], case=name) if number in wrong else CaseResult(name, Result.PASS)
        for number, name in enumerate(names)
    )
    about = {name: About("core", tuple(sorted(used))) for name, used in zip(names, tools, strict=True)}
    return RunReport(replace(HEADER, cases=len(names)), results, about)


def crashes(tools: Sequence[frozenset[str]], needed: frozenset[str], said: str = "KeyError: 'x'") -> RunReport:
    """A run in which the cases with certain tools, and no others, crash."""
    return run(tools, {at: CaseResult("", Result.CRASH, detail=said) for at, one in enumerate(tools) if needed <= one})


@given(TOOLS_OF_CASES)
def test_a_decoder_without_failures_has_no_findings(tools: list[frozenset[str]]) -> None:
    assert findings(run(tools, {})) == ()


@given(TOOLS_OF_CASES, st.sampled_from(TOOLS))
def test_a_tool_that_always_fails_is_the_only_finding(tools: list[frozenset[str]], tool: str) -> None:
    tools = [*tools, *(frozenset({one}) for one in TOOLS for _ in range(6))]
    report = crashes(tools, frozenset({tool}))
    (found,) = findings(report)
    assert found.properties == (f"tool:{tool}",)
    assert found.failed == found.ran == len(report.failures) == sum(tool in one for one in tools)
    assert found.said == {"crash: KeyError: 'x'": found.failed}


def test_two_tools_that_fail_together_alone_are_a_finding_as_a_pair() -> None:
    both, first, second = frozenset({"bias", "block"}), frozenset({"bias"}), frozenset({"block"})
    report = crashes([*[both] * 8, *[first] * 8, *[second] * 8, *[frozenset({"uniform"})] * 8], both)
    (found,) = findings(report)
    assert found.properties == ("tool:bias", "tool:block")
    assert (found.failed, found.ran) == (8, 8)


def test_failures_that_say_the_same_are_a_finding_with_the_tool_they_have_in_common() -> None:
    raw, other = frozenset({"raw float"}), frozenset({"uniform"})
    wrong = {at: CaseResult("", Result.CRASH, detail=f"slice {at}") for at in range(0, 20, 2)}
    (found,) = findings(run([*[raw] * 20, *[other] * 40], wrong))
    assert (found.properties, found.says) == (("tool:raw float",), "crash: slice 0")
    assert (found.failed, found.ran) == (10, 20)


def test_words_that_every_failure_says_do_not_hide_what_fails() -> None:
    tools = [frozenset({one}) for one in TOOLS for _ in range(10)]
    wrong = {at: CaseResult("", Result.CRASH, detail="no") for at, one in enumerate(tools) if one & {"bias", "update"}}
    assert [one.properties for one in findings(run(tools, wrong))] == [("tool:bias",), ("tool:update",)]


def test_a_decoder_that_fails_on_everything_fails_on_every_case_and_no_more_is_said() -> None:
    tools = [frozenset({one}) for one in TOOLS for _ in range(10)]
    (found,) = findings(crashes(tools, frozenset()))
    assert (found.properties, found.contrast) == ((), "")
    assert found.failed == found.ran == 70


def test_two_failures_may_be_alike_by_chance() -> None:
    tools = [frozenset({"bias"})] * 2 + [frozenset({"uniform"})] * 60
    assert findings(crashes(tools, frozenset({"bias"}))) == ()


def test_the_example_is_the_smallest_failure_and_the_contrast_its_nearest_pass() -> None:
    plain, scaled = frozenset({"uniform"}), frozenset({"uniform", "bias"})
    tools = [scaled | {"block", "update"}, *[scaled] * 5, *[plain] * 9, frozenset({"codebook"})]
    (found,) = findings(crashes(tools, frozenset({"bias"})))
    assert (found.example, found.contrast) == ("core/6-case-001", "core/6-case-006")
    assert (found.more, found.less) == (("tool:bias",), ())


def test_what_is_not_supported_is_no_case_that_ran() -> None:
    tools = [frozenset({"bias"})] * 9 + [frozenset({"uniform"})] * 20
    wrong = {at: CaseResult("", Result.CRASH if at < 5 else Result.NOT_SUPPORTED) for at in range(9)}
    (found,) = findings(run(tools, wrong))
    assert (found.properties, found.failed, found.ran) == (("tool:bias",), 5, 5)


@given(TOOLS_OF_CASES, st.data())
def test_findings_tell_different_failures_in_an_order_that_is_always_the_same(
    tools: list[frozenset[str]], data: st.DataObject
) -> None:
    kinds = st.sampled_from([Result.CRASH, Result.FAIL, Result.REJECTED])
    wrong = data.draw(
        st.dictionaries(
            st.integers(0, len(tools) - 1), st.builds(CaseResult, st.just(""), kinds, detail=st.sampled_from("abc"))
        )
    )
    report = run(tools, wrong)
    found = findings(report)
    assert found == findings(report)
    told = [case for one in found for case in one.cases]
    assert len(set(told)) == len(told)
    assert set(told) <= {one.case for one in report.failures}
    for one in found:
        having = [case.case for case in report.results if set(one.properties) <= properties_of(report.about[case.case])]
        assert one.ran == len(having)
        assert sum(one.said.values()) == len(one.cases) <= one.failed <= one.ran


@given(st.integers(0, 1 << 30))
def test_the_order_of_the_cases_does_not_change_what_is_found(seed: int) -> None:
    tools = [frozenset({one}) for one in TOOLS for _ in range(10)]
    report = crashes(tools, frozenset({"bias"}))
    shuffled = [*report.results]
    random.Random(seed).shuffle(shuffled)
    (found,), (other,) = findings(report), findings(replace(report, results=tuple(shuffled)))
    assert (found.properties, found.failed, found.ran, found.said) == (
        *(other.properties, other.failed, other.ran, other.said),
    )


def test_there_are_never_more_findings_than_anyone_reads() -> None:
    wrong = {at: CaseResult("", Result.CRASH, detail=f"{'x' * (at // 4)}") for at in range(1200)}
    assert len(findings(run([frozenset()] * 3000, wrong))) <= 2 * MOST_FINDINGS


@pytest.mark.parametrize(
    ("one", "said"),
    [
        (CaseResult("a", Result.CRASH, detail="signal 11 at 0xda"), "crash: signal 0 at 0"),
        (CaseResult("a", Result.REJECTED, detail="E: unit 3"), "rejected: E: unit 0"),
        (CaseResult("a", Result.FAIL, "levels", "'w': element 3 is 5, not 7"), "fail in levels"),
        (CaseResult("a", Result.ACCEPTED_INVALID, detail="decoded, though it has dims_invalid"), "accepted-invalid"),
        (CaseResult("a", Result.TIMEOUT), "timeout"),
    ],
)
def test_what_is_said_is_told_without_what_belongs_to_the_stream(one: CaseResult, said: str) -> None:
    assert symptom(one) == said


def test_every_property_is_a_selector() -> None:
    about = About("core", ("bias", "edition 2"), ("R-EP-01",), ("bad",), ("history",), "conforming")
    assert properties_of(about) == {
        *("class:core", "tool:bias", "tool:edition 2", "R-EP-01", "code:bad", "reading:history", "verdict:conforming"),
    }


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("text", "fails as a whole: tool:bias: 10 of 10 cases; first core/6-case-000"),
        ("markdown", "## What fails\n\n- tool:bias: 10 of 10 cases\n  - crash: KeyError: 'x' (10)\n"),
        ("html", "<h2>What fails</h2>"),
    ],
)
def test_reports_say_what_fails(name: str, said: str) -> None:
    tools = [frozenset({one}) for one in TOOLS for _ in range(10)]
    assert said in "\n".join(renderer(name)(crashes(tools, frozenset({"bias"}))))
    assert "hat fails" not in "\n".join(renderer(name)(run(tools, {})))


def test_json_has_the_findings() -> None:
    tools = [frozenset({one}) for one in TOOLS for _ in range(10)]
    values = json.loads("\n".join(renderer("json")(crashes(tools, frozenset({"bias"})))))
    (found,) = values["summary"]["findings"]
    assert found["properties"] == ["tool:bias"]
    assert (found["failed"], found["ran"], len(found["cases"])) == (10, 10, 10)
