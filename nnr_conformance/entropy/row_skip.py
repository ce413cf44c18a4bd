"""Clause 10, edition 2: the list of rows that are skipped because all their weights are zero."""

from __future__ import annotations

from collections.abc import Iterator

from nnr_conformance.entropy.engine import (
    AHEAD,
    PADDING,
    POSITION,
    RANGE,
    VALUE,
    Counters,
    Ints,
    decode_bin,
)
from nnr_conformance.entropy.faults import Note
from nnr_conformance.entropy.parameters import FlagArray, IntArray


def decode_row_skip(
    payload: Ints, engine: Counters, counters0: Counters, counters1: Counters, context: int, skip: Counters
) -> None:
    """Read one flag for each row, adaptively coded, into `skip`, zeros before; stops once the payload has ended.

    Written once and run twice, like the weight loops (`rows`).
    """
    interval, value, ahead, position = engine[RANGE], engine[VALUE], engine[AHEAD], engine[POSITION]
    for row in range(len(skip)):
        skip[row], interval, value, ahead, position = decode_bin(
            payload, counters0, counters1, context, interval, value, ahead, position
        )
        if 8 * position - ahead > 8 * (len(payload) - PADDING):
            break
    engine[RANGE] = interval
    engine[VALUE] = value
    engine[AHEAD] = ahead
    engine[POSITION] = position


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
