"""Clause 9, encoder side: step sizes of quantization parameters, and values from levels as every decoder has them.

Source: reconstruction facts clauses 3 to 5. Written from the text and not from the decoder.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnr_conformance.errors import BuildError

LARGEST_QUOTIENT = float((1 << 24) - 2)
"""Of a value and its step size: binary32, in which decoders scale them, holds all integers up to 2^24."""


def step_size(qp: int, density: int) -> float:
    """The step of a quantization parameter, exact. Raises BuildError when binary32 has no normal number for it."""
    if not 0 <= density <= 7:
        raise BuildError(f"qp_density is 0 to 7, not {density}")
    parts = 1 << density
    exponent, rest = qp // parts, qp % parts
    if not -126 <= exponent <= 127:
        raise BuildError(f"QP {qp} with qp_density {density} has no step size: QP >> qp_density is {exponent}")
    return float((1 + rest / parts) * 2.0**exponent)


def sufficient_qp(qp: int, density: int, largest: float) -> int:
    """`qp`, or the smallest one above with which no integer up to `largest` divided by the step size is too large."""
    while largest / step_size(qp, density) > LARGEST_QUOTIENT:
        qp += 1
    return qp


def in_steps(values: NDArray[np.floating[Any]], qp: int, density: int) -> NDArray[np.float64]:
    """The values divided by the step size, in binary64."""
    return values.astype(np.float64) / step_size(qp, density)


def uniform_values(quantized: NDArray[np.int32], qp: int, density: int) -> NDArray[np.float32]:
    """What a decoder makes of quantized integers: integer and step in binary32, multiplied there."""
    with np.errstate(over="ignore"):
        values: NDArray[np.float32] = quantized.astype(np.float32) * np.float32(step_size(qp, density))
    return values


def codebook_values(
    levels: NDArray[np.int32], entries: NDArray[np.int32], zero: int, qp: int, density: int
) -> NDArray[np.float64]:
    """What a decoder makes of levels with a codebook: entry times step in binary64."""
    values: NDArray[np.float64] = (entries.astype(np.float64) * step_size(qp, density))[levels.astype(np.int64) + zero]
    return values
