"""Many cases on executors: every case has its result, whatever happens to the workers."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from nnr_conformance.errors import UsageError
from nnr_conformance.suite.runner.cases import golden_cases
from nnr_conformance.suite.runner.driver import run_case, run_cases
from nnr_conformance.suite.runner.executors import LocalProcesses, executor_for
from nnr_conformance.suite.runner.implementation import Implementation
from nnr_conformance.suite.runner.model import Case, CaseResult, Result
from nnr_conformance.suite.runner.sources import source_bytes
from tests.suite.runner.cases_for_tests import ROOT, UPDATE, script

SOME = golden_cases()[::90]
KILLS_ITS_WORKER = """
case = Path(argv[1]).read_bytes()
marker = Path({folder!r}, str(len(case)))
if {always} or not marker.exists():
    marker.touch()
    os.kill(os.getppid(), 9)
    time.sleep(60)
sys.exit(1)
"""


@pytest.fixture(scope="module")
def processes() -> Iterator[Executor]:
    with executor_for("", 2) as executor:
        yield executor


def by_case(results: Iterator[CaseResult]) -> dict[str, Result]:
    found: dict[str, Result] = {}
    for result in results:
        assert result.case not in found
        found[result.case] = result.result
    return found


def test_every_case_has_its_result_once_and_is_told_of(processes: Executor):
    told: list[CaseResult] = []
    own = Implementation("own", "1", adapter="nnr-conformance")
    found = by_case(run_cases(own, SOME, processes, told.append))
    assert found == {case.id: Result.PASS for case in SOME}
    assert sorted(one.case for one in told) == sorted(found)


def test_threads_give_the_same():
    own = Implementation("own", "1", adapter="nnr-conformance")
    with ThreadPoolExecutor(2) as executor:
        assert by_case(run_cases(own, SOME, executor)) == {case.id: Result.PASS for case in SOME}


def test_streams_without_number_are_read_no_further_than_needed(tmp_path: Path):
    read = 0

    def without_end() -> Iterator[Case]:
        nonlocal read
        while True:
            read += 1
            yield replace(ROOT, id=str(read))

    rejects = script(tmp_path, "sys.exit(1)")
    with ThreadPoolExecutor(2) as executor:
        results = run_cases(rejects, without_end(), executor, in_flight=4)
        for number in range(1, 10):
            next(results)
            assert read <= number + 4
        results.close()


def test_a_case_that_was_with_a_worker_that_died_is_tried_again(tmp_path: Path):
    decoder = script(tmp_path, KILLS_ITS_WORKER.format(folder=str(tmp_path), always=False))
    cases = [replace(case, before=()) for case in SOME]
    with LocalProcesses(2) as executor:
        found = by_case(run_cases(decoder, cases, executor))
    assert set(found) == {case.id for case in cases}
    assert Result.CRASH not in found.values()
    assert Result.REJECTED in found.values()


def test_a_case_whose_worker_dies_twice_is_a_crash_and_no_other_is(tmp_path: Path):
    size = len(source_bytes(ROOT.source))
    decoder = script(tmp_path, f"if os.path.getsize(argv[1]) == {size}: os.kill(os.getppid(), 9)\nsys.exit(1)")
    cases = [ROOT, *(replace(ROOT, id=f"other {number}", source=UPDATE.source) for number in range(6))]
    with LocalProcesses(2) as executor:
        results = {one.case: one for one in run_cases(decoder, cases, executor)}
    assert {name for name, one in results.items() if one.result is Result.CRASH} == {ROOT.id}
    assert results[ROOT.id].detail == "its worker died twice"
    assert len(results) == len(cases)


def test_temporary_files_are_gone_even_those_of_workers_that_died(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    folder = tmp_path / "decoder"
    folder.mkdir()
    decoder = script(folder, KILLS_ITS_WORKER.format(folder=str(folder), always=True))
    with LocalProcesses(1) as executor:
        assert [one.result for one in run_cases(decoder, [ROOT], executor)] == [Result.CRASH]
    assert [*tmp_path.iterdir()] == [folder]


def test_an_implementation_that_cannot_be_run_ends_the_run(processes: Executor):
    with pytest.raises(UsageError, match="/no/such/decoder"):
        list(run_cases(Implementation("x", "1", decoder="/no/such/decoder {stream}"), SOME, processes))


def test_what_is_not_claimed_is_not_run():
    claims = Implementation("x", "1", decoder="/no/such/decoder {stream}", tools=frozenset({"raw float"}))
    result = run_case(claims, ROOT)
    assert (result.result, result.detail) == (Result.NOT_SUPPORTED, "not claimed: uniform")


def test_another_executor_is_wrong_use():
    with pytest.raises(UsageError, match="no executor 'slurm'"), executor_for("slurm", 1):
        pass
