"""Tensors read from `.npz` (NumPy) and `.safetensors` files, each when it is accessed.

Nothing but numbers is read (no pickled objects), and sizes are checked against the file before memory is taken.
"""

from __future__ import annotations

import json
import math
import os
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from nnr_conformance.errors import UsageError
from nnr_conformance.tensor_files.formats import (
    BLOCK,
    DTYPE_NAMES,
    DTYPES,
    HEADER_LIMIT,
    little_endian,
    npy,
    reason_of,
    suffix_of,
)

_DEFLATE_RATIO = 1032  # DEFLATE cannot expand any further
_MOST_DIMENSIONS = 64  # of an array of NumPy
_Reader = tuple[int, Callable[[], NDArray[Any]]]
"""Bytes of a tensor, and what reads it."""


def read_tensors(path: str | os.PathLike[str]) -> TensorFile:
    """The tensors of a `.npz` or `.safetensors` file, each read when it is accessed.

    Raises UsageError for another suffix, a file that cannot be opened, and a file that is not what its suffix says.
    """
    index = {".npz": _npz_readers, ".safetensors": _safetensors_readers}[suffix_of(path)]
    try:
        file = Path(path).open("rb")  # noqa: SIM115 - lives as long as the mapping
    except (OSError, ValueError) as error:
        raise UsageError(f"cannot read {os.fspath(path)}: {reason_of(error)}") from error
    try:
        with _damage_as_usage_error(os.fspath(path)):
            return TensorFile(os.fspath(path), file, index(file))
    except BaseException:
        file.close()
        raise


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
        readers[name] = member.file_size, partial(read_npy, archive, member, size)
    return readers


def read_npy(archive: zipfile.ZipFile, member: zipfile.ZipInfo, archive_bytes: int) -> NDArray[Any]:
    """The array of a member of a `.npz` file. Raises ValueError, and what zipfile raises, for a damaged one."""
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
    if size < 8 or data > min(size, 8 + HEADER_LIMIT):
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
    if dtype not in DTYPES:
        raise ValueError(f"dtype {dtype} is not supported")
    file.seek(first)
    return _read_array(file, little_endian(DTYPES[dtype]), shape, size)


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name occurs twice in the header")
    return found


def _read_array(stream: IO[bytes], dtype: np.dtype[Any], shape: tuple[int, ...], available: int) -> NDArray[Any]:
    """The next array of a stream of which `available` bytes belong to it; a row-major array in native byte order."""
    native = dtype.newbyteorder("=")
    if native not in DTYPE_NAMES:
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
        block = stream.read(min(len(place), BLOCK))
        if not block:
            raise ValueError("the file ends inside the tensor")
        place[: len(block)] = block
        place = place[len(block) :]
    return array.astype(native, copy=False).reshape(shape)


@contextmanager
def _damage_as_usage_error(path: str, place: str = "") -> Iterator[None]:
    try:
        yield
    except Exception as error:
        # Any exception: zipfile, zlib, json and NumPy raise many types on damaged input and document few of them.
        raise UsageError(f"cannot read {path}: {place}{reason_of(error)}") from error
