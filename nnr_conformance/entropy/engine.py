"""Clause 10: the arithmetic decoding engine.

The functions are plain Python over integers and indexable tables; `binding.py` compiles the very same code. The
specification's 9-bit offset V is kept with look-ahead bits below it: ``value = V << ahead | next bits``, so that
renormalization by n bits only moves the border (``ahead -= n``). With `position` payload bytes appended, the number of
payload bits read in the sense of the specification is ``8*position - ahead``.

`payload` is everywhere the payload with PADDING zero bytes behind it, which stand in for all bytes beyond the end;
whoever decodes in a loop compares the bits read with the payload now and then.

The forms of the expressions keep compiled indices provably not negative (unsigned tables, products and sums instead of
shifts of table entries), which saves a wrap-around test for each lookup. For the same reason a table entry that becomes
a variable is multiplied by 1: compiled, that makes it a signed 64-bit integer like all others.
"""

from __future__ import annotations

from collections.abc import MutableSequence, Sequence

from nnr_conformance.entropy.tables import tables

RANGE, VALUE, AHEAD, POSITION, STATE, NEIGHBOUR, FAULT, WEIGHT = range(8)
"""Cells of the engine's state: the four of the arithmetic decoder, the trellis state, the sign class of the neighbour
(0 zero, 1 negative, 2 positive), the fault that stopped decoding (0: none) and the index of its weight."""
ENGINE_CELLS = 8
PADDING = 4

RANGE_LPS = tables().range_lps
RENORMALIZATION = tables().renormalization
RENORMALIZED = tables().renormalized
NEXT_COUNTER0 = tables().next_counter0
NEXT_COUNTER1 = tables().next_counter1

Ints = Sequence[int]
Counters = MutableSequence[int]
Registers = tuple[int, int, int]
BinAndEngine = tuple[int, int, int, int, int]


def refill(payload: Ints, value: int, ahead: int, position: int) -> Registers:
    """Append four bytes to `value`, those of the padding after the end of the payload."""
    # The mask changes nothing but shows the compiler that no index is negative.
    first = min(position, len(payload) - PADDING) & 0x7FFFFFFFFFFF
    value = value * 4294967296 + (
        payload[first] * 16777216 + payload[first + 1] * 65536 + payload[first + 2] * 256 + payload[first + 3] * 1
    )
    return value, ahead + 32, position + 4


def decode_bin(
    payload: Ints,
    counters0: Counters,
    counters1: Counters,
    context: int,
    interval: int,
    value: int,
    ahead: int,
    position: int,
) -> BinAndEngine:
    """Decode one bin with a context variable, and update the variable."""
    if ahead < 8:
        value, ahead, position = refill(payload, value, ahead, position)
    counter0 = counters0[context]
    counter1 = counters1[context]
    probability = 16 * counter0 + counter1
    bin_value = (probability >> 12) & 1
    lps = RANGE_LPS[((probability >> 4) & 504) + ((interval >> 5) & 7)]
    interval -= lps
    border = interval << ahead
    if value < border:
        doublings = (interval >> 8) ^ 1
        interval <<= doublings
        ahead -= doublings
    else:
        bin_value ^= 1
        value -= border
        interval = RENORMALIZED[lps] * 1
        ahead -= RENORMALIZATION[lps]
    counters0[context] = NEXT_COUNTER0[2 * counter0 + bin_value]
    counters1[context] = NEXT_COUNTER1[2 * counter1 + bin_value]
    return bin_value, interval, value, ahead, position


def decode_zeros(
    payload: Ints,
    counters0: Counters,
    counters1: Counters,
    context: int,
    weight: int,
    end: int,
    interval: int,
    value: int,
    ahead: int,
    position: int,
) -> BinAndEngine:
    """Decode bins with one context variable, one for each weight, up to the first 1 or to the weight `end`.

    The same as `decode_bin` again and again, but the variable is stored only at the end, which makes compiled runs of
    zeros faster (`zero_runs.py`). Returns the weight whose bin is 1, or `end`, and the engine.
    """
    counter0 = counters0[context] * 1
    counter1 = counters1[context] * 1
    bin_value = 0
    while weight < end:
        if ahead < 8:
            value, ahead, position = refill(payload, value, ahead, position)
        probability = 16 * counter0 + counter1
        bin_value = (probability >> 12) & 1
        lps = RANGE_LPS[((probability >> 4) & 504) + ((interval >> 5) & 7)]
        interval -= lps
        border = interval << ahead
        if value < border:
            doublings = (interval >> 8) ^ 1
            interval <<= doublings
            ahead -= doublings
        else:
            bin_value ^= 1
            value -= border
            interval = RENORMALIZED[lps] * 1
            ahead -= RENORMALIZATION[lps]
        counter0 = NEXT_COUNTER0[2 * counter0 + bin_value] * 1
        counter1 = NEXT_COUNTER1[2 * counter1 + bin_value] * 1
        if bin_value:
            break
        weight += 1
    counters0[context] = counter0
    counters1[context] = counter1
    return weight, interval, value, ahead, position


def decode_bin_branchless(
    payload: Ints,
    counters0: Counters,
    counters1: Counters,
    context: int,
    interval: int,
    value: int,
    ahead: int,
    position: int,
) -> BinAndEngine:
    """The same as `decode_bin` without a branch on the outcome: faster, compiled, for bins that cannot be predicted."""
    if ahead < 8:
        value, ahead, position = refill(payload, value, ahead, position)
    counter0 = counters0[context]
    counter1 = counters1[context]
    probability = 16 * counter0 + counter1
    lps = RANGE_LPS[((probability >> 4) & 504) + ((interval >> 5) & 7)]
    interval -= lps
    border = interval << ahead
    is_lps = ~((value - border) >> 63)
    value -= border & is_lps
    interval += (lps - interval) & is_lps
    bin_value = ((probability >> 12) ^ is_lps) & 1
    doublings = RENORMALIZATION[interval & 511]
    interval <<= doublings
    ahead -= doublings
    counters0[context] = NEXT_COUNTER0[2 * counter0 + bin_value]
    counters1[context] = NEXT_COUNTER1[2 * counter1 + bin_value]
    return bin_value, interval, value, ahead, position


def decode_bypass(
    payload: Ints, count: int, interval: int, value: int, ahead: int, position: int
) -> tuple[int, int, int, int]:
    """Decode `count` bypass bins, most significant first; returns (number, value, ahead, position).

    n bypass bins are a division: the quotient of the offset with n more bits by the range, the remainder stays.
    """
    number = 0
    while count > 0:
        if ahead < 8:
            value, ahead, position = refill(payload, value, ahead, position)
        step = min(count, 8)
        ahead -= step
        quotient = (value >> ahead) // interval
        value -= (quotient * interval) << ahead
        number = (number << step) + quotient
        count -= step
    return number, value, ahead, position


def start(payload: Ints) -> list[int]:
    """Initialize the engine on a payload of at least two bytes; returns its cells."""
    engine = [0] * ENGINE_CELLS
    engine[RANGE] = 510
    engine[VALUE] = payload[0] * 256 + payload[1]
    engine[AHEAD] = 7
    engine[POSITION] = 2
    return engine


def read_bits(payload: Ints, engine: Counters, count: int) -> int:
    """Decode an unsigned number of `count` bypass bins outside the weight loop, on the engine's cells."""
    number, *engine[VALUE : POSITION + 1] = decode_bypass(
        payload, count, engine[RANGE], engine[VALUE], engine[AHEAD], engine[POSITION]
    )
    return number


def read_signed_bits(payload: Ints, engine: Counters, count: int) -> int:
    """Decode a two's complement number of `count` bypass bins (descriptor iae)."""
    number = read_bits(payload, engine, count)
    return number - (1 << count) if number >> (count - 1) & 1 else number


def bits_read(engine: Ints) -> int:
    """Payload bits that have entered the offset: the position of the specification's bit pointer."""
    return 8 * engine[POSITION] - engine[AHEAD]


def offset(engine: Ints) -> int:
    """The specification's offset V."""
    return engine[VALUE] >> engine[AHEAD]


def read_terminate(engine: Counters) -> int:
    """Decode the terminate bin; a 0 is not renormalized, because it ends decoding with a fault."""
    engine[RANGE] -= 2
    return int(offset(engine) >= engine[RANGE])
