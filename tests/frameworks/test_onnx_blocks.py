"""Tests of layers found in ONNX graphs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from nnr_conformance.checker.check import check
from nnr_conformance.cli import decode, encode
from nnr_conformance.frameworks import onnx
from nnr_conformance.frameworks.onnx_blocks import find_blocks
from nnr_conformance.tensor_files import read_tensors
from tests.frameworks.onnx_models import attribute, graph, model, node, small_network, tensor, value_info, varint_field

RANDOM = np.random.default_rng(3)


def numbers(*shape: int) -> np.ndarray:
    return RANDOM.standard_normal(shape).astype(np.float32)


def norm(name: str) -> list[bytes]:
    return [
        tensor(f"{name}.gamma", numbers(4)),
        tensor(f"{name}.beta", numbers(4)),
        tensor(f"{name}.mean", numbers(4)),
        tensor(f"{name}.var", np.abs(numbers(4)) + np.float32(0.5)),
    ]


def norm_node(name: str, before: str, after: str) -> bytes:
    vectors = [f"{name}.{one}" for one in ("gamma", "beta", "mean", "var")]
    return node("BatchNormalization", [before, *vectors], [after], attribute("epsilon", number=0.01))


def without_bias(*, shown: bool = False) -> bytes:
    """A convolution without bias and a batch norm; `shown`: what is between them is an output too."""
    nodes = [node("Conv", ["x", "w"], ["c"], name="conv"), norm_node("n", "c", "y")]
    outputs = [value_info("y", 1, 4, 6, 6)] + [value_info("c", 1, 4, 6, 6)] * shown
    return model(graph(nodes, [tensor("w", numbers(4, 3, 3, 3)), *norm("n")], [value_info("x", 1, 3, 8, 8)], outputs))


def plans_of(data: bytes, *, fold: bool = False, local_scaling: bool = False):
    parts = onnx.split(data)
    return find_blocks(parts.topology, parts.tensors, fold=fold, local_scaling=local_scaling).plans


def test_a_convolution_its_bias_and_its_batch_norm_are_one_layer() -> None:
    (plan,) = plans_of(small_network())
    assert plan.weight == "conv.weight"
    assert plan.bias == "conv.bias"
    assert plan.batch_norm == ("norm.bias", "norm.weight", "norm.mean", "norm.var")
    assert plan.epsilon == pytest.approx(1e-3)
    assert not plan.fold


def test_a_linear_layer_needs_a_row_for_each_output() -> None:
    def linear(*, turned: bool) -> bytes:
        attributes = [attribute_int("transB", 1)] if turned else []
        weights = [tensor("w", numbers(4, 4)), tensor("b", numbers(4))]
        return model(graph([node("Gemm", ["x", "w", "b"], ["y"], *attributes)], weights))

    assert [plan.names() for plan in plans_of(linear(turned=True))] == [("w", "b")]
    assert plans_of(linear(turned=False)) == ()


def attribute_int(name: str, value: int) -> bytes:
    return bytes_of_name(name) + varint_field(3, value) + varint_field(20, 2)


def bytes_of_name(name: str) -> bytes:
    return b"\x0a" + bytes([len(name)]) + name.encode()


def test_tensors_that_other_nodes_use_stay_out() -> None:
    weights = [tensor("w", numbers(4, 4, 1, 1)), tensor("b", numbers(4))]
    shared_weight = [node("Conv", ["x", "w", "b"], ["y"]), node("Conv", ["y", "w"], ["z"])]
    assert plans_of(model(graph(shared_weight, weights)), local_scaling=True) == ()
    shared_bias = [node("Conv", ["x", "w", "b"], ["y"]), node("Add", ["y", "b"], ["z"])]
    assert plans_of(model(graph(shared_bias, weights))) == ()
    (plan,) = plans_of(model(graph(shared_bias, weights)), local_scaling=True)
    assert plan.names() == ("w",)


def test_a_batch_norm_behind_what_others_see_is_not_folded() -> None:
    assert [plan.fold for plan in plans_of(without_bias(), fold=True)] == [True]
    assert plans_of(without_bias(shown=True), fold=True) == ()


@pytest.mark.parametrize("data", [small_network(), without_bias()], ids=["with bias", "without bias"])
@pytest.mark.parametrize("options", [[], ["--fold"], ["--local-scaling"], ["--fold", "--local-scaling"]])
def test_blocks_give_a_model_that_computes_the_same(data: bytes, options: list[str], tmp_path: Path) -> None:
    before, stream, after = tmp_path / "a.onnx", tmp_path / "s.nnr", tmp_path / "b.onnx"
    before.write_bytes(data)
    fine = ["--qp", "-75", "-q", "--blocks", *options]
    assert encode.main([str(before), "-o", str(stream), *fine]) == 0
    report = check(stream.read_bytes())
    assert "block" in report.streams[0].tools
    assert not [one.code for one in report.streams[0].diagnostics]
    assert decode.main([str(stream), "-o", str(after), "-q"]) == 0
    assert onnx.split(after.read_bytes()).topology == onnx.split(data).topology
    runtime = pytest.importorskip("onnxruntime", reason="needs onnxruntime")
    x = numbers(1, 3, 8, 8)
    first, second = (runtime.InferenceSession(one.read_bytes()).run(None, {"x": x})[0] for one in (before, after))
    assert np.allclose(first, second, atol=2e-3)


def test_blocks_are_for_onnx_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    network = tmp_path / "a.onnx"
    network.write_bytes(small_network())
    assert encode.main([str(network), "-o", str(tmp_path / "s.nnr"), "--blocks", "--base", str(network)]) == 2
    assert "--blocks" in capsys.readouterr().err


def test_what_is_raw_stays_out_of_blocks(tmp_path: Path) -> None:
    network, stream, again = tmp_path / "a.onnx", tmp_path / "s.nnr", tmp_path / "b.onnx"
    network.write_bytes(small_network())
    assert encode.main([str(network), "-o", str(stream), "-q", "--blocks", "--raw"]) == 0
    assert decode.main([str(stream), "-o", str(again), "-q"]) == 0
    assert again.read_bytes() == network.read_bytes()


def test_layers_name_the_tensors_to_decode(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    network, stream, some = tmp_path / "a.onnx", tmp_path / "s.nnr", tmp_path / "some.npz"
    network.write_bytes(small_network())
    assert encode.main([str(network), "-o", str(stream), "-q"]) == 0
    assert decode.main([str(stream), "--layers", "conv", "-o", str(some), "-q"]) == 0
    assert set(read_tensors(some)) == {"conv.weight", "conv.bias"}
    assert decode.main([str(stream), "--layers", "y", "n", "--tensor", "conv.bias", "-o", str(some), "-q"]) == 0
    assert set(read_tensors(some)) == {
        "linear.weight", "linear.bias", "norm.weight", "norm.bias", "norm.mean", "norm.var", "conv.bias"
    }  # fmt: skip
    assert decode.main([str(stream), "--layers", "none", "-o", str(some)]) == 2
    assert "no node 'none'" in capsys.readouterr().err


def test_a_slash_stands_for_all_nodes_below_it() -> None:
    weights = [tensor(name, numbers(2, 2)) for name in ("a", "b", "c")]
    nodes = [
        node("MatMul", ["x", "a"], ["y"], name="/encoder/0"),
        node("MatMul", ["y", "b"], ["z"], name="/encoder/1"),
        node("MatMul", ["z", "c"], ["o"], name="/decoder/0"),
    ]
    topology = onnx.split(model(graph(nodes, weights))).topology
    assert onnx.tensors_of_nodes(topology, ["/encoder/"]) == ["a", "b"]
    assert onnx.tensors_of_nodes(topology, ["/decoder/0", "y"]) == ["c", "a"]


@pytest.mark.parametrize("options", [[], ["--aggregate"], ["--part-bytes", "64"], ["--blocks"]])
def test_indexed_identifiers_give_the_same_model_and_say_what_they_save(
    options: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    network, named, numbered = (tmp_path / name for name in ("a.onnx", "named.nnr", "indexed.nnr"))
    network.write_bytes(small_network())
    assert encode.main([str(network), "-o", str(named), "-q", *options]) == 0
    assert encode.main([str(network), "-o", str(numbered), "--indexed", *options]) == 0
    saved = len(named.read_bytes()) - len(numbered.read_bytes())
    assert f"indices save {saved} bytes" in capsys.readouterr().out
    assert "reference list" in check(numbered.read_bytes()).streams[0].tools
    assert check(numbered.read_bytes()).verdict.exit_code == 0
    results = []
    for stream in (named, numbered):
        assert decode.main([str(stream), "-o", str(tmp_path / "b.onnx"), "-q"]) == 0
        results.append((tmp_path / "b.onnx").read_bytes())
    assert results[0] == results[1]
