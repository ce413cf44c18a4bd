"""Annex A: models of NNEF; a tensor for each variable, the graph as topology, the quantization file as NNR_QNT.

A model is a folder or an archive with ``graph.nnef``, perhaps ``graph.quant``, and a ``LABEL.dat`` for each variable.
Source: the public specification of NNEF 1.0 (the format of binary files: 128 bytes of header, then the numbers).
"""

from __future__ import annotations

import gzip
import io
import math
import struct
import tarfile
import zlib
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnr_conformance.errors import UsageError
from nnr_conformance.frameworks.model import FrameworkModel, Tensors
from nnr_conformance.frameworks.nnef import variable_shapes, without_leading_ones
from nnr_conformance.syntax.enumerations import TPL_NNEF

GRAPH, QUANTIZATION, SUFFIX = "graph.nnef", "graph.quant", ".dat"
_HEADER = struct.Struct("<2sBBII8III76s")
_MAGIC = b"\x4e\xef"
_VERSION = (1, 0)
_MOST_DIMENSIONS = 8
_FLOAT = 0
_DTYPES: Mapping[int, np.dtype[Any]] = {16: np.dtype("<f2"), 32: np.dtype("<f4"), 64: np.dtype("<f8")}
_LARGEST_ARCHIVE = 1 << 34

ReadFile = Callable[[str], bytes | None]
"""The content of a file of a model by name, None when it has none of that name."""


def split(read: ReadFile) -> FrameworkModel:
    """A model's files as tensors, topology and quantization data.

    Variables are of floats; a row, which is how NNEF has vectors, becomes a vector. Raises UsageError for anything
    else, for labels that are not the name of a file in the model, and for files that are not as the graph says.
    """
    graph = read(GRAPH)
    if graph is None:
        raise UsageError(f"it has no {GRAPH}")
    tensors = {label: _numbers(label, shape, read) for label, shape in _variables(graph).items()}
    return FrameworkModel(tensors, TPL_NNEF, graph, read(QUANTIZATION) or b"")


def merge(topology: bytes, quantization: bytes, tensors: Tensors) -> bytes:
    """The model as an archive, ``.tgz``; the same for the same input. Raises UsageError for tensors not for it."""
    # Whoever reads bs(v) as st(v) has a zero byte at its end.
    files = {GRAPH: topology.removesuffix(b"\0")}
    if quantization:
        files[QUANTIZATION] = quantization.removesuffix(b"\0")
    for label, shape in _variables(topology).items():
        if label not in tensors:
            raise UsageError(f"the model needs tensors that the streams do not give, such as {label!r}")
        files[f"{label}{SUFFIX}"] = _file(label, shape, tensors[label])
    return _archive(files)


def files_of_archive(data: bytes) -> dict[str, bytes]:
    """The files of a ``.tgz`` or ``.tar`` archive by name. Raises UsageError for what is none, or too large."""
    found: dict[str, bytes] = {}
    total = 0
    try:
        with tarfile.open(fileobj=io.BytesIO(data), mode="r:*") as archive:
            for member in archive:
                if not member.isfile():
                    continue
                total += member.size
                if total > _LARGEST_ARCHIVE:
                    raise UsageError(f"the archive holds more than {_LARGEST_ARCHIVE} bytes")
                file = archive.extractfile(member)
                found[member.name.removeprefix("./")] = b"" if file is None else file.read()
    except (tarfile.TarError, EOFError, OSError, zlib.error, ValueError, OverflowError) as error:
        raise error if isinstance(error, UsageError) else UsageError(f"it is no archive: {error}") from error
    graphs = [name for name in found if name == GRAPH or name.endswith(f"/{GRAPH}")]
    if len(graphs) == 1:
        folder = graphs[0].removesuffix(GRAPH)
        return {name.removeprefix(folder): content for name, content in found.items() if name.startswith(folder)}
    return found


def _variables(graph: bytes) -> Mapping[str, tuple[int, ...]]:
    try:
        text = graph.removesuffix(b"\0").decode("utf-8")
    except UnicodeDecodeError as error:
        raise UsageError("the graph is no text") from error
    found: dict[str, tuple[int, ...]] = {}
    for label, shape in variable_shapes(text).items():
        parts = label.split("/")
        if not label or "\\" in label or "\0" in label or any(part in ("", ".", "..") for part in parts):
            raise UsageError(f"the label {label!r} is not the name of a file of the model")
        if shape is None or len(shape) > _MOST_DIMENSIONS or not all(0 < size < 1 << 32 for size in shape):
            raise UsageError(f"the variable {label!r} has no shape of up to {_MOST_DIMENSIONS} numbers")
        found[label] = shape
    return found


def _numbers(label: str, shape: tuple[int, ...], read: ReadFile) -> NDArray[Any]:
    data = read(f"{label}{SUFFIX}")
    if data is None or len(data) < _HEADER.size:
        raise UsageError(f"there is no file {label}{SUFFIX} with numbers")
    magic, *_, length, rank = _HEADER.unpack_from(data)[:5]
    extents, (bits, kind) = _HEADER.unpack_from(data)[5:13], _HEADER.unpack_from(data)[13:15]
    dtype = _DTYPES.get(bits)
    if magic != _MAGIC or rank > _MOST_DIMENSIONS or extents[:rank] != shape:
        raise UsageError(f"{label}{SUFFIX} does not hold {list(shape)} numbers, as the graph says")
    if kind != _FLOAT or dtype is None:
        raise UsageError(f"{label}{SUFFIX} holds numbers of type {kind} and {bits} bits; floats are carried")
    if length != math.prod(shape) * dtype.itemsize or len(data) != _HEADER.size + length:
        raise UsageError(f"{label}{SUFFIX} has {len(data) - _HEADER.size} bytes of numbers, not {length}")
    values = np.frombuffer(data, dtype, offset=_HEADER.size).reshape(without_leading_ones(shape) or (1,))
    return values.astype(dtype.newbyteorder("="))


def _file(label: str, shape: tuple[int, ...], values: NDArray[Any]) -> bytes:
    if without_leading_ones(values.shape) != without_leading_ones(shape) or values.dtype.kind != "f":
        raise UsageError(f"tensor {label!r} is {list(values.shape)}, in the graph it is {list(shape)}")
    bits = 8 * values.dtype.itemsize
    numbers = values.astype(_DTYPES[bits]).tobytes()
    extents = (*shape, *[0] * (_MOST_DIMENSIONS - len(shape)))
    return _HEADER.pack(_MAGIC, *_VERSION, len(numbers), len(shape), *extents, bits, _FLOAT, b"") + numbers


def _archive(files: Mapping[str, bytes]) -> bytes:
    out = io.BytesIO()
    with gzip.GzipFile(fileobj=out, mode="wb", mtime=0) as packed, tarfile.open(fileobj=packed, mode="w") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return out.getvalue()
