"""Topology data of frameworks whose models are named arrays: a description of the arrays, as JSON.

The standard's annexes leave open what topology_data holds for PyTorch and TensorFlow. Here it says of each array its
number format and shape, which other array it is, and its bytes where no stream could carry them exactly::

    {"nnr_topology": "state_dict", "version": 1, "arrays": [{"name": "w", "dtype": "float32", "shape": [2, 3]}, ...]}

Nothing in it is executed. A stream by NNCodec has no data there, which is understood too.
"""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnr_conformance.errors import UsageError
from nnr_conformance.frameworks.conversion import BFLOAT16, converted
from nnr_conformance.frameworks.model import Tensors

_VERSION = 1
_MOST_DIMENSIONS = 32
_LARGEST = 1 << 31
_NAMES = "bool int8 uint8 int16 uint16 int32 uint32 int64 uint64 float16 float32 float64 complex64 complex128"
DTYPES: Mapping[str, np.dtype[Any]] = {name: np.dtype(name) for name in _NAMES.split()}
"""Number formats that NumPy has, by name."""


@dataclass(frozen=True, slots=True)
class Described:
    """An array: `dtype`: name of its number format. `same_as`: name of the array that it is. `data`: its bytes,
    row-major and little-endian, where they do not travel as a tensor."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    same_as: str | None = None
    data: bytes | None = None

    @property
    def travels(self) -> bool:
        """True for an array that is a tensor of the stream."""
        return self.same_as is None and self.data is None


@dataclass(frozen=True, slots=True)
class Description:
    """The arrays of a model in their order, and what else its file has."""

    arrays: tuple[Described, ...]
    extra: Mapping[str, Any] = field(default_factory=dict)


def described(name: str, array: NDArray[Any], dtype: str | None = None) -> Described:
    """The description of an array, with its bytes unless a stream carries it. `dtype`: where it is not the array's."""
    native = array.dtype.newbyteorder("=").name
    data = None if is_weight(name, array) else array.astype(array.dtype.newbyteorder("<")).tobytes()
    return Described(name, dtype or native, array.shape, data=data)


def is_weight(name: str, array: NDArray[Any]) -> bool:
    """True for an array that a stream can carry and that is no single number: floats, integers of 32 bits."""
    if not array.ndim or array.size < 2 or "\0" in name:
        return False
    if array.dtype.kind == "f":
        return array.dtype.itemsize <= 8
    return array.dtype.kind in "iub" and int(array.min()) >= -_LARGEST and int(array.max()) < _LARGEST


def as_json(kind: str, description: Description) -> bytes:
    """The description as topology data; `kind`: what the model is. Raises UsageError for a name that is no text."""
    rows = []
    for one in description.arrays:
        row: dict[str, Any] = {"name": one.name, "dtype": one.dtype, "shape": list(one.shape)}
        if one.same_as is not None:
            row["same_as"] = one.same_as
        if one.data is not None:
            row["data"] = base64.b64encode(one.data).decode("ascii")
        rows.append(row)
    whole = {"nnr_topology": kind, "version": _VERSION, "arrays": rows, **description.extra}
    try:
        return json.dumps(whole, ensure_ascii=False, separators=(",", ":")).encode("utf-8")
    except UnicodeEncodeError as error:
        raise UsageError("a name in the model is not valid text") from error


def from_json(kind: str, data: bytes) -> Description:
    """The description that topology data holds. Raises UsageError for anything else."""
    try:
        # Whoever reads bs(v) as st(v) has a zero byte at its end.
        whole = json.loads(data.removesuffix(b"\0").decode("utf-8"))
        if whole["nnr_topology"] != kind or whole["version"] != _VERSION:
            raise ValueError(f"not version {_VERSION} of a description of a {kind}")
        arrays = tuple(_array(row) for row in whole["arrays"])
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise UsageError(f"the topology is no description of a {kind}: {error}") from error
    _check(arrays)
    return Description(arrays, {key: whole[key] for key in whole if key not in ("nnr_topology", "version", "arrays")})


def restored(description: Description, tensors: Tensors) -> dict[str, NDArray[Any]]:
    """The arrays by name, in their order; an array that is another one is the same object. bfloat16 comes as float32.

    Raises UsageError for a tensor that is missing or is not of the shape described.
    """
    found: dict[str, NDArray[Any]] = {}
    missing = [one.name for one in description.arrays if one.travels and one.name not in tensors]
    if missing:
        raise UsageError(f"the model needs {len(missing)} tensors that the streams do not give, such as {missing[0]!r}")
    for one in description.arrays:
        found[one.name] = found[one.same_as] if one.same_as is not None else _values(one, tensors)
    return found


def _values(one: Described, tensors: Tensors) -> NDArray[Any]:
    dtype = DTYPES["float32" if one.dtype == BFLOAT16 else one.dtype]
    if one.data is not None:
        return np.frombuffer(one.data, dtype.newbyteorder("<")).reshape(one.shape).astype(dtype)
    values = tensors[one.name]
    if values.shape != one.shape:
        raise UsageError(f"tensor {one.name!r} is {list(values.shape)}, in the topology it is {list(one.shape)}")
    return converted(values, dtype, one.name)


def _array(row: Mapping[str, Any]) -> Described:
    name, dtype, shape = row["name"], row["dtype"], row["shape"]
    same_as, data = row.get("same_as"), row.get("data")
    if not isinstance(name, str) or not isinstance(same_as, str | None) or not isinstance(data, str | None):
        raise ValueError("names and data are texts")
    name.encode("utf-8")  # JSON can escape what is not text
    if dtype not in DTYPES and dtype != BFLOAT16:
        raise ValueError(f"there is no number format {dtype!r}")
    if not isinstance(shape, list) or len(shape) > _MOST_DIMENSIONS:
        raise ValueError(f"the shape of {name!r} is no list of up to {_MOST_DIMENSIONS} numbers")
    if not all(type(size) is int and 0 <= size < _LARGEST for size in shape):
        raise ValueError(f"the shape of {name!r} is not of numbers from 0 to {_LARGEST - 1}")
    content = None if data is None else base64.b64decode(data, validate=True)
    item = 4 if dtype == BFLOAT16 else DTYPES[dtype].itemsize
    if content is not None and len(content) != item * math.prod(shape):
        raise ValueError(f"{name!r} of shape {shape} has {len(content)} bytes")
    return Described(name, dtype, tuple(shape), same_as, content)


def _check(arrays: Sequence[Described]) -> None:
    known: dict[str, Described] = {}
    for one in arrays:
        if one.name in known:
            raise UsageError(f"the topology describes {one.name!r} twice")
        if one.same_as is not None:
            first = known.get(one.same_as)
            if first is None or (first.dtype, first.shape) != (one.dtype, one.shape):
                raise UsageError(f"the topology says that {one.name!r} is {one.same_as!r}, which it cannot be")
        known[one.name] = one
