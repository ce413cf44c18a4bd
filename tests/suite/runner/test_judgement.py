"""An answer is worth what the case expects: under its verdict, stage by stage, and under each reading."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nnr_conformance.adapters import Decoding
from nnr_conformance.report.model import Verdict
from nnr_conformance.suite.runner.cases import golden_cases
from nnr_conformance.suite.runner.expected import STAGES, BrokenInstallation, Expectation, expected, told
from nnr_conformance.suite.runner.implementation import Implementation
from nnr_conformance.suite.runner.judgement import judged
from nnr_conformance.suite.runner.model import Answer, Case, CaseResult, Ending, Result
from nnr_conformance.suite.runner.outputs import write_output
from tests.suite.runner.cases_for_tests import ROOT, UPDATE, case_of

UNTOLD = Implementation("decoder", "1", decoder="decoder {stream} {tensors}")
TELLABLE = Implementation("decoder", "1", decoder="decoder {stream} {settings} {tensors}")
NONCONFORMING = next(case for case in golden_cases() if case.verdict == Verdict.NONCONFORMING.value)
UNDETERMINED = next(case for case in golden_cases() if case.verdict == Verdict.UNDETERMINED.value)
PRODUCT = case_of("core/8-decomposition-01")
SPLIT = [case for case in golden_cases() if case.reading == "split-index"]

Change = Callable[[dict[str, dict[str, Any]]], None]


def give(folder: Path, arrays: dict[str, dict[str, Any]]) -> Answer:
    """An answer with these arrays by stage."""
    write_output(folder, Decoding(**{stage: arrays.get(stage) for stage in STAGES}))
    return Answer(Ending.DECODED, folder=folder)


def right(case: Case, **readings: str) -> dict[str, dict[str, Any]]:
    """What is expected, by stage."""
    found: Expectation = expected(
        case, {**told(case), **{name.replace("_", "-"): one for name, one in readings.items()}}
    )
    return {stage: {**arrays} for stage in STAGES if (arrays := found.stage(stage)) is not None}


def judge(case: Case, folder: Path, arrays: dict[str, dict[str, Any]], to: Implementation = UNTOLD) -> CaseResult:
    return judged(to, case, give(folder, arrays))


@pytest.mark.parametrize("case", [ROOT, UPDATE, PRODUCT, *SPLIT], ids=lambda case: case.id)
def test_what_is_expected_passes_with_every_stage_compared(case: Case, tmp_path: Path) -> None:
    found = judge(case, tmp_path, right(case))
    assert (found.result, found.compared, found.detail) == (Result.PASS, STAGES, "")


def test_stages_that_are_not_given_are_not_compared(tmp_path: Path) -> None:
    found = judge(UPDATE, tmp_path, {"tensors": right(UPDATE)["tensors"]})
    assert (found.result, found.compared) == (Result.PASS, ("tensors",))


def test_an_answer_without_any_stage_fails(tmp_path: Path) -> None:
    found = judge(UPDATE, tmp_path, {})
    assert (found.result, found.detail) == (Result.FAIL, "no stage of the output can be compared")


def _change(stage: str, name: str) -> Change:
    def change(arrays: dict[str, dict[str, Any]]) -> None:
        values = arrays[stage][name].copy()
        values.flat[-1] += 1
        arrays[stage][name] = values

    return change


@pytest.mark.parametrize("stage", STAGES)
def test_a_single_wrong_element_fails_at_its_stage_and_says_where(stage: str, tmp_path: Path) -> None:
    arrays = right(UPDATE)
    (name,) = arrays[stage]
    last = tuple(size - 1 for size in arrays[stage][name].shape)
    _change(stage, name)(arrays)
    found = judge(UPDATE, tmp_path, arrays)
    assert (found.result, found.stage) == (Result.FAIL, stage)
    assert found.detail.startswith(f"'{name}': element {last} is ")
    assert "1 of " in found.detail


def test_the_first_stage_in_the_order_of_decoding_is_reported(tmp_path: Path) -> None:
    arrays = right(UPDATE)
    for stage in STAGES:
        _change(stage, *arrays[stage])(arrays)
    assert judge(UPDATE, tmp_path, arrays).stage == "levels"


def test_the_order_of_names_in_a_file_means_nothing(tmp_path: Path) -> None:
    arrays = {stage: dict(reversed(named.items())) for stage, named in right(PRODUCT).items()}
    assert judge(PRODUCT, tmp_path, arrays).result is Result.PASS


def test_binary64_passes_where_binary32_is_expected(tmp_path: Path) -> None:
    arrays = {"tensors": {name: one.astype(np.float64) for name, one in right(UPDATE)["tensors"].items()}}
    assert judge(UPDATE, tmp_path, arrays).result is Result.PASS


def test_a_missing_tensor_fails(tmp_path: Path) -> None:
    found = judge(UPDATE, tmp_path, {"tensors": {}})
    (name,) = right(UPDATE)["tensors"]
    assert (found.result, found.detail) == (Result.FAIL, f"'{name}' is missing")


def test_output_that_cannot_be_read_is_a_crash(tmp_path: Path) -> None:
    (tmp_path / "tensors.npz").write_bytes(b"no archive")
    assert judged(UNTOLD, UPDATE, Answer(Ending.DECODED, folder=tmp_path)).result is Result.CRASH


@pytest.mark.parametrize(
    ("ending", "result"),
    [
        (Ending.SIGNALLED, Result.CRASH),
        (Ending.UNDECLARED, Result.CRASH),
        (Ending.TIMED_OUT, Result.TIMEOUT),
        (Ending.NOT_SUPPORTED, Result.NOT_SUPPORTED),
    ],
)
@pytest.mark.parametrize("case", [UPDATE, NONCONFORMING, UNDETERMINED], ids=lambda case: case.verdict)
def test_crash_timeout_and_refusal_count_the_same_for_every_verdict(case: Case, ending: Ending, result: Result) -> None:
    assert judged(UNTOLD, case, Answer(ending)).result is result


def test_a_rejection_is_right_for_nonconforming_streams_only() -> None:
    results = [judged(UNTOLD, case, Answer(Ending.REJECTED)).result for case in (UPDATE, NONCONFORMING, UNDETERMINED)]
    assert results == [Result.REJECTED, Result.PASS, Result.PASS]


def test_a_nonconforming_stream_that_is_decoded_is_accepted_with_its_faults_named(tmp_path: Path) -> None:
    found = judge(NONCONFORMING, tmp_path, {"tensors": {}})
    assert found.result is Result.ACCEPTED_INVALID
    assert any(code in found.detail for code in NONCONFORMING.codes)


def test_an_undetermined_stream_may_be_decoded_to_anything(tmp_path: Path) -> None:
    assert judge(UNDETERMINED, tmp_path, {"tensors": {}}).result is Result.PASS


def test_a_manifest_that_disagrees_with_this_decoder_is_no_failure_of_the_implementation(tmp_path: Path) -> None:
    case = replace(UPDATE, digests={**UPDATE.digests, "levels": "0" * 64})
    with pytest.raises(BrokenInstallation, match="other levels than its manifest"):
        judge(case, tmp_path, right(UPDATE))


def test_a_product_in_another_order_of_summation_passes_and_a_wrong_one_fails(tmp_path: Path) -> None:
    arrays = right(PRODUCT)
    tensors = arrays["tensors"]
    (name,) = [name for name in tensors if f"{name}_G" in arrays["dequantized"]]
    near = {**arrays, "tensors": {**tensors, name: np.nextafter(tensors[name], np.float32(0))}}
    assert judge(PRODUCT, tmp_path, near).result is Result.PASS
    far = {**arrays, "tensors": {**tensors, name: tensors[name] * np.float32(1.001)}}
    found = judge(PRODUCT, tmp_path, far)
    assert (found.result, found.stage) == (Result.FAIL, "tensors")
    assert "beyond the bound of products" in found.detail


@pytest.mark.parametrize(
    ("case", "choice"),
    [(one, choice) for one in SPLIT for choice, row in one.under.items() if row["verdict"] == "conforming"],
)
def test_the_result_under_each_choice_of_a_reading_passes_and_tells_the_choice(
    case: Case, choice: str, tmp_path: Path
) -> None:
    found = judge(case, tmp_path, right(case, split_index=choice))
    assert (found.result, found.followed) == (Result.PASS, {"split-index": choice})


def test_the_result_under_another_choice_than_the_declared_one_fails(tmp_path: Path) -> None:
    case = next(one for one in SPLIT if {row["verdict"] for row in one.under.values()} == {"conforming"})
    declared = replace(UNTOLD, readings={"split-index": "position"})
    assert judge(case, tmp_path, right(case, split_index="length"), declared).result is Result.FAIL
    assert judge(case, tmp_path, right(case, split_index="position"), declared).result is Result.PASS


def test_a_decoder_that_does_as_it_was_told_shows_no_choice_of_its_own(tmp_path: Path) -> None:
    case = next(one for one in golden_cases() if one.reading and told(one))
    assert judge(case, tmp_path, right(case), TELLABLE).followed == {}


def test_a_result_that_two_choices_share_tells_neither(tmp_path: Path) -> None:
    case = case_of("readings/10-edition-1-payload-01")
    found = judge(case, tmp_path, right(case))
    assert (found.result, found.followed) == (Result.PASS, {})


def test_a_rejection_is_right_where_the_default_reading_makes_the_stream_nonconforming() -> None:
    case = case_of("readings/10-entry-points-of-a-column-02")
    assert judged(UNTOLD, case, Answer(Ending.REJECTED)).result is Result.PASS
    other = case_of("readings/10-entry-points-of-a-column-01")
    assert judged(UNTOLD, other, Answer(Ending.REJECTED)).result is Result.REJECTED
    declared = replace(UNTOLD, readings={"narrow-entry-points": "absent"})
    assert judged(declared, other, Answer(Ending.REJECTED)).result is Result.PASS
    assert judged(declared, case, Answer(Ending.REJECTED)).result is Result.REJECTED


def test_a_stream_of_the_field_is_compared_with_the_decoder_of_this_package(tmp_path: Path) -> None:
    case = Case("field", ROOT.source, "field")
    assert judge(case, tmp_path, right(ROOT)).result is Result.PASS
    wrong = right(ROOT)
    _change("levels", *wrong["levels"])(wrong)
    assert judge(case, tmp_path, wrong).stage == "levels"


def test_a_nonconforming_stream_of_the_field_is_to_be_rejected(tmp_path: Path) -> None:
    case = Case("field", NONCONFORMING.source, "field")
    assert judge(case, tmp_path, {"tensors": {}}).result is Result.ACCEPTED_INVALID
    assert judged(UNTOLD, case, Answer(Ending.REJECTED)).result is Result.PASS
