"""Linear algebra with the same bits everywhere: it is right, and the order of sums does not matter to it."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nnr_conformance.encoder.decomposition import decompose
from nnr_conformance.suite.cfp2019.exact import eigenvectors, exponential, low_rank, product, solution, spectrum

seeds = st.integers(0, 2**32 - 1)


@given(seeds, st.integers(1, 40), st.integers(1, 300), st.floats(-30, 30))
def test_a_product_does_not_depend_on_the_order_of_its_terms(seed: int, rows: int, terms: int, power: float) -> None:
    random = np.random.default_rng(seed)
    left, right = random.normal(size=(rows, terms)) * 2.0**power, random.normal(size=(terms, 5))
    order = random.permutation(terms)
    found = product(left, right)
    assert found.tobytes() == product(left[:, order], right[order]).tobytes()
    bound = terms * np.abs(left).max() * np.abs(right).max()
    assert np.abs(found - left @ right).max() <= bound * 2.0**-40


def test_a_product_of_numbers_with_few_bits_is_exact() -> None:
    random = np.random.default_rng(1)
    left, right = random.integers(-1000, 1000, (20, 300)), random.integers(-1000, 1000, (300, 20))
    assert np.array_equal(product(left / 64, right / 64), (left @ right) / 4096)


def test_a_product_of_zeros_is_zero() -> None:
    assert not product(np.zeros((2, 3)), np.ones((3, 2))).any()


@given(st.floats(-700, 700))
def test_an_exponential_is_right_to_its_last_digits(value: float) -> None:
    (found,) = exponential(np.array([value]))
    assert found == pytest.approx(math.exp(value), rel=1e-15)


def test_exponentials_of_what_is_too_large_stay_finite() -> None:
    assert np.isfinite(exponential(np.array([1e300, -1e300]))).all()


@given(seeds, st.integers(1, 20))
def test_elimination_solves_equations(seed: int, size: int) -> None:
    random = np.random.default_rng(seed)
    half = random.normal(size=(size, size))
    matrix, wanted = half @ half.T + np.eye(size), random.normal(size=(size, 3))
    assert np.allclose(solution(matrix, matrix @ wanted), wanted, atol=1e-9)


@given(seeds, st.integers(1, 15))
def test_eigenvectors_give_the_matrix_back(seed: int, size: int) -> None:
    half = np.random.default_rng(seed).normal(size=(size, size))
    matrix = half + half.T
    values, vectors = eigenvectors(matrix)
    assert np.array_equal(values, np.sort(values)[::-1])
    assert np.allclose(vectors.T @ vectors, np.eye(size), atol=1e-12)
    assert np.allclose(vectors * values @ vectors.T, matrix, atol=1e-11)


def test_eigenvectors_of_equal_values_and_of_zeros_are_vectors_all_the_same() -> None:
    for matrix in (np.zeros((3, 3)), np.eye(4), np.ones((4, 4))):
        values, vectors = eigenvectors(matrix)
        assert np.allclose(vectors * values @ vectors.T, matrix, atol=1e-14)


@pytest.mark.parametrize("shape", [(7, 9), (9, 7), (12, 3, 2, 2)])
def test_factors_are_those_of_a_singular_value_decomposition(shape: tuple[int, ...]) -> None:
    weight = np.random.default_rng(3).normal(size=shape).astype(np.float32)
    found, wanted = low_rank(weight, 4), decompose(weight, 4)
    assert np.allclose(found.g, wanted.g, atol=1e-6)
    assert np.allclose(found.h, wanted.h, atol=1e-6)
    singular = np.linalg.svd(weight.reshape(shape[0], -1).astype(np.float64), compute_uv=False)
    assert np.allclose(spectrum(weight)[0], np.square(singular), atol=1e-9)
