"""Tests of channels of zeros that are found in ONNX graphs and taken away."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from nnr_conformance.checker.check import check
from nnr_conformance.cli import decode, encode
from nnr_conformance.frameworks import onnx
from nnr_conformance.frameworks.onnx_pruning import parameter_set_of, prune, units_of
from tests.frameworks.onnx_models import attribute, graph, model, node, tensor, value_info, varint_field

CHANNELS = 6
ZERO = [1, 4]


def numbers(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def number(name: str, value: int) -> bytes:
    return b"\x0a" + bytes([len(name)]) + name.encode() + varint_field(3, value) + varint_field(20, 2)


def network(**changes: np.ndarray) -> bytes:
    """A convolution whose channels 1 and 4 are zeros, batch norm, relu, a convolution, pooling and a linear layer."""
    weights = {
        "w": numbers(0, CHANNELS, 3, 3, 3),
        "b": numbers(1, CHANNELS),
        "gamma": numbers(2, CHANNELS),
        "beta": numbers(3, CHANNELS),
        "mean": numbers(4, CHANNELS),
        "var": np.abs(numbers(5, CHANNELS)) + np.float32(0.5),
        "v": numbers(6, 4, CHANNELS, 1, 1),
        "c": numbers(7, 4),
        "l": numbers(8, 4, 5),
    }
    for name in ("w", "b", "beta", "mean"):
        weights[name][ZERO] = 0
    weights["v"][2], weights["c"][2] = 0, 0
    weights |= changes
    nodes = [
        node("Conv", ["x", "w", "b"], ["0"]),
        node("BatchNormalization", ["0", "gamma", "beta", "mean", "var"], ["1"], attribute("epsilon", number=0.01)),
        node("Relu", ["1"], ["2"]),
        node("Conv", ["2", "v", "c"], ["3"]),
        node("GlobalAveragePool", ["3"], ["4"]),
        node("Flatten", ["4"], ["5"]),
        node("Gemm", ["5", "l"], ["y"]),
    ]
    initializers = [tensor(name, values) for name, values in weights.items()]
    between = value_info("0", 1, CHANNELS, 6, 6)
    inside = graph(nodes, initializers, [value_info("x", 1, 3, 8, 8)], [value_info("y", 1, 5)])
    return model(inside + b"\x6a" + bytes([len(between)]) + between)


def dims_of(data: bytes) -> dict[str, tuple[int, ...]]:
    parts = onnx.split(data)
    return dict(prune(parts.topology, parts.tensors).dims)


def test_channels_go_from_the_layer_that_makes_them_to_the_one_that_takes_them() -> None:
    assert dims_of(network()) == {
        "w": (4, 3, 3, 3),
        "b": (4,),
        "gamma": (4,),
        "beta": (4,),
        "mean": (4,),
        "var": (4,),
        "v": (3, 4, 1, 1),
        "c": (3,),
        "l": (3, 5),
    }


def test_what_stays_is_as_it_was() -> None:
    parts = onnx.split(network())
    found = prune(parts.topology, parts.tensors)
    kept = [0, 2, 3, 5]
    assert np.array_equal(found.tensors["gamma"], parts.tensors["gamma"][kept])
    assert np.array_equal(found.tensors["v"], parts.tensors["v"][[0, 1, 3]][:, kept])
    assert found.share == pytest.approx(1 - sum(map(np.size, found.tensors.values())) / parts_size(parts))


def parts_size(parts) -> int:
    return sum(one.size for one in parts.tensors.values())


@pytest.mark.parametrize("name", ["w", "b", "beta", "mean"])
def test_a_channel_that_is_not_zero_behind_the_batch_norm_stays(name: str) -> None:
    values = onnx.split(network()).tensors[name].copy()
    values[1] = 1
    dims = dims_of(network(**{name: values}))
    assert dims["w"] == (5, 3, 3, 3)
    assert dims["v"] == (3, 5, 1, 1)


def test_a_gamma_of_zero_makes_the_mean_harmless() -> None:
    parts = onnx.split(network()).tensors
    mean, gamma = parts["mean"].copy(), parts["gamma"].copy()
    mean[1], gamma[1] = 3, 0
    assert dims_of(network(mean=mean, gamma=gamma))["w"] == (4, 3, 3, 3)


def test_one_channel_is_left_of_a_layer_of_zeros() -> None:
    zeros = np.zeros(CHANNELS, np.float32)
    changes = {"w": np.zeros((CHANNELS, 3, 3, 3), np.float32), "b": zeros, "beta": zeros, "mean": zeros}
    assert dims_of(network(**changes))["w"] == (1, 3, 3, 3)


def convolutions(between: list[bytes], last: str, *attributes: bytes) -> bytes:
    first = numbers(0, 4, 2, 1, 1)
    first[1] = 0
    weights = [tensor("w", first), tensor("v", numbers(1, 4, 4, 1, 1))]
    nodes = [node("Conv", ["x", "w"], ["0"], *attributes), *between, node("Conv", [last, "v"], ["y"])]
    return model(graph(nodes, weights, [], [value_info("y", 1, 4, 1, 1)]))


def test_a_channel_that_others_see_or_that_does_not_stay_zero_stays() -> None:
    assert dims_of(convolutions([], "0")) == {"w": (3, 2, 1, 1), "v": (4, 3, 1, 1)}
    assert dims_of(convolutions([node("Relu", ["0"], ["1"])], "1")) == {"w": (3, 2, 1, 1), "v": (4, 3, 1, 1)}
    for between in (
        [node("Sigmoid", ["0"], ["1"])],
        [node("Add", ["0", "x"], ["1"])],
        [node("Relu", ["0"], ["1"]), node("Neg", ["0"], ["2"])],
        [node("MaxPool", ["0"], ["1", "indices"])],
    ):
        assert dims_of(convolutions(between, "1")) == {}
    assert dims_of(convolutions([], "0", number("group", 2))) == {}


def test_a_model_without_channels_of_zeros_has_no_dictionary(tmp_path: Path) -> None:
    data = network(**{name: np.ones(shape, np.float32) for name, shape in (("b", 6), ("c", 4))})
    parts = onnx.split(data)
    found = prune(parts.topology, parts.tensors)
    assert units_of(found) == []
    assert parameter_set_of(found) == {}


@pytest.mark.parametrize(
    "options", [[], ["--blocks", "--fold"], ["--indexed"], ["--aggregate"]], ids=lambda one: "".join(one) or "plain"
)
def test_a_pruned_model_is_smaller_and_computes_the_same(options: list[str], tmp_path: Path) -> None:
    before, stream, after = tmp_path / "a.onnx", tmp_path / "s.nnr", tmp_path / "b.onnx"
    before.write_bytes(network())
    assert encode.main([str(before), "-o", str(stream), "-q", "--qp", "-75", "--prune", *options]) == 0
    report = check(stream.read_bytes()).streams[0]
    assert "pruning container" in report.tools
    assert [one.code for one in report.diagnostics] == []
    assert decode.main([str(stream), "-o", str(after), "-q"]) == 0
    assert onnx.split(after.read_bytes()).tensors["v"].shape == (3, 4, 1, 1)
    library = pytest.importorskip("onnx", reason="needs the library of ONNX")
    runtime = pytest.importorskip("onnxruntime", reason="needs onnxruntime")
    library.checker.check_model(after.read_bytes(), full_check=True)
    x = numbers(9, 1, 3, 8, 8)
    first, second = (runtime.InferenceSession(one.read_bytes()).run(None, {"x": x})[0] for one in (before, after))
    assert np.allclose(first, second, atol=1e-3)
