"""TensorProto of ONNX: shape, number format and numbers, which can be taken out and put back.

Source: the public schema onnx.proto. A tensor whose numbers are out keeps the field that held them, empty.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnr_conformance.errors import UsageError
from nnr_conformance.frameworks.conversion import as_bfloat16, converted, from_bfloat16
from nnr_conformance.frameworks.model import ReadExternal
from nnr_conformance.frameworks.protobuf import (
    BYTES,
    FIXED32,
    FIXED64,
    Field,
    bytes_field,
    edited,
    fields,
    varint,
    varint_field,
)

DIMS, DATA_TYPE, FLOAT_DATA, NAME, RAW_DATA, DOUBLE_DATA, EXTERNAL_DATA, DATA_LOCATION = 1, 2, 4, 8, 9, 10, 13, 14
_KEY, _VALUE = 1, 2
_EXTERNAL = 1
_DATA_FIELDS = (4, 5, 6, 7, 9, 10, 11)

FLOAT, UINT8, INT8, FLOAT16, DOUBLE, BFLOAT16 = 1, 2, 3, 10, 11, 16
_STORED: dict[int, np.dtype[Any]] = {
    FLOAT: np.dtype("<f4"),
    UINT8: np.dtype("u1"),
    INT8: np.dtype("i1"),
    FLOAT16: np.dtype("<f2"),
    DOUBLE: np.dtype("<f8"),
    BFLOAT16: np.dtype("<u2"),
}
"""How the numbers of carried formats are stored; quantized models have their weights in 8 bits."""

_OWN_FIELD = {FLOAT: (FLOAT_DATA, FIXED32), DOUBLE: (DOUBLE_DATA, FIXED64)}
_MOST_DIMENSIONS = 32


@dataclass(slots=True)
class Tensor:
    """What is known of a tensor. `data`: the fields that hold numbers. `external`: where they are else, by key."""

    message: memoryview
    name: str = ""
    data_type: int = 0
    dims: list[int] = field(default_factory=list)
    data: list[Field] = field(default_factory=list)
    external: dict[str, str] = field(default_factory=dict)
    is_external: bool = False

    @property
    def elements(self) -> int:
        """How many numbers the shape makes."""
        return math.prod(self.dims)

    @property
    def is_out(self) -> bool:
        """True for a tensor whose numbers were taken out."""
        return (
            self.data_type in _STORED
            and not self.is_external
            and self.elements > 0
            and len(self.data) == 1
            and not self.data[0].content
        )

    @property
    def can_go_out(self) -> bool:
        """True for numbers of a format, in a place, from which they can be taken and put back as they were."""
        if self.data_type not in _STORED:
            return False
        if self.is_external:
            return not self.data
        own = _OWN_FIELD.get(self.data_type, (RAW_DATA, BYTES))[0]
        return bool(self.data) and (
            all(one.number == own for one in self.data) or [one.number for one in self.data] == [RAW_DATA]
        )


def parse_tensor(message: memoryview) -> Tensor:
    """A tensor as its message has it. Raises UsageError for what is no tensor."""
    found = Tensor(message)
    for one in fields(message):
        if one.number == DIMS:
            found.dims += _numbers(one)
        elif one.number == DATA_TYPE:
            found.data_type = one.number_value
        elif one.number == NAME:
            found.name = text_of(one.content)
        elif one.number == EXTERNAL_DATA:
            pair = {inner.number: text_of(inner.content) for inner in fields(one.content)}
            found.external[pair.get(_KEY, "")] = pair.get(_VALUE, "")
        elif one.number == DATA_LOCATION:
            found.is_external = one.number_value == _EXTERNAL
        elif one.number in _DATA_FIELDS:
            found.data.append(one)
    if len(found.dims) > _MOST_DIMENSIONS or any(size >= 1 << 63 for size in found.dims):
        raise UsageError(f"tensor {found.name!r} has a negative dimension, or more than {_MOST_DIMENSIONS}")
    return found


def text_of(content: memoryview) -> str:
    """A text field."""
    return bytes(content).decode("utf-8", "replace")


def external_bytes(tensor: Tensor, read: ReadExternal | None) -> bytes:
    """The numbers of a tensor that are in another file. Raises UsageError."""
    place = tensor.external
    if read is None or "location" not in place:
        raise UsageError(f"tensor {tensor.name!r} is in a file beside the model, which is not at hand")
    if not all(place.get(key, "0").isdecimal() for key in ("offset", "length")):
        raise UsageError(f"tensor {tensor.name!r}: offset and length of its file are no numbers")
    length = int(place["length"]) if "length" in place else None
    return read(place["location"], int(place.get("offset", "0")), length)


def numbers_of(tensor: Tensor, external: bytes | None) -> NDArray[Any]:
    """The numbers, in native byte order; bfloat16 as float32. Raises UsageError when they do not fill the shape."""
    data = external if external is not None else b"".join(one.content for one in tensor.data)
    stored = _STORED[tensor.data_type]
    if len(data) != stored.itemsize * tensor.elements:
        raise UsageError(f"tensor {tensor.name!r} of shape {tensor.dims} has {len(data)} bytes")
    values = np.frombuffer(data, stored).reshape(tensor.dims)
    if tensor.data_type == BFLOAT16:
        values = from_bfloat16(values)
    return values.astype(values.dtype.newbyteorder("="))


def inlined(tensor: Tensor, data: bytes) -> bytes | memoryview:
    """The message with these raw bytes instead of a file's; empty bytes take the numbers out."""
    new = [bytes_field(RAW_DATA, data)]

    def edit(one: Field) -> bytes | None:
        if one.number == EXTERNAL_DATA:
            return new.pop() if new else b""
        return b"" if one.number == DATA_LOCATION else None

    return edited(tensor.message, edit)


def emptied(tensor: Tensor) -> bytes | memoryview:
    """The message without the numbers; the field that held them stays, empty."""
    if tensor.is_external:
        return inlined(tensor, b"")
    return _with_data(tensor, b"")


def filled(tensor: Tensor, values: NDArray[Any], dims: tuple[int, ...] | None = None) -> bytes | memoryview:
    """The message of a tensor that is out, with numbers. Raises UsageError when they are not for it.

    `dims`: its new dimensions, None for those that it has.
    """
    expected = tensor.dims if dims is None else list(dims)
    if list(values.shape) != expected:
        raise UsageError(f"tensor {tensor.name!r} is {list(values.shape)}, in the graph it is {expected}")
    return _with_data(tensor, _stored_bytes(tensor, values), dims)


def _with_data(tensor: Tensor, data: bytes, dims: tuple[int, ...] | None = None) -> bytes | memoryview:
    new = [data]
    new_dims = [b"".join(varint_field(DIMS, size) for size in dims or ())]

    def edit(one: Field) -> bytes | None:
        if one.number == DIMS and dims is not None:
            return new_dims.pop() if new_dims else b""
        if one.number not in _DATA_FIELDS:
            return None
        return bytes_field(one.number, new.pop()) if new else b""

    return edited(tensor.message, edit)


def _stored_bytes(tensor: Tensor, values: NDArray[Any]) -> bytes:
    if tensor.data_type == BFLOAT16:
        return as_bfloat16(values).astype("<u2").tobytes()
    return converted(values, _STORED[tensor.data_type], tensor.name).tobytes()


def _numbers(one: Field) -> list[int]:
    """One number, or several that are packed."""
    if one.kind != BYTES:
        return [one.number_value]
    found, at = [], 0
    while at < len(one.content):
        number, at = varint(one.content, at)
        found.append(number)
    return found
