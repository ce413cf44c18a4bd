"""Tensor files: what is written is read back, nothing half-written appears, and hostile files are told off."""

from __future__ import annotations

import json
import os
import tracemalloc
import warnings
import zipfile
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from nnr_conformance.errors import NnrError, UsageError
from nnr_conformance.tensor_files import open_writer, read_tensors

SUFFIXES = [".npz", ".safetensors"]
STRANGE_NAMES = [
    "",
    "/",
    "..",
    "../../x",
    "a/b",
    "a\\b",
    "w.npy",
    "Gewicht·ß",
    "重み",
    "\U0001f600",
    " ",
    "a\nb",
    '"',
    "file",
]
DTYPES = [np.bool_, np.int8, np.int16, np.int32, np.int64, np.uint8, np.float16, np.float32, np.float64]

both_formats = pytest.mark.parametrize("suffix", SUFFIXES)

names = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)
arrays = st.sampled_from(DTYPES).flatmap(
    lambda dtype: npst.arrays(dtype, npst.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4))
)
models = st.dictionaries(names.filter(lambda name: name != "__metadata__"), arrays, max_size=6)


def write(path: Path, tensors: dict[str, Any]) -> Path:
    with open_writer(path) as writer:
        for name, array in tensors.items():
            writer.write(name, array)
    return path


def same(left: np.ndarray[Any, Any], right: np.ndarray[Any, Any]) -> bool:
    return left.dtype == right.dtype and left.shape == right.shape and left.tobytes() == right.tobytes()


def weights(count: int) -> np.ndarray[Any, Any]:
    return np.arange(count, dtype=np.float32)


# ---- writing and reading


@both_formats
@given(model=models)
def test_every_model_is_read_back_to_the_bit(suffix: str, model: dict[str, Any]) -> None:
    with TemporaryDirectory() as folder, read_tensors(write(Path(folder, f"m{suffix}"), model)) as found:
        assert list(found) == list(model)
        assert len(found) == len(model)
        assert all(same(found[name], array) for name, array in model.items())


@given(model=models)
def test_numpy_reads_what_is_written(model: dict[str, Any]) -> None:
    with TemporaryDirectory() as folder, np.load(write(Path(folder, "m.npz"), model), allow_pickle=False) as found:
        assert found.files == list(model)
        assert all(same(found[name], array) for name, array in model.items())


@given(model=models)
@settings(deadline=None)
def test_the_safetensors_package_reads_what_is_written(model: dict[str, Any]) -> None:
    package = pytest.importorskip("safetensors.numpy")
    with TemporaryDirectory() as folder:
        found = package.load_file(write(Path(folder, "m.safetensors"), model))
        assert set(found) == set(model)
        assert all(same(found[name], array) for name, array in model.items())


@given(model=models)
def test_what_numpy_and_the_safetensors_package_write_is_read(model: dict[str, Any]) -> None:
    package = pytest.importorskip("safetensors.numpy")
    model = {f"t{number}": array for number, array in enumerate(model.values())}
    with TemporaryDirectory() as folder:
        stored, deflated, safe = (Path(folder, name) for name in ("a.npz", "b.npz", "c.safetensors"))
        np.savez(stored, **model)
        np.savez_compressed(deflated, **model)
        package.save_file(model, safe, metadata={"made": "here"})
        for path in (stored, deflated, safe):
            with read_tensors(path) as found:
                assert set(found) == set(model)
                assert all(same(found[name], array) for name, array in model.items())


@both_formats
def test_names_are_kept_whatever_they_are(suffix: str, tmp_path: Path) -> None:
    model = {name: weights(number) for number, name in enumerate(STRANGE_NAMES)}
    with read_tensors(write(tmp_path / f"m{suffix}", model)) as found:
        assert {name: len(found[name]) for name in found} == {name: len(array) for name, array in model.items()}
    assert [path.name for path in tmp_path.iterdir()] == [f"m{suffix}"]


@both_formats
@pytest.mark.parametrize(
    "array",
    [
        weights(24).reshape(2, 3, 4).transpose(2, 0, 1),
        np.asfortranarray(weights(6).reshape(2, 3)),
        weights(20)[::-3],
        weights(6).astype(">f4"),
        np.broadcast_to(weights(2), (3, 2)),
        np.arange(6).astype(">i2").reshape(3, 2).T,
    ],
    ids=["view", "column-major", "strided", "big-endian", "broadcast", "big-endian view"],
)
def test_the_memory_layout_of_a_tensor_does_not_matter(suffix: str, array: Any, tmp_path: Path) -> None:
    with read_tensors(write(tmp_path / f"m{suffix}", {"w": array})) as found:
        assert found["w"].dtype == array.dtype.newbyteorder("=")
        assert np.array_equal(found["w"], array)


def test_column_major_and_big_endian_members_of_other_writers_are_read(tmp_path: Path) -> None:
    array = weights(6).reshape(2, 3)
    np.savez(tmp_path / "m.npz", f=np.asfortranarray(array), b=array.astype(">f4"))
    with read_tensors(tmp_path / "m.npz") as found:
        assert np.array_equal(found["f"], array)
        assert np.array_equal(found["b"], array)
        assert found["b"].dtype == np.float32


@both_formats
def test_the_same_tensors_give_the_same_bytes(suffix: str, tmp_path: Path) -> None:
    model = {"a": weights(5), "b": np.arange(6, dtype=np.int8).reshape(2, 3)}
    transposed = {"a": weights(5), "b": np.asfortranarray(model["b"])}
    first, second = write(tmp_path / f"1{suffix}", model), write(tmp_path / f"2{suffix}", transposed)
    assert first.read_bytes() == second.read_bytes()


@both_formats
def test_signalling_nan_and_negative_zero_survive(suffix: str, tmp_path: Path) -> None:
    bits = np.array([0x7FA00001, 0xFFC12345, 0x80000000, 1], np.uint32)
    with read_tensors(write(tmp_path / f"m{suffix}", {"w": bits.view(np.float32)})) as found:
        assert found["w"].view(np.uint32).tolist() == bits.tolist()


@both_formats
def test_only_one_block_of_a_large_model_is_in_memory(suffix: str, tmp_path: Path) -> None:
    tensor = np.zeros(1 << 21, np.float32)  # 8 MiB
    tracemalloc.start()
    with open_writer(tmp_path / f"m{suffix}") as writer:
        for number in range(8):
            writer.write(str(number), tensor)
    write_peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.reset_peak()
    with read_tensors(tmp_path / f"m{suffix}") as found:
        assert sum(int(found[name].size) for name in found) == 8 * tensor.size
    read_peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert write_peak < 5 * tensor.nbytes
    assert read_peak < 5 * tensor.nbytes


@both_formats
def test_an_empty_model_is_a_file_too(suffix: str, tmp_path: Path) -> None:
    with read_tensors(write(tmp_path / f"m{suffix}", {})) as found:
        assert dict(found) == {}


@both_formats
def test_asking_whether_a_tensor_is_there_does_not_read_it(suffix: str, tmp_path: Path) -> None:
    found = read_tensors(write(tmp_path / f"m{suffix}", {"w": weights(3)}))
    found.close()
    assert "w" in found
    assert "v" not in found
    with pytest.raises(KeyError):
        found["v"]
    with pytest.raises(UsageError):
        found["w"]


def test_a_suffix_in_capitals_is_the_same_suffix(tmp_path: Path) -> None:
    with read_tensors(write(tmp_path / "M.NPZ", {"w": weights(2)})) as found:
        assert list(found) == ["w"]


# ---- writing that fails


@both_formats
def test_a_file_appears_only_when_it_is_complete(suffix: str, tmp_path: Path) -> None:
    path = write(tmp_path / f"m{suffix}", {"old": weights(1)})
    before = path.read_bytes()
    with open_writer(path) as writer:
        writer.write("new", weights(1000))
        assert path.read_bytes() == before
    with read_tensors(path) as found:
        assert list(found) == ["new"]
    assert list(tmp_path.iterdir()) == [path]


@both_formats
@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, OSError])
def test_an_exception_leaves_no_trace_and_is_not_replaced(
    suffix: str, error: type[BaseException], tmp_path: Path
) -> None:
    path = write(tmp_path / f"m{suffix}", {"old": weights(1)})
    before = path.read_bytes()

    def write_and_fail() -> None:
        with open_writer(path) as writer:
            writer.write("new", weights(10))
            raise error("mine")

    with pytest.raises(error, match="mine"):
        write_and_fail()
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


@both_formats
def test_a_tensor_that_is_given_another_name_frees_its_own(suffix: str, tmp_path: Path) -> None:
    first, second = np.arange(6, dtype=np.int32).reshape(2, 3), np.full((), 2, np.float32)
    with open_writer(tmp_path / f"m{suffix}") as writer:
        writer.write("w", first)
        writer.write("other", first)
        writer.rename("w", "before")
        writer.write("w", second)
        for taken in ("w", "other"):
            with pytest.raises(UsageError, match=f"'{taken}' occurs twice"):
                writer.rename("before", taken)
        with pytest.raises(KeyError):
            writer.rename("not there", "new")
    with read_tensors(tmp_path / f"m{suffix}") as tensors:
        assert set(tensors) == {"w", "other", "before"}
        assert np.array_equal(tensors["before"], first)
        assert tensors["w"] == second


@both_formats
def test_a_tensor_that_is_removed_leaves_no_gap_that_readers_see(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"m{suffix}"
    with open_writer(path) as writer:
        for name, count in (("a", 3), ("b", 5), ("c", 7)):
            writer.write(name, np.full(count, count, np.float32))
        writer.remove("b")
        with pytest.raises(KeyError):
            writer.remove("b")
        writer.write("b", np.zeros(2, np.int32))
    with read_tensors(path) as tensors:
        assert {name: len(tensors[name]) for name in tensors} == {"a": 3, "c": 7, "b": 2}
        assert all(tensors[name].tolist() == [count] * count for name, count in (("a", 3), ("c", 7)))
    if suffix == ".safetensors":
        whole = pytest.importorskip("safetensors.numpy").load_file(path)
        assert set(whole) == {"a", "b", "c"}


@both_formats
def test_a_name_is_written_once(suffix: str, tmp_path: Path) -> None:
    with open_writer(tmp_path / f"m{suffix}") as writer:
        writer.write("w", weights(2))
        with pytest.raises(UsageError, match="'w' occurs twice"):
            writer.write("w", weights(3))
    with read_tensors(tmp_path / f"m{suffix}") as found:
        assert found["w"].shape == (2,)


@both_formats
@pytest.mark.parametrize("array", [np.array(["a"]), np.array([None]), np.zeros(2, np.complex64), np.zeros(2, "f4,i4")])
def test_what_is_not_a_number_is_refused_and_the_file_stays_usable(suffix: str, array: Any, tmp_path: Path) -> None:
    with open_writer(tmp_path / f"m{suffix}") as writer:
        with pytest.raises(UsageError, match="cannot be written"):
            writer.write("w", array)
        writer.write("w", weights(2))
    with read_tensors(tmp_path / f"m{suffix}") as found:
        assert list(found) == ["w"]


@pytest.mark.parametrize(
    ("suffix", "name"),
    [
        (".npz", "a\0b"),
        (".npz", "x" * 65532),
        (".npz", "\ud800"),
        (".safetensors", "\ud800"),
        (".safetensors", "__metadata__"),
    ],
)
def test_a_name_that_the_format_cannot_hold_is_refused(suffix: str, name: str, tmp_path: Path) -> None:
    with open_writer(tmp_path / f"m{suffix}") as writer, pytest.raises(UsageError, match="name"):
        writer.write(name, weights(1))


@both_formats
def test_the_longest_name_of_a_zip_member_is_possible(suffix: str, tmp_path: Path) -> None:
    with read_tensors(write(tmp_path / f"m{suffix}", {"x" * 65531: weights(1)})) as found:
        assert [len(name) for name in found] == [65531]


@pytest.mark.parametrize("name", ["m", "m.npy", "m.pt", "m.npz.gz", ".npz"])
def test_another_suffix_is_refused_and_the_two_are_named(name: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"\.npz or \.safetensors"), open_writer(tmp_path / name):
        pass
    with pytest.raises(UsageError, match=r"\.npz or \.safetensors"):
        read_tensors(tmp_path / name)
    assert list(tmp_path.iterdir()) == []


@both_formats
def test_a_place_that_cannot_be_written_is_told_at_once(suffix: str, tmp_path: Path) -> None:
    (tmp_path / f"folder{suffix}").mkdir()
    for place in (f"none/m{suffix}", f"folder{suffix}", f"a\0b{suffix}"):
        with pytest.raises(UsageError, match="cannot write"), open_writer(tmp_path / place):
            pytest.fail("the context was entered")
    assert [path.name for path in tmp_path.iterdir()] == [f"folder{suffix}"]


@both_formats
def test_a_link_stays_a_link(suffix: str, tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    link, target = tmp_path / f"link{suffix}", tmp_path / "real" / f"m{suffix}"
    link.symlink_to(target)
    write(link, {"w": weights(1)})
    assert link.is_symlink()
    assert target.is_file()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs a limit on the size of files")
@both_formats
def test_a_full_disk_is_an_error_of_this_package_and_leaves_no_trace(suffix: str, tmp_path: Path) -> None:
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 16, hard))  # a write beyond it fails just as on a full disk

    def write_too_much(passed_over: type[Exception]) -> None:
        with open_writer(tmp_path / f"m{suffix}") as writer, suppress(passed_over):
            writer.write("w", weights(1 << 16))

    try:
        with pytest.raises(NnrError, match="cannot write"):
            write_too_much(passed_over=KeyError)
        with pytest.raises(NnrError, match="incomplete"):
            write_too_much(passed_over=NnrError)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert list(tmp_path.iterdir()) == []


# ---- hostile files


def read_all(path: Path) -> None:
    with read_tensors(path) as found:
        for name in found:
            found[name]


def npy(header: str, data: bytes = b"") -> bytes:
    text = header.encode("latin-1")
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + data


def zipped(*members: tuple[str, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    stream = BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(stream, "w", method) as archive:
        warnings.simplefilter("ignore")  # of a name that occurs twice
        for name, data in members:
            archive.writestr(name, data)
    return stream.getvalue()


def claiming(archive: bytes, offset: int, value: int) -> bytes:
    """The archive with another checksum (offset 16) or size (offset 24) in the directory entry of its only member."""
    place = archive.index(b"PK\x01\x02") + offset
    return archive[:place] + value.to_bytes(4, "little") + archive[place + 4 :]


def safe(header: Any, data: bytes = b"") -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + data


def entry(dtype: Any = "F32", shape: Any = (1,), offsets: Any = (0, 4)) -> dict[str, Any]:
    return {"w": {"dtype": dtype, "shape": shape, "data_offsets": offsets}}


FLOAT = "{'descr': '<f4', 'fortran_order': False, 'shape': %s}\n"
HOSTILE_NPZ = {
    "empty": b"",
    "text": b"no archive at all",
    "cut": zipped(("w.npy", npy(FLOAT % "(1,)", bytes(4))))[:-30],
    "no npy": zipped(("w.npy", b"xx")),
    "short": zipped(("w.npy", npy(FLOAT % "(3,)", bytes(8)))),
    "long": zipped(("w.npy", npy(FLOAT % "(1,)", bytes(8)))),
    "huge": zipped(("w.npy", npy(FLOAT % "(1 << 60,)"))),
    "huge literal": zipped(("w.npy", npy(FLOAT % "(1000000000000,)"))),
    "overflow": zipped(("w.npy", npy(FLOAT % "(4294967296, 4294967296)"))),
    "negative": zipped(("w.npy", npy(FLOAT % "(-1, -1)", bytes(4)))),
    "many dimensions": zipped(("w.npy", npy(FLOAT % str((1,) * 99), bytes(4)))),
    "no number": zipped(("w.npy", npy("{'descr': '|S4', 'fortran_order': False, 'shape': (1,)}\n", bytes(4)))),
    "pickle": zipped(("w.npy", npy("{'descr': '|O', 'fortran_order': False, 'shape': (1,)}\n", b"cos\nsystem\n"))),
    "structured": zipped(
        ("w.npy", npy("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,)}\n", bytes(4)))
    ),
    "no dictionary": zipped(("w.npy", npy("__import__('os')\n"))),
    "no python": zipped(("w.npy", npy("{'descr\n"))),
    "deep": zipped(("w.npy", npy("(" * 9000 + ")" * 9000))),
    "version": zipped(("w.npy", b"\x93NUMPY\x09\x00" + bytes(90))),
    "twice": zipped(("w.npy", npy(FLOAT % "()", bytes(4))), ("w.npy", npy(FLOAT % "()", bytes(4)))),
    "bzip2": zipped(("w.npy", npy(FLOAT % "(1,)", bytes(4))), method=zipfile.ZIP_BZIP2),
    "lzma": zipped(("w.npy", npy(FLOAT % "(1,)", bytes(4))), method=zipfile.ZIP_LZMA),
    "checksum deflated": claiming(
        zipped(("w.npy", npy(FLOAT % "(4,)", bytes(16))), method=zipfile.ZIP_DEFLATED), 16, 7
    ),
    "checksum of nothing": claiming(zipped(("w.npy", npy(FLOAT % "(0,)")), method=zipfile.ZIP_DEFLATED), 16, 7),
    "checksum": zipped(("w.npy", npy(FLOAT % "(4,)", b"a" * 16))).replace(b"a" * 16, b"a" * 15 + b"b"),
}
HOSTILE_SAFETENSORS = {
    "empty": b"",
    "short": b"\x02\0\0",
    "header beyond": (1 << 62).to_bytes(8, "little") + b"{}",
    "no json": safe(b"{"),
    "no text": safe(b"\xff\xfe{}"),
    "list": safe([1]),
    "number": safe(7),
    "deep": safe(b'{"w":' + b"[" * 100_000),
    "digits": safe(b'{"w":' + b"9" * 100_000 + b"}"),
    "no entry": safe({"w": 1}),
    "no fields": safe({"w": {}}),
    "dtype": safe(entry("BF17"), bytes(4)),
    "dtype list": safe(entry(["F32"]), bytes(4)),
    "shape": safe(entry(shape=[-1, -1]), bytes(4)),
    "shape text": safe(entry(shape="1"), bytes(4)),
    "shape fraction": safe(entry(shape=[1.0]), bytes(4)),
    "shape true": safe(entry(shape=[True]), bytes(4)),
    "shape huge": safe(entry(shape=[1 << 40, 1 << 40]), bytes(4)),
    "shape nothing": safe(entry(shape=[0, 1 << 70], offsets=[0, 0])),
    "offsets": safe(entry(offsets=[4, 0]), bytes(4)),
    "offsets three": safe(entry(offsets=[0, 4, 8]), bytes(4)),
    "offsets beyond": safe(entry(offsets=[0, 4]), bytes(3)),
    "offsets text": safe(entry(offsets=["0", "4"]), bytes(4)),
    "size": safe(entry(shape=[2]), bytes(4)),
    "twice": safe(b'{"w":{"dtype":"F32","shape":[],"data_offsets":[0,4]},"w":{}}', bytes(4)),
    "surrogate": safe(b'{"\\ud800":{"dtype":"F32","shape":[],"data_offsets":[0,4]}}', bytes(4)),
}


@pytest.mark.parametrize(
    ("suffix", "content"),
    [pytest.param(".npz", content, id=f"npz-{kind}") for kind, content in HOSTILE_NPZ.items()]
    + [pytest.param(".safetensors", content, id=f"safe-{kind}") for kind, content in HOSTILE_SAFETENSORS.items()],
)
def test_a_hostile_file_is_a_usage_error(suffix: str, content: bytes, tmp_path: Path) -> None:
    path = tmp_path / f"m{suffix}"
    path.write_bytes(content)
    with pytest.raises(UsageError, match="cannot read"):
        read_all(path)


def test_a_tensor_beyond_the_end_is_found_when_the_file_is_opened(tmp_path: Path) -> None:
    (tmp_path / "m.safetensors").write_bytes(safe(entry(shape=[1 << 38], offsets=[0, 1 << 40]), bytes(4)))
    with pytest.raises(UsageError, match="place"):
        read_tensors(tmp_path / "m.safetensors")


@pytest.mark.parametrize("name", ["w" * length for length in range(1, 9)])
def test_the_data_of_a_safetensors_file_starts_aligned(name: str, tmp_path: Path) -> None:
    content = write(tmp_path / "m.safetensors", {name: weights(1)}).read_bytes()
    assert (8 + int.from_bytes(content[:8], "little")) % 8 == 0


@pytest.mark.filterwarnings("ignore")
@both_formats
@given(data=st.data())
@settings(max_examples=300)
def test_a_damaged_file_is_read_or_told_off(suffix: str, data: st.DataObject) -> None:
    model = {"a": weights(3), "b": np.arange(4, dtype=np.int8).reshape(2, 2)}
    with TemporaryDirectory() as folder:
        path = write(Path(folder, f"m{suffix}"), model)
        content = bytearray(path.read_bytes())
        for _ in range(data.draw(st.integers(1, 3))):
            content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
        path.write_bytes(content[: data.draw(st.sampled_from([len(content), len(content) // 2]))])
        with suppress(UsageError):  # and no other exception
            read_all(path)


def test_an_expanding_member_is_refused_before_its_memory_is_taken(tmp_path: Path) -> None:
    content = zipped(("w.npy", npy(FLOAT % "(1073741824,)", bytes(99))), method=zipfile.ZIP_DEFLATED)
    (tmp_path / "m.npz").write_bytes(claiming(content, 24, 0xFFFFFFFE))
    tracemalloc.start()
    with pytest.raises(UsageError, match="size"):
        read_all(tmp_path / "m.npz")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1 << 20


def test_very_many_dimensions_are_refused_before_they_are_multiplied(tmp_path: Path) -> None:
    entry = {"dtype": "F32", "shape": [(1 << 62) + 1] * 300_000, "data_offsets": [0, 4]}
    header = json.dumps({"w": entry}).encode()
    (tmp_path / "m.safetensors").write_bytes(len(header).to_bytes(8, "little") + header + bytes(4))
    with pytest.raises(UsageError, match="a tensor of 300000 dimensions is not supported"):
        read_all(tmp_path / "m.safetensors")


@both_formats
def test_the_bytes_of_all_tensors_are_known_before_any_is_read(suffix: str, tmp_path: Path) -> None:
    path = write(tmp_path / f"m{suffix}", {"a": np.zeros((3, 5), np.float32), "b": np.zeros(7, np.int16)})
    with read_tensors(path) as file:
        assert 74 <= file.nbytes <= 74 + 2 * 128


@both_formats
def test_a_file_that_is_not_there_is_a_usage_error(suffix: str, tmp_path: Path) -> None:
    (tmp_path / f"folder{suffix}").mkdir()
    for name in (f"none{suffix}", f"folder{suffix}", f"a\0b{suffix}"):
        with pytest.raises(UsageError, match="cannot read"):
            read_tensors(tmp_path / name)
