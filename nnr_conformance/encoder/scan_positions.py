"""Clause 10: the row-major positions of weights in scan order, for quantizers that follow the scan."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray


def scan_positions(shape: tuple[int, ...], scan_order: int) -> NDArray[np.int64] | None:
    """int64 positions in scan order, of the tensor's size; None for the row-major scan, where they count up."""
    height, width = shape[0], math.prod(shape[1:])
    if not scan_order or min(height, width) <= 1:
        return None
    block = 4 << scan_order
    row, column = np.divmod(np.arange(height * width, dtype=np.int64), width)
    # Block row, block column, then row and column inside of the block; the column is the order that is there already.
    order: NDArray[np.int64] = np.lexsort((column, row, column // block, row // block))
    return order
