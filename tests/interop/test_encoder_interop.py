"""Streams of this package's encoder in NNCodec's decoder: the same integers, the same bits of every value."""

from __future__ import annotations

import contextlib
import io
from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("nncodec.nnc_core", reason="NNCodec is not installed, see the README")

from nncodec.nnc_core.hdsp.hdsp_tool import HdspTool

import nnr_conformance
from nnr_conformance.encoder.model_encoder import encode_model, encode_update
from nnr_conformance.encoder.settings import EncoderSettings
from tests.encoder.models import SETTINGS, model, settings
from tests.interop import nncodec_codec

pytestmark = pytest.mark.interop

# NNCodec has no aggregates and no partial data, and delivers 32 bits whatever the format. It cannot decode a decomposed
# block with a codebook (KeyError), nor the entry points of factors in two units.
UNKNOWN_TO_NNCODEC = {
    "aggregate",
    "parts",
    "formats, no ids",
    "factors, codebooks",
    "layer block, factors",
    "factors apart, blocks",
}
# What NNCodec must be told before it decodes factors outside of blocks: which tensor is in which layer.
LAYERS = {"conv.weight": "conv", "dense": "dense", "words": "words"}
KNOWN = [name for name in SETTINGS if name not in UNKNOWN_TO_NNCODEC]


def in_nncodec(
    stream: bytes, state: nncodec_codec.ChainState | None = None, history: HdspTool | None = None
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    with contextlib.redirect_stdout(io.StringIO()):  # NNCodec reports on the standard output
        return nncodec_codec.decode(stream, LAYERS, state, history)


@pytest.mark.parametrize("name", KNOWN)
def test_nncodec_decodes_what_was_encoded(name: str) -> None:
    encoded = encode_model(model(), settings(name))
    ours = nnr_conformance.decode(encoded.data, transmitted=True)
    levels, tensors = in_nncodec(encoded.data)
    assert levels.keys() == encoded.levels.keys()
    assert [key for key in levels if not np.array_equal(levels[key], encoded.levels[key])] == []
    assert [key for key in tensors if tensors[key].tobytes() != ours.tensors[key].tobytes()] == []


@pytest.mark.parametrize("change", [{}, {"dq": True, "scan_order": 1}, {"row_skip": True}])
def test_nncodec_follows_a_chain_of_updates(change: dict[str, object]) -> None:
    rng = np.random.default_rng(9)
    tensors = {"w": rng.normal(0, 0.1, (20, 24)).astype(np.float32), "v": rng.normal(0, 0.1, (7, 8)).astype(np.float32)}
    chosen = EncoderSettings(qp=-30, **change)  # type: ignore[arg-type]
    encoded = encode_model(tensors, chosen)
    state, history = nncodec_codec.ChainState(), HdspTool(True)
    for step in range(3):
        tensors = {name: (old + rng.normal(0, 0.05, old.shape)).astype(np.float32) for name, old in tensors.items()}
        # In NNCodec the model itself is no parent whose levels are known.
        encoded = encode_update(tensors, encoded.state, replace(chosen, temporal_contexts=step > 0))
        levels, _ = in_nncodec(encoded.data, state, history)
        assert all(np.array_equal(levels[name], encoded.levels[name]) for name in tensors)
