"""Clause 9, encoder side: independent uniform quantization, to the nearest level or by distortion and rate."""

from __future__ import annotations

from array import array

import numpy as np
from numpy.typing import NDArray

from nnr_conformance.encoder.binding import bound, choose_compiled
from nnr_conformance.encoder.rates import bits_of, magnitude_bits
from nnr_conformance.errors import BuildError

Levels = NDArray[np.int32]

PASSES = 2
"""Choices with estimates from the levels before."""


def nearest_levels(values: NDArray[np.float64], deadzone: float = 0.0) -> Levels:
    """The nearest level of values in steps; int32, same shape.

    `deadzone`: how far, in steps, each border between two levels is moved away from 0; 0 to 0.5. With 0 no value is
    farther than half a step from its level.
    """
    if not 0 <= deadzone <= 0.5:
        raise BuildError(f"the deadzone is 0 to 0.5, not {deadzone}")
    magnitudes = np.floor(np.abs(values) + (0.5 - deadzone))
    return np.copysign(magnitudes, values).astype(np.int32)


def rate_distortion_levels(
    values: NDArray[np.float64], price: float, unary_length: int = 10, *, compiled: bool | None = None
) -> Levels:
    """Levels with the least squared error plus `price` (in squared steps) times estimated bits; int32, same shape."""
    if compiled is None:
        compiled = choose_compiled(values.size, "choose_levels")
    choose = bound("choose_levels", compiled=compiled)
    flat = np.ascontiguousarray(values, np.float64).reshape(-1)
    levels = nearest_levels(flat)
    for _ in range(PASSES):
        not_zero = np.count_nonzero(levels)
        significance = bits_of(np.array([levels.size - not_zero, not_zero], np.int64))
        rates = magnitude_bits(levels, unary_length)
        if compiled:
            chosen = np.empty(flat.size, np.int32)
            choose(flat, significance, rates, float(price), chosen)
            levels = chosen
        else:
            listed = array("i", bytes(4 * flat.size))
            choose(flat.tolist(), significance.tolist(), rates.tolist(), float(price), listed)
            levels = np.array(listed, np.int32)
    return levels.reshape(values.shape)
