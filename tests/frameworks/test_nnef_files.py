"""Tests of NNEF models: folders and archives in, archives out."""

from __future__ import annotations

import io
import struct
import tarfile
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nnr_conformance.api import chain_decoder
from nnr_conformance.checker.check import check
from nnr_conformance.cli import decode, encode
from nnr_conformance.errors import UsageError
from nnr_conformance.frameworks import nnef_files
from nnr_conformance.syntax.enumerations import QNT

GRAPH = b"""version 1.0;
graph net(x) -> (y)
{
    x = external<scalar>(shape = [1, 3]);
    w = variable<scalar>(shape = [4, 3], label = 'layer/w');
    b = variable<scalar>(shape = [1, 4], label = 'layer/b');
    y = linear(x, w, b);
}
"""
QUANTIZATION = b"'layer/w': linear_quantize(min = -2.0, max = 2.0, bits = 8);\n"
W, B = np.arange(12, dtype=np.float32).reshape(4, 3) / 4, np.arange(4, dtype=np.float32)


def dat(values: np.ndarray, *shape: int, magic: bytes = b"\x4e\xef", kind: int = 0, bits: int = 32) -> bytes:
    """A binary file, laid out by hand from the specification of NNEF."""
    extents = [*shape, *[0] * (8 - len(shape))]
    head = magic + bytes([1, 0]) + struct.pack("<II8III", values.nbytes, len(shape), *extents, bits, kind)
    return head.ljust(128, b"\0") + values.tobytes()


FILES = {
    "graph.nnef": GRAPH,
    "graph.quant": QUANTIZATION,
    "layer/w.dat": dat(W, 4, 3),
    "layer/b.dat": dat(B, 1, 4),
}


def archive(files: dict[str, bytes], folder: str = "") -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(folder + name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return out.getvalue()


def test_variables_are_tensors_and_vectors_are_no_rows() -> None:
    parts = nnef_files.split(FILES.get)
    assert np.array_equal(parts.tensors["layer/w"], W)
    assert np.array_equal(parts.tensors["layer/b"], B)
    assert parts.topology == GRAPH
    assert parts.quantization == QUANTIZATION


def test_a_model_comes_back_file_for_file() -> None:
    parts = nnef_files.split(FILES.get)
    again = nnef_files.merge(parts.topology, parts.quantization, parts.tensors)
    assert nnef_files.files_of_archive(again) == FILES
    assert again == nnef_files.merge(parts.topology, parts.quantization, parts.tensors)


@pytest.mark.parametrize("folder", ["", "./", "model/"])
def test_an_archive_may_have_its_files_in_a_folder(folder: str) -> None:
    assert nnef_files.files_of_archive(archive(FILES, folder)) == FILES


def test_folders_and_archives_pass_through_streams(tmp_path: Path) -> None:
    for name, content in FILES.items():
        (tmp_path / "model" / name).parent.mkdir(exist_ok=True, parents=True)
        (tmp_path / "model" / name).write_bytes(content)
    stream, again, second = tmp_path / "s.nnr", tmp_path / "again.tgz", tmp_path / "second.tgz"
    assert encode.main([str(tmp_path / "model" / "graph.nnef"), "-o", str(stream), "-q", "--raw"]) == 0
    assert check(stream.read_bytes()).streams[0].diagnostics == ()
    chain = chain_decoder(stream.read_bytes())
    assert {tensor.name for tensor in chain} == {"layer/w", "layer/b"}
    assert [one.data for one in chain.decoders[0].carried if one.unit_type == QNT] == [QUANTIZATION]
    assert decode.main([str(stream), "-o", str(again), "-q"]) == 0
    assert nnef_files.files_of_archive(again.read_bytes()) == FILES
    assert encode.main([str(again), "-o", str(stream), "-q", "--raw"]) == 0
    assert decode.main([str(stream), "-o", str(second), "-q"]) == 0
    assert second.read_bytes() == again.read_bytes()


def test_a_model_is_not_written_as_one_text(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "m.tgz").write_bytes(archive(FILES))
    assert encode.main([str(tmp_path / "m.tgz"), "-o", str(tmp_path / "s.nnr"), "-q"]) == 0
    assert decode.main([str(tmp_path / "s.nnr"), "-o", str(tmp_path / "m.nnef"), "-q"]) == 2
    assert ".tgz" in capsys.readouterr().err


def changed(**files: bytes | None) -> dict[str, bytes]:
    names = {"graph": "graph.nnef", "w": "layer/w.dat"}
    found = {**FILES, **{names[name]: content for name, content in files.items() if content is not None}}
    return {name: content for name, content in found.items() if files.get("w", b"") is not None or "w.dat" not in name}


WRONG = {
    "no graph": {},
    "no text": changed(graph=b"\xff\xfe"),
    "no file": changed(w=None),
    "short file": changed(w=b"\x4e\xef"),
    "magic": changed(w=dat(W, 4, 3, magic=b"NN")),
    "shape": changed(w=dat(W, 3, 4)),
    "kind": changed(w=dat(W, 4, 3, kind=2)),
    "bits": changed(w=dat(W, 4, 3, bits=8)),
    "length": changed(w=dat(W, 4, 3)[:-1]),
    "way out": changed(graph=GRAPH.replace(b"layer/w", b"../w")),
    "root": changed(graph=GRAPH.replace(b"layer/w", b"/w")),
    "no shape": changed(graph=GRAPH.replace(b"[4, 3]", b"[n]")),
    "many dimensions": changed(graph=GRAPH.replace(b"[4, 3]", b"[1,1,1,1,1,1,1,4,3]")),
    "no dimension": changed(graph=GRAPH.replace(b"[4, 3]", b"[0, 3]")),
}


@pytest.mark.parametrize("files", WRONG.values(), ids=WRONG)
def test_what_is_not_as_the_graph_says_is_refused_with_a_word(files: dict[str, bytes]) -> None:
    with pytest.raises(UsageError):
        nnef_files.split(files.get)


def test_tensors_that_are_not_for_the_graph_are_refused() -> None:
    for tensors in ({"layer/w": W}, {"layer/w": W.T, "layer/b": B}, {"layer/w": W, "layer/b": B.astype(np.int32)}):
        with pytest.raises(UsageError):
            nnef_files.merge(GRAPH, b"", tensors)


@given(st.binary(max_size=200), st.integers(0, 300), st.binary(max_size=3))
def test_damaged_archives_give_usage_errors_and_nothing_else(junk: bytes, at: int, new: bytes) -> None:
    whole = bytearray(archive(FILES))
    whole[at : at + len(new)] = new
    for data in (junk, bytes(whole), bytes(whole[:at])):
        with suppress(UsageError):
            nnef_files.split(nnef_files.files_of_archive(data).get)
