"""Encoding in threads: the same bytes, the same errors and the same progress as one tensor after the other."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from nnr_conformance.encoder import ahead
from nnr_conformance.encoder.ahead import Work, finished
from nnr_conformance.encoder.model_encoder import encode_model, encode_update
from nnr_conformance.encoder.settings import BlockPlan, EncoderSettings
from nnr_conformance.entropy import compiled_available
from nnr_conformance.errors import BuildError

needs_numba = pytest.mark.skipif(not compiled_available(), reason="numba is not installed")


def model(seed: int = 0) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    shapes = {f"t{number}": (int(rng.integers(1, 40)), int(rng.integers(1, 40))) for number in range(12)}
    tensors: dict[str, Any] = {name: rng.laplace(0, 0.1, shape).astype(np.float32) for name, shape in shapes.items()}
    return tensors | {"count": np.arange(9), "half": tensors["t0"].astype(np.float16), "bias": tensors["t1"][:, 0]}


@needs_numba
@pytest.mark.parametrize(
    "settings",
    [
        EncoderSettings(dq=True),
        EncoderSettings(codebook=8, raw=frozenset({"t3"}), keep_formats=True),
        EncoderSettings(rank=2, scan_order=1, aggregate=True),
        EncoderSettings(profile=0, row_skip=False, price=0.1),
        EncoderSettings(blocks=(BlockPlan("t1", "bias", local_scaling=True),)),
    ],
    ids=["dq", "codebook", "factors", "edition 1", "block"],
)
@pytest.mark.parametrize("bounds", [(2_000_000, 64), (1, 64), (2_000_000, 1)])
def test_the_bytes_are_the_same_with_any_number_of_threads(
    settings: EncoderSettings, bounds: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ahead, "AHEAD", bounds[0])
    monkeypatch.setattr(ahead, "MOST", bounds[1])
    object.__setattr__(settings, "compiled", True)
    tensors = model()
    progress: dict[int, list[int]] = {}
    found = {}
    for threads in (1, 2, 5):
        found[threads] = encode_model(tensors, settings, progress.setdefault(threads, []).append, threads)
    assert len({one.data for one in found.values()}) == 1
    assert progress[1] == progress[2] == progress[5]
    assert progress[1][-1] == sum(tensor.size for tensor in tensors.values())
    for name, values in found[1].tensors.items():
        assert values.tobytes() == found[5].tensors[name].tobytes()
    assert list(found[1].levels) == list(found[5].levels)


@needs_numba
def test_updates_are_the_same_with_any_number_of_threads() -> None:
    settings = EncoderSettings(dq=True, compiled=True)
    first, second, third = model(), model(), model()
    second["t2"] = second["t2"] * 2
    third["t5"] = third["t5"] + 1
    state = encode_model(first, settings).state
    chains = {threads: encode_update(second, state, settings, threads=threads) for threads in (1, 3)}
    assert chains[1].data == chains[3].data
    assert len({encode_update(third, one.state, settings, threads=2).data for one in chains.values()}) == 1


@needs_numba
def test_the_first_tensor_that_cannot_be_encoded_is_told() -> None:
    tensors = model() | {"bad": np.array([np.nan]), "worse": np.array([1 << 40])}
    for threads in (1, 4):
        with pytest.raises(BuildError, match="'bad' has NaN"):
            encode_model(tensors, EncoderSettings(compiled=True), threads=threads)


def test_interpreted_encoding_has_no_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ahead, "ThreadPoolExecutor", None)
    settings = EncoderSettings(compiled=False)
    assert encode_model(model(), settings, threads=4).data == encode_model(model(), settings).data


def test_no_more_is_begun_than_the_bounds_allow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ahead, "AHEAD", 25)
    open_ones: list[int] = []

    def works() -> Iterator[Work]:
        for number in range(20):
            open_ones.append(number)
            yield Work(10, lambda number=number: number, lambda result: (result, len(open_ones) - result))  # type: ignore[misc]

    results = list(finished(works(), 2))
    assert [number for number, _ in results] == list(range(20))
    assert max(opened for _, opened in results) == 3


def test_whoever_stops_leaves_no_thread() -> None:
    before = threading.active_count()
    results = finished((Work(1, int, lambda result: result) for _ in range(200)), 2)
    assert next(results) == 0
    results.close()  # type: ignore[attr-defined]
    assert threading.active_count() == before
