"""Runs on a Dask cluster of this machine: the same report as here, whatever happens to the workers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from nnr_conformance.errors import UsageError
from nnr_conformance.suite.runner.cases import golden_cases
from nnr_conformance.suite.runner.driver import run_cases
from nnr_conformance.suite.runner.executors import executor_for
from nnr_conformance.suite.runner.implementation import Implementation
from nnr_conformance.suite.runner.model import CaseResult, Result
from tests.suite.runner.cases_for_tests import script

distributed = pytest.importorskip("distributed", reason="needs the dependency group 'scale'")

SOME = golden_cases()[::60]


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    # A worker that is killed leaves its temporary files.
    places = {"TMPDIR": str(tmp_path_factory.mktemp("workers"))}
    with distributed.LocalCluster(2, threads_per_worker=1, processes=True, dashboard_address=None, env=places) as here:
        yield here.scheduler_address


def results(implementation: Implementation, place: str) -> list[tuple[str, Result, str, str, tuple[str, ...]]]:
    with executor_for(place, 2) as executor:
        found: dict[str, CaseResult] = {}
        for one in run_cases(implementation, SOME, executor):
            assert one.case not in found
            found[one.case] = one
    ordered = [found[case.id] for case in SOME]
    return [(one.case, one.result, one.stage, one.detail, one.compared) for one in ordered]


def test_a_cluster_gives_the_same_results_as_processes_here(address: str):
    own = Implementation("own", "1", adapter="nnr-conformance")
    found = results(own, f"dask:{address}")
    assert found == results(own, "")
    assert {one[1] for one in found} == {Result.PASS}


def test_a_worker_that_is_killed_loses_no_result(address: str, tmp_path: Path):
    source = f"""
    marker = Path({str(tmp_path)!r}, "killed")
    if not marker.exists():
        marker.touch()
        os.kill(os.getppid(), 9)
        time.sleep(60)
    sys.exit(1)
    """
    decoder = script(tmp_path, source)
    found = results(decoder, f"dask:{address}")
    assert (tmp_path / "killed").exists()
    assert Result.CRASH not in {one[1] for one in found}
    assert found == results(decoder, "")


def test_a_cluster_that_is_not_there_is_wrong_use():
    with pytest.raises(UsageError, match="cannot reach the cluster"), executor_for("dask:tcp://127.0.0.1:1", 1):
        pass
