"""Digests of the stages, so that two decoders can be compared stage by stage and the first difference has a name.

Each digest is SHA-256 over a byte layout of its own. Integers are little-endian: counts and bit positions 8 bytes,
dimensions 8 bytes each. A text is its length in UTF-8 bytes (8 bytes) and the bytes. An array is its type name (a text
such as ``float32``), its number of dimensions, its dimensions, and its elements row-major, little-endian.

- framing: for each unit the bytes at which it starts and ends
- syntax: for each element in the stream its path (a text), first bit, number of bits, and those bits as bytes, last
  byte filled with zeros
- levels, dequantized: for each transmitted tensor in coding order its name (a text) and its array; dequantized values
  are float32 or int32
- tensors: for each tensor of the model in the order of names, likewise
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from struct import Struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnr_conformance.bits import BitReader
from nnr_conformance.decoder.tensors import DecodedUnit
from nnr_conformance.scope import TraceEntry
from nnr_conformance.syntax.unit_parser import Unit

STAGES = ("framing", "syntax", "levels", "dequantized", "tensors")
"""In the order of decoding."""

_TWO_NUMBERS = Struct("<QQ").pack


def _number(value: int) -> bytes:
    return value.to_bytes(8, "little")


def _text(text: str) -> bytes:
    data = text.encode("utf-8", "surrogateescape")
    return _number(len(data)) + data


@dataclass(slots=True)
class StageDigests:
    """The digests of one stream while it is decoded; `hexdigests` gives them by stage name."""

    _framing: Any = field(default_factory=hashlib.sha256)
    _syntax: Any = field(default_factory=hashlib.sha256)
    _levels: Any = field(default_factory=hashlib.sha256)
    _dequantized: Any = field(default_factory=hashlib.sha256)

    def add_unit(self, buffer: memoryview, unit: Unit, trace: Iterable[TraceEntry]) -> None:
        """A framed and parsed unit."""
        self._framing.update(_number(unit.first) + _number(unit.end))
        reader = BitReader(buffer)
        pieces: list[bytes | memoryview] = []
        for entry in trace:
            width = entry.size
            if width:
                reader.position = entry.first
                if (entry.first | width) & 7 == 0:
                    data: bytes | memoryview = reader.aligned_bytes(width >> 3)
                else:
                    bits, spare = reader.bits(width), -width % 8
                    data = (bits << spare).to_bytes((width + spare) >> 3, "big")
                pieces += (_text(entry.path), _TWO_NUMBERS(entry.first, width), data)
        self._syntax.update(b"".join(pieces))

    def add_tensors(self, unit: DecodedUnit) -> None:
        """A decoded unit."""
        for tensor in unit.tensors:
            if tensor.quantized is not None:
                add_array(self._levels, tensor.name, tensor.quantized)
            values = tensor.values
            if values.dtype == np.float64:
                # Beyond binary32 is infinity, as when it is delivered; the diagnostics say so, not a warning of numpy.
                with np.errstate(over="ignore"):
                    values = values.astype(np.float32)
            add_array(self._dequantized, tensor.name, values)

    def hexdigests(self, model: Mapping[str, NDArray[Any]] | None = None) -> dict[str, str]:
        """Digest of each stage; that of the tensors when a model is given."""
        found = {
            "framing": self._framing.hexdigest(),
            "syntax": self._syntax.hexdigest(),
            "levels": self._levels.hexdigest(),
            "dequantized": self._dequantized.hexdigest(),
        }
        if model is not None:
            digest = hashlib.sha256()
            for name in sorted(model):
                add_array(digest, name, model[name])
            found["tensors"] = digest.hexdigest()
        return found


def add_array(digest: Any, name: str, array: NDArray[Any]) -> None:
    """Add a named array to a digest."""
    little = np.ascontiguousarray(array).astype(array.dtype.newbyteorder("<"), copy=False)
    shape = b"".join(_number(size) for size in array.shape)
    digest.update(_text(name) + _text(array.dtype.name) + _number(array.ndim) + shape)
    digest.update(little.reshape(-1).view(np.uint8).data if little.size else b"")
