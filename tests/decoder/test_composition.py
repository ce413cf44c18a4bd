"""Blocks, local scaling, G·H, parent plus update."""

from __future__ import annotations

import json
import math
import tracemalloc
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from nnr_conformance.decoder.composition import (
    Member,
    add_update,
    apply_local_scaling,
    block_members,
    compose,
    factor_shapes,
    member_shape,
)
from nnr_conformance.diagnostics import Stage
from nnr_conformance.errors import BitstreamError, UsageError

pytestmark = pytest.mark.filterwarnings("error")

VECTORS = Path(__file__).parents[1] / "entropy/vectors"

# compressed_parameter_types: ids in list order | tensors in coding order | position of each tensor's id
BLOCKS = """
 0: W | W | 0
 1: G H | G H | 0 1
 2: W LS | LS W | 1 0
 3: G H LS | LS G H | 2 0 1
 4: W beta gamma mean var | beta gamma mean var W | 1 2 3 4 0
 5: G H beta gamma mean var | beta gamma mean var G H | 2 3 4 5 0 1
 6: W LS beta gamma mean var | LS beta gamma mean var W | 1 2 3 4 5 0
 7: G H LS beta gamma mean var | LS beta gamma mean var G H | 2 3 4 5 6 0 1
 8: W BI | BI W | 1 0
 9: G H BI | BI G H | 2 0 1
10: W LS BI | LS BI W | 1 2 0
11: G H LS BI | LS BI G H | 2 3 0 1
12: W beta gamma mean var BI | BI beta gamma mean var W | 5 1 2 3 4 0
13: G H beta gamma mean var BI | BI beta gamma mean var G H | 6 2 3 4 5 0 1
14: W LS beta gamma mean var BI | LS BI beta gamma mean var W | 1 6 2 3 4 5 0
15: G H LS beta gamma mean var BI | LS BI beta gamma mean var G H | 2 7 3 4 5 6 0 1
"""

binary32 = st.floats(-1e6, 1e6, width=32)


def vector(name: str) -> Any:
    return json.loads((VECTORS / f"{name}.json").read_text())


def from_bits(words: list[str], shape: tuple[int, ...]) -> np.ndarray[Any, np.dtype[np.float32]]:
    return np.array([int(word, 16) for word in words], np.uint32).view(np.float32).reshape(shape)


def tensor_of(case: Any, number: int) -> np.ndarray[Any, np.dtype[np.float32]]:
    tensor = case["tensors"][number]
    return from_bits(tensor["expected"]["values_f32_hex"], tuple(tensor["shape"]))


# ---- blocks


@pytest.mark.parametrize("line", BLOCKS.strip().splitlines())
def test_a_block_lists_and_codes_its_tensors_in_two_orders(line: str) -> None:
    mask, row = line.split(":")
    listed, coded, positions = (column.split() for column in row.split("|"))
    layout = block_members(int(mask))
    assert [member.value for member in layout.listed] == listed
    assert [member.value for member in layout.coded] == coded
    assert layout.id_positions == tuple(map(int, positions))


@pytest.mark.parametrize("mask", [-1, 16])
def test_a_mask_of_more_than_four_bits_is_refused(mask: int) -> None:
    with pytest.raises(UsageError):
        block_members(mask)


def test_every_member_of_a_layer_has_the_shape_that_the_weight_implies() -> None:
    vectors = set(Member) - {Member.WEIGHT, Member.G, Member.H}
    assert {member_shape(member, [12, 3, 2, 2], 5, 6) for member in vectors} == {(12,)}
    assert member_shape(Member.WEIGHT, [12, 3, 2, 2], 0, 0) == (12, 3, 2, 2)
    assert member_shape(Member.G, [12, 3, 2, 2], 5, 6) == (6, 5)
    assert member_shape(Member.H, [12, 3, 2, 2], 5, 6) == (5, 24)


@given(st.lists(st.integers(1, 12), min_size=1, max_size=4), st.integers(0, 20), st.integers(0, 20))
def test_the_factors_hold_exactly_the_weight_or_the_decomposition_is_an_error(
    dims: list[int], rank: int, rows: int
) -> None:
    if rank and rows and math.prod(dims) % rows == 0:
        g, h = factor_shapes(dims, rank, rows)
        assert g[1] == h[0] == rank
        assert (g[0], g[0] * h[1]) == (rows, math.prod(dims))
        return
    with pytest.raises(BitstreamError) as caught:
        factor_shapes(dims, rank, rows, bits=(5, 9), path="ndu")
    code = "g_rows_divisibility" if rank and rows else "decomposition_invalid"
    assert (caught.value.diagnostic.code, caught.value.diagnostic.bits) == (code, (5, 9))


def test_a_vector_of_a_weight_without_dimensions_has_no_shape() -> None:
    with pytest.raises(BitstreamError) as caught:
        member_shape(Member.BIAS, [], 0, 0)
    assert caught.value.diagnostic.code == "dims_invalid"


# ---- local scaling


def test_the_scaled_weight_of_the_vector_is_exact_to_the_bit() -> None:
    case = vector("e1-031-block-ls-bi-w")
    weight = tensor_of(case, 2)
    before = weight.copy()
    scaled = apply_local_scaling(weight, tensor_of(case, 0))
    expected = from_bits(case["block_reconstruction"]["weight_after_local_scaling_f32_hex"], weight.shape)
    assert np.array_equal(scaled.view(np.uint32), expected.view(np.uint32))
    assert np.array_equal(weight, before)


@given(st.data(), npst.array_shapes(max_dims=4, max_side=4))
def test_each_row_is_multiplied_by_its_factor_with_one_rounding(data: st.DataObject, shape: tuple[int, ...]) -> None:
    weight = data.draw(npst.arrays(np.float32, shape, elements=binary32))
    scaling = data.draw(npst.arrays(np.float32, shape[0], elements=binary32))
    scaled = apply_local_scaling(weight, scaling)
    assert (scaled.dtype, scaled.shape) == (np.float32, shape)
    for row in range(shape[0]):
        products = weight[row].astype(np.float64) * float(scaling[row])  # exact
        assert np.array_equal(scaled[row], products.astype(np.float32))


def test_a_codebook_tensor_is_scaled_in_binary64() -> None:
    third = 1 + 2.0**-40
    scaled = apply_local_scaling(np.full((2, 2), third), np.array([3, 5], np.float32))
    assert scaled.dtype == np.float64
    assert scaled.tolist() == [[3 * third] * 2, [5 * third] * 2]


@pytest.mark.parametrize(
    ("weight", "scaling"), [((4, 3), (3,)), ((4, 3), (1,)), ((4, 3), (4, 1)), ((), ()), ((4,), ())]
)
def test_a_scaling_vector_of_another_length_is_an_error(weight: tuple[int, ...], scaling: tuple[int, ...]) -> None:
    with pytest.raises(BitstreamError) as caught:
        apply_local_scaling(np.ones(weight, np.float32), np.ones(scaling, np.float32), path="b")
    diagnostic = caught.value.diagnostic
    assert (diagnostic.code, diagnostic.stage, diagnostic.path) == ("ls_shape", Stage.COMPOSITION, "b")


def test_scaled_integers_are_real_numbers() -> None:
    scaled = apply_local_scaling(np.array([[3, -4], [5, 1 << 25]], np.int32), np.array([0.5, 2], np.float32))
    assert scaled.dtype == np.float32
    assert scaled.tolist() == [[1.5, -2], [10, 1 << 26]]


# ---- decomposition


def test_the_composed_weight_of_the_vector_is_reached() -> None:
    case = vector("e1-032-block-dc")
    g, h, block = tensor_of(case, 0), tensor_of(case, 1), case["block_reconstruction"]
    shapes = factor_shapes(block["tensor_dimensions"], block["decomposition_rank"], block["g_number_of_rows"])
    assert (g.shape, h.shape) == shapes
    weight = compose(g, h, block["tensor_dimensions"])
    expected = from_bits(block["product_f64_then_f32_hex"], tuple(block["tensor_dimensions"]))
    assert np.array_equal(weight.view(np.uint32), expected.view(np.uint32))


@given(st.data(), st.integers(1, 5), st.integers(1, 6), st.integers(1, 5))
def test_a_composed_element_is_summed_in_order_in_binary64_and_rounded_once(
    data: st.DataObject, rows: int, rank: int, columns: int
) -> None:
    g = data.draw(npst.arrays(np.float32, (rows, rank), elements=binary32))
    h = data.draw(npst.arrays(np.float32, (rank, columns), elements=binary32))
    weight = compose(g, h, [columns, rows])
    assert (weight.dtype, weight.shape) == (np.float32, (columns, rows))
    for i, row in enumerate(weight.reshape(rows, columns)):
        for j, value in enumerate(row):
            total = 0.0
            for k in range(rank):
                total += float(g[i, k]) * float(h[k, j])
            assert value == np.float32(total)
            exact = sum((Fraction(float(g[i, k])) * Fraction(float(h[k, j])) for k in range(rank)), Fraction())
            size = sum(abs(float(g[i, k]) * float(h[k, j])) for k in range(rank))
            assert abs(Fraction(float(value)) - exact) <= Fraction(2) ** -23 * Fraction(size) + Fraction(2) ** -149


def test_the_sum_of_a_composed_element_runs_upwards() -> None:
    g = np.array([[1, 2.0**30, -(2.0**30)]], np.float32)
    assert compose(g, np.abs(g).T, [1]).tolist() == [0]  # 1 is lost in 2^60; downwards it would remain


def test_factors_from_codebooks_are_multiplied_in_binary64() -> None:
    fine = np.array([[1 + 2.0**-30]])
    for g, h in [(fine, np.ones((1, 1), np.float32)), (np.ones((1, 1), np.float32), fine)]:
        both = np.concatenate([g, [[-1.0]]], 1), np.concatenate([h, [[1.0]]])
        assert compose(*both, [1]).tolist() == [2.0**-30]


@pytest.mark.parametrize("shape", [(3, 2, 70_000), (700, 2, 100), (70_000, 1, 1), (1, 3, 40_000)])
def test_large_products_have_no_seams(shape: tuple[int, int, int]) -> None:
    rows, rank, columns = shape
    g = (np.arange(rows * rank) % 7 - 3).astype(np.float32).reshape(rows, rank)
    h = (np.arange(rank * columns) % 11 - 5).astype(np.float32).reshape(rank, columns)
    assert np.array_equal(compose(g, h, [rows * columns]), (g @ h).reshape(-1))  # small integers: exact in any order


def test_composition_needs_no_binary64_copy_of_the_weight() -> None:
    g, h = np.ones((1024, 2), np.float32), np.ones((2, 1024), np.float32)
    tracemalloc.start()
    weight = compose(g, h, [1024, 1024])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1.3 * weight.nbytes


@pytest.mark.parametrize(("g", "h", "dims"), [((2, 3), (2, 4), [2, 4]), ((2, 3), (3, 4), [2, 5])])
def test_factors_that_do_not_fit_are_an_error(g: tuple[int, ...], h: tuple[int, ...], dims: list[int]) -> None:
    with pytest.raises(BitstreamError) as caught:
        compose(np.ones(g, np.float32), np.ones(h, np.float32), dims, bits=(0, 8))
    assert (caught.value.diagnostic.code, caught.value.diagnostic.bits) == ("decomposition_pair", (0, 8))


@pytest.mark.parametrize(("g", "h"), [((6,), (6, 1)), ((2, 3), (3,))])
def test_factors_that_are_no_matrices_are_refused(g: tuple[int, ...], h: tuple[int, ...]) -> None:
    with pytest.raises(UsageError, match="matrices"):
        compose(np.ones(g, np.float32), np.ones(h, np.float32), [2])


# ---- updates


@given(st.data(), npst.array_shapes(min_dims=0, max_dims=3, max_side=3))
def test_an_update_is_added_with_one_rounding_to_binary32(data: st.DataObject, shape: tuple[int, ...]) -> None:
    parent = data.draw(npst.arrays(np.float32, shape, elements=binary32))
    update = data.draw(npst.arrays(np.float32, shape, elements=binary32))
    total = add_update(parent, update)
    assert isinstance(total, np.ndarray)
    assert (total.dtype, total.shape) == (np.float32, shape)
    for a, b, found in zip(parent.flat, update.flat, total.flat, strict=True):
        assert found == np.float32(float(a) + float(b))


def test_a_codebook_update_is_rounded_before_it_is_added() -> None:
    parent, update = np.array([1.0], np.float32), np.array([2.0**-24 + 2.0**-50])
    assert add_update(parent, update).tolist() == [1.0]  # rounded after the addition it would be 1 + 2^-23
    assert add_update(parent, update).dtype == np.float32


def test_updates_in_another_order_give_other_bits() -> None:
    base, small, large = (np.array([value], np.float32) for value in (1.0, 2.0**-24, -1.0))
    assert add_update(add_update(base, small), large)[0] != add_update(add_update(base, large), small)[0]


@pytest.mark.parametrize(
    ("parent", "update"),
    [
        (np.ones((2, 3), np.float32), np.ones((3, 2), np.float32)),
        (np.ones((2, 3), np.float32), np.ones((1, 3), np.float32)),  # no broadcasting
        (np.ones((), np.float32), np.ones(1, np.float32)),
        (np.ones(2, np.int32), np.ones(2, np.float32)),
    ],
)
def test_an_update_of_another_shape_or_kind_is_an_error(
    parent: np.ndarray[Any, Any], update: np.ndarray[Any, Any]
) -> None:
    with pytest.raises(BitstreamError) as caught:
        add_update(parent, update)
    assert caught.value.diagnostic.code == "update_shape"


@given(st.lists(st.tuples(*[st.integers(-(1 << 31), (1 << 31) - 1) | st.integers(-9, 9)] * 2), max_size=5))
def test_integer_updates_are_added_as_integers_or_reported(pairs: list[tuple[int, int]]) -> None:
    parent, update = (np.array([pair[side] for pair in pairs], np.int32) for side in (0, 1))
    sums = [a + b for a, b in pairs]
    if all(-(1 << 31) <= value < 1 << 31 for value in sums):
        total = add_update(parent, update)
        assert (total.dtype, total.tolist()) == (np.int32, sums)
        return
    with pytest.raises(BitstreamError) as caught:
        add_update(parent, update)
    assert caught.value.diagnostic.code == "format_overflow"


def test_a_parent_of_wide_integers_is_judged_by_its_values() -> None:
    assert add_update(np.array([5], np.int64), np.array([-7], np.int32)).tolist() == [-2]
    with pytest.raises(BitstreamError):
        add_update(np.array([(1 << 63) - 1], np.int64), np.array([1], np.int32))
