"""nnr-check --headers: what it finds is what the whole check finds, and no payload is looked at."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from nnr_conformance.api import chain_decoder
from nnr_conformance.checker.check import check_chain
from nnr_conformance.cli.check import main
from nnr_conformance.diagnostics import Severity
from nnr_conformance.report.model import Report, Verdict
from nnr_conformance.suite.runner.cases import golden_cases
from nnr_conformance.suite.runner.expected import chain_of, told
from nnr_conformance.suite.runner.model import Case

BITSTREAMS = Path(__file__).parents[2] / "bitstreams"
CASES = golden_cases()


def errors(report: Report) -> set[str]:
    return {one.code for one in report.diagnostics if one.severity is Severity.ERROR}


def headers_of(case: Case) -> Report:
    return check_chain(chain_of(case, told(case)), edition=case.check.get("edition"), headers_only=True)


@pytest.mark.parametrize("part", range(8))
def test_what_headers_show_the_whole_check_shows_as_well(part: int) -> None:
    for case in CASES[part::8]:
        found = headers_of(case)
        whole = check_chain(chain_of(case, told(case)), edition=case.check.get("edition"), dependence=False)
        assert errors(found) <= errors(whole), case.id
        assert found.verdict is not Verdict.CONFORMING
        assert found.verdict is Verdict.UNDETERMINED or whole.verdict is Verdict.NONCONFORMING, case.id


def test_most_of_what_is_wrong_with_streams_is_in_headers() -> None:
    wrong = [case for case in CASES if case.verdict == "nonconforming"]
    found = [case for case in wrong if headers_of(case).verdict is Verdict.NONCONFORMING]
    assert len(found) > 0.7 * len(wrong)


@pytest.mark.parametrize("name", ["s01_pnet_default", "s06_cls_block_bn_dq"])
def test_payloads_are_not_looked_at(name: str) -> None:
    data = (BITSTREAMS / "interop" / "nncodec" / f"{name}.nnc").read_bytes()
    whole = check_chain(chain_decoder(data), dependence=False)
    spoilt, noise = bytearray(data), np.random.default_rng(1)
    spoiled = 0
    for unit in whole.streams[0].units:
        if unit.unit_type == "NNR_NDU":
            first = unit.first + unit.size - unit.payload_size
            spoilt[first : unit.first + unit.size] = noise.bytes(unit.payload_size)
            spoiled += 1
    assert spoiled
    assert check_chain(chain_decoder(spoilt), dependence=False).verdict is Verdict.NONCONFORMING
    found = check_chain(chain_decoder(spoilt), headers_only=True)
    assert not errors(found)
    assert not found.streams[0].tensors
    assert not found.streams[0].digests


@pytest.mark.parametrize(
    ("stream", "exit_code", "said"),
    [
        ("interop/nncodec/s01_pnet_default.nnc", 0, "nothing wrong was found in the headers"),
        ("requirements/10/10-stop-bit-missing-02.nnr", 0, "nothing wrong was found in the headers"),
        ("requirements/6/6-exp-golomb-too-long-02.nnr", 1, "exp_golomb_too_long"),
        ("requirements/7/7-raw-length-short-02.nnr", 1, "raw_length"),
        ("requirements/10/10-dims-exceed-payload-02.nnr", 1, "dims_exceed_payload"),
    ],
)
def test_the_exit_code_says_whether_something_was_wrong(
    stream: str, exit_code: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--headers", str(BITSTREAMS / stream)]) == exit_code
    printed = capsys.readouterr().out
    assert said in printed
    assert "payloads were not decoded" in printed
    assert ": conforming" not in printed
