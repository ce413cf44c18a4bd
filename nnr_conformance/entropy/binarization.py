"""Clause 10: how the magnitude of a level is cut into bins."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nnr_conformance.entropy.engine import Counters, Ints, decode_bin, decode_bypass

NO_BOUND = 1 << 40
"""Stands for an unbounded magnitude: larger than any that 31 prefix bins can express."""
LONGEST_PREFIX = 31

ALL_TOOLS = True
"""Whether this binding decodes tensors with a codebook, a base or a history."""


def decode_magnitude(
    payload: Ints,
    counters0: Counters,
    counters1: Counters,
    flag: int,
    first_flag: int,
    base_switch: int,
    unary_length: int,
    prefix: int,
    bound: int,
    interval: int,
    value: int,
    ahead: int,
    position: int,
) -> tuple[int, int, int, int, int, int]:
    """Decode the magnitude of a level that is not zero: greater-than flags, then a remainder.

    `flag`: context of the first greater-than flag; the following flags are two contexts apart, and one more once
    `base_switch` (0: never) is reached. `first_flag`: context of the group's flag 0. `prefix`: context of the first
    prefix bin. `bound`: the largest magnitude that the codebook allows. Returns (magnitude, prefix length, range,
    value, ahead, position); a prefix length of 31 is a fault.
    """
    end = first_flag + 2 * min(unary_length, bound - 1)
    bin_value = 1
    while bin_value and flag < end:
        if ALL_TOOLS and flag == base_switch:
            flag += 1
        bin_value, interval, value, ahead, position = decode_bin(
            payload, counters0, counters1, flag, interval, value, ahead, position
        )
        flag += 2
    magnitude = ((flag - first_flag) >> 1) + bin_value
    length = 0
    if bin_value:
        while length < LONGEST_PREFIX and magnitude + (1 << length) <= bound:
            bin_value, interval, value, ahead, position = decode_bin(
                payload, counters0, counters1, prefix + length, interval, value, ahead, position
            )
            if bin_value == 0:
                break
            magnitude += 1 << length
            length += 1
        if length < LONGEST_PREFIX:
            suffix, value, ahead, position = decode_bypass(payload, length, interval, value, ahead, position)
            magnitude += suffix
    return magnitude, length, interval, value, ahead, position


def count_bins(levels: NDArray[np.int32], unary_length: int) -> int:
    """Number of bins, bypass bins included, that levels without a codebook bound take.

    `levels`: coded levels (before the doubling of dependent quantization) of rows that are not skipped.
    """
    magnitudes = np.abs(levels[levels != 0].astype(np.int64))
    beyond = magnitudes[magnitudes > unary_length] - unary_length
    # A remainder of beyond - 1 takes a prefix of floor(log2(beyond)) ones and a zero, and as many suffix bits.
    prefixes = np.frexp(beyond.astype(np.float64))[1].astype(np.int64) - 1
    flags = int(np.minimum(magnitudes, unary_length).sum())
    return int(levels.size + magnitudes.size + flags + (2 * prefixes + 1).sum())
