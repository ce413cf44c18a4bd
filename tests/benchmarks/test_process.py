"""Whole processes: both write the file of the tensors that were encoded."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks import child, models, networks, process
from nnr_conformance.api import decode

needs_nncodec = pytest.mark.skipif(importlib.util.find_spec("nncodec") is None, reason="runs NNCodec")


@pytest.fixture
def stream(tmp_path: Path) -> Path:
    path = tmp_path / "stream.nnr"
    path.write_bytes(networks.encoded(models.network("tiny")))
    return path


def _is_decoded(path: Path, stream: Path) -> bool:
    with np.load(path) as found:
        return networks.same(decode(stream.read_bytes()).tensors, dict(found))


def test_the_command_writes_the_tensors_of_the_stream(stream: Path, tmp_path: Path) -> None:
    assert process.decode(stream, tmp_path / "ours.npz") > 0
    assert _is_decoded(tmp_path / "ours.npz", stream)


@needs_nncodec
def test_nncodec_writes_the_same_tensors(stream: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NNR_PEER_PYTHON", raising=False)
    (peer,) = process.peers()
    assert peer.decode(stream, tmp_path / "theirs.npz") > 0
    assert _is_decoded(tmp_path / "theirs.npz", stream)


def test_a_process_that_fails_stops_the_measurement(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="ended with 2"):
        process.decode(tmp_path / "missing.nnr", tmp_path / "ours.npz")


def test_a_process_has_the_environment_that_differs_and_what_it_says_is_read() -> None:
    code = "import json, os, sys; print('before'); print(json.dumps([os.environ['DIFFERS'], *sys.argv[1:]]))"
    assert child.python(code, 1, Path("a"), environment={"DIFFERS": "yes"}).said() == ["yes", "1", "a"]


@needs_nncodec
def test_the_python_that_is_named_is_a_peer_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NNR_PEER_PYTHON", sys.executable)
    has_torch = importlib.util.find_spec("torch") is not None
    assert process.peers() == [process.Peer(sys.executable, has_torch)] * 2
