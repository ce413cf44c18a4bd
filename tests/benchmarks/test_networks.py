"""Generated networks: always the same, of the sizes that they stand for, and decoded to what was made."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest

from benchmarks import models, networks, peer
from nnr_conformance.api import decode
from nnr_conformance.entropy import decode_payload

needs_numba = pytest.mark.skipif(importlib.util.find_spec("numba") is None, reason="decodes compiled")


@pytest.mark.parametrize("name", ["tiny", "ResNet-20"])
def test_the_same_name_gives_the_same_network(name: str) -> None:
    assert networks.same(models.network(name), models.network(name))


def test_networks_differ_and_are_told_apart() -> None:
    one, other = models.network("tiny"), models.network("tiny")
    other["classifier.bias"][3] += 1
    assert not networks.same(one, other)
    assert not networks.same(one, {name: values for name, values in one.items() if name != "classifier.bias"})


@pytest.mark.parametrize(
    ("name", "weights", "tensors"),
    [("ResNet-20", 271_098, 97), ("EfficientNet-B0", 5_330_564, 311), ("ResNet-50", 22_461_386, 252)],
)
def test_networks_have_the_sizes_of_those_that_they_are_named_for(name: str, weights: int, tensors: int) -> None:
    found = models.network(name)
    assert (models.weights_of(found), len(found)) == (weights, tensors)
    assert all(values.dtype == np.float32 and np.isfinite(values).all() for values in found.values())


@needs_numba
def test_a_network_decodes_in_all_ways_to_within_half_a_step_of_what_was_made() -> None:
    tensors = models.network("tiny")
    stream = networks.encoded(tensors)
    steps = {name: 2 ** (-38 / 4) if values.ndim > 1 else 2 ** (-75 / 4) for name, values in tensors.items()}
    for threads in (1, 2):
        for way in networks.ways(stream, threads).values():
            found = way()
            assert found.keys() == tensors.keys()
            for name, values in tensors.items():
                # Dependent quantization chooses between two grids of twice the step.
                assert np.abs(found[name] - values).max() <= 2.1 * steps[name]


@needs_numba
def test_this_package_encodes_a_network_where_there_is_no_nncodec(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peer, "compression", lambda: None)
    tensors = models.network("tiny")
    stream = networks.encoded(tensors)
    assert networks.encoded(tensors) == stream
    assert "NNCodec" not in networks.ways(stream, 1)
    found = networks.compare(stream, 1, 2)
    assert found.ratios == {}
    assert found.seconds.keys() == {"decode", "tensors"}


@needs_numba
def test_one_payload_holds_the_levels_of_the_whole_stream() -> None:
    stream = networks.encoded(models.network("tiny"))
    payload, codings = networks.in_one_payload(stream)
    decoded = decode_payload(payload, codings, compiled=True)
    levels = decode(stream).levels.values()
    wide = sum(one.size for one in levels if one.ndim > 1)
    narrow = sum(one.size for one in levels if one.ndim == 1)
    assert sorted(tensor.quantized.size for tensor in decoded.tensors) == sorted((wide - wide % networks.WIDTH, narrow))


@needs_numba
def test_ways_that_differ_stop_the_measurement(monkeypatch: pytest.MonkeyPatch) -> None:
    tensors = models.network("tiny")
    stream = networks.encoded(tensors)
    able = networks.ways(stream, 1)
    monkeypatch.setattr(networks, "ways", lambda *_: {**able, "tensors": lambda: tensors})
    with pytest.raises(SystemExit, match="tensors decodes other tensors"):
        networks.compare(stream, 1, 1)
