"""What quantizers promise: error bounds, less cost, the same result in both lives and in the decoder."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from nnr_conformance.decoder.dequantization import dequantize_uniform
from nnr_conformance.decoder.dequantization import step_size as decoded_step
from nnr_conformance.diagnostics import Findings
from nnr_conformance.encoder.codebooks import codebook_levels, nearest_entries
from nnr_conformance.encoder.dependent import dependent_levels
from nnr_conformance.encoder.init_ids import choose_ids
from nnr_conformance.encoder.payload_writer import TensorPlan, with_ids, write_payload
from nnr_conformance.encoder.quantized_tensor import quantize
from nnr_conformance.encoder.settings import EncoderSettings
from nnr_conformance.encoder.step_size import in_steps, step_size, sufficient_qp, uniform_values
from nnr_conformance.encoder.uniform import nearest_levels, rate_distortion_levels
from nnr_conformance.entropy import compiled_available, trellis_states
from nnr_conformance.errors import BuildError

floats = arrays.arrays(np.float32, arrays.array_shapes(max_side=9), elements=st.floats(-1e6, 1e6, width=32))


def payload_bits(levels: np.ndarray, dq: bool, **more: Any) -> int:
    plan = TensorPlan(levels.reshape(len(levels), -1), dq=dq, **more)
    return 8 * len(write_payload([with_ids(plan, choose_ids(plan))]).data)


@given(st.integers(0, 7), st.integers(-126, 126), st.integers(0, 127))
def test_the_step_size_is_the_decoders(density: int, exponent: int, rest: int) -> None:
    qp = (exponent << density) + rest % (1 << density)
    assert np.float32(step_size(qp, density)) == decoded_step(qp, density)
    assert step_size(qp + (1 << density), density) == 2 * step_size(qp, density)


@pytest.mark.parametrize(("qp", "density"), [(128, 0), (-127, 0), (512, 2), (0, 8)])
def test_a_qp_without_a_step_size_is_refused(qp: int, density: int) -> None:
    with pytest.raises(BuildError):
        step_size(qp, density)


@settings(deadline=None)
@given(floats, st.integers(-40, 40))
def test_no_value_is_farther_than_half_a_step_from_its_nearest_level(values: np.ndarray, qp: int) -> None:
    qp = sufficient_qp(qp, 2, float(np.abs(values).max()))
    levels = nearest_levels(in_steps(values, qp, 2))
    exact = levels.astype(np.float64) * step_size(qp, 2)
    assert np.all(np.abs(values - exact) <= step_size(qp, 2) / 2 * (1 + 1e-9))
    delivered = uniform_values(levels, qp, 2)
    assert np.all(np.abs(values - delivered) <= step_size(qp, 2) / 2 * (1 + 1e-9) + 2e-7 * np.abs(values))


@settings(deadline=None)
@given(floats, st.floats(0, 0.5))
def test_a_deadzone_makes_no_level_larger(values: np.ndarray, deadzone: float) -> None:
    scaled = in_steps(values, 0, 2)
    narrow, wide = nearest_levels(scaled), nearest_levels(scaled, deadzone)
    assert np.all(np.abs(wide) <= np.abs(narrow))
    assert np.all(np.abs(wide - scaled) <= 0.5 + deadzone + 1e-9 * np.abs(scaled))


@given(arrays.arrays(np.int32, 7), st.integers(-100, 100), st.integers(0, 7))
def test_values_are_those_of_the_decoder_bit_for_bit(quantized: np.ndarray, qp: int, density: int) -> None:
    decoded = dequantize_uniform(quantized, qp, density, findings=Findings())
    assert uniform_values(quantized, qp, density).tobytes() == decoded.tobytes()


@pytest.mark.parametrize("scan_order", [0, 1])
def test_the_levels_of_the_trellis_stand_for_its_integers(scan_order: int) -> None:
    values = np.random.default_rng(3).laplace(0, 3, (20, 30))
    found = dependent_levels(values, scan_order, 0.1)
    trellis = trellis_states(found.quantized, scan_order)
    assert np.array_equal(trellis.levels, found.levels)


@settings(max_examples=25, deadline=None)
@given(
    arrays.arrays(np.float64, st.tuples(st.integers(1, 12), st.integers(1, 12)), elements=st.floats(-1e9, 1e9)),
    st.floats(0, 2),
)
def test_both_lives_search_and_choose_the_same_levels(values: np.ndarray, price: float) -> None:
    if not compiled_available():
        pytest.skip("numba is not installed")
    lives = [dependent_levels(values, 1, price, compiled=choice) for choice in (False, True)]
    assert np.array_equal(lives[0].levels, lives[1].levels)
    assert np.array_equal(lives[0].quantized, lives[1].quantized)
    assert lives[0].cost == lives[1].cost
    chosen = [rate_distortion_levels(values, price, compiled=choice) for choice in (False, True)]
    assert np.array_equal(chosen[0], chosen[1])


@settings(max_examples=40, deadline=None)
@given(arrays.arrays(np.float64, st.integers(1, 6), elements=st.floats(-6, 6)))
def test_without_a_price_the_trellis_finds_the_nearest_path_of_all(values: np.ndarray) -> None:
    found = dependent_levels(values, 0, 0.0, compiled=False)
    best = {0: 0.0}
    following = ((0, 2), (7, 5), (1, 3), (6, 4), (2, 0), (5, 7), (3, 1), (4, 6))
    for value in values:
        reached: dict[int, float] = {}
        for state, cost in best.items():
            for level in range(-9, 10):
                point = 2 * level - int(np.sign(level)) * (state & 1)
                then = following[state][level & 1]
                reached[then] = min(reached.get(then, np.inf), cost + (value - point) ** 2)
        best = reached
    assert np.square(values - found.quantized).sum() == pytest.approx(min(best.values()), abs=1e-9)


@pytest.mark.parametrize("spread", [0.7, 1.5, 4.0])
@pytest.mark.parametrize("price", [0.2, 0.4, 0.8])
def test_dependent_quantization_costs_less_than_uniform_at_the_same_step(spread: float, price: float) -> None:
    # Below a price of 0.15 squared steps the uniform quantizer, whose points lie twice as dense, is at home.
    values = np.random.default_rng(11).normal(0, spread, (150, 200))
    found = dependent_levels(values, 0, price)
    dependent = np.square(values - found.quantized).sum() + price * payload_bits(found.levels, dq=True)
    levels = nearest_levels(values)
    uniform = np.square(values - levels).sum() + price * payload_bits(levels, dq=False)
    assert dependent < uniform


def test_dependent_quantization_is_nearer_than_uniform_with_as_many_bits() -> None:
    values = np.random.default_rng(12).normal(0, 3, (200, 300))
    found = dependent_levels(values, 0, 0.3)
    bits = payload_bits(found.levels, dq=True)
    steps = np.linspace(1.2, 2.4, 25)
    errors = []
    for step in steps:
        levels = nearest_levels(values / step)
        if payload_bits(levels, dq=False) <= bits:
            errors.append(np.square(values - step * levels).mean())
    assert errors, "no uniform quantizer of the list is as small"
    assert np.square(values - found.quantized).mean() < 0.9 * min(errors)


@pytest.mark.parametrize("price", [0.05, 0.2, 1.0])
def test_a_price_makes_payloads_smaller_and_the_cost_lower(price: float) -> None:
    values = np.random.default_rng(13).laplace(0, 1.0, (150, 200))
    nearest, chosen = nearest_levels(values), rate_distortion_levels(values, price)
    costs = [np.square(values - found).sum() + price * payload_bits(found, dq=False) for found in (nearest, chosen)]
    assert payload_bits(chosen, dq=False) < payload_bits(nearest, dq=False)
    assert costs[1] < costs[0]


def test_a_codebook_of_sparse_values_keeps_their_zeros() -> None:
    random = np.random.default_rng(5)
    for centre in (0.0, 7.0, -30.0):
        values = random.normal(centre, 20, 2000) * (random.random(2000) < 0.7)
        found = codebook_levels(values, 16)
        assert found.entries[found.levels[values == 0] + found.zero].tolist() == [0] * int((values == 0).sum())
        assert (np.diff(found.entries) > 0).all()


@settings(max_examples=40, deadline=None)
@given(floats, st.integers(1, 20))
def test_each_entry_of_a_codebook_occurs_and_each_value_takes_the_nearest(values: np.ndarray, size: int) -> None:
    scaled = values.astype(np.float64)
    found = codebook_levels(scaled, size)
    assert 1 <= len(found.entries) <= size
    assert np.all(np.diff(found.entries.astype(np.int64)) > 0)
    assert set(found.levels.reshape(-1) + found.zero) == set(range(len(found.entries)))
    distances = np.abs(scaled[..., None] - found.entries.astype(np.float64))
    assert np.allclose(np.abs(scaled - found.entries[found.levels + found.zero]), distances.min(axis=-1))


def test_clusters_are_nearer_than_equal_steps_of_as_many_entries() -> None:
    values = 1000 * np.random.default_rng(14).normal(0, 1, 20_000)
    found = codebook_levels(values, 9)
    evenly = np.round(np.linspace(values.min(), values.max(), 9)).astype(np.int64)
    errors = [
        np.square(values - entries[nearest_entries(values, entries)]).mean() for entries in (found.entries, evenly)
    ]
    assert errors[0] < 0.6 * errors[1]


def test_a_qp_is_raised_until_binary32_holds_all_levels() -> None:
    values = np.array([[1e30, -3e30], [5.0, 0.0]], np.float32)
    found = quantize("w", values, EncoderSettings(qp=-38), scan_order=0, codebook=False)
    assert found.qp is not None
    assert found.qp > -38
    assert np.abs(found.levels).max() <= 1 << 24
    assert abs(found.values[0, 1] + 3e30) <= step_size(found.qp, 2) + 3e30 * 2**-23


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_is_not_quantized(bad: float) -> None:
    with pytest.raises(BuildError, match="raw"):
        quantize("w", np.array([1.0, bad]), EncoderSettings(), scan_order=0, codebook=False)
