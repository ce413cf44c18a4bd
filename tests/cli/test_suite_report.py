"""nnr-suite report: stored runs in other formats, against baselines, side by side."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from nnr_conformance.cli.suite import main
from nnr_conformance.errors import UsageError
from nnr_conformance.suite.results.formats import renderer
from nnr_conformance.suite.results.header import corpus_digest
from nnr_conformance.suite.results.report import RunReport, about_of
from nnr_conformance.suite.results.runs import load_run
from nnr_conformance.suite.runner.cases import golden_cases
from nnr_conformance.suite.runner.model import CaseResult, Result
from tests.suite.results.golden import HEADER, run_report, text_of


def stored(folder: Path, report: RunReport, name: str = "run", format_: str = "json") -> Path:
    path = folder / f"{name}.{format_}"
    path.write_text("".join(f"{line}\n" for line in renderer(format_)(report)), encoding="utf-8")
    return path


def golden_run(*results: Result) -> RunReport:
    """A run of the first golden streams."""
    cases = golden_cases()[: len(results)]
    header = replace(HEADER, cases=len(results), corpus_digest=corpus_digest())
    found = tuple(CaseResult(case.id, result) for case, result in zip(cases, results, strict=True))
    return RunReport(header, found, {case.id: about_of(case) for case in cases})


@pytest.mark.parametrize("format_", ["json", "jsonl"])
def test_a_stored_run_is_read_as_it_was(tmp_path: Path, format_: str) -> None:
    report = golden_run(Result.PASS, Result.FAIL)
    assert load_run(stored(tmp_path, report, format_=format_)) == report


def test_lines_of_other_streams_do_not_say_what_they_are_about(tmp_path: Path) -> None:
    report = golden_run(Result.PASS)
    other = RunReport(replace(report.header, corpus_digest="0" * 64), report.results, report.about)
    assert load_run(stored(tmp_path, other, format_="jsonl")).about == {}


def test_of_a_case_that_comes_twice_the_last_result_counts(tmp_path: Path) -> None:
    report = golden_run(Result.PASS)
    path = stored(tmp_path, report, format_="jsonl")
    again = text_of("jsonl").splitlines()[2].replace("core/10-entry-points-02", report.results[0].case)
    path.write_text(path.read_text(encoding="utf-8") + f"{again}\n", encoding="utf-8")
    assert [one.result for one in load_run(path).results] == [Result.FAIL]


@pytest.mark.parametrize("text", ["", "{}", "{\n}", "[]", "nothing", text_of("json")[:-4]])
def test_what_is_no_run_is_refused_by_name(tmp_path: Path, text: str) -> None:
    path = tmp_path / "no-run.json"
    with pytest.raises(UsageError, match=r"no-run\.json"):
        load_run(path)
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match=r"no-run\.json"):
        load_run(path)


@pytest.mark.parametrize("format_", ["text", "json", "junit", "markdown", "html"])
def test_a_run_is_shown_in_any_format(tmp_path: Path, capsys: pytest.CaptureFixture[str], format_: str) -> None:
    path = stored(tmp_path, run_report())
    assert main(["report", str(path), "--format", format_]) == 1
    assert capsys.readouterr().out == text_of(format_)


def test_the_exit_code_is_that_of_the_run(tmp_path: Path) -> None:
    assert main(["report", str(stored(tmp_path, golden_run(Result.PASS)))]) == 0
    assert main(["report", str(stored(tmp_path, golden_run(Result.TIMEOUT)))]) == 1
    assert main(["report", str(stored(tmp_path, golden_run(Result.NOT_SUPPORTED)))]) == 3


def test_a_baseline_is_written_and_holds_when_its_reasons_are_there(tmp_path: Path) -> None:
    path, baseline = stored(tmp_path, run_report()), tmp_path / "expected.yaml"
    assert main(["report", str(path), "--baseline", str(baseline), "--update-baseline"]) == 1
    text = baseline.read_text(encoding="utf-8")
    assert text.count('reason: ""') == 6
    baseline.write_text(text.replace('reason: ""', 'reason: "Known."'), encoding="utf-8")
    assert main(["report", str(path), "--baseline", str(baseline)]) == 0


@pytest.mark.parametrize("format_", ["html", "markdown"])
def test_several_runs_are_shown_side_by_side(tmp_path: Path, capsys: pytest.CaptureFixture[str], format_: str) -> None:
    first, second = golden_run(Result.PASS, Result.FAIL), golden_run(Result.FAIL, Result.PASS)
    other = RunReport(replace(second.header, implementation="Other"), second.results, second.about)
    paths = [str(stored(tmp_path, first, "a")), str(stored(tmp_path, other, "b", "jsonl"))]
    assert main(["report", *paths, "--format", format_]) == 0
    shown = capsys.readouterr().out
    assert "Example 1.2" in shown
    assert "Other 1.2" in shown
    output = tmp_path / "out"
    assert main(["report", *paths, "--format", format_, "-o", str(output)]) == 0
    assert output.read_text(encoding="utf-8") == shown


@pytest.mark.parametrize("arguments", [["--format", "text"], ["--format", "html", "--baseline", "b.yaml"]])
def test_several_runs_have_no_other_format_and_no_baseline(tmp_path: Path, arguments: list[str]) -> None:
    path = str(stored(tmp_path, run_report()))
    assert main(["report", path, path, *arguments]) == 2


def test_several_runs_update_no_baseline(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    runs = [str(stored(tmp_path, run_report(), name)) for name in ("one", "other")]
    assert main(["report", *runs, "--format", "markdown", "--update-baseline"]) == 2
    assert "a baseline is compared with one run" in capsys.readouterr().err


def test_why_failures_are_expected_is_read_back_with_the_run(tmp_path: Path) -> None:
    assert load_run(stored(tmp_path, run_report())).reasons == run_report().reasons
