"""Clause 10, edition 2: the list of rows that are skipped because all their weights are zero."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from nnr_conformance.entropy.engine import (
    AHEAD,
    PADDING,
    POSITION,
    RANGE,
    VALUE,
    Counters,
    Ints,
    bits_read,
    decode_bin,
)
from nnr_conformance.entropy.faults import Note
from nnr_conformance.entropy.parameters import FlagArray, IntArray

OVERRUN_CHECK = 4096
"""Rows after which the list checks that the payload has not ended."""


def read_row_skip(
    payload: Ints, engine: Counters, counters0: Counters, counters1: Counters, context: int, height: int
) -> FlagArray:
    """Read one flag for each row, adaptively coded; stops early, with the rest 0, once the payload has ended."""
    skip = bytearray(height)
    for first in range(0, height, OVERRUN_CHECK):
        interval, value, ahead, position = engine[RANGE : POSITION + 1]
        for row in range(first, min(first + OVERRUN_CHECK, height)):
            skip[row], interval, value, ahead, position = decode_bin(
                payload, counters0, counters1, context, interval, value, ahead, position
            )
        engine[RANGE], engine[VALUE], engine[AHEAD], engine[POSITION] = interval, value, ahead, position
        if bits_read(engine) > 8 * (len(payload) - PADDING):
            break
    return np.frombuffer(skip, np.uint8)


def nonminimal(row_skip: FlagArray | None, quantized: IntArray, bit: int, tensor: int) -> Iterator[Note]:
    """Notes on a list that skips no row, or not all rows that it could; `bit`: where the list starts."""
    if row_skip is None:
        return
    if not row_skip.any():
        yield Note("row_skip_nonminimal", bit, tensor, "row skipping is on, but no row is skipped")
    zero = ~quantized.any(axis=tuple(range(1, quantized.ndim))) & (row_skip == 0)
    if zero.any():
        message = f"{zero.sum()} rows of zeros are coded although row skipping is on, the first is row {zero.argmax()}"
        yield Note("row_skip_zero_row", bit, tensor, message)
