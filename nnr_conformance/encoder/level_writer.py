"""Clause 10: the weights of a tensor as bins, block row by block row.

Written once and run in several ways (`binding.py`): as it stands, compiled, and with `price_bin` in place of
`encode_bin` to find out what initialization ids would cost. `ALL_TOOLS` is a constant of each binding, so that tensors
without codebook, base and history do not pay for them. Source: entropy-coding facts clauses 3, 4, 7 and 8.
"""

from __future__ import annotations

from nnr_conformance.encoder.bin_writer import OPEN_BITS, Numbers, encode_bin, encode_bypass
from nnr_conformance.encoder.lookup import lookup

NEXT_STATE = lookup().next_state
ALL_TOOLS = True

SIG, SIG_BASE, SIG_HISTORY, SIGN, SIGN_BASE, GREATER = 0, 24, 40, 48, 51, 53
"""First context of each kind; the second kind of greater flags, the prefix and single contexts follow (see
`context_numbers`)."""
PREFIX_MOST = 31
UNBOUNDED = 1 << 40

INTERVAL, LOW, HELD, POSITION, STATE, NEIGHBOUR, FAULT, WEIGHT = range(8)
"""Cells of the encoder: its registers, the trellis state, the kind of the weight before (0 zero, 1 negative,
2 positive), whether a magnitude could not be written, and the weight that has it."""
ENGINE_CELLS = 8

(
    HEIGHT,
    WIDTH,
    BLOCK_ROWS,
    BLOCK_COLUMNS,
    RESTARTS,
    DQ,
    UNARY,
    MOST_POSITIVE,
    MOST_NEGATIVE,
    SIGN_CODED,
    USE_SKIP,
    USE_BASE,
    USE_HISTORY,
    STATE_PER_SEGMENT,
    NO_LEVELS,
) = range(15)
"""Cells of the description of a tensor. MOST_POSITIVE, MOST_NEGATIVE: largest magnitudes; NO_LEVELS: a codebook of one
entry, for which nothing is written."""
DESCRIPTION_CELLS = 15

MARK_BITS, MARK_LOW, MARK_STATE = range(3)
MARK_CELLS = 3
"""What is kept of the start of each block row: bits that a decoder has read there, the open bits of the interval's
lower end, and the state."""


def encode_magnitude(
    output: Numbers,
    counters0: Numbers,
    counters1: Numbers,
    magnitude: int,
    negative: int,
    base: int,
    most: int,
    unary: int,
    interval: int,
    low: int,
    held: int,
    position: int,
) -> tuple[int, int, int, int, int]:
    """Greater-than flags, then a prefix of ones and a suffix as long as the prefix; the first number returned is 1
    when the magnitude (at least 1) is too large to be written."""
    flags = min(unary, most - 1)
    first = GREATER + negative
    if ALL_TOOLS and base:
        first = GREATER + 2 * unary
    more = 1
    flag = 0
    while more and flag < flags:
        context = first + 2 * flag
        if ALL_TOOLS and base and base < flag:
            context += 1
        flag += 1
        more = int(magnitude > flag)
        interval, low, held, position = encode_bin(
            output, counters0, counters1, context, more, interval, low, held, position
        )
    if more == 0 or flag + 1 == most:
        return 0, interval, low, held, position
    left = magnitude - flag - 1
    prefix = GREATER + 4 * unary
    ones = 0
    one = 1
    while one and ones < PREFIX_MOST and magnitude - left + (1 << ones) <= most:
        one = int(left >= 1 << ones)
        interval, low, held, position = encode_bin(
            output, counters0, counters1, prefix + ones, one, interval, low, held, position
        )
        if one:
            left -= 1 << ones
            ones += 1
    if left >= 1 << ones:
        return 1, interval, low, held, position
    low, held, position = encode_bypass(output, left, ones, interval, low, held, position)
    return 0, interval, low, held, position


def encode_segment(
    output: Numbers,
    engine: Numbers,
    counters0: Numbers,
    counters1: Numbers,
    description: Numbers,
    base: Numbers,
    history: Numbers,
    levels: Numbers,
    first: int,
    end: int,
) -> None:
    """Encode the weights first..end-1, neighbours in the scan."""
    interval, low, held, position = engine[INTERVAL], engine[LOW], engine[HELD], engine[POSITION]
    state = engine[STATE] & 7
    neighbour = engine[NEIGHBOUR] & 3
    dq, unary = description[DQ], description[UNARY]
    use_base, use_history = description[USE_BASE], description[USE_HISTORY]
    sign_coded = description[SIGN_CODED]
    for weight in range(first, end):
        level = levels[weight] * 1
        sig = SIG + 3 * state + neighbour
        sign = SIGN + neighbour
        base_magnitude = 0
        if ALL_TOOLS:
            if use_base and base[weight] != 0:
                base_magnitude = abs(base[weight] * 1)
                sig = SIG_BASE + 2 * state + int(base_magnitude > 1)
                sign = SIGN_BASE + int(base[weight] > 0)
            if use_history and history[weight] != 0:
                sig = SIG_HISTORY + state
        interval, low, held, position = encode_bin(
            output, counters0, counters1, sig, int(level != 0), interval, low, held, position
        )
        if level == 0:
            neighbour = 0
            if dq:
                state = NEXT_STATE[2 * state] * 1
            continue
        negative = int(level < 0)
        if sign_coded or not ALL_TOOLS:
            interval, low, held, position = encode_bin(
                output, counters0, counters1, sign, negative, interval, low, held, position
            )
        most = UNBOUNDED
        if ALL_TOOLS:
            most = description[MOST_NEGATIVE] if negative else description[MOST_POSITIVE]
        too_large, interval, low, held, position = encode_magnitude(
            output,
            counters0,
            counters1,
            abs(level),
            negative,
            base_magnitude,
            most,
            unary,
            interval,
            low,
            held,
            position,
        )
        if too_large and not engine[FAULT]:
            engine[FAULT] = 1
            engine[WEIGHT] = weight
        neighbour = 2 >> negative
        if dq:
            state = NEXT_STATE[2 * state + (level & 1)] * 1
    engine[INTERVAL] = interval
    engine[LOW] = low
    engine[HELD] = held
    engine[POSITION] = position
    engine[STATE] = state
    engine[NEIGHBOUR] = neighbour


def pass_segment(engine: Numbers, steps: int) -> None:
    """Move the state as `steps` even levels would."""
    for _ in range(steps & 3):
        engine[STATE] = NEXT_STATE[2 * (engine[STATE] & 7)]


def start_block_row(engine: Numbers, counters0: Numbers, counters1: Numbers, start0: Numbers, start1: Numbers) -> None:
    """An entry point: contexts as their initialization ids left them, no neighbour, an interval of 256."""
    for context in range(len(start0)):
        counters0[context] = start0[context]
        counters1[context] = start1[context]
    engine[NEIGHBOUR] = 0
    engine[INTERVAL] = 256


def encode_rows(
    output: Numbers,
    engine: Numbers,
    counters0: Numbers,
    counters1: Numbers,
    start0: Numbers,
    start1: Numbers,
    description: Numbers,
    skip: Numbers,
    base: Numbers,
    history: Numbers,
    levels: Numbers,
    marks: Numbers,
) -> None:
    """Encode all weights of a tensor in scan order.

    `output`: bytes, with room for what `bits_at_most` says. `engine`, `description`: cells. `counters0`, `counters1`:
    the contexts; `start0`, `start1`: their values at entry points. `skip`: 1 for each skipped row. `base`, `history`,
    `levels`: row-major. `marks`: MARK_CELLS for each block row. What a tensor does not use may be empty.
    """
    height, width = description[HEIGHT], description[WIDTH]
    mark = 0
    for top in range(0, height, description[BLOCK_ROWS]):
        if description[RESTARTS]:
            start_block_row(engine, counters0, counters1, start0, start1)
        marks[mark + MARK_BITS] = 8 * engine[POSITION] + engine[HELD] + OPEN_BITS
        marks[mark + MARK_LOW] = engine[LOW] & 511
        marks[mark + MARK_STATE] = engine[STATE]
        mark += MARK_CELLS
        for left in range(0, width, description[BLOCK_COLUMNS]):
            right = min(left + description[BLOCK_COLUMNS], width)
            for row in range(top, min(top + description[BLOCK_ROWS], height)):
                if description[USE_SKIP] and skip[row]:
                    if description[DQ]:
                        pass_segment(engine, width if description[STATE_PER_SEGMENT] else right - left)
                elif description[NO_LEVELS]:
                    if description[DQ]:
                        pass_segment(engine, right - left)
                else:
                    encode_segment(
                        output,
                        engine,
                        counters0,
                        counters1,
                        description,
                        base,
                        history,
                        levels,
                        row * width + left,
                        row * width + right,
                    )


def encode_flags(
    output: Numbers, engine: Numbers, counters0: Numbers, counters1: Numbers, context: int, flags: Numbers
) -> None:
    """Encode flags with one context."""
    interval, low, held, position = engine[INTERVAL], engine[LOW], engine[HELD], engine[POSITION]
    for flag in range(len(flags)):
        interval, low, held, position = encode_bin(
            output, counters0, counters1, context, flags[flag] * 1, interval, low, held, position
        )
    engine[INTERVAL] = interval
    engine[LOW] = low
    engine[HELD] = held
    engine[POSITION] = position


def bits_at_most(levels: Numbers, unary: int) -> int:
    """No fewer bits than the levels can take: 7 for each bin with a context, 1 for each without."""
    total = 0
    for weight in range(len(levels)):
        magnitude = abs(levels[weight] * 1)
        total += 7
        if magnitude:
            total += 7 + 7 * min(magnitude, unary)
            left = magnitude - unary
            while left > 0:
                total += 8
                left >>= 1
    return total
