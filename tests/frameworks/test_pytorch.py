"""Tests of PyTorch files, where torch is installed."""

from __future__ import annotations

import io
import pickle
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest

from nnr_conformance.cli import decode, encode
from nnr_conformance.errors import UsageError
from nnr_conformance.frameworks import pytorch
from nnr_conformance.frameworks.description import from_json

torch = pytest.importorskip("torch", reason="needs the extra torch")


class Tied(torch.nn.Module):
    """A network whose last layer has the weights of its first, with buffers of integers and bfloat16 numbers."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.embedding = torch.nn.Embedding(6, 4)
        self.conv = torch.nn.Conv1d(4, 4, 3)
        self.norm = torch.nn.BatchNorm1d(4)
        self.half = torch.nn.Linear(4, 4).to(torch.bfloat16)
        self.out = torch.nn.Linear(4, 6, bias=False)
        self.out.weight = self.embedding.weight
        self.register_buffer("positions", torch.arange(6).reshape(2, 3))
        self.register_buffer("mask", torch.tensor([True, False, True]))
        self.register_buffer("large", torch.tensor([1 << 40, 3]))
        self.register_buffer("scale", torch.tensor(0.1, dtype=torch.float64))


def saved(state: object) -> bytes:
    file = io.BytesIO()
    torch.save(state, file)
    return file.getvalue()


def loaded(data: bytes) -> OrderedDict:
    return torch.load(io.BytesIO(data), weights_only=True)


def test_a_state_dictionary_comes_back_exactly() -> None:
    state = Tied().state_dict()
    parts = pytorch.split(saved(state))
    again = loaded(pytorch.merge(parts.topology, parts.tensors))
    assert list(again) == list(state)
    for key, value in state.items():
        assert again[key].dtype == value.dtype
        assert torch.equal(again[key], value)
    assert again._metadata == state._metadata
    Tied().load_state_dict(again)


def test_tied_weights_travel_once_and_are_tied_again() -> None:
    parts = pytorch.split(saved(Tied().state_dict()))
    assert dict(parts.shared) == {"out.weight": "embedding.weight"}
    assert "out.weight" not in parts.tensors
    again = loaded(pytorch.merge(parts.topology, parts.tensors))
    assert again["out.weight"].data_ptr() == again["embedding.weight"].data_ptr()


def test_what_no_stream_carries_exactly_is_in_the_topology() -> None:
    parts = pytorch.split(saved(Tied().state_dict()))
    kept = {one.name for one in from_json("state_dict", parts.topology).arrays if one.data is not None}
    assert kept == {"large", "scale", "norm.num_batches_tracked"}


def test_views_of_one_storage_are_tensors_of_their_own() -> None:
    whole = torch.arange(8, dtype=torch.float32)
    parts = pytorch.split(saved({"first": whole[:4], "last": whole[4:], "turned": whole.reshape(2, 4).T}))
    assert not parts.shared
    assert np.array_equal(parts.tensors["last"], np.arange(4, 8, dtype=np.float32))
    assert parts.tensors["turned"].shape == (4, 2)


class Evil:
    """Would write a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple:
        return Path.touch, (self.path,)


def test_nothing_is_executed(tmp_path: Path) -> None:
    mark = tmp_path / "executed"
    for data in (saved({"w": Evil(mark)}), pickle.dumps(Evil(mark)), pickle.dumps({"w": 1})):
        with pytest.raises(UsageError, match="weights_only"):
            pytorch.split(data)
    assert not mark.exists()


@pytest.mark.parametrize(
    "state",
    [[torch.zeros(2)], {"epoch": 3}, {"model": {"w": torch.zeros(2)}}, {3: torch.zeros(2)}, torch.zeros(2)],
    ids=["list", "number", "checkpoint", "key", "tensor"],
)
def test_what_is_no_state_dictionary_is_refused_with_a_word(state: object) -> None:
    with pytest.raises(UsageError, match="state_dict"):
        pytorch.split(saved(state))


def test_sparse_tensors_are_refused() -> None:
    with pytest.raises(UsageError, match="sparse"):
        pytorch.split(saved({"w": torch.eye(3).to_sparse()}))


def test_the_commands_take_and_give_pytorch_files(tmp_path: Path) -> None:
    model, stream, again = tmp_path / "m.pt", tmp_path / "s.nnr", tmp_path / "again.pt"
    state = Tied().state_dict()
    torch.save(state, model)
    assert encode.main([str(model), "-o", str(stream), "-q", "--qp", "-24"]) == 0
    assert decode.main([str(stream), "-o", str(again), "-q"]) == 0
    after = torch.load(again, weights_only=True)
    assert torch.equal(after["positions"], state["positions"])
    assert torch.equal(after["mask"], state["mask"])
    assert torch.allclose(after["conv.weight"], state["conv.weight"], atol=0.02)
    assert after["half.weight"].dtype == torch.bfloat16
    assert encode.main([str(model), "-o", str(stream), "-q", "--topology", "none"]) == 0
    assert decode.main([str(stream), "-o", str(again), "-q"]) == 0
    assert "out.weight" not in torch.load(again, weights_only=True)
