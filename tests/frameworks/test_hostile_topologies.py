"""Topologies in streams are hostile until proven otherwise: checked and put together, they give findings or words."""

from __future__ import annotations

import json
import zlib
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nnr_conformance.checker.check import check
from nnr_conformance.encoder.recipe import build_recipe
from nnr_conformance.errors import UsageError
from nnr_conformance.frameworks import onnx
from nnr_conformance.frameworks.onnx_blocks import find_blocks
from nnr_conformance.frameworks.onnx_pruning import prune
from tests.frameworks.onnx_models import bytes_field, graph, model, node, small_network, varint_field
from tests.frameworks.test_nnef import GRAPH

PARTS = onnx.split(small_network())
DESCRIPTION = json.dumps(
    {"nnr_topology": "state_dict", "version": 1, "arrays": [{"name": "w", "dtype": "float32", "shape": [2]}]}
).encode()
WHOLE = {1: GRAPH.encode(), 2: PARTS.topology, 3: DESCRIPTION, 4: DESCRIPTION}


@st.composite
def damaged(draw: st.DrawFn, content: bytes) -> bytes:
    """Some bytes changed, put in, or cut off."""
    data = bytearray(content)
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(data)))
        data[at : at + draw(st.integers(0, 3))] = draw(st.binary(max_size=3))
    return bytes(data[: draw(st.integers(len(data) // 2, len(data)))])


@settings(max_examples=200)
@given(st.data(), st.sampled_from(sorted(WHOLE)), st.booleans())
def test_the_checker_never_fails_on_a_topology(data: st.DataObject, storage_format: int, compressed: bool) -> None:
    content = data.draw(damaged(WHOLE[storage_format]) | st.binary(max_size=60))
    units = [
        {"NNR_STR": {}},
        {"NNR_MPS": {"topology_carriage_flag": 1}},
        {
            "NNR_TPL": {
                "topology_storage_format": storage_format,
                "topology_compression_format": int(compressed),
                "topology_data": zlib.compress(content) if compressed else content,
            }
        },
        {"NNR_QNT": {"quantization_storage_format": 1, "quantization_data": data.draw(st.binary(max_size=20))}},
        {"NNR_NDU": {"topology_elem_id": "w", "float32": [1.5, -2.0]}},
    ]
    report = check(build_recipe(units).data)
    assert report.streams[0].tensors[0].name == "w"


@settings(max_examples=200)
@given(damaged(PARTS.topology))
def test_damaged_topologies_are_put_together_or_refused_with_a_word(topology: bytes) -> None:
    with suppress(UsageError):
        onnx.merge(topology, PARTS.tensors, {"conv.bias": (2,)})
    with suppress(UsageError):
        find_blocks(topology, PARTS.tensors, fold=True, local_scaling=True)
    with suppress(UsageError):
        prune(topology, PARTS.tensors)


def test_batch_norms_larger_than_the_model_are_refused() -> None:
    names = ["gamma", "beta", "mean", "var"]
    vectors = [
        varint_field(1, 1 << 50) + varint_field(2, 1) + bytes_field(8, name.encode()) + bytes_field(9, b"")
        for name in names
    ]
    topology = model(graph([node("BatchNormalization", ["x", *names], ["y"])], vectors))
    with pytest.raises(UsageError, match="larger than"):
        onnx.merge(topology, {"w": np.zeros(4, np.float32)})
