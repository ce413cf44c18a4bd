"""Decomposition, local scaling, batch-norm folding, sparsification and pruning do what they say to the numbers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import nnr_conformance
from nnr_conformance.encoder.decomposition import can_decompose, decompose
from nnr_conformance.encoder.layer_tools import BatchNorm, divided_rows, fold_batch_norm, row_scaling
from nnr_conformance.encoder.model_encoder import encode_model
from nnr_conformance.encoder.settings import EncoderSettings
from nnr_conformance.encoder.sparsification import (
    operating_point,
    prune_rows,
    sparsification_elements,
    sparsify,
    threshold_for,
)
from nnr_conformance.errors import BuildError


def normal(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 1, shape).astype(np.float32)


@pytest.mark.parametrize("rank", [1, 3, 8])
def test_factors_are_as_near_as_the_singular_values_that_are_left_out(rank: int) -> None:
    weight = normal(12, 2, 4)
    factors = decompose(weight, rank)
    left_out = np.linalg.svd(weight.reshape(12, 8).astype(np.float64), compute_uv=False)[rank:]
    error = np.square(factors.values(weight.shape) - weight).sum()
    assert error == pytest.approx(np.square(left_out).sum(), rel=1e-4, abs=1e-9)
    assert factors.g.shape == (12, rank)
    assert factors.h.shape == (rank, 8)


@pytest.mark.parametrize("rank", [0, 9])
def test_a_rank_that_no_factors_have_is_refused(rank: int) -> None:
    with pytest.raises(BuildError):
        decompose(normal(8, 9), rank)


@pytest.mark.parametrize("strange", [np.nan, np.inf])
def test_a_weight_that_is_not_finite_has_no_decomposition(strange: float) -> None:
    weight = normal(8, 9)
    weight[3, 4] = strange
    with pytest.raises(BuildError, match="NaN or infinities"):
        decompose(weight, 2)


def test_only_factors_with_fewer_elements_are_made() -> None:
    assert can_decompose((20, 30), 4)
    assert not can_decompose((20, 30), 12)
    assert not can_decompose((20,), 1)


@given(st.integers(1, 5), st.integers(1, 5), st.booleans())
def test_a_folded_layer_does_what_layer_and_batch_norm_did(rows: int, columns: int, has_bias: bool) -> None:
    weight, bias = normal(rows, columns), normal(rows, seed=1) if has_bias else None
    norm = BatchNorm(normal(rows, seed=2), normal(rows, seed=3), normal(rows, seed=4), np.abs(normal(rows, seed=5)))
    folded = fold_batch_norm(norm, bias)
    inputs = normal(columns, seed=6)
    before = (weight @ inputs + (0 if bias is None else bias) - norm.mean) / np.sqrt(norm.variance + 1e-5)
    after = (weight * folded.scaling[:, None]) @ inputs + folded.bias
    assert np.allclose(after, before * norm.gamma + norm.beta, atol=1e-2, rtol=1e-4)


def test_scaled_rows_spread_alike_and_scaling_gives_them_back() -> None:
    weight = normal(5, 40) * np.array([0, 1e-3, 0.1, 1, 50])[:, None].astype(np.float32)
    scaling = row_scaling(weight)
    divided = divided_rows(weight, scaling)
    spread = np.sqrt(np.square(divided).mean(axis=1))
    assert scaling[0] == 1
    assert np.allclose(spread[1:], spread[1], rtol=1e-5)
    assert np.allclose(divided * scaling[:, None], weight, rtol=1e-6)


@given(st.floats(0, 1))
def test_the_threshold_of_a_share_makes_that_share_zero(share: float) -> None:
    tensors = {"w": normal(20, 30), "b": normal(20, seed=1), "n": np.arange(6).reshape(2, 3)}
    threshold = threshold_for(tensors, share)
    found = sparsify(tensors, threshold)
    assert np.mean(found["w"] == 0) == pytest.approx(share, abs=2 / 600)
    assert found["b"] is tensors["b"]
    assert operating_point(tensors, threshold).non_zero_ratio == np.mean(found["w"] != 0)


def test_a_sparse_model_carries_its_performance_map() -> None:
    tensors = {"w": normal(20, 30)}
    points = [operating_point(tensors, threshold, accuracy) for threshold, accuracy in ((0.1, 0.9), (0.5, 0.8))]
    encoded = encode_model(sparsify(tensors, 0.5), EncoderSettings(parameter_set=sparsification_elements(points)))
    report = nnr_conformance.check(encoded.data)
    assert not report.diagnostics
    plain = encode_model(sparsify(tensors, 0.5))
    assert len(encoded.data) > len(plain.data) + 2 * 12


@pytest.mark.parametrize("form", ["dictionary_unit", "bit_mask_unit"])
def test_a_pruned_model_says_what_was_pruned(form: str) -> None:
    weight = normal(6, 2, 3)
    weight[[1, 4]] = 0
    tensors = {"w": weight, "b": normal(6, seed=1), "v": normal(3, 3, seed=2)}
    pruned = prune_rows(tensors, {"w": ["b"], "v": []})
    assert pruned.tensors["w"].shape == (4, 2, 3)
    assert np.array_equal(pruned.tensors["b"], tensors["b"][[0, 2, 3, 5]])
    assert pruned.ratio == pytest.approx((12 + 2) / (36 + 6 + 9))
    settings = EncoderSettings(parameter_set=pruned.elements(0.5), topology=(getattr(pruned, form)(),))
    encoded = encode_model(pruned.tensors, settings)
    assert not nnr_conformance.check(encoded.data).diagnostics
    assert nnr_conformance.decode(encoded.data).tensors["w"].shape == (4, 2, 3)


def test_pruning_leaves_a_row_and_refuses_vectors_that_do_not_fit() -> None:
    assert prune_rows({"w": np.zeros((3, 2))}, {"w": []}).tensors["w"].shape == (1, 2)
    with pytest.raises(BuildError, match="rows"):
        prune_rows({"w": np.zeros((3, 2)), "b": np.zeros(2)}, {"w": ["b"]})
    with pytest.raises(BuildError, match="nothing"):
        prune_rows({"w": np.ones((3, 2))}, {"w": []}).dictionary_unit()
