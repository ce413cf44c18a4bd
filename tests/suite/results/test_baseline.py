"""Baselines: what breaks a run, how a file is written anew, and what is no baseline."""

from __future__ import annotations

import html
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from nnr_conformance.errors import UsageError
from nnr_conformance.report.printing import printable
from nnr_conformance.suite.registry_schemas import validator
from nnr_conformance.suite.results.baseline import (
    Baseline,
    Expected,
    Group,
    Problems,
    compared,
    empty,
    load_baseline,
    marked,
    updated,
)
from nnr_conformance.suite.results.baseline_file import parsed, text_of
from nnr_conformance.suite.results.formats import renderer
from nnr_conformance.suite.results.report import FAILURES, RunReport
from nnr_conformance.suite.runner.model import CaseResult, Result
from tests.suite.results.golden import HEADER, run_report

RESULTS = st.lists(
    st.builds(
        CaseResult,
        st.sampled_from(["a", "b", "c", "d", "core/e", "\x1b[31m", "\ud800", "\U000e0001\u202e\x00", "'\"\\u"]),
        st.sampled_from(Result),
        stage=st.sampled_from(["", "levels"]),
        detail=st.text(st.characters(codec=None), max_size=4),
    ),
    max_size=8,
    unique_by=lambda one: one.case,
)


def run_of(*results: CaseResult) -> RunReport:
    return RunReport(replace(HEADER, cases=len(results)), results)


def expecting(*cases: Expected, result: Result = Result.FAIL, reason: str = "Known.") -> Baseline:
    return replace(empty(HEADER), groups=(Group(result, cases, reason),))


FAILED = CaseResult("a", Result.FAIL, stage="levels", detail="no")


@pytest.mark.parametrize(
    "expected", [Expected("a"), Expected("a", "levels", "no")], ids=["whatever the detail", "exactly this"]
)
def test_a_listed_failure_breaks_nothing_and_is_marked(expected: Expected) -> None:
    report, baseline = run_of(FAILED, CaseResult("b", Result.PASS)), expecting(expected)
    assert not compared(report, baseline)
    assert [one.known for one in marked(report, baseline).results] == [True, False]


WHY = {"reason": "Known.", "link": "https://example.org/7", "divergence": "D-02", "reading": "split-index"}


@pytest.mark.parametrize("name", ["json", "junit", "markdown", "html"])
def test_why_a_failure_is_expected_is_in_the_report_and_no_other_reason(name: str) -> None:
    groups = (Group(Result.FAIL, (Expected("a"),), **WHY), Group(Result.FAIL, (Expected("b"),), "Passes by now."))
    report = marked(run_of(FAILED, CaseResult("b", Result.PASS)), replace(empty(HEADER), groups=groups))
    said = html.unescape("\n".join(renderer(name)(report))).replace("\\", "")
    assert all(text in said for text in WHY.values())
    assert "Passes by now" not in said


@pytest.mark.parametrize(("key", "file"), [("divergence", "spec/divergences.yaml"), ("reading", "spec/readings.yaml")])
def test_a_row_that_is_not_in_the_registry_is_wrong_use_that_names_it(key: str, file: str) -> None:
    text = "".join(f"{line}\n" for line in text_of(expecting(Expected("a"))))
    with pytest.raises(UsageError, match=f"group 1: {file} has no 'D-99999'"):
        parsed(text.replace("  cases:", f'  {key}: "D-99999"\n  cases:'))


def test_a_failure_that_is_not_listed_breaks_the_run() -> None:
    problems = compared(run_of(FAILED), empty(HEADER))
    assert problems.unexpected == (FAILED,)
    assert [*problems.lines()] == ["not expected: a: fail in levels: no"]


@pytest.mark.parametrize(
    "found",
    [
        replace(FAILED, result=Result.CRASH),
        replace(FAILED, stage="tensors"),
        replace(FAILED, detail="else"),
        replace(FAILED, stage="", detail=""),
    ],
)
def test_a_listed_case_that_fails_in_another_way_breaks_the_run(found: CaseResult) -> None:
    report, baseline = run_of(found), expecting(Expected("a", "levels", "no"))
    problems = compared(report, baseline)
    assert problems.different == ((found, "fail in levels: no"),)
    assert not marked(report, baseline).results[0].known


def test_a_listed_case_that_passes_breaks_the_run() -> None:
    problems = compared(run_of(CaseResult("a", Result.PASS)), expecting(Expected("a")))
    assert problems.passing == ("a",)
    assert problems


@pytest.mark.parametrize("results", [(), (CaseResult("a", Result.NOT_SUPPORTED),)], ids=["not run", "not supported"])
def test_a_listed_case_that_does_not_run_breaks_the_run(results: tuple[CaseResult, ...]) -> None:
    problems = compared(run_of(*results), expecting(Expected("a")))
    assert problems.not_run == ("a",)
    assert problems


@pytest.mark.parametrize("reason", ["", " "])
def test_a_listed_case_without_a_reason_breaks_the_run(reason: str) -> None:
    problems = compared(run_of(FAILED), expecting(Expected("a"), reason=reason))
    assert problems.unexplained == ("a",)
    assert problems


@pytest.mark.parametrize("name", ["implementation", "version"])
def test_a_baseline_of_another_implementation_or_version_breaks_the_run_and_is_not_written_anew(name: str) -> None:
    report, baseline = run_of(FAILED), expecting(Expected("a"))
    other = RunReport(replace(report.header, **{name: "other"}), report.results)
    assert compared(other, baseline).header
    with pytest.raises(UsageError, match="other"):
        updated(other, baseline)


@pytest.mark.parametrize("header", [{"partial": True}, {"cases": 2}])
def test_a_partial_run_updates_nothing(header: dict[str, int]) -> None:
    report = run_of(FAILED)
    with pytest.raises(UsageError, match="whole corpus"):
        updated(RunReport(replace(report.header, **header), report.results), empty(HEADER))


def test_an_update_keeps_reasons_of_what_stays_and_leaves_those_of_new_failures_to_be_written() -> None:
    stays, changes = Expected("a", "levels", "no"), Expected("b", "levels", "no")
    passes, new = Expected("c"), CaseResult("d", Result.CRASH, detail="signal 11")
    differs = CaseResult("b", Result.FAIL, "tensors", "no")
    baseline = replace(
        empty(HEADER), groups=(Group(Result.FAIL, (passes, changes, stays), "A reason.", link="L", divergence="D-01"),)
    )
    written = parsed(updated(run_of(new, FAILED, differs, CaseResult("c", Result.PASS)), baseline))
    assert written.groups == (
        Group(Result.FAIL, (stays,), "A reason.", link="L", divergence="D-01"),
        Group(Result.FAIL, (Expected("b", "tensors", "no"),)),
        Group(Result.CRASH, (Expected("d", "", "signal 11"),)),
    )


def test_an_update_says_of_which_streams_it_is() -> None:
    report = run_of(FAILED)
    other = replace(report.header, corpus="9", corpus_digest="f" * 64)
    written = parsed(updated(RunReport(other, report.results), empty(HEADER)))
    assert (written.corpus, written.corpus_digest) == ("9", "f" * 64)


@given(RESULTS, RESULTS)
def test_what_an_update_wrote_expects_all_failures_of_the_run_and_nothing_else(
    before: list[CaseResult], now: list[CaseResult]
) -> None:
    earlier = parsed(updated(run_of(*before), empty(HEADER)))
    explained = replace(earlier, groups=tuple(replace(group, reason="Known.") for group in earlier.groups))
    report = run_of(*now)
    text = updated(report, explained)
    problems = compared(report, parsed(text))
    assert problems == Problems(unexplained=problems.unexplained)
    assert set(problems.unexplained) <= {printable(one.case) for one in report.failures}
    assert updated(report, parsed(text)) == text


@given(RESULTS, st.randoms())
def test_the_order_of_results_changes_nothing_in_the_file(results: list[CaseResult], random: object) -> None:
    shuffled = results.copy()
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert updated(run_of(*results), empty(HEADER)) == updated(run_of(*shuffled), empty(HEADER))


@given(st.lists(st.text(max_size=6), max_size=4, unique=True), st.text(max_size=12), st.sampled_from([*FAILURES]))
def test_a_baseline_of_printable_text_is_read_back_as_it_was(cases: list[str], text: str, result: Result) -> None:
    names = dict.fromkeys(case for case in cases if case.isprintable())
    text = "".join(letter for letter in text if letter.isprintable())
    group = Group(result, tuple(Expected(case, text, text) for case in names), text, text, "D-01", "split-index")
    baseline = replace(empty(HEADER), implementation=text, groups=(group,) if names else ())
    assert parsed("\n".join(text_of(baseline))) == baseline


def test_a_case_takes_one_line_and_pure_yaml_reads_the_same() -> None:
    text = updated(run_report(), empty(HEADER))
    cases = [line for line in text.splitlines() if line.startswith("  - ")]
    assert len(cases) == len(run_report().failures)
    assert all(line.isprintable() for line in text.splitlines())
    values = yaml.load(text, Loader=yaml.SafeLoader)
    assert values == yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    validator("baseline").validate(values)


def test_a_file_is_read_and_an_error_names_it(tmp_path: Path) -> None:
    path = tmp_path / "baseline.yaml"
    with pytest.raises(UsageError, match=r"baseline\.yaml"):
        load_baseline(path)
    path.write_text(updated(run_report(), empty(HEADER)), encoding="utf-8")
    assert len(load_baseline(path).groups) == 6
    path.write_bytes(b"\xff")
    with pytest.raises(UsageError, match=r"baseline\.yaml"):
        load_baseline(path)


HEAD = 'schema: nnr-baseline/1\nimplementation: a\nversion: "1"\ncorpus: ""\ncorpus_digest: ""\n'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no mapping"),
        ("a: [", "not YAML"),
        ("[" * 10_000, "not YAML|no mapping"),
        ("schema: nnr-baseline/2", "nnr-baseline/1"),
        (HEAD.replace('"1"', "2.1"), "put it in quotes"),
        (f"{HEAD}more: 1", "unknown key 'more'"),
        (f"{HEAD}expected: 1", "no list"),
        (f"{HEAD}expected: [1]", "no mapping"),
        (f"{HEAD}expected: [{{result: pass, cases: []}}]", "result is 'pass'"),
        (f"{HEAD}expected: [{{result: [], cases: []}}]", "result is"),
        (f"{HEAD}expected: [{{result: fail}}]", "no list"),
        (f"{HEAD}expected: [{{result: fail, cases: [1]}}]", "no mapping"),
        (f"{HEAD}expected: [{{result: fail, cases: [{{stage: levels}}]}}]", "case is None"),
        (f"{HEAD}expected: [{{result: fail, cases: [a, {{case: a}}]}}]", "a is listed twice"),
        (f"{HEAD}expected: [{{result: fail, reason: 1, cases: []}}]", "reason is 1"),
    ],
)
def test_what_is_no_baseline_is_refused_with_the_place(text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        parsed(text)
