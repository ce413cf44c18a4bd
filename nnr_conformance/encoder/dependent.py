"""Clause 9, encoder side: dependent quantization, the path through the trellis with the least distortion and rate."""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnr_conformance.encoder.binding import bound, choose_compiled
from nnr_conformance.encoder.rates import bits_of, magnitude_bits
from nnr_conformance.encoder.scan_positions import scan_positions
from nnr_conformance.encoder.trellis_search import SCRATCH, STATES

Levels = NDArray[np.int32]

PASSES = 2
"""Searches, each with the estimates that the levels before it give."""


@dataclass(frozen=True, slots=True, eq=False)
class DependentLevels:
    """`levels`: what is coded; `quantized`: the doubled integers that are scaled. Both int32, of the values' shape.

    `cost`: squared steps plus price times estimated bits, as the last search saw it.
    """

    levels: Levels
    quantized: Levels
    cost: float


def dependent_levels(
    values: NDArray[np.floating[Any]],
    scan_order: int,
    price: float,
    unary_length: int = 10,
    *,
    compiled: bool | None = None,
) -> DependentLevels:
    """Quantize `values`, divided by the step size and of at least one dimension.

    `price`: of a bit, in squared steps (lambda divided by the squared step size). Values are below 2^31 in magnitude.
    The same input gives the same levels in both executions.
    """
    if compiled is None:
        compiled = choose_compiled(values.size, "search_trellis")
    order = scan_positions(values.shape, scan_order)
    flat = values.reshape(-1).astype(np.float64, copy=False)
    scanned = flat if order is None else flat[order]
    levels = _half_of(scanned)
    not_zero = np.count_nonzero(levels)
    counts = np.tile(np.array([levels.size - not_zero, not_zero], np.int64), STATES)
    quantized, cost = levels, 0.0
    for _ in range(PASSES):
        significance = bits_of(counts.reshape(STATES, 2)).reshape(-1)
        rates = magnitude_bits(levels, unary_length)
        levels, quantized, counts, cost = _search(scanned, significance, rates, price, compiled)
    return DependentLevels(_unscanned(levels, order, values.shape), _unscanned(quantized, order, values.shape), cost)


def _half_of(scanned: NDArray[np.float64]) -> Levels:
    """The integers nearest to half the values, in the memory of one more copy of them."""
    halves = np.abs(scanned)
    halves /= 2
    halves += 0.5
    np.floor(halves, out=halves)
    np.copysign(halves, scanned, out=halves)
    return halves.astype(np.int32)


def _search(
    scanned: NDArray[np.float64],
    significance: NDArray[np.float64],
    rates: NDArray[np.float64],
    price: float,
    compiled: bool,
) -> tuple[Levels, Levels, NDArray[np.int64], float]:
    count = scanned.size
    search, trace = bound("search_trellis", compiled=compiled), bound("trace_trellis", compiled=compiled)
    if compiled:
        values: Any = np.ascontiguousarray(scanned)
        scratch: Any = np.zeros(SCRATCH)
        decisions: Any = np.empty(count, np.uint16)
        outcomes: Any = (np.empty(count, np.int32), np.empty(count, np.int32), np.zeros(2 * STATES, np.int64))
        state = search(values, significance, rates, float(price), decisions, scratch)
    else:
        values, scratch, decisions = scanned.tolist(), [0.0] * SCRATCH, array("H", bytes(2 * count))
        outcomes = (array("i", bytes(4 * count)), array("i", bytes(4 * count)), [0] * (2 * STATES))
        state = search(values, significance.tolist(), rates.tolist(), float(price), decisions, scratch)
    trace(values, decisions, state, *outcomes)
    levels, quantized, counts = outcomes
    return np.array(levels, np.int32), np.array(quantized, np.int32), np.array(counts, np.int64), float(scratch[0])


def _unscanned(found: Levels, order: NDArray[np.int64] | None, shape: tuple[int, ...]) -> Levels:
    if order is None:
        return found.reshape(shape)
    placed = np.empty_like(found)
    placed[order] = found
    return placed.reshape(shape)
