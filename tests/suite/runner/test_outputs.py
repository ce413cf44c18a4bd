"""What a decoder gave back, through files."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest

from nnr_conformance.adapters import Bin, Decoding
from nnr_conformance.errors import UsageError
from nnr_conformance.suite.runner.outputs import TRACE, read_output, write_output

NAMES = ("", "/", "..", "a/b", "ünï", "x" * 300, " ", "w.npy")


@pytest.mark.parametrize("suffix", [".npz", ".safetensors"])
def test_tensors_of_all_names_come_back_in_their_order(tmp_path: Path, suffix: str):
    tensors = {name: np.full((number, 2), number, np.float32) for number, name in enumerate(NAMES)}
    levels = {"w": np.array(-(1 << 31), np.int32)}
    write_output(tmp_path, Decoding(tensors, levels=levels), suffix)
    found = read_output(tmp_path)
    assert found.tensors is not None
    assert found.levels is not None
    assert list(found.tensors) == list(tensors)
    for name, array in tensors.items():
        np.testing.assert_array_equal(found.tensors[name], array, strict=True)
    assert (found.levels["w"].shape, found.levels["w"].dtype) == ((), np.int32)
    assert found.dequantized is None
    assert found.trace is None


def test_a_trace_comes_back_each_time_it_is_read(tmp_path: Path):
    bins = [Bin(0, "w", 3, 1, 9), Bin(0, "ü\n", -1, 0, 10), Bin(1, "", -2, 1, 17)]
    write_output(tmp_path, Decoding(None, trace=iter(bins)))
    found = read_output(tmp_path)
    assert found.trace is not None
    assert list(found.trace) == list(found.trace) == bins


@pytest.mark.parametrize("line", ["", "x", "[]", '{"unit": 0}', '{"unit":0,"tensor":1,"context":0,"value":0,"bit":0}'])
def test_a_line_that_is_no_bin_is_named_when_it_is_read(tmp_path: Path, line: str):
    good = '{"unit":0,"tensor":"w","context":0,"value":0,"bit":1}'
    (tmp_path / TRACE).write_text(f"{good}\n{line}\n{good}\n")
    trace = read_output(tmp_path).trace
    assert trace is not None
    with pytest.raises(UsageError, match="line 2"):
        list(trace)


def test_a_file_that_is_none_of_tensors_is_wrong(tmp_path: Path):
    (tmp_path / "tensors.npz").write_bytes(b"garbage")
    with pytest.raises(UsageError):
        read_output(tmp_path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes")
def test_a_named_pipe_is_not_waited_for(tmp_path: Path):
    os.mkfifo(tmp_path / "tensors.npz")
    assert read_output(tmp_path).tensors is None


@pytest.mark.parametrize(
    "tensors", [[1], {"w": [1.0]}, {1: np.zeros(2)}, {"w": np.array(["text"])}, {"\ud800": np.zeros(1)}]
)
def test_what_is_no_mapping_of_texts_to_numbers_cannot_be_written(tmp_path: Path, tensors: object):
    with pytest.raises(UsageError):
        write_output(tmp_path, Decoding(tensors))  # type: ignore[arg-type]
    assert not [*tmp_path.iterdir()]


def test_arrays_that_share_their_bytes_are_counted_each(tmp_path: Path):
    entry = {"dtype": "F32", "shape": [1 << 18], "data_offsets": [0, 1 << 20]}
    header = json.dumps({f"w{number}": entry for number in range(64)}).encode()
    (tmp_path / "tensors.safetensors").write_bytes(len(header).to_bytes(8, "little") + header + bytes(1 << 20))
    with pytest.raises(UsageError, match="tensors has 67108864 bytes in its arrays; at most 67108863"):
        read_output(tmp_path, (64 << 20) - 1)
    assert len(read_output(tmp_path, 64 << 20).tensors or ()) == 64


def test_arrays_that_expand_are_refused_before_any_is_read(tmp_path: Path):
    np.savez_compressed(tmp_path / "levels.npz", w=np.zeros(1 << 22, np.int32))
    assert (tmp_path / "levels.npz").stat().st_size < 1 << 16
    with pytest.raises(UsageError, match="levels has 16777344 bytes in its arrays"):
        read_output(tmp_path, 1 << 20)
