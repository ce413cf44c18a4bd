"""Numeric tables for fast encoding (clause 10), from `spec/tables/cabac.yaml` and `spec/tables/encoder_cost.yaml`.

A context variable is kept as two numbers that are not negative, each a counter with its rate above it:

* ``c0 = (a0 - 4) * 256 + s0 + 128``
* ``c1 = (a1 - 4) * 4096 + s1 + 2048``

so that ``16 * (c0 & 255) + (c1 & 4095)`` is ``16*s0 + s1 + 4096``.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from nnr_conformance.data import load_yaml

Row = tuple[int, ...]

LOWEST_RATE, RATES = 4, 4
INIT_IDS = 9


@dataclass(frozen=True, slots=True)
class Lookup:
    """Flat tables of numbers that are not negative.

    `range_lps`: share of the less probable symbol at ``8*column + ((range >> 5) & 7)``, the column being
    ``(16*s0 + s1 + 4096) >> 7``. `doublings`: of a range until it is at least 256. `next0`, `next1`: the updated
    counter at ``2*counter + bin``. `start0`, `start1`: at the initialization id. `next_state`: at ``2*state + parity``.
    `bin_cost`: in 2^-15 bit at ``2*((16*s0 + s1 + 4096) >> 3) + bin``.
    """

    range_lps: Row
    doublings: Row
    next0: Row
    next1: Row
    start0: Row
    start1: Row
    next_state: Row
    bin_cost: Row


@cache
def lookup() -> Lookup:
    """The tables, computed once."""
    source = load_yaml("spec/tables/cabac.yaml")
    steps, sets = source["transition"], source["init_sets"]
    columns = [min(abs(column), 31) for column in range(-32, 32)]
    return Lookup(
        range_lps=tuple(source["range_lps"][row][column] for column in columns for row in range(8)),
        doublings=tuple(0 if not size else max(0, 9 - size.bit_length()) for size in range(512)),
        next0=tuple(_next_counters(steps, half=128, index_shift=3)),
        next1=tuple(_next_counters(steps, half=2048, index_shift=7)),
        start0=tuple((row["a0"] - LOWEST_RATE) * 256 + row["s0"] + 128 for row in sets),
        start1=tuple((row["a1"] - LOWEST_RATE) * 4096 + row["s1"] + 2048 for row in sets),
        next_state=tuple(state for row in source["state_transition"] for state in row),
        bin_cost=tuple(_bin_costs(load_yaml("spec/tables/encoder_cost.yaml")["bin_cost"])),
    )


def _next_counters(steps: list[int], half: int, index_shift: int) -> list[int]:
    found = []
    for rate in range(LOWEST_RATE, LOWEST_RATE + RATES):
        for counter in range(-half, half):
            for sign in (-1, 1):
                # Counters saturate long before the table ends; what lies beyond is never addressed.
                step = steps[min(16 + ((sign * counter) >> index_shift), len(steps) - 1)] >> rate
                moved = min(max(counter + sign * step, -half), half - 1)
                found.append((rate - LOWEST_RATE) * 2 * half + moved + half)
    return found


def _bin_costs(costs: list[list[int]]) -> list[int]:
    found = []
    for position in range(1024):
        distance = position - 512
        row = costs[min(511, abs(distance))]
        probable = int(distance >= 0)
        found += [row[int(bin_value != probable)] for bin_value in (0, 1)]
    return found
