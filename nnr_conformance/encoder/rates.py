"""Estimated bits of levels for quantizers that weigh rate against distortion.

Static estimates from counts, one for all positions: the adaptive contexts of the entropy coder come close to them on
tensors that are alike everywhere. Bits are rounded to 2^-10, so that the last digit of a logarithm has no influence.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

UNIT = 1024
LARGEST_LISTED = 64
"""Magnitudes with an estimate of their own; see `trellis_search.level_rate` for those beyond."""
SIGN_BITS = 1.0

Floats = NDArray[np.float64]


def bits_of(counts: NDArray[np.int64]) -> Floats:
    """Bits of each outcome of alternatives that were counted; shape (..., outcomes) in and out.

    Half a count is added to each, as for an outcome that may still come.
    """
    smoothed = counts + 0.5
    shares = smoothed / smoothed.sum(axis=-1, keepdims=True)
    rounded: Floats = np.round(-np.log2(shares) * UNIT) / UNIT
    return rounded


def magnitude_bits(levels: NDArray[np.int32], unary_length: int) -> Floats:
    """Bits of sign, greater-than flags and remainder for the magnitudes 0 (not used) to LARGEST_LISTED."""
    magnitudes = levels.reshape(-1).astype(np.int64)
    np.abs(magnitudes, out=magnitudes)
    np.minimum(magnitudes, LARGEST_LISTED + 1, out=magnitudes)
    return bits_of_magnitudes(np.bincount(magnitudes, minlength=LARGEST_LISTED + 2), unary_length)


def bits_of_magnitudes(counts: NDArray[np.int64], unary_length: int) -> Floats:
    """The same from how often each magnitude occurs; the last count is that of all beyond LARGEST_LISTED."""
    at_least = counts[::-1].cumsum()[::-1]
    # Row m: how often a flag said that a magnitude of at least m is m, and that it is larger.
    stops = bits_of(np.stack([counts[:-1], at_least[1:]], axis=1))
    bits = np.zeros(LARGEST_LISTED + 1)
    passed = SIGN_BITS
    for magnitude in range(1, LARGEST_LISTED + 1):
        if magnitude <= unary_length:
            bits[magnitude] = passed + stops[magnitude, 0]
            passed += stops[magnitude, 1]
        else:
            bits[magnitude] = passed + 2 * int(magnitude - unary_length).bit_length() - 1
    return bits
