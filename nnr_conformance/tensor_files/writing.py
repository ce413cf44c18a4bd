"""Tensors written to `.npz` (NumPy) and `.safetensors` files one at a time, and to files that are made of them all.

A file appears under its name only when it is complete: it is written beside its destination and then moved there.
"""

from __future__ import annotations

import json
import os
import secrets
import tempfile
import zipfile
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from nnr_conformance.errors import NnrError, UsageError
from nnr_conformance.tensor_files.formats import (
    BLOCK,
    DTYPE_NAMES,
    HEADER_LIMIT,
    little_endian,
    npy,
    reason_of,
    suffix_of,
)
from nnr_conformance.tensor_files.reading import read_npy

_NAME_LIMIT = (1 << 16) - 1  # bytes of a member's name in a ZIP file

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
        create = {".npz": _NpzWriter, ".safetensors": _SafetensorsWriter}[suffix_of(path)]
    try:
        target = Path(path).resolve()
        folder = target.is_dir()
        unfinished = target.with_name(f".{secrets.token_hex(8)}.partial")
        file = None if folder else unfinished.open("x+b")
    except (OSError, ValueError, RuntimeError) as error:
        raise UsageError(f"cannot write {os.fspath(path)}: {reason_of(error)}") from error
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
        if self._native(array.dtype) not in DTYPE_NAMES:
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
        header = {"descr": npy.dtype_to_descr(little_endian(array.dtype)), "fortran_order": False, "shape": array.shape}
        with self._zip.open(member, "w", force_zip64=True) as stream:
            npy.write_array_header_1_0(stream, header)
            for block in _blocks(array):
                stream.write(block)

    def _move(self, name: str, new: str) -> None:
        # The name is also before the data: the tensor is written again.
        array = read_npy(self._zip, self._zip.NameToInfo[f"{name}.npy"], self._file.tell())
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
            "dtype": DTYPE_NAMES[self._native(array.dtype)],
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
        if len(header) > HEADER_LIMIT:
            raise NnrError(f"cannot write {self._target}: the names need a header above {HEADER_LIMIT} bytes")
        self._file.write(len(header).to_bytes(8, "little") + header)
        for first, end in places:
            self._data.seek(first)
            for at in range(first, end, BLOCK):
                self._file.write(self._data.read(min(BLOCK, end - at)))
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


def _blocks(array: NDArray[Any]) -> Iterator[Any]:
    """The values of an array as bytes-like blocks, row-major and little-endian, without a copy of the whole."""
    little, count = little_endian(array.dtype), max(1, BLOCK // array.itemsize)
    if array.flags.c_contiguous and array.dtype == little:
        flat = array.reshape(-1)
        for first in range(0, array.size, count):
            yield flat[first : first + count].view(np.uint8).data
        return
    for block in np.nditer(array, ["external_loop", "buffered", "zerosize_ok"], buffersize=count, order="C"):
        yield np.asarray(block).astype(little, copy=False).tobytes()


@contextmanager
def _failure_as_error(target: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise NnrError(f"cannot write {target}: {reason_of(error)}") from error
