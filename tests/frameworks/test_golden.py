"""Golden streams of frameworks become the models that their recipes are about."""

from __future__ import annotations

import io
import json
import zipfile

import numpy as np
import pytest

from nnr_conformance.api import ChainDecoder, chain_decoder
from nnr_conformance.data import data_path
from nnr_conformance.frameworks import hdf5, nnef_files, onnx, pytorch
from nnr_conformance.frameworks.carriage import CarriedModel, carried_model
from nnr_conformance.frameworks.description import from_json, restored
from nnr_conformance.suite.corpus.recipes import corpus_streams
from nnr_conformance.syntax.enumerations import TPL_NNEF, TPL_ONNX, TPL_PYT, TPL_TEF
from tests.frameworks.onnx_models import attribute, bytes_field, graph, model, node, tensor, value_info, varint_field

Tensors = dict[str, np.ndarray]

FORMATS = {"6-onnx": TPL_ONNX, "6-pytorch": TPL_PYT, "6-nnef": TPL_NNEF, "6-tensorflow": TPL_TEF}
STREAMS = [stream for stream in corpus_streams() if stream.kind == "frameworks"]

STEP = 0.25
WEIGHT = np.array([[[[3, -1], [0, 2]]], [[[-5, 0], [1, 4]]]], np.float32) * STEP
BIAS = np.array([7, -2], np.float32) * STEP
OUT = np.array([[[[6]], [[-3]]]], np.float32) * STEP


def carried(name: str) -> tuple[CarriedModel | None, Tensors]:
    """Topology and tensors of a stored stream."""
    chain: ChainDecoder = chain_decoder(data_path(f"bitstreams/frameworks/{name}.nnr").read_bytes())
    tensors = {one.name: one.values for one in chain}
    decoder = chain.decoders[0]
    return carried_model(decoder.carried, FORMATS[name.rpartition("-")[0]], decoder.pruned), tensors


def onnx_of(name: str) -> bytes:
    found, tensors = carried(name)
    assert found is not None
    return onnx.merge(found.topology, tensors, found.pruned)


def network(weight: np.ndarray = WEIGHT, bias: np.ndarray = BIAS, out: np.ndarray = OUT) -> bytes:
    """Two convolutions with a relu between them."""
    weights = [tensor("conv.weight", weight), tensor("conv.bias", bias)]
    nodes = [node("Conv", ["x", "conv.weight", "conv.bias"], ["c"]), node("Relu", ["c"], ["r"])]
    weights += [tensor("out.weight", out), tensor("out.bias", np.array([0.5], np.float32))]
    nodes += [node("Conv", ["r", "out.weight", "out.bias"], ["y"])]
    return model(graph(nodes, weights, [value_info("x", 1, 1, 4, 4)], [value_info("y", 1, 1, 3, 3)]))


@pytest.mark.parametrize("number", [1, 2, 3, 4, 5])
def test_the_network_is_the_same_raw_compressed_in_parts_aggregated_and_indexed(number: int) -> None:
    assert onnx_of(f"6-onnx-{number:02}") == network()


def test_the_pruned_network_has_one_channel() -> None:
    assert onnx_of("6-onnx-06") == network(WEIGHT[:1], BIAS[:1], OUT[:, :1])


def test_a_folded_batch_norm_changes_nothing() -> None:
    parts = onnx.split(onnx_of("6-onnx-07"))
    scaling = np.array([4, 6], np.float32) * STEP
    assert np.array_equal(parts.tensors["conv.weight"], WEIGHT * scaling.reshape(2, 1, 1, 1))
    gain = parts.tensors["norm.gamma"] / np.sqrt(parts.tensors["norm.variance"] + np.float32(1e-5))
    assert np.allclose(gain, 1, rtol=0, atol=1e-7)
    assert not parts.tensors["norm.mean"].any()
    assert not parts.tensors["norm.beta"].any()


def test_branches_have_numbers_of_their_own() -> None:
    flag = bytes_field(1, b"flag") + bytes_field(2, bytes_field(1, varint_field(1, 9) + bytes_field(2, b"")))
    branches = [
        graph([node("Add", ["x", "b"], ["s"])], [tensor("b", values)], [], [value_info("s", 3)])
        for values in (np.array([0.25, 0.5, 0.75], np.float32), np.array([-1, 0, 1.25], np.float32))
    ]
    choice = node(
        "If",
        ["flag"],
        ["y"],
        *(attribute(f"{way}_branch", graph=one) for way, one in zip(("then", "else"), branches)),  # noqa: B905
    )
    assert onnx_of("6-onnx-08") == model(graph([choice], [], [value_info("x", 3), flag], [value_info("y", 3)]))


def test_weights_of_8_bits_are_exact() -> None:
    parts = onnx.split(onnx_of("6-onnx-09"))
    assert parts.tensors["conv.weight"].dtype == np.int8
    assert parts.tensors["conv.weight"].ravel().tolist() == [127, -128, 0, 2, -5, 0, 1, 4]


@pytest.mark.parametrize("number", range(1, 10))
def test_the_models_pass_the_checker_of_onnx_and_run(number: int) -> None:
    library = pytest.importorskip("onnx", reason="needs the library of ONNX")
    runtime = pytest.importorskip("onnxruntime", reason="needs onnxruntime")
    data = onnx_of(f"6-onnx-{number:02}")
    library.checker.check_model(data, full_check=True)
    session = runtime.InferenceSession(data)
    inputs = {"x": np.ones(session.get_inputs()[0].shape, np.float32)}
    if number == 8:
        inputs["flag"] = np.array(False)
    (found,) = session.run(None, inputs)
    assert np.isfinite(found).all()


@pytest.mark.parametrize("name", ["6-pytorch-01", "6-pytorch-02"])
def test_a_state_dictionary_has_its_keys_ties_and_integers(name: str) -> None:
    found, tensors = carried(name)
    assert found is not None
    state = restored(from_json("state_dict", found.topology), tensors)
    assert list(state) == ["embedding.weight", "positions", "norm.num_batches_tracked", "out.weight"]
    assert state["out.weight"] is state["embedding.weight"]
    assert state["positions"].dtype == np.int64
    assert state["norm.num_batches_tracked"] == 7
    assert np.array_equal(state["embedding.weight"], np.array([[1, 0, -2], [5, 3, 0]]) * STEP)


@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_state_dictionary_is_read_by_torch(number: int) -> None:
    torch = pytest.importorskip("torch", reason="needs the extra torch")
    found, tensors = carried(f"6-pytorch-{number:02}")
    assert found is not None
    state = torch.load(io.BytesIO(pytorch.merge(found.topology, tensors)), weights_only=True)
    assert state["positions"].tolist() == [0, 1]
    assert len(state) == (2 if number == 3 else 4)


@pytest.mark.parametrize("number", [1, 2])
def test_an_nnef_model_has_its_texts_and_files(number: int) -> None:
    found, tensors = carried(f"6-nnef-{number:02}")
    assert found is not None
    files = nnef_files.files_of_archive(nnef_files.merge(found.topology, found.quantization, tensors))
    assert set(files) == {"graph.nnef", "graph.quant", "layer/w.dat", "layer/b.dat"}
    assert files["graph.nnef"].startswith(b"version 1.0;\ngraph net(x) -> (y)\n")
    assert files["graph.quant"].count(b"\n") == 2
    assert np.frombuffer(files["layer/b.dat"][128:], "<f4").tolist() == [1.0, -1.0]


@pytest.mark.parametrize("number", [1, 2])
def test_an_archive_of_keras_has_its_files_and_variables(number: int) -> None:
    h5py = pytest.importorskip("h5py", reason="needs the extra hdf5")
    found, tensors = carried(f"6-tensorflow-{number:02}")
    assert found is not None
    data = hdf5.merge(found.topology, tensors, archive=True)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert json.loads(archive.read("config.json")) == {"class_name": "Sequential"}
        weights = archive.read("model.weights.h5")
    with h5py.File(io.BytesIO(weights)) as file:
        assert file["layers/dense"].attrs["name"] == "dense"
        assert file["optimizer/vars/0"][()] == 12
        assert file["layers/dense/vars/1"][()].tolist() == [1.0, -1.0, 0.25]


def test_every_framework_has_streams() -> None:
    assert {stream.name.rpartition("-")[0] for stream in STREAMS} == set(FORMATS)
