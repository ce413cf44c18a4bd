"""Numbers that look random and are the same everywhere: raw words of a generator and exact arithmetic, no libm."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def words(seed: int, count: int) -> NDArray[np.uint64]:
    """So many 64-bit words of the PCG64 generator with this seed."""
    found: NDArray[np.uint64] = np.random.PCG64(seed).random_raw(count)
    return found


def bell(seed: int, shape: Sequence[int], scale: float = 0.125) -> NDArray[np.float32]:
    """Float32 numbers around 0, none beyond twice the scale, a power of two: sums of four uniform ones."""
    quarters = words(seed, math.prod(shape)).view(np.uint16).reshape(-1, 4)
    centred = quarters.sum(axis=1, dtype=np.int64) - 131_070
    found: NDArray[np.float32] = (centred * (scale / 65_536)).astype(np.float32).reshape(tuple(shape))
    return found


def heavy_tailed(seed: int, shape: Sequence[int], scale: float = 0.015625) -> NDArray[np.float32]:
    """Float32 numbers of which few are hundreds of times the scale: quotients of two uniform ones."""
    drawn = words(seed, math.prod(shape))
    above = (drawn >> np.uint64(44)).astype(np.int64) - (1 << 19)
    below = (drawn & np.uint64((1 << 20) - 1)).astype(np.int64) + 2048
    return (above / below * scale).astype(np.float32).reshape(tuple(shape))


def integers(seed: int, shape: Sequence[int], lowest: int, highest: int) -> NDArray[np.int64]:
    """Int64 numbers from `lowest` to `highest`, both included, which is less than 2^32 apart."""
    span = np.uint64(highest - lowest + 1)
    return (words(seed, math.prod(shape)) % span).astype(np.int64).reshape(tuple(shape)) + lowest
