"""Checks that decoding makes by itself, where more than a pair of streams tells what they find."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

import nnr_conformance
from nnr_conformance import Verdict
from tests.decoder.stream_builder import coded, parameter_set, raw, start

BITSTREAMS = Path(__file__).parents[2] / "bitstreams"
GRID = np.arange(12, dtype=np.float32).reshape(3, 4)
DATA = raw("r", GRID)


def flat(*units: bytes) -> bytes:
    return b"".join((start(), parameter_set(), *units))


def found(stream: bytes, **options: Any) -> list[str]:
    return [diagnostic.code for diagnostic in nnr_conformance.check(stream, **options).diagnostics]


def outside(**given: Any) -> bytes:
    """A unit whose parameters are not in the stream."""
    values = {"tensor_dimensions": [3, 4]} | given
    return raw("r", GRID, input_parameters_present_flag=0, tensor_dimensions_flag=0, given=values)


def test_parameters_that_are_left_out_altogether_are_told_from_dimensions_alone() -> None:
    without = raw("r", GRID, tensor_dimensions_flag=0, given={"tensor_dimensions": [3, 4]})
    assert found(flat(without)) == ["parameters_out_of_band"]
    assert found(flat(outside())) == ["input_parameters_missing"]
    report = nnr_conformance.check(flat(outside()), out_of_band={"r": {"tensor_dimensions": [3, 4]}})
    assert report.verdict is Verdict.CONFORMING


def test_a_block_without_parameter_types_leaves_the_verdict_open() -> None:
    given = {"tensor_dimensions": [2, 3], "compressed_parameter_types": 8}
    changes = {"input_parameters_present_flag": 0, "tensor_dimensions_flag": 0, "cabac_unary_length_flag": 0}
    unit = coded(["w", "b"], "e2-001-plain", payload_type=3, given=given, **changes)
    report = nnr_conformance.check(flat(unit), out_of_band={"w": {"tensor_dimensions": [2, 3]}})
    assert "parameter_types_missing" in {one.code for one in report.diagnostics}
    assert report.verdict is Verdict.UNDETERMINED
    assert "parameter_types_missing" not in found(flat(unit), out_of_band={"w": given})


def test_several_elements_without_a_mapping_leave_the_verdict_open() -> None:
    given = {"tensor_dimensions": [3, 4]}
    unit = raw(["a", "b"], GRID, input_parameters_present_flag=0, tensor_dimensions_flag=0, given=given)
    report = nnr_conformance.check(flat(unit), out_of_band={"a": given})
    assert "mapping_out_of_band" in {one.code for one in report.diagnostics}
    assert report.verdict is Verdict.UNDETERMINED


def test_a_code_of_the_decoder_is_not_given_a_second_time_by_the_checker() -> None:
    unit = raw("", GRID, topology_elem_id_index=0)
    assert found(start() + parameter_set(indexed=1) + unit) == ["reference_list_missing"]
    assert found(flat(DATA, DATA)) == ["element_repeated"]


def test_decoding_alone_says_why_a_tensor_is_missing_or_replaced() -> None:
    halves = [raw("p", GRID, part=3, payload=bytes(16)), raw("p", GRID, part=2, payload=bytes(16))]
    decoded = nnr_conformance.decode(flat(DATA, DATA, *halves))
    assert [one.code for one in decoded.diagnostics] == ["element_repeated", "partial_data_incomplete"]
    assert np.array_equal(decoded.tensors["r"], GRID)


def test_an_update_that_does_not_fit_the_model_it_updates_is_found_without_decoding_that() -> None:
    stream = (BITSTREAMS / "requirements" / "6" / "6-root-with-parent-01.nnr").read_bytes()
    for shape, codes in (((1,), []), ((2,), ["update_shape"]), ((0,), ["update_shape"])):
        base = {"w": np.zeros(shape, np.float32)}
        assert found(stream, base=base) == codes
        assert [one.code for one in nnr_conformance.decode(stream, base=base).diagnostics] == codes
