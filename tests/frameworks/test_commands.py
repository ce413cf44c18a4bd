"""Tests of model files in the commands: encoded, decoded, the topology in the stream."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from nnr_conformance.api import chain_decoder
from nnr_conformance.checker.check import check
from nnr_conformance.cli import decode, encode
from nnr_conformance.frameworks import onnx
from nnr_conformance.tensor_files import read_tensors
from tests.frameworks.onnx_models import external_tensor, graph, model, small_network


def run(command, *arguments: object) -> int:
    return command.main([str(argument) for argument in arguments])


@pytest.fixture
def network(tmp_path: Path) -> Path:
    path = tmp_path / "network.onnx"
    path.write_bytes(small_network())
    return path


@pytest.mark.parametrize(
    "options",
    [[], ["--topology", "raw"], ["--part-bytes", "100"], ["--aggregate"], ["--profile", "0"]],
    ids=["deflate", "raw topology", "in parts", "aggregate", "edition 1"],
)
def test_a_model_that_is_sent_raw_comes_back_byte_for_byte(network: Path, tmp_path: Path, options: list[str]) -> None:
    stream, again = tmp_path / "s.nnr", tmp_path / "again.onnx"
    assert run(encode, network, "-o", stream, "-q", *options, "--raw") == 0
    assert run(decode, stream, "-o", again, "-q") == 0
    assert again.read_bytes() == network.read_bytes()
    assert check(stream.read_bytes()).verdict.exit_code == 0


def test_a_quantized_model_differs_in_its_weights_alone(network: Path, tmp_path: Path) -> None:
    stream, again, tensors = tmp_path / "s.nnr", tmp_path / "again.onnx", tmp_path / "t.npz"
    assert run(encode, network, "-o", stream, "-q", "--qp", "-20", "--dq") == 0
    assert run(decode, stream, "-o", again, "-q") == 0
    assert run(decode, stream, "-o", tensors, "-q") == 0
    before, after = onnx.split(network.read_bytes()), onnx.split(again.read_bytes())
    assert after.topology == before.topology
    decoded = read_tensors(tensors)
    assert all(np.array_equal(after.tensors[name], decoded[name]) for name in before.tensors)
    assert not np.array_equal(after.tensors["linear.weight"], before.tensors["linear.weight"])


def test_updates_of_a_model_use_the_topology_of_the_first_stream(network: Path, tmp_path: Path) -> None:
    new, base, update, again = (tmp_path / name for name in ("new.onnx", "b.nnr", "u.nnr", "again.onnx"))
    new.write_bytes(small_network(seed=1))
    assert run(encode, network, "-o", base, "-q") == 0
    assert run(encode, new, "-o", update, "-q", "--base", base) == 0
    assert not any(
        unit.unit_type == "NNR_TPL" for unit in check([base.read_bytes(), update.read_bytes()]).streams[1].units
    )
    assert run(decode, base, update, "-o", again, "-q") == 0
    before, after = onnx.split(new.read_bytes()), onnx.split(again.read_bytes())
    assert np.allclose(after.tensors["linear.weight"], before.tensors["linear.weight"], atol=1e-2)
    assert after.topology == before.topology


def test_a_model_file_can_be_the_base_of_an_update(network: Path, tmp_path: Path) -> None:
    new, update, again = (tmp_path / name for name in ("new.onnx", "u.nnr", "again.npz"))
    new.write_bytes(small_network(seed=1))
    assert run(encode, new, "-o", update, "-q", "--base", network) == 0
    assert run(decode, update, "-o", again, "-q", "--base", network) == 0
    assert np.allclose(read_tensors(again)["conv.bias"], onnx.split(new.read_bytes()).tensors["conv.bias"], atol=1e-4)


def test_the_topology_of_a_stream_is_the_model_without_its_numbers(network: Path, tmp_path: Path) -> None:
    stream = tmp_path / "s.nnr"
    assert run(encode, network, "-o", stream, "-q") == 0
    chain = chain_decoder(stream.read_bytes())
    names = {tensor.name for tensor in chain}
    parts = onnx.split(network.read_bytes())
    assert names == set(parts.tensors)
    assert [one.data for one in chain.decoders[0].carried] == [parts.topology]


def test_no_model_file_is_made_without_a_topology_or_without_all_tensors(
    network: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stream, again = tmp_path / "s.nnr", tmp_path / "again.onnx"
    assert run(encode, network, "-o", stream, "-q", "--topology", "none") == 0
    assert run(decode, stream, "-o", again, "-q") == 2
    assert "carry no topology" in capsys.readouterr().err
    assert run(encode, network, "-o", stream, "-q") == 0
    assert run(decode, stream, "-o", again, "-q", "--tensor", "conv.bias") == 2
    assert "such as" in capsys.readouterr().err
    assert not again.exists()


def test_files_outside_of_the_model_s_folder_are_not_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    values = np.arange(4, dtype=np.float32)
    (tmp_path / "secret.bin").write_bytes(values.tobytes())
    inside = tmp_path / "inside"
    inside.mkdir()
    path = inside / "m.onnx"
    path.write_bytes(model(graph([], [external_tensor("w", values, "../secret.bin")])))
    assert run(encode, path, "-o", tmp_path / "s.nnr") == 2
    assert "not in its folder" in capsys.readouterr().err
    path.write_bytes(model(graph([], [external_tensor("w", values, "own.bin")])))
    (inside / "own.bin").write_bytes(values.tobytes()[:-1])
    assert run(encode, path, "-o", tmp_path / "s.nnr") == 2
    (inside / "own.bin").write_bytes(values.tobytes())
    assert run(encode, path, "-o", tmp_path / "s.nnr", "-q", "--raw") == 0
    assert run(decode, tmp_path / "s.nnr", "-o", inside / "again.onnx", "-q") == 0
    assert np.array_equal(onnx.split((inside / "again.onnx").read_bytes()).tensors["w"], values)


def test_a_file_that_is_no_model_is_wrong_use(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "m.onnx"
    path.write_bytes(b"no model")
    assert run(encode, path, "-o", tmp_path / "s.nnr") == 2
    assert "no protocol buffer" in capsys.readouterr().err


def test_of_a_wrong_stream_what_is_wrong_is_told_and_no_model_is_written(
    network: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stream, again = tmp_path / "s.nnr", tmp_path / "again.onnx"
    assert run(encode, network, "-o", stream, "-q") == 0
    stream.write_bytes(stream.read_bytes()[:-40])
    assert run(decode, stream, "-o", again, "-q") == 1
    told = capsys.readouterr().err
    assert "nonconforming" in told
    assert "not written" in told
    assert not again.exists()
