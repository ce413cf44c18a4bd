"""What the loops work on, in the form that suits each of their two lives.

`payload`: the padded bytes. `cells`: 64-bit integers (engine, description, marks). `counters`: context variables.
`flags`: one byte for each row or weight; `row_flags`: the same, to be filled. `levels`: 32-bit integers for each
weight. None stands for nothing. `integers`: the array behind `levels`.
"""

from __future__ import annotations

from array import array
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnr_conformance.entropy.parameters import IntArray


class InterpretedMemory:
    """Holds what the interpreted loops work on in Python's own sequences, which it reads faster than arrays."""

    def payload(self, payload: bytes) -> Any:
        return payload

    def cells(self, cells: list[int]) -> Any:
        return cells.copy()

    counters = cells

    def row_flags(self, count: int) -> Any:
        return bytearray(count)

    def flags(self, flags: NDArray[np.generic] | None) -> Any:
        return b"" if flags is None else np.ascontiguousarray(flags, np.uint8).tobytes()

    def levels(self, levels: IntArray | None) -> Any:
        return array("i", b"" if levels is None else np.ascontiguousarray(levels, np.int32).tobytes())

    def integers(self, levels: Any) -> IntArray:
        return np.frombuffer(levels, np.int32)


class CompiledMemory:
    """Holds what the compiled loops work on in arrays of exactly the types that they were compiled for."""

    def payload(self, payload: bytes) -> Any:
        return np.frombuffer(payload, np.uint8)

    def cells(self, cells: list[int]) -> Any:
        return np.array(cells, np.int64)

    def counters(self, counters: list[int]) -> Any:
        return np.array(counters, np.uint16)

    def row_flags(self, count: int) -> Any:
        return np.zeros(count, np.uint8)

    def flags(self, flags: NDArray[np.generic] | None) -> Any:
        return np.require(np.zeros(0) if flags is None else flags, np.uint8, ["C", "W"]).reshape(-1)

    def levels(self, levels: IntArray | None) -> Any:
        return np.require(np.zeros(0) if levels is None else levels, np.int32, ["C", "W"]).reshape(-1)

    def integers(self, levels: Any) -> IntArray:
        result: IntArray = levels
        return result
