"""Clause 10: numeric tables of the arithmetic decoder, and the lookup tables that follow from them.

Every number comes from `spec/tables/cabac.yaml`. A context variable is kept as two unsigned numbers, each a biased
counter with its rate above it, so that one lookup gives the next counter and no sign has to be handled:

* ``c0 = (a0 - 4) << 9 | s0 + 128``
* ``c1 = (a1 - 4) << 13 | s1 + 2048``

Then ``16*c0 + c1`` holds ``16*s0 + s1 + 4096`` in its low 13 bits: bit 12 is the more probable symbol, bits 7 to 12
are the biased column of the range table.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from nnr_conformance.data import load_yaml

Row = tuple[int, ...]

LOWEST_RATE = 4
RATES = 4
COLUMNS = 64
COLUMN_BIAS = 32
LARGEST_COLUMN = 31


@dataclass(frozen=True, slots=True)
class Tables:
    """Lookup tables of the decoder; all are flat and hold numbers that are not negative.

    `range_lps`: LPS range at ``8*(column + 32) + ((range >> 5) & 7)``. `renormalization`: doublings that bring a range
    to at least 256, at the range. `next_counter0`, `next_counter1`: the updated counter at ``2*counter + bin``.
    `initial_counter0`, `initial_counter1`: at the initialization id. `next_state`: at ``2*state + parity``.
    `zero_run_state`: at ``8*(steps & 3) + state``. `block_size`: at scan_order, 0 for the row-major scan.
    """

    range_lps: Row
    renormalization: Row
    renormalized: Row
    next_counter0: Row
    next_counter1: Row
    initial_counter0: Row
    initial_counter1: Row
    next_state: Row
    zero_run_state: Row
    block_size: Row


@cache
def tables() -> Tables:
    """The tables of this installation, computed once."""
    source = load_yaml("spec/tables/cabac.yaml")
    doublings = tuple(0 if size == 0 else max(0, 9 - size.bit_length()) for size in range(512))
    return Tables(
        range_lps=_range_lps(source["range_lps"]),
        renormalization=doublings,
        renormalized=tuple(size << doublings[size] for size in range(512)),
        next_counter0=_next_counter(source["transition"], value_bits=8, field_bits=9, index_shift=3),
        next_counter1=_next_counter(source["transition"], value_bits=12, field_bits=13, index_shift=7),
        initial_counter0=tuple(((row["a0"] - LOWEST_RATE) << 9) + row["s0"] + 128 for row in source["init_sets"]),
        initial_counter1=tuple(((row["a1"] - LOWEST_RATE) << 13) + row["s1"] + 2048 for row in source["init_sets"]),
        next_state=tuple(state for row in source["state_transition"] for state in row),
        zero_run_state=tuple(state for row in source["zero_run_state"] for state in row),
        block_size=tuple(source["scan_block_size"]),
    )


def _range_lps(rows: list[list[int]]) -> Row:
    # Column -32 has no entry in the source and no counters reach it; it repeats column 31 to keep the table full.
    columns = [min(abs(column - COLUMN_BIAS), LARGEST_COLUMN) for column in range(COLUMNS)]
    return tuple(rows[row][column] for column in columns for row in range(8))


def _next_counter(transition: list[int], *, value_bits: int, field_bits: int, index_shift: int) -> Row:
    bias = 1 << (value_bits - 1)
    steps = np.array(transition)
    value = np.arange(2 * bias)[:, None] - bias
    direction = np.array([-1, 1])
    # Where |value| is beyond what saturation allows, the entry is never addressed.
    index = np.minimum(16 + ((direction * value) >> index_shift), len(transition) - 1)
    result = np.zeros((RATES, 1 << field_bits, 2), np.int64)
    for rate in range(RATES):
        moved = value + direction * (steps[index] >> (rate + LOWEST_RATE))
        result[rate, : 2 * bias] = (rate << field_bits) + np.clip(moved + bias, 0, 2 * bias - 1)
    return tuple(result.ravel().tolist())


@cache
def context_layout() -> tuple[dict[str, Any], ...]:
    """Rows of `context_layout` of the source: name, count (a number or a multiple of U) and index formula."""
    return tuple(load_yaml("spec/tables/cabac.yaml")["context_layout"])
