"""Products of factors have a bound that every order of summation keeps and no wrong factor does."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray

from nnr_conformance.api import ChainDecoder, chain_decoder
from nnr_conformance.encoder.recipe import build_recipe
from nnr_conformance.suite.runner.cases import golden_cases
from nnr_conformance.suite.runner.expected import chain_of, expected, told
from nnr_conformance.suite.runner.numeric import compared
from nnr_conformance.suite.runner.tolerance import gamma, tolerances

LEVELS = arrays.arrays(np.int32, st.tuples(st.integers(1, 5), st.integers(1, 40)), elements=st.integers(-2000, 2000))
PRODUCTS_UPDATED = [
    case
    for case in golden_cases()
    if {"decomposition", "update"} <= {*case.tools} and case.verdict == "conforming" and case.before
]


def factored(g: NDArray[np.int32], h: NDArray[np.int32]) -> ChainDecoder:
    """A stream with a weight in a block of these factors, by a step that is no power of two."""
    unit = {
        "nnr_compressed_data_unit_payload_type": "NNR_PT_BLOCK",
        "topology_elem_id_list": ["w_G", "w_H"],
        "compressed_parameter_types": 1,
        "decomposition_rank": g.shape[1],
        "g_number_of_rows": g.shape[0],
        "tensor_dimensions": [g.shape[0], h.shape[1]],
        "tensors": [{"levels": one.tolist(), "qp_value": qp} for one, qp in ((g, -13), (h, -22))],
    }
    return chain_decoder(build_recipe([{"NNR_STR": {}}, {"NNR_MPS": {"mps_qp_density": 2}}, {"NNR_NDU": unit}]).data)


def parts(chain: ChainDecoder) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """G, H, and their product as it is decoded."""
    coded: dict[str, NDArray[np.float32]] = {}
    chain.on_decoded = lambda _, unit: coded.update({one.name: one.values for one in unit.tensors})
    (weight,) = (tensor.values for tensor in chain)
    return coded["w_G"], coded["w_H"], weight


@settings(max_examples=50, deadline=None)
@given(LEVELS, st.data())
def test_a_product_in_binary32_is_within_the_bound_in_every_order_of_summation(
    g: NDArray[np.int32], data: st.DataObject
) -> None:
    h = data.draw(arrays.arrays(np.int32, (g.shape[1], 3), elements=st.integers(-2000, 2000)))
    left, right, weight = parts(factored(g, h))
    order = data.draw(st.permutations(range(g.shape[1])))
    total = np.zeros(weight.shape, np.float32)
    for k in order:
        total += left[:, k, None] * right[k]
    assert compared("w", weight, total, tolerances(factored(g, h))["w"]) is None


@settings(max_examples=50, deadline=None)
@given(LEVELS, st.data())
def test_a_factor_whose_element_is_off_by_one_step_is_beyond_the_bound(
    g: NDArray[np.int32], data: st.DataObject
) -> None:
    h = np.full((g.shape[1], 2), 3, np.int32)
    at = data.draw(st.integers(0, g.size - 1))
    wrong = g.copy()
    wrong.flat[at] += 1
    weight, other = parts(factored(g, h))[2], parts(factored(wrong, h))[2]
    found = compared("w", weight, other, tolerances(factored(g, h))["w"])
    assert found is not None
    assert found.index == (at // g.shape[1], 0)


def test_the_bound_grows_with_the_rank_as_the_theorem_says() -> None:
    ones = np.ones((1, 7), np.int32)
    chain = factored(ones, ones.T)
    left, right, weight = parts(factored(ones, ones.T))
    size = np.abs(left) @ np.abs(right)
    bound = tolerances(chain)["w"]
    assert bound.shape == weight.shape
    assert float(size[0, 0]) * gamma(7) < bound[0, 0] < float(size[0, 0]) * gamma(10)


def test_tensors_that_are_no_products_have_no_bound() -> None:
    unit = {"topology_elem_id": "w", "tensors": [{"levels": [[1, 2], [3, 4]]}]}
    stream = build_recipe([{"NNR_STR": {}}, {"NNR_MPS": {"mps_qp_density": 2}}, {"NNR_NDU": unit}]).data
    assert tolerances(chain_decoder(stream)) == {}


def test_the_corpus_has_updates_of_products() -> None:
    assert PRODUCTS_UPDATED


@pytest.mark.parametrize("case", PRODUCTS_UPDATED, ids=lambda case: case.id)
def test_an_update_of_a_product_may_be_off_in_the_last_place_but_not_by_a_step(case: object) -> None:
    found = next(one for one in PRODUCTS_UPDATED if one is case)
    bounds = tolerances(chain_of(found, told(found)))
    tensors = expected(found, told(found)).tensors
    assert bounds
    for name, bound in bounds.items():
        values = tensors[name].astype(np.float32)
        assert compared(name, values, np.nextafter(values, np.float32(0)), bound) is None
        assert compared(name, values, values + np.float32(0.001), bound) is not None
