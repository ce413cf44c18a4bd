"""A difference is found at the first stage, tensor and bin that differ, and what agrees has none."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nnr_conformance.adapters import Arrays, Bin
from nnr_conformance.errors import UsageError
from nnr_conformance.suite.diff.bins import bins_of, scanned, traced
from nnr_conformance.suite.diff.localise import Divergence, localised
from nnr_conformance.suite.diff.text import lines, plain
from nnr_conformance.suite.runner.cases import golden_cases
from nnr_conformance.suite.runner.expected import STAGES, chain_of, expected, told
from nnr_conformance.suite.runner.model import Case
from tests.suite.runner.cases_for_tests import case_of

BLOCKS = case_of("tools/10-block-scan-01")
TRELLIS = case_of("tools/9-dependent-quantization-01")
UPDATE = case_of("core/10-codebook-bounds-and-parents-02")
PRODUCT = case_of("core/8-decomposition-01")
RAW = next(case for case in golden_cases() if case.id.startswith("core/7-raw-floats"))
CODED = [case for case in golden_cases() if case.verdict == "conforming" and case.kind == "tools"]


def right(case: Case) -> dict[str, dict[str, Any]]:
    found = expected(case, told(case))
    return {stage: {**arrays} for stage in STAGES if (arrays := found.stage(stage)) is not None}


def bins(case: Case) -> list[Bin]:
    return [*bins_of(chain_of(case, told(case)))]


def differs(case: Case, output: dict[str, dict[str, Any]], trace: list[Bin] | None = None) -> Divergence:
    given: dict[str, Arrays] = {**output}
    found = localised(case, told(case), given, trace)
    assert found is not None
    return found


@pytest.mark.parametrize("case", CODED, ids=lambda case: case.id)
def test_what_is_expected_has_no_difference(case: Case) -> None:
    output: dict[str, Arrays] = {**right(case)}
    assert localised(case, told(case), output, bins(case)) is None


def test_a_level_is_found_in_scan_order_with_the_bin_that_tells_it() -> None:
    output = right(BLOCKS)
    (payload,), _ = traced(chain_of(BLOCKS, told(BLOCKS)))
    order = [*scanned(payload.codings[0])]
    levels = output["levels"]["w"].copy()
    early, late = next((order[40], one) for one in order[41:] if one < order[40])
    assert late < early
    levels.flat[early] += 5
    levels.flat[late] += 5
    output["levels"]["w"] = levels
    found = differs(BLOCKS, output)
    assert (found.stage, found.position) == ("levels", 40)
    assert found.element == np.unravel_index(early, levels.shape)
    assert found.bin is not None
    assert found.bin.weight == found.element
    (coded,) = payload.coded()
    assert coded[found.bin.number].weight == early
    assert found.excerpt.count("[") == 1


def test_the_inferred_bin_is_the_first_one_whose_value_another_level_changes() -> None:
    output = right(BLOCKS)
    levels = output["levels"]["w"].copy()
    at = next(int(one) for one in np.flatnonzero(levels) if abs(levels.flat[one]) == 1)
    levels.flat[at] = -levels.flat[at]
    output["levels"]["w"] = levels
    found = differs(BLOCKS, output)
    assert found.bin is not None
    assert found.bin.context_name.startswith("sign_neighbour")


def test_a_parity_that_no_state_allows_is_told_without_a_bin() -> None:
    output = right(TRELLIS)
    levels = output["levels"]["w"].copy()
    at = int(np.flatnonzero(levels)[0])
    levels.flat[at] += np.sign(levels.flat[at])
    output["levels"]["w"] = levels
    found = differs(TRELLIS, output)
    assert found.bin is None
    assert any("state transition" in hint for hint in found.hints)


@pytest.mark.parametrize(
    ("change", "what"),
    [({"value": 7}, "value"), ({"context": 1000}, "context"), ({"bit": 10**6}, "bit"), ({"tensor": "other"}, "tensor")],
)
def test_the_first_bin_that_differs_in_a_trace_is_named_with_what_differs(change: dict[str, Any], what: str) -> None:
    trace = bins(UPDATE)
    trace[20] = trace[20]._replace(**change)
    trace[30] = trace[30]._replace(value=9)
    found = differs(UPDATE, right(UPDATE), trace)
    assert found.bin is not None
    assert (found.bin.number, [name for name, *_ in found.bin.differs]) == (20, [what])
    assert found.stage == ("syntax" if what == "tensor" else "levels")


@pytest.mark.parametrize("number", [0, 25, -1])
def test_a_trace_that_ends_early_differs_where_it_ends(number: int) -> None:
    trace = bins(UPDATE)
    found = differs(UPDATE, right(UPDATE), trace[:number])
    assert found.bin is not None
    assert found.bin.number == number % len(trace)


def test_a_trace_with_more_bins_differs_behind_the_last() -> None:
    trace = bins(UPDATE)
    found = differs(UPDATE, right(UPDATE), [*trace, trace[-1]])
    assert found.bin is not None
    assert found.bin.differs[0][1] == "none behind this one"


def test_bins_of_a_stream_that_has_none_are_wrong_use() -> None:
    with pytest.raises(UsageError):
        differs(RAW, right(RAW), bins(UPDATE))


def test_where_all_bins_agree_none_is_blamed_for_other_levels() -> None:
    output = right(BLOCKS)
    output["levels"]["w"] = output["levels"]["w"][::-1].copy()
    found = differs(BLOCKS, output, bins(BLOCKS))
    assert (found.stage, found.bin) == ("levels", None)
    assert "all bins agree" in found.hints[0]


@pytest.mark.parametrize("stage", ["levels", "dequantized"])
def test_another_name_or_shape_of_what_is_transmitted_is_syntax(stage: str) -> None:
    output = right(UPDATE)
    output[stage] = {name: one.reshape(-1) for name, one in output[stage].items()}
    assert differs(UPDATE, output).stage == "syntax"
    output[stage] = {"other": right(UPDATE)[stage]["w"]}
    assert differs(UPDATE, output).stage == "syntax"


def test_factors_that_are_delivered_apart_are_not_composed() -> None:
    found = differs(PRODUCT, {"tensors": right(PRODUCT)["dequantized"]})
    assert found.stage == "tensors"
    assert "not composed" in found.hints[0]


def test_the_text_names_stage_tensor_place_bytes_and_requirements() -> None:
    output = right(BLOCKS)
    output["levels"]["w"] = -output["levels"]["w"]
    text = "\n".join(lines(BLOCKS, differs(BLOCKS, output)))
    for part in (
        f"{BLOCKS.id}: the first difference is in levels",
        "'w': element (",
        "context ",
        "[",
        *BLOCKS.requirements,
    ):
        assert part in text


def test_the_json_has_the_same_and_says_when_nothing_differs() -> None:
    output = right(BLOCKS)
    output["levels"]["w"] = -output["levels"]["w"]
    row = plain(BLOCKS, differs(BLOCKS, output))
    assert (row["stage"], row["same"], row["difference"]["tensor"]) == ("levels", False, "w")
    assert {*row["requirements"]} == {*BLOCKS.requirements}
    assert plain(BLOCKS, None) == {"schema": "nnr-diff/1", "case": BLOCKS.id, "same": True}


def spoiled(array: Any, data: st.DataObject) -> Any:
    """An array as a decoder of others may give it."""
    kind = data.draw(st.sampled_from(["type", "full", "none", "scalar", "one", "negative"]))
    if kind == "type":
        with np.errstate(all="ignore"):
            return array.astype(data.draw(st.sampled_from(["?", "i1", "u8", "i8", "f2", "f8"])))
    if kind == "full":
        types = {"f4": [np.nan, np.inf, -np.inf, 3e38], "u8": [2**64 - 1], "i8": [-(2**63), 2**63 - 1, 2**31]}
        name = data.draw(st.sampled_from(sorted(types)))
        return np.full(array.shape, data.draw(st.sampled_from(types[name])), name)
    if kind == "none":
        return np.zeros((0, *array.shape), array.dtype)
    if kind == "scalar":
        return np.zeros((), array.dtype)
    if kind == "negative":
        return -array
    changed = array.copy()
    changed.flat[data.draw(st.integers(0, array.size - 1))] = data.draw(st.sampled_from([0, 5, 2**31 - 128]))
    return changed


@pytest.mark.parametrize("case", [TRELLIS, UPDATE, PRODUCT, BLOCKS], ids=lambda case: case.id)
@settings(max_examples=25, deadline=None)
@given(data=st.data())
@pytest.mark.filterwarnings("error")
def test_whatever_arrays_a_decoder_gives_a_difference_is_told_and_nothing_raised(
    case: Case, data: st.DataObject
) -> None:
    output = {
        stage: {name: spoiled(array, data) for name, array in arrays.items()}
        for stage, arrays in right(case).items()
        if data.draw(st.booleans())
    }
    found = localised(case, told(case), output)
    assert [*lines(case, found)]
    assert json.dumps(plain(case, found))
