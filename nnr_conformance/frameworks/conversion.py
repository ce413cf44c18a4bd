"""Decoded numbers in the number format that a tensor had in its framework."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnr_conformance.errors import UsageError

BFLOAT16 = "bfloat16"
"""A format that NumPy has not: the upper half of binary32."""


def converted(values: NDArray[Any], dtype: np.dtype[Any], name: str) -> NDArray[Any]:
    """Values of the tensor `name` as `dtype`; quantized numbers beyond its largest become that.

    Raises UsageError for numbers that a format of integers does not hold.
    """
    if dtype.kind in "iub":
        if values.dtype.kind not in "iub" or not _holds(dtype, values):
            raise UsageError(f"tensor {name!r} has numbers that {dtype.name} does not hold")
        return values.astype(dtype)
    if dtype.itemsize < values.dtype.itemsize:
        largest = float(np.finfo(dtype).max)
        values = np.where(np.isfinite(values), np.clip(values, -largest, largest), values)
    return values.astype(dtype)


def as_bfloat16(values: NDArray[Any]) -> NDArray[np.uint16]:
    """The bits of the nearest bfloat16, ties to even; what would become infinite becomes the largest."""
    single = values.astype(np.float32)
    bits = single.view(np.uint32)
    rounded = bits + 0x7FFF + (bits >> 16 & 1)
    finite = np.isfinite(single)
    too_large = finite & (rounded & 0x7F80_0000 == 0x7F80_0000)
    kept = np.where(finite & ~too_large, rounded, bits)
    return (kept >> 16).astype(np.uint16)


def from_bfloat16(bits: NDArray[np.uint16]) -> NDArray[np.float32]:
    """The numbers of bfloat16 bits."""
    return (bits.astype(np.uint32) << 16).view(np.float32)


def _holds(dtype: np.dtype[Any], values: NDArray[Any]) -> bool:
    limits = (0, 1) if dtype.kind == "b" else (int(np.iinfo(dtype).min), int(np.iinfo(dtype).max))
    return not values.size or (limits[0] <= int(values.min()) and int(values.max()) <= limits[1])
