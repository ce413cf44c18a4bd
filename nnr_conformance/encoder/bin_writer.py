"""Clause 10: arithmetic encoding of bins in time that grows with their number.

The functions are plain Python over integers and tables; `binding.py` compiles the very same code. `low`, the lower end
of the interval, holds the bits that are not written yet: its last 9 bits are those that still change with each bin, the
`held` bits above them wait to be written, and one more bit is a carry into what is written already.

`counters0`, `counters1`: the context variables in the form of `lookup`. A table entry that becomes a variable is
multiplied by 1: compiled, that makes it a signed 64-bit integer like all others.
"""

from __future__ import annotations

from collections.abc import MutableSequence

from nnr_conformance.encoder.lookup import lookup

RANGE_LPS = lookup().range_lps
DOUBLINGS = lookup().doublings
NEXT0 = lookup().next0
NEXT1 = lookup().next1
BIN_COST = lookup().bin_cost

Numbers = MutableSequence[int]
Registers = tuple[int, int, int]
IntervalAndRegisters = tuple[int, int, int, int]

HELD_MOST = 32
"""Waiting bits with which whole bytes are written."""
OPEN_BITS = 9
INIT_IDS = 9
LONGEST_STEP = 8


def write_bytes(output: Numbers, low: int, held: int, position: int) -> Registers:
    """Write the waiting bits that fill bytes; a carry goes back through bytes of 255, each at most once."""
    while held >= 8:
        held -= 8
        byte = low >> (held + OPEN_BITS)
        low -= byte << (held + OPEN_BITS)
        if byte > 255:
            before = position - 1
            while output[before] == 255:
                output[before] = 0
                before -= 1
            output[before] += 1
        output[position] = byte & 255
        position += 1
    return low, held, position


def encode_bin(
    output: Numbers,
    counters0: Numbers,
    counters1: Numbers,
    context: int,
    bin_value: int,
    interval: int,
    low: int,
    held: int,
    position: int,
) -> IntervalAndRegisters:
    """Encode one bin with a context variable, and update the variable."""
    counter0 = counters0[context]
    counter1 = counters1[context]
    probability = 16 * (counter0 & 255) + (counter1 & 4095)
    lps = RANGE_LPS[((probability >> 4) & 504) + ((interval >> 5) & 7)]
    interval -= lps
    if (probability >> 12) == bin_value:
        doublings = (interval >> 8) ^ 1
    else:
        low += interval
        interval = lps * 1
        doublings = DOUBLINGS[lps] * 1
    interval <<= doublings
    low <<= doublings
    held += doublings
    counters0[context] = NEXT0[2 * counter0 + bin_value]
    counters1[context] = NEXT1[2 * counter1 + bin_value]
    if held >= HELD_MOST:
        low, held, position = write_bytes(output, low, held, position)
    return interval, low, held, position


def encode_bypass(
    output: Numbers, number: int, count: int, interval: int, low: int, held: int, position: int
) -> Registers:
    """Encode `number` as `count` bins of equal probability, the most significant first."""
    while count > 0:
        step = min(count, LONGEST_STEP)
        count -= step
        low = (low << step) + interval * ((number >> count) & ((1 << step) - 1))
        held += step
        if held >= HELD_MOST:
            low, held, position = write_bytes(output, low, held, position)
    return low, held, position


def price_bin(
    output: Numbers,
    counters0: Numbers,
    counters1: Numbers,
    context: int,
    bin_value: int,
    interval: int,
    low: int,
    held: int,
    position: int,
) -> IntervalAndRegisters:
    """In place of `encode_bin`: add up in `output` what the bin costs with each initialization id of its context.

    All three sequences have INIT_IDS places for each context.
    """
    for variant in range(INIT_IDS):
        place = INIT_IDS * context + variant
        counter0 = counters0[place]
        counter1 = counters1[place]
        probability = 16 * (counter0 & 255) + (counter1 & 4095)
        output[place] += BIN_COST[2 * ((probability >> 3) & 1023) + bin_value]
        counters0[place] = NEXT0[2 * counter0 + bin_value]
        counters1[place] = NEXT1[2 * counter1 + bin_value]
    return interval, low, held, position


def price_bypass(
    output: Numbers, number: int, count: int, interval: int, low: int, held: int, position: int
) -> Registers:
    """In place of `encode_bypass`: bins without a context cost the same whatever the ids are."""
    return low, held, position
