"""How much work encoding is: bins of a sample, and the execution that is chosen for it, beside measured times."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nnr_conformance.encoder import binding
from nnr_conformance.encoder.model_encoder import encode_model, encode_update
from nnr_conformance.encoder.settings import EncoderSettings
from nnr_conformance.encoder.work import bins_of, loops_of
from nnr_conformance.entropy import compiled_available

needs_numba = pytest.mark.skipif(not compiled_available(), reason="numba is not installed")


def bins_of_one(level: int, unary_length: int) -> int:
    """Significance, sign, a flag for each magnitude up to the length, prefix and suffix of the remainder."""
    magnitude = abs(level)
    if not magnitude:
        return 1
    flags = min(magnitude, unary_length)
    left = magnitude - unary_length
    return 2 + flags + (2 * (left.bit_length() - 1) + 1 if left > 0 else 0)


@given(st.lists(st.integers(-(1 << 31), (1 << 31) - 1) | st.integers(-20, 20), max_size=50), st.integers(1, 30))
def test_bins_of_few_levels_are_counted(levels: list[int], unary_length: int) -> None:
    counted = sum(bins_of_one(level, unary_length) for level in levels)
    assert bins_of(np.array(levels, np.int32), unary_length) == counted


@pytest.mark.parametrize("scale", [0.3, 2.0, 30.0])
@pytest.mark.parametrize("shape", [(500, 400), (128, 128, 3, 3), (2, 100_000)])
def test_a_sample_tells_about_the_whole(scale: float, shape: tuple[int, ...]) -> None:
    levels = np.round(np.random.default_rng(5).laplace(0, scale, shape)).astype(np.int32)
    counted = sum(bins_of_one(level, 10) for level in levels.reshape(-1).tolist())
    assert bins_of(levels, 10) == pytest.approx(counted, rel=0.15)


@pytest.mark.parametrize("dq", [False, True])
@pytest.mark.parametrize("scale", [0.3, 2.0, 30.0])
def test_bins_are_known_before_a_model_is_quantized(dq: bool, scale: float) -> None:
    tensors = {"w": np.random.default_rng(5).laplace(0, scale, (50, 60)).astype(np.float32)}
    settings = EncoderSettings(qp=0, dq=dq, price=0.1, compiled=False)
    found = loops_of(tensors, settings, {})
    bins = sum(bins_of_one(level, 10) for level in _levels(tensors, settings))
    assert found["encode_plain_rows"] == pytest.approx(bins, rel=0.25)
    assert found["price_rows"] == 9 * found["encode_plain_rows"]
    assert found["search_trellis"] == 3000 * dq
    assert found["choose_levels"] == 3000 * (not dq)
    assert loops_of(tensors, EncoderSettings(init_ids=False), {})["price_rows"] == 0


def _levels(tensors: dict[str, Any], settings: EncoderSettings) -> list[int]:
    # Doubled by dependent quantization, with one less in odd states.
    quantized = encode_model(tensors, settings).levels["w"].reshape(-1).tolist()
    return [(abs(one) + 1) // 2 if settings.dq else one for one in quantized]


def test_tensors_are_counted_for_the_loops_that_they_take() -> None:
    rng = np.random.default_rng(2)
    tensors = {name: rng.laplace(0, 9, (20, 30)).astype(np.float32) for name in ("one", "raw", "wide")}
    tensors |= {"vector": np.ones(5, np.float32), "whole": np.arange(7)}
    alone = {name: loops_of({name: tensor}, EncoderSettings(qp=0, codebook=8), {}) for name, tensor in tensors.items()}
    assert {name for name, found in alone.items() if "encode_rows" in found} == {"one", "raw", "wide"}
    assert not loops_of(tensors, EncoderSettings(raw=frozenset(tensors)), {})
    factors = loops_of({"wide": tensors["wide"]}, EncoderSettings(qp=0, rank=2, dq=True), {})
    assert factors["search_trellis"] == 2 * (20 + 30)
    assert loops_of({"whole": tensors["whole"]}, EncoderSettings(dq=True), {})["search_trellis"] == 0


def test_of_an_update_the_difference_is_counted() -> None:
    before = {"w": np.random.default_rng(2).laplace(0, 9, (20, 30)).astype(np.float32)}
    after = {"w": before["w"] + np.float32(0.6)}
    found = loops_of(after, EncoderSettings(qp=0), before)
    assert found["encode_rows"] == 20 * 30 * bins_of_one(1, 10)
    assert loops_of(after, EncoderSettings(qp=0), {"w": before["w"][:3]}).keys() >= {"encode_plain_rows"}


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e300])
def test_numbers_that_cannot_be_encoded_are_no_obstacle(value: float) -> None:
    found = loops_of({"w": np.full((3, 4), value)}, EncoderSettings(qp=-38), {})
    assert found["encode_plain_rows"] >= 12


MEASURED = {
    "almost zeros": (0.05, False, 2.9),
    "small levels": (1.0, False, 9.5),
    "levels of about 8": (8.0, False, 31.5),
    "large levels": (30.0, False, 52.4),
    "dependent, almost zeros": (0.05, True, 13.8),
    "dependent, small levels": (2.0, True, 22.8),
    "dependent, levels of about 15": (30.0, True, 52.4),
}
"""Scale of the weights in steps, dependent quantization, and microseconds that a weight takes interpreted."""
LOADING, COMPILING = 0.1, {"plain": 3.5, "dependent": 4.2}
"""Seconds to load what is kept, and to import the compiler and compile all loops of a job: those of whole processes, by
which `benchmarks.encoder_switch` found compiled ones longer than others."""


@needs_numba
@pytest.mark.parametrize("kept", [True, False])
@pytest.mark.parametrize("mode", MEASURED)
def test_what_is_chosen_takes_at_most_thirty_percent_longer_than_the_better_way(
    mode: str, kept: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    scale, dq, microseconds = MEASURED[mode]
    monkeypatch.setattr(binding, "is_loaded", lambda _: False)
    monkeypatch.setattr(binding.machine_code, "is_kept", lambda *_: kept)
    weights = np.random.default_rng(4).laplace(0, scale, 3_000_000).astype(np.float32).reshape(1000, -1)
    compiled = LOADING if kept else COMPILING["dependent" if dq else "plain"]
    choices = []
    for columns in np.unique(np.geomspace(1, 3000, 40).astype(int)):
        tensor = np.ascontiguousarray(weights[:, :columns])
        choices.append(binding.choose_all_compiled(loops_of({"w": tensor}, EncoderSettings(qp=0, dq=dq), {})))
        interpreted = microseconds * 1e-6 * tensor.size
        chosen = compiled if choices[-1] else interpreted
        assert chosen <= 1.3 * min(interpreted, compiled), (tensor.size, choices[-1])
    assert choices == sorted(choices)
    assert set(choices) == {False, True}


def test_interpreted_and_compiled_are_chosen_for_whole_updates_too(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[dict[str, int]] = []
    monkeypatch.setattr("nnr_conformance.encoder.model_encoder.choose_all_compiled", seen.append)
    model = {"w": np.ones((4, 5), np.float32)}
    state = encode_model(model, EncoderSettings(qp=0)).state
    encode_update({"w": model["w"] + 1}, state, EncoderSettings(qp=0))
    assert [sorted(found) for found in seen] == [
        ["choose_levels", "encode_plain_rows", "price_rows", "search_trellis"],
        ["choose_levels", "encode_rows", "price_rows", "search_trellis"],
    ]
