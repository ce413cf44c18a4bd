"""Clause 9, encoder side: codebook quantization, by clusters of the values (k-means in one dimension)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nnr_conformance.encoder.rates import LARGEST_LISTED, bits_of, bits_of_magnitudes
from nnr_conformance.errors import BuildError

ROUNDS = 30
"""Of moving entries to the middle of their values; most codebooks are steady before."""
EGK_VALUES = 16


@dataclass(frozen=True, slots=True, eq=False)
class CodebookLevels:
    """Entries (int32, in steps, increasing), CbZeroOffset, and the level of each value (int32, of their shape)."""

    entries: NDArray[np.int32]
    zero: int
    levels: NDArray[np.int32]

    def elements(self) -> Mapping[str, int | list[int]]:
        """The syntax elements of codebook(), the deltas in coded order."""
        left = np.diff(self.entries[: self.zero + 1].astype(np.int64))[::-1] - 1
        right = np.diff(self.entries[self.zero :].astype(np.int64)) - 1
        return {
            "codebook_egk": cheapest_egk([int(delta) for delta in (*left, *right)]),
            "codebook_size": len(self.entries),
            "codebook_center_offset": self.zero - (len(self.entries) >> 1),
            "codebook_zero_value": int(self.entries[self.zero]),
            "codebook_delta_left": left.tolist(),
            "codebook_delta_right": right.tolist(),
        }


def codebook_levels(values: NDArray[np.float64], size: int, unary_length: int = 10) -> CodebookLevels:
    """Quantize values in steps with a codebook of at most `size` entries, each of which occurs.

    The entries are means of clusters, rounded to whole steps, so that the step size is the accuracy of the codebook.
    Where a cluster's worth of values are 0, as in sparse weights, so is one of the entries. Which entry is level 0 is
    chosen by the estimated bits of all levels. Raises BuildError for a size below 1.
    """
    if size < 1:
        raise BuildError(f"a codebook has at least 1 entry, not {size}")
    flat = values.reshape(-1)
    entries = _clusters(np.sort(flat), size)
    if np.count_nonzero(flat == 0) * size >= flat.size:
        entries[np.argmin(np.abs(entries))] = 0
    indices = nearest_entries(flat, entries)
    used, counts = np.unique(indices, return_counts=True)
    entries, indices = entries[used], np.searchsorted(used, indices)
    zero = cheapest_zero(counts, unary_length)
    levels = (indices - zero).astype(np.int32).reshape(values.shape)
    return CodebookLevels(entries.astype(np.int32), zero, levels)


def nearest_entries(values: NDArray[np.float64], entries: NDArray[np.int64]) -> NDArray[np.int64]:
    """Index of the nearest entry, the lower one of two that are equally near."""
    borders = (entries[1:] + entries[:-1]) / 2
    indices: NDArray[np.int64] = np.searchsorted(borders, values, side="left")
    return indices


def cheapest_zero(counts: NDArray[np.int64], unary_length: int) -> int:
    """The index that should be level 0, from how often each index occurs."""
    positions = np.arange(len(counts))
    costs = [_estimated_bits(np.abs(positions - zero), counts, unary_length) for zero in positions]
    return int(np.argmin(costs))


def cheapest_egk(deltas: list[int]) -> int:
    """The order with which exp-Golomb codes of the deltas are shortest; the smallest of several."""
    lengths = [sum(2 * ((delta >> k) + 1).bit_length() - 1 + k for delta in deltas) for k in range(EGK_VALUES)]
    return lengths.index(min(lengths))


def _clusters(ordered: NDArray[np.float64], size: int) -> NDArray[np.int64]:
    """Increasing whole numbers, the rounded means of clusters of the ordered values."""
    sums = np.concatenate([[0.0], np.cumsum(ordered)])
    # Half of the first guesses by rank, half by value: the first serve dense regions, the others the tails.
    ranks = ordered[((np.arange(size) + 0.5) * ordered.size / size).astype(np.int64)]
    spread = np.linspace(ordered[0], ordered[-1], size)
    centres = np.unique((ranks + spread) / 2)
    for _ in range(ROUNDS):
        ends = np.searchsorted(ordered, (centres[1:] + centres[:-1]) / 2, side="right")
        firsts, lasts = np.concatenate([[0], ends]), np.concatenate([ends, [ordered.size]])
        kept = lasts > firsts
        moved = (sums[lasts] - sums[firsts])[kept] / (lasts - firsts)[kept]
        moved = np.unique(moved)
        if np.array_equal(moved, centres):
            break
        centres = moved
    entries: NDArray[np.int64] = np.unique(np.round(centres).astype(np.int64))
    return entries


def _estimated_bits(magnitudes: NDArray[np.int64], counts: NDArray[np.int64], unary_length: int) -> float:
    limited = np.minimum(magnitudes, LARGEST_LISTED + 1)
    found = np.bincount(limited, weights=counts, minlength=LARGEST_LISTED + 2).astype(np.int64)
    significance = bits_of(np.array([found[0], found[1:].sum()]))
    rates = bits_of_magnitudes(found, unary_length)
    bits = found[0] * significance[0] + found[1:].sum() * significance[1] + (found[1:-1] * rates[1:]).sum()
    return float(bits + found[-1] * (rates[-1] + 2))
