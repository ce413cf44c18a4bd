"""The declarations in examples: this package's own decoder by its command, interpreted and compiled."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from nnr_conformance.suite.runner.cases import golden_cases
from nnr_conformance.suite.runner.declaration import from_file
from nnr_conformance.suite.runner.driver import run_case
from nnr_conformance.suite.runner.model import Result

EXAMPLES = Path(__file__).parents[3] / "examples" / "nnr-decode"
CASES = (
    "core/8-scaling-in-a-unit-of-its-own-06",
    "core/10-entry-points-of-all-payloads-01",
    "core/7-tensors-without-an-update-02",
    "core/6-layer-set-scope-02",
    "extremes/9-codebooks-04",
    "readings/10-skipped-row-states-02",
    "requirements/10/10-stop-bit-missing-02",
    "tools/10-prefix-ids-of-nncodec-01",
)


@pytest.mark.parametrize("execution", ["interpreted", "compiled"])
def test_nnr_decode_passes_whatever_a_case_asks_of_it(execution: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"])))
    implementation = from_file(EXAMPLES / f"{execution}.yaml")
    cases = {case.id: case for case in golden_cases()}
    agreed = ("readings", "limits", "out_of_band", "base", "tensors", "edition")
    some = [cases[case] for case in CASES]
    some += (next(case for case in cases.values() if what in case.check) for what in agreed)
    some.append(next(case for case in cases.values() if len(case.before) > 1))
    results = [run_case(implementation, case) for case in some]
    assert {one.case: one.detail for one in results if one.result is not Result.PASS} == {}
    compared = {stage for one in results for stage in one.compared}
    assert compared == {"levels", "dequantized", "tensors"}
