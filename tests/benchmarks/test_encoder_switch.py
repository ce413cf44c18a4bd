"""The switch to compiled encoding: the sizes that are measured lie around it, and all ways are measured."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from benchmarks import encoder_switch, switch
from nnr_conformance.encoder import binding
from nnr_conformance.encoder.work import loops_of

needs_numba = pytest.mark.skipif(importlib.util.find_spec("numba") is None, reason="encodes compiled")


@needs_numba
@pytest.mark.parametrize("kept", [True, False])
@pytest.mark.parametrize("mode", encoder_switch.MODES)
def test_more_weights_than_the_switching_size_are_encoded_compiled_and_fewer_are_not(
    mode: str, kept: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(binding, "is_loaded", lambda _: False)
    monkeypatch.setattr(binding.machine_code, "is_kept", lambda *_: kept)
    scale, settings = encoder_switch.MODES[mode]
    size = encoder_switch.switching_size(scale, settings, kept=kept)
    for factor in encoder_switch.SIZES:
        weights = encoder_switch.weights_of(scale, round(factor * size))
        assert binding.choose_all_compiled(loops_of({"w": weights}, settings, {})) is (factor > 1)


@needs_numba
def test_every_way_is_measured_in_a_process_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "weights.npy"
    np.save(path, encoder_switch.weights_of(1.0, 200))
    _, settings = encoder_switch.MODES["small levels, ids all 0"]
    found = encoder_switch.measure(settings, path, tmp_path, True, 1)
    assert found.keys() == switch.WAYS.keys()
    assert all(seconds > 0 for (seconds,) in found.values())
