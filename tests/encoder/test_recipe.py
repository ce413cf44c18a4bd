"""Streams from recipes: what a recipe says is what the decoder finds, and what it leaves open follows."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

import nnr_conformance
from nnr_conformance.encoder.overrides import override, the_element
from nnr_conformance.encoder.recipe import build_recipe
from nnr_conformance.errors import BuildError
from nnr_conformance.readings import Readings
from nnr_conformance.report.model import Verdict

START: dict[str, Any] = {"NNR_STR": {}}
PARAMETERS: dict[str, Any] = {"NNR_MPS": {"mps_qp_density": 2}}


def unit(levels: Any, **elements: Any) -> dict[str, Any]:
    tensor = {name: elements.pop(name) for name in ("row_skip", "init_ids", "qp_value") if name in elements}
    return {"NNR_NDU": {"topology_elem_id": "w", "tensors": [{"levels": levels, **tensor}], **elements}}


def stream(*units: dict[str, Any], profile: int = 1) -> bytes:
    return build_recipe([{"NNR_STR": {"general_profile_idc": profile}}, PARAMETERS, *units]).data


def doubled(levels: np.ndarray, scan_order: int) -> np.ndarray:
    """Quantized parameters of dependent quantization, from the state table of the text."""
    following = ((0, 2), (7, 5), (1, 3), (6, 4), (2, 0), (5, 7), (3, 1), (4, 6))
    height, width = levels.shape
    block = 4 << scan_order if scan_order and height > 1 and width > 1 else max(height, width)
    found, state = np.zeros_like(levels), 0
    for top in range(0, height, block):
        for left in range(0, width, block):
            for row in range(top, min(top + block, height)):
                for column in range(left, min(left + block, width)):
                    level = int(levels[row, column])
                    found[row, column] = 2 * level - int(np.sign(level)) * (state & 1)
                    state = following[state][level & 1]
    return found


magnitudes = st.one_of(st.just(0), st.integers(-3, 3), st.integers(-300, 300), st.integers(1 - 2**30, 2**30 - 1))


@settings(max_examples=120, deadline=None)
@given(st.data())
def test_levels_of_a_recipe_are_what_the_decoder_finds(data: st.DataObject) -> None:
    height, width = data.draw(st.integers(1, 19)), data.draw(st.integers(1, 19))
    flat = data.draw(st.lists(magnitudes, min_size=height * width, max_size=height * width))
    levels = np.array(flat, np.int64).reshape(height, width)
    profile, dq = data.draw(st.integers(0, 1)), data.draw(st.integers(0, 1))
    elements: dict[str, Any] = {"dq_flag": dq, "scan_order": data.draw(st.integers(0, 4))}
    if data.draw(st.booleans()):
        elements["cabac_unary_length_minus1"] = data.draw(st.sampled_from([0, 1, 9, 255]))
    if profile == 1 and height > 1 and width > 1 and not dq and data.draw(st.booleans()):
        elements["row_skip"] = data.draw(st.lists(st.integers(0, 1), min_size=height, max_size=height))
        levels[np.array(elements["row_skip"]) == 1] = 0
    elements["init_ids"] = data.draw(
        st.dictionaries(st.sampled_from(["sig 0", "sign 1", "greater 0", "prefix 2"]), st.integers(0, 8))
    )
    elements["qp_value"] = data.draw(st.integers(-128, 127))
    built = stream(unit(levels.tolist(), **elements), profile=profile)
    decoded = nnr_conformance.decode(built)
    expected = doubled(levels, elements["scan_order"]) if dq else levels
    assert decoded.levels["w"].tolist() == expected.tolist()
    assert decoded.qp["w"] == elements["qp_value"]
    errors = {found.code for found in decoded.diagnostics if found.severity.value == "error"}
    assert errors <= {"qp_invalid"}  # a step size may be out of range; levels and entry points are not


def test_entry_points_of_both_factors_of_a_decomposed_block_are_right() -> None:
    block = {
        "nnr_compressed_data_unit_payload_type": "NNR_PT_BLOCK",
        "topology_elem_id_list": ["w_G", "w_H", "w_bias"],
        "compressed_parameter_types": 9,
        "decomposition_rank": 9,
        "g_number_of_rows": 17,
        "tensor_dimensions": [17, 20],
        "scan_order": 1,
        "dq_flag": 1,
    }
    g = [[(3 * row + column) % 5 - 2 for column in range(9)] for row in range(17)]
    h = [[(row + 7 * column) % 7 - 3 for column in range(20)] for row in range(9)]
    tensors = [{"levels": list(range(17))}, {"levels": g}, {"levels": h}]
    built = stream({"NNR_NDU": {**block, "tensors": tensors}})
    report = nnr_conformance.check(built)
    assert report.verdict is Verdict.CONFORMING
    assert {found.code for found in report.diagnostics} <= {"unary_length_inferred"}
    assert nnr_conformance.decode(built, transmitted=True).levels["w_H"].tolist() == doubled(np.array(h), 1).tolist()


@pytest.mark.parametrize("zero", range(5))
def test_every_level_of_a_codebook_can_be_written(zero: int) -> None:
    codebook = {
        "codebook_zero_value": 0,
        "codebook_center_offset": zero - 2,
        "codebook_delta_left": [0] * zero,
        "codebook_delta_right": [0] * (4 - zero),
        "codebook_size": 5,
    }
    levels = list(range(-zero, 5 - zero))
    parameters = {"NNR_MPS": {"mps_quantization_method_flags": 3}}
    built = build_recipe([START, parameters, unit(levels, **codebook)]).data
    assert nnr_conformance.decode(built).levels["w"].tolist() == levels


def test_a_partitioned_unit_decodes_as_the_whole_one() -> None:
    whole, parts = unit([[1, -2], [3, 4]]), unit([[1, -2], [3, 4]], parts=[2, 1])
    one, other = nnr_conformance.decode(stream(whole)), nnr_conformance.decode(stream(parts))
    assert one.levels["w"].tolist() == other.levels["w"].tolist()
    assert len(nnr_conformance.check(stream(parts)).streams[0].units) == 5


def test_places_are_where_the_parser_finds_the_elements() -> None:
    built = build_recipe([START, PARAMETERS, {"NNR_AGG": {"units": [unit([1]), unit([2], topology_elem_id="v")]}}])
    report = nnr_conformance.check(
        override(built, [{"element": "unit 2.1 · input_parameters_present_flag", "bits": "0"}])
    )
    assert report.verdict is not Verdict.CONFORMING
    entry = the_element(built, "unit 2.1 · topology_elem_id")
    assert built.data[entry.first >> 3 : (entry.first + entry.size) >> 3] == b"v\0"


def test_an_override_changes_nothing_else() -> None:
    built = build_recipe([START, PARAMETERS, unit([[1, 2], [3, 4]])])
    entry = the_element(built, "unit 2 · scan_order")
    changed = override(built, [{"element": "unit 2 · scan_order", "value": 9}])
    difference = int.from_bytes(built.data, "big") ^ int.from_bytes(changed, "big")
    assert difference == 9 << (8 * len(changed) - entry.first - 4)


def test_an_element_can_be_given_as_bytes_and_a_size_as_a_number() -> None:
    built = build_recipe([START, PARAMETERS, unit([1, 2])])
    changed = override(built, [{"element": "unit 2 · topology_elem_id", "hex": "f600"}])
    entry = the_element(built, "unit 2 · topology_elem_id")
    assert changed[entry.first >> 3 : (entry.first + entry.size) >> 3] == b"\xf6\0"
    assert override(built, [{"element": "unit 0 · nnr_unit_size", "value": 3}])[:4] == b"\x00\x03\x02\x01"
    with pytest.raises(BuildError):
        override(built, [{"element": "unit 0 · nnr_unit_size", "value": 1 << 15}])
    with pytest.raises(BuildError):
        override(built, [{"element": "unit 2 · topology_elem_id", "hex": "f6"}])


def test_the_unary_length_is_in_the_stream_unless_a_recipe_leaves_it_out() -> None:
    given, inferred = stream(unit([1, -20])), stream(unit([1, -20], cabac_unary_length_flag=0))
    assert len(given) == len(inferred) + 1
    for built in (given, inferred):
        assert nnr_conformance.decode(built).levels["w"].tolist() == [1, -20]
    assert nnr_conformance.check(given).diagnostics == ()
    codes = [found.code for found in nnr_conformance.check(inferred).diagnostics]
    assert codes == ["unary_length_inferred"]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ([{"flip": 15}], b"\x00\x05\x02\x01"),
        ([{"replace": 1, "hex": "ff"}], b"\x00\xff\x02\x01"),
        ([{"insert": 1, "hex": "aabb"}], b"\x00\xaa\xbb\x04\x02\x01"),
        ([{"delete": 0, "count": 2}], b"\x02\x01"),
        ([{"cut": 1}, {"append": "07"}], b"\x00\x04\x02\x07"),
    ],
)
def test_bits_and_bytes_can_be_changed(changes: list[dict[str, Any]], expected: bytes) -> None:
    assert override(build_recipe([START]), changes) == expected


@pytest.mark.parametrize(
    "bad",
    [
        [{"NNR_STR": {"general_profil_idc": 1}}],
        [{"NNR_XYZ": {}}],
        [{"NNR_STR": {}, "NNR_MPS": {}}],
        [{"NNR_STR": {"general_profile_idc": 256}}],
        [START, PARAMETERS, unit([1], qp_value=128)],
        [START, PARAMETERS, unit([1], nnr_decompressed_data_format="FLOAT7")],
        [START, PARAMETERS, {"NNR_NDU": {"topology_elem_id": "w", "tensors": [{"levels": [1], "levls": 2}]}}],
        [START, PARAMETERS, unit([[1, 2], [3, 4]], scan_order=[1])],
    ],
)
def test_a_recipe_that_makes_no_sense_is_refused(bad: list[dict[str, Any]]) -> None:
    with pytest.raises(BuildError):
        build_recipe(bad)


@pytest.mark.parametrize("nan", [math.nan, math.copysign(math.nan, -1), ".nan"])
def test_a_nan_has_the_same_bits_whichever_the_machine_has_for_it(nan: Any) -> None:
    number = yaml.safe_load(nan) if isinstance(nan, str) else nan
    parameters: dict[str, Any] = {"NNR_MPS": {"validation_set_performance": number}}
    found = build_recipe([START, parameters, {"NNR_NDU": {"topology_elem_id": "w", "float32": [number]}}])
    for name in ("validation_set_performance", "raw_float32_parameter"):
        entry = next(one for one in found.trace if one.name == name)
        bits = int.from_bytes(found.data, "big") >> 8 * len(found.data) - entry.first - entry.size
        assert (bits & 0xFFFFFFFF).to_bytes(4, "big") == bytes.fromhex("0000c07f")


@pytest.mark.parametrize(("scope", "last"), [("aggregate", 16.0), ("stream", 2.0)])
def test_the_size_of_qp_value_follows_the_layer_parameter_set_in_force(scope: str, last: float) -> None:
    def layer(density: int, parameter: int) -> dict[str, Any]:
        return {"NNR_LPS": {"lps_qp_density": density, "lps_quantization_parameter": parameter}}

    def named(name: str) -> dict[str, Any]:
        return {"NNR_NDU": {"topology_elem_id": name, "tensors": [{"levels": [1], "qp_value": 0}]}}

    readings = Readings.choose({"lps-scope": scope})
    recipe = [START, {"NNR_MPS": {"mps_qp_density": 2, "mps_quantization_parameter": 16}}]
    recipe += [layer(0, 0), named("a"), {"NNR_AGG": {"units": [layer(3, 8), named("b")]}}, named("c")]
    found = nnr_conformance.decode(build_recipe(recipe, readings).data, readings=readings)
    assert {name: one.tolist() for name, one in found.tensors.items()} == {"a": [1.0], "b": [2.0], "c": [last]}
    assert found.diagnostics == ()


def test_a_layer_parameter_set_without_quantization_leaves_qp_value_to_the_model() -> None:
    unit_of = {"NNR_NDU": {"topology_elem_id": "a", "tensors": [{"levels": [1], "qp_value": -2}]}}
    recipe = [START, PARAMETERS, {"NNR_LPS": {"lps_qp_density": 7}}, {"NNR_LPS": {}}, unit_of]
    assert nnr_conformance.decode(build_recipe(recipe).data).tensors["a"].tolist() == [0.75]


@pytest.mark.parametrize(
    "change",
    [
        {"element": "unit 0 · scan_order", "value": 1},
        {"element": "unit 0 · general_profile_idc", "bits": "1"},
        {"x": 1},
    ],
)
def test_an_override_that_makes_no_sense_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(BuildError):
        override(build_recipe([START]), [change])


def test_a_stream_is_the_same_without_a_trace() -> None:
    tensor = {"topology_elem_id": "w", "tensors": [{"levels": [[1, 0], [-2, 3]]}]}
    units = [{"NNR_STR": {}}, {"NNR_MPS": {"mps_qp_density": 2}}, {"NNR_AGG": {"units": [{"NNR_NDU": tensor}] * 2}}]
    traced, plain = build_recipe(units), build_recipe(units, traced=False)
    assert plain.data == traced.data
    assert traced.trace
    assert not plain.trace
