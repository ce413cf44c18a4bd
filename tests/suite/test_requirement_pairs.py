"""Each pair of streams shows what it claims, is stored as its recipe gives it, and a wrong claim is noticed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from nnr_conformance.data import data_path
from nnr_conformance.diagnostics import catalogue
from nnr_conformance.errors import BuildError
from nnr_conformance.suite.pair_checks import check_pair_stream, missing_pairs, pair_problems
from nnr_conformance.suite.requirement_pairs import FOLDER, Pair, load_pairs

PAIRS = load_pairs()


def the_pair(name: str) -> Pair:
    return next(pair for pair in PAIRS if pair.name == name)


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: f"{pair.clause}-{pair.name}")
def test_one_code_fires_in_one_of_the_two_streams_at_the_right_bits(pair: Pair) -> None:
    assert list(pair_problems(pair)) == []


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: f"{pair.clause}-{pair.name}")
def test_the_stored_streams_are_those_of_the_recipe(pair: Pair) -> None:
    for breaking in (False, True):
        assert data_path(pair.stream_path(breaking)).read_bytes() == pair.build(breaking).data


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: f"{pair.clause}-{pair.name}")
def test_streams_are_small_and_ideas_are_sentences(pair: Pair) -> None:
    assert max(len(pair.build(breaking).data) for breaking in (False, True)) <= 4096
    assert len(pair.idea) > 20
    assert pair.idea.endswith(".")


def test_every_code_has_a_pair_in_the_folder_of_its_clause() -> None:
    assert list(missing_pairs()) == []
    assert {pair.code for pair in PAIRS} <= set(catalogue())


def test_names_of_pairs_begin_with_their_code() -> None:
    assert [pair.name for pair in PAIRS if not pair.name.startswith(pair.code.replace("_", "-"))] == []


@pytest.mark.parametrize(
    ("name", "at", "problem"),
    [
        ("reserved-not-zero", "unit 2 · nnr_reserved_zero_2bits", "not in unit 2"),
        ("reserved-not-zero", "unit 1 · nnr_reserved_zero_1bit", "marks"),
        ("reserved-not-zero", "unit 1 · nnr_reserved_zero_9bits", "the builder wrote no"),
        ("reserved-not-zero", "unit 1 · nnr_model_parameter_set_unit_payload()", "marks"),
        ("unit-size-too-small", "unit 3 · nnr_unit_size", "marks"),
        ("unit-size-too-small", "unit 3 · nnr_unit_header()", "marks"),
        ("string-not-utf8", "unit 2 · count_tensor_dimensions", "marks"),
    ],
)
def test_a_wrong_place_is_noticed(name: str, at: str, problem: str) -> None:
    (found,) = pair_problems(replace(the_pair(name), at=at))
    assert problem in found


def test_a_missing_companion_is_noticed() -> None:
    pair = the_pair("dimension-zero")
    assert pair.companions == {"dims_invalid"}
    (found,) = pair_problems(replace(pair, companions=frozenset()))
    assert "the breaking stream gives ['dims_invalid'] too much" in found


def test_a_companion_that_does_not_come_is_noticed() -> None:
    (found,) = pair_problems(replace(the_pair("reserved-not-zero"), companions=frozenset({"unit_underrun"})))
    assert "lacks ['unit_underrun']" in found


def test_a_code_that_both_streams_give_is_noticed() -> None:
    pair = the_pair("dimension-shift-set")
    found = list(pair_problems(replace(pair, meets=dict(pair.meets), breaks={})))
    assert found == ["dimension-shift-set: the breaking stream gives [] too much, and lacks ['dimension_shift_set']"]
    both = replace(pair, meets={"units": [*pair.meets["units"][:2], _shifted(pair)]}, breaks={})
    assert "the meeting stream gives ['dimension_shift_set'] too much" in next(pair_problems(both))
    assert list(pair_problems(replace(both, always=frozenset({pair.code})))) == []


def _shifted(pair: Pair) -> object:
    (unit,) = pair.meets["units"][2].values()
    return {"NNR_NDU": {**unit, "first_tensor_dimension_shift": 1}}


def test_units_are_put_in_one_by_one_or_several_at_a_place() -> None:
    pair = the_pair("reserved-not-zero")
    more = [{"NNR_QNT": {"quantization_data": name}} for name in ("a\0", "b\0")]
    one_by_one = replace(pair, breaks={"insert": {2: more[0], 3: more[1]}}).build(True).data
    several = replace(pair, breaks={"insert": {2: more}}).build(True).data
    assert one_by_one.index(b"a\0") < one_by_one.index(b"w\0") < one_by_one.index(b"b\0")
    assert several.index(b"a\0") < several.index(b"b\0") < several.index(b"w\0")


def test_a_recipe_that_cannot_be_built_is_a_problem_and_no_exception() -> None:
    pair = replace(the_pair("reserved-not-zero"), breaks={"change": {1: {"no_such_element": 1}}})
    (found,) = pair_problems(pair)
    assert found.startswith("reserved-not-zero: ")
    with pytest.raises(BuildError):
        pair.build(True)


def test_limits_readings_and_parameters_from_outside_hold_for_the_pair_alone() -> None:
    for name in ("limit-units", "string-not-aligned", "out-of-band-conflict"):
        pair = the_pair(name)
        report = check_pair_stream(replace(pair, check={}), pair.build(True).data)
        assert pair.code not in {found.code for found in report.diagnostics}


def test_the_recipe_that_the_readme_shows_is_a_stored_one() -> None:
    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    recipe = data_path(f"{FOLDER}/6/scan-order-reserved.yaml").read_text(encoding="utf-8")
    assert f"```yaml\n{recipe}```" in readme
