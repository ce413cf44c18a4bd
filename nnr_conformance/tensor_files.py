"""Named tensors in files: `.npz` (NumPy) and `.safetensors`, written one tensor at a time and read on demand.

A file appears under its name only when it is complete: it is written beside its destination and then moved there.
Nothing but numbers is read (no pickled objects), and sizes are checked against the file before memory is taken.
"""

from __future__ import annotations

import json
import math
import os
import secrets
import tempfile
import zipfile
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import IO, Any

import numpy as np
from numpy.lib import format as numpy_format
from numpy.typing import NDArray

from nnr_conformance.errors import NnrError, UsageError

npy: Any = numpy_format  # NumPy 1.26 declares no types for it

_BLOCK = 1 << 24  # bytes that are copied at one time
_HEADER_LIMIT = 100_000_000  # of a .safetensors file, by its own rules
_NAME_LIMIT = (1 << 16) - 1  # bytes of a member's name in a ZIP file
_DEFLATE_RATIO = 1032  # DEFLATE cannot expand any further

_MOST_DIMENSIONS = 64  # of an array of NumPy
_Reader = tuple[int, Callable[[], NDArray[Any]]]
"""Bytes of a tensor, and what reads it."""

_DTYPES = {
    "BOOL": np.dtype(np.bool_),
    "I8": np.dtype(np.int8),
    "I16": np.dtype(np.int16),
    "I32": np.dtype(np.int32),
    "I64": np.dtype(np.int64),
    "U8": np.dtype(np.uint8),
    "U16": np.dtype(np.uint16),
    "U32": np.dtype(np.uint32),
    "U64": np.dtype(np.uint64),
    "F16": np.dtype(np.float16),
    "F32": np.dtype(np.float32),
    "F64": np.dtype(np.float64),
}
_DTYPE_NAMES = {dtype: name for name, dtype in _DTYPES.items()}


Restore = Callable[[Mapping[str, NDArray[Any]]], bytes]
"""Makes the bytes of a whole file from its tensors. Raises UsageError."""


@contextmanager
def open_writer(path: str | os.PathLike[str], restore: Restore | None = None) -> Iterator[TensorWriter]:
    """A context that writes tensors to `path`, in the format that its suffix names, or that `restore` makes.

    Leaving the context completes the file, replacing one of that name; leaving it by an exception leaves no trace.
    `.npz` members are not compressed, and `numpy.load` finds them by the names given here. A `.safetensors` file needs
    twice its size on the disk until it is complete; with `restore` all tensors are in memory until then. Raises
    UsageError for another suffix and for a folder that is missing or not writable; NnrError when writing fails later,
    as on a full disk.
    """
    create: Callable[[Path, IO[bytes]], TensorWriter]
    if restore is not None:
        create = partial(_WholeWriter, restore)
    else:
        create = {".npz": _NpzWriter, ".safetensors": _SafetensorsWriter}[_suffix(path)]
    try:
        target = Path(path).resolve()
        folder = target.is_dir()
        unfinished = target.with_name(f".{secrets.token_hex(8)}.partial")
        file = None if folder else unfinished.open("x+b")
    except (OSError, ValueError, RuntimeError) as error:
        raise UsageError(f"cannot write {os.fspath(path)}: {_reason(error)}") from error
    if file is None:
        raise UsageError(f"cannot write {os.fspath(path)}: it is a folder")
    writer: TensorWriter | None = None
    try:
        with _failure_as_error(target):
            writer = create(target, file)
        yield writer
        with _failure_as_error(target):
            writer.finish()
            file.close()
            unfinished.replace(target)
    except BaseException:
        # What is thrown away may also fail to close; the first exception is the one to tell.
        if writer is not None:
            writer.discard()
        with suppress(OSError):
            file.close()
        with suppress(OSError):
            unfinished.unlink()
        raise


def read_tensors(path: str | os.PathLike[str]) -> TensorFile:
    """The tensors of a `.npz` or `.safetensors` file, each read when it is accessed.

    Raises UsageError for another suffix, a file that cannot be opened, and a file that is not what its suffix says.
    """
    index = {".npz": _npz_readers, ".safetensors": _safetensors_readers}[_suffix(path)]
    try:
        file = Path(path).open("rb")  # noqa: SIM115 - lives as long as the mapping
    except (OSError, ValueError) as error:
        raise UsageError(f"cannot read {os.fspath(path)}: {_reason(error)}") from error
    try:
        with _damage_as_usage_error(os.fspath(path)):
            return TensorFile(os.fspath(path), file, index(file))
    except BaseException:
        file.close()
        raise


class TensorWriter(ABC):
    """Takes tensors one by one and keeps none of them in memory; made by `open_writer`."""

    def __init__(self, target: Path, file: IO[bytes]) -> None:
        self._target, self._file = target, file
        self._names: set[str] = set()
        self._broken = False

    def write(self, name: str, array: NDArray[Any]) -> None:
        """Append a tensor: booleans, integers or floats of up to 64 bits, any shape and memory layout.

        `name` is any text that UTF-8 can hold, also "", "/" and "..". Raises UsageError, and writes nothing, when the
        name was written before, the name or the dtype is not one for this format; NnrError when the file cannot be
        written.
        """
        if self._native(array.dtype) not in _DTYPE_NAMES:
            raise UsageError(f"tensor {name!r}: {array.dtype} cannot be written to {self._target.name}")
        self._take_name(name)
        self._change(lambda: self._append(name, array))

    def rename(self, name: str, new: str) -> None:
        """Give a tensor that was written another name, so that the old one is free again.

        Raises as `write` does, and KeyError when there is no tensor `name`.
        """
        if name not in self._names:
            raise KeyError(name)
        self._take_name(new)
        self._change(lambda: self._move(name, new))
        self._names.remove(name)

    def remove(self, name: str) -> None:
        """Leave a tensor that was written out of the file. Raises KeyError when there is no tensor `name`."""
        self._names.remove(name)
        self._drop(name)

    def finish(self) -> None:
        """Complete the file; called by `open_writer`."""
        if self._broken:
            raise NnrError(f"{self._target} is incomplete: a tensor could not be written")
        self._complete()
        self._file.flush()

    @abstractmethod
    def discard(self) -> None:
        """Release what is held, without an exception; called by `open_writer`."""

    def _take_name(self, name: str) -> None:
        if name in self._names:
            raise UsageError(f"tensor {name!r} occurs twice in {self._target.name}")
        try:
            encoded = name.encode("utf-8")
        except UnicodeEncodeError as error:
            raise UsageError(f"the tensor name {name!r} is not valid text") from error
        self._check_name(name, len(encoded))
        self._names.add(name)

    def _change(self, action: Callable[[], None]) -> None:
        with _failure_as_error(self._target):
            self._broken = True
            action()
            self._broken = False

    @abstractmethod
    def _check_name(self, name: str, encoded_bytes: int) -> None: ...

    @abstractmethod
    def _append(self, name: str, array: NDArray[Any]) -> None: ...

    @abstractmethod
    def _move(self, name: str, new: str) -> None: ...

    @abstractmethod
    def _drop(self, name: str) -> None: ...

    @abstractmethod
    def _complete(self) -> None: ...

    @staticmethod
    def _native(dtype: np.dtype[Any]) -> np.dtype[Any]:
        return dtype.newbyteorder("=")


class _NpzWriter(TensorWriter):
    """A ZIP file of stored `.npy` members. The file depends on names and values only, not on the time of writing."""

    def __init__(self, target: Path, file: IO[bytes]) -> None:
        super().__init__(target, file)
        self._zip = zipfile.ZipFile(file, "w", zipfile.ZIP_STORED, allowZip64=True)

    def _check_name(self, name: str, encoded_bytes: int) -> None:
        if "\0" in name or encoded_bytes + len(".npy") > _NAME_LIMIT:
            raise UsageError(f"the tensor name {name[:40]!r}... cannot be the name of a member of a .npz file")

    def _append(self, name: str, array: NDArray[Any]) -> None:
        member = zipfile.ZipInfo()
        # Set afterwards: the constructor would replace backslashes on some systems.
        member.filename = member.orig_filename = f"{name}.npy"
        header = {"descr": npy.dtype_to_descr(_little(array.dtype)), "fortran_order": False, "shape": array.shape}
        with self._zip.open(member, "w", force_zip64=True) as stream:
            npy.write_array_header_1_0(stream, header)
            for block in _blocks(array):
                stream.write(block)

    def _move(self, name: str, new: str) -> None:
        # The name is also before the data: the tensor is written again.
        array = _read_npy(self._zip, self._zip.NameToInfo[f"{name}.npy"], self._file.tell())
        self._drop(name)
        self._append(new, array)

    def _drop(self, name: str) -> None:
        # Its bytes stay; no reader of ZIP files looks at what the directory does not name.
        self._zip.filelist.remove(self._zip.NameToInfo.pop(f"{name}.npy"))

    def _complete(self) -> None:
        self._zip.close()

    def discard(self) -> None:
        with suppress(Exception):
            self._zip.close()


class _SafetensorsWriter(TensorWriter):
    """The header precedes the data and is known last, so the data waits in a temporary file of the same folder."""

    def __init__(self, target: Path, file: IO[bytes]) -> None:
        super().__init__(target, file)
        self._header: dict[str, dict[str, Any]] = {}
        self._data = tempfile.TemporaryFile(dir=target.parent)  # noqa: SIM115 - lives as long as the writer

    def _check_name(self, name: str, encoded_bytes: int) -> None:
        if name == "__metadata__":
            raise UsageError("a .safetensors file cannot hold a tensor with the name '__metadata__'")

    def _append(self, name: str, array: NDArray[Any]) -> None:
        first = self._data.tell()
        for block in _blocks(array):
            self._data.write(block)
        self._header[name] = {
            "dtype": _DTYPE_NAMES[self._native(array.dtype)],
            "shape": list(array.shape),
            "data_offsets": [first, first + array.nbytes],
        }

    def _move(self, name: str, new: str) -> None:
        self._header[new] = self._header.pop(name)

    def _drop(self, name: str) -> None:
        del self._header[name]

    def _complete(self) -> None:
        places = self._close_gaps()
        header = json.dumps(self._header, ensure_ascii=False, separators=(",", ":")).encode("utf-8")
        header += b" " * (-len(header) % 8)  # the data starts aligned, for readers that map the file
        if len(header) > _HEADER_LIMIT:
            raise NnrError(f"cannot write {self._target}: the names need a header above {_HEADER_LIMIT} bytes")
        self._file.write(len(header).to_bytes(8, "little") + header)
        for first, end in places:
            self._data.seek(first)
            for at in range(first, end, _BLOCK):
                self._file.write(self._data.read(min(_BLOCK, end - at)))
        self._data.close()

    def _close_gaps(self) -> list[tuple[int, int]]:
        """Where in the data the tensors are that stay; the header then says where they come to be, without gaps."""
        places = []
        behind = 0
        for tensor in sorted(self._header.values(), key=lambda tensor: tensor["data_offsets"]):
            first, end = tensor["data_offsets"]
            places.append((first, end))
            tensor["data_offsets"] = [behind, behind + end - first]
            behind += end - first
        return places

    def discard(self) -> None:
        with suppress(OSError):
            self._data.close()


class _WholeWriter(TensorWriter):
    """A file that is made when all its tensors are known."""

    def __init__(self, restore: Restore, target: Path, file: IO[bytes]) -> None:
        super().__init__(target, file)
        self._restore = restore
        self._tensors: dict[str, NDArray[Any]] = {}

    def _check_name(self, name: str, encoded_bytes: int) -> None:
        """Every name is one for a model."""

    def _append(self, name: str, array: NDArray[Any]) -> None:
        self._tensors[name] = array

    def _move(self, name: str, new: str) -> None:
        self._tensors[new] = self._tensors.pop(name)

    def _drop(self, name: str) -> None:
        del self._tensors[name]

    def _complete(self) -> None:
        self._file.write(self._restore(self._tensors))

    def discard(self) -> None:
        self._tensors.clear()


class TensorFile(Mapping[str, NDArray[Any]]):
    """The tensors of an open file by name, in the order of the file; each access reads one tensor from the disk.

    Arrays have native byte order, are row-major or column-major as stored, and stay valid after closing. An access
    raises KeyError for an unknown name, and UsageError when the tensor is damaged or not of booleans, integers or
    floats of up to 64 bits. Close the file, or use it in a `with` statement.
    """

    def __init__(self, path: str, file: IO[bytes], readers: Mapping[str, _Reader]) -> None:
        self._path, self._file, self._readers = path, file, readers

    @property
    def nbytes(self) -> int:
        """Bytes that all tensors together take, or a little more; known without reading any.

        A small file can hold very many: members of a `.npz` file expand, tensors of a `.safetensors` file may share
        their bytes.
        """
        return sum(size for size, _ in self._readers.values())

    def __getitem__(self, name: str) -> NDArray[Any]:
        _, reader = self._readers[name]
        with _damage_as_usage_error(self._path, f"tensor {name!r}: "):
            return reader()

    def __iter__(self) -> Iterator[str]:
        return iter(self._readers)

    def __len__(self) -> int:
        return len(self._readers)

    def __contains__(self, name: object) -> bool:
        return name in self._readers  # the inherited method would read the tensor

    def __enter__(self) -> TensorFile:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def _npz_readers(file: IO[bytes]) -> dict[str, _Reader]:
    archive = zipfile.ZipFile(file)
    size = file.seek(0, os.SEEK_END)
    readers: dict[str, _Reader] = {}
    for member in archive.infolist():
        name = member.filename.removesuffix(".npy")
        if name == member.filename:
            continue
        if name in readers:
            raise ValueError(f"tensor {name!r} occurs twice")
        readers[name] = member.file_size, partial(_read_npy, archive, member, size)
    return readers


def _read_npy(archive: zipfile.ZipFile, member: zipfile.ZipInfo, archive_bytes: int) -> NDArray[Any]:
    ratio = {zipfile.ZIP_STORED: 1, zipfile.ZIP_DEFLATED: _DEFLATE_RATIO}.get(member.compress_type)
    if ratio is None:
        raise ValueError("its compression method is not supported")
    if member.compress_size > archive_bytes or member.file_size > ratio * member.compress_size:
        raise ValueError("its size is wrong")
    with archive.open(member) as stream:
        version = npy.read_magic(stream)
        if version not in {(1, 0), (2, 0)}:
            raise ValueError(f"version {version} of the .npy format is not supported")
        read_header = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
        shape, fortran_order, dtype = read_header(stream)
        # The last byte is read with the last element, and with it zipfile compares the checksum.
        array = _read_array(stream, dtype, shape[::-1] if fortran_order else shape, member.file_size - stream.tell())
    return array.T if fortran_order else array


def _safetensors_readers(file: IO[bytes]) -> dict[str, _Reader]:
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    data = 8 + int.from_bytes(file.read(8), "little")
    if size < 8 or data > min(size, 8 + _HEADER_LIMIT):
        raise ValueError("not a safetensors file: the header does not fit the file")
    header = json.loads(file.read(data - 8).decode("utf-8"), object_pairs_hook=_without_duplicates)
    if not isinstance(header, dict):
        raise ValueError("not a safetensors file: the header is not an object")
    readers: dict[str, _Reader] = {}
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        name.encode("utf-8")  # JSON can escape what is not text
        dtype, shape, (first, end) = entry["dtype"], entry["shape"], entry["data_offsets"]
        if not all(type(number) is int and number >= 0 for number in (*shape, first, end)) or data + end > size:
            raise ValueError(f"tensor {name!r}: its shape or place is wrong")
        length = end - first
        readers[name] = length, partial(_read_safetensor, file, dtype, tuple(shape), data + first, length)
    return readers


def _read_safetensor(file: IO[bytes], dtype: str, shape: tuple[int, ...], first: int, size: int) -> NDArray[Any]:
    if dtype not in _DTYPES:
        raise ValueError(f"dtype {dtype} is not supported")
    file.seek(first)
    return _read_array(file, _little(_DTYPES[dtype]), shape, size)


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name occurs twice in the header")
    return found


def _read_array(stream: IO[bytes], dtype: np.dtype[Any], shape: tuple[int, ...], available: int) -> NDArray[Any]:
    """The next array of a stream of which `available` bytes belong to it; a row-major array in native byte order."""
    native = dtype.newbyteorder("=")
    if native not in _DTYPE_NAMES:
        raise ValueError(f"dtype {dtype} is not supported")
    if len(shape) > _MOST_DIMENSIONS:
        # Before they are multiplied: the time for that grows with the square of their number.
        raise ValueError(f"a tensor of {len(shape)} dimensions is not supported")
    count = math.prod(shape)
    if any(dimension < 0 for dimension in shape) or count * dtype.itemsize != available:
        raise ValueError(f"a tensor of {list(shape)} {native} does not have {available} bytes")
    array = np.empty(count, dtype)
    place = array.view(np.uint8).data
    while place:
        # In blocks, since a ZIP member is read by way of a bytes object.
        block = stream.read(min(len(place), _BLOCK))
        if not block:
            raise ValueError("the file ends inside the tensor")
        place[: len(block)] = block
        place = place[len(block) :]
    return array.astype(native, copy=False).reshape(shape)


def _blocks(array: NDArray[Any]) -> Iterator[Any]:
    """The values of an array as bytes-like blocks, row-major and little-endian, without a copy of the whole."""
    little, count = _little(array.dtype), max(1, _BLOCK // array.itemsize)
    if array.flags.c_contiguous and array.dtype == little:
        flat = array.reshape(-1)
        for first in range(0, array.size, count):
            yield flat[first : first + count].view(np.uint8).data
        return
    for block in np.nditer(array, ["external_loop", "buffered", "zerosize_ok"], buffersize=count, order="C"):
        yield np.asarray(block).astype(little, copy=False).tobytes()


def _little(dtype: np.dtype[Any]) -> np.dtype[Any]:
    return dtype.newbyteorder("<")


def _suffix(path: str | os.PathLike[str]) -> str:
    suffix = Path(path).suffix.lower()
    if suffix not in {".npz", ".safetensors"}:
        raise UsageError(f"{os.fspath(path)}: the name of a tensor file ends in .npz or .safetensors")
    return suffix


@contextmanager
def _failure_as_error(target: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise NnrError(f"cannot write {target}: {_reason(error)}") from error


@contextmanager
def _damage_as_usage_error(path: str, place: str = "") -> Iterator[None]:
    try:
        yield
    except Exception as error:
        # Any exception: zipfile, zlib, json and NumPy raise many types on damaged input and document few of them.
        raise UsageError(f"cannot read {path}: {place}{_reason(error)}") from error


def _reason(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error) or type(error).__name__
