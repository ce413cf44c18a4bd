"""Clause 10: the weights of a tensor, block row by block row.

These are the loops in which decoding spends its time. They are written once and run twice: as they stand, over lists,
and compiled, over arrays (`binding.py`). `ALL_TOOLS` is a constant of each binding, so that tensors without codebook,
base and history do not pay for them.
"""

from __future__ import annotations

from nnr_conformance.entropy.binarization import ALL_TOOLS, LONGEST_PREFIX, NO_BOUND, decode_magnitude
from nnr_conformance.entropy.contexts import (
    GREATER,
    SIG_BASE,
    SIG_HISTORY,
    SIG_NEIGHBOUR,
    SIGN_BASE,
    SIGN_NEIGHBOUR,
)
from nnr_conformance.entropy.engine import (
    AHEAD,
    FAULT,
    NEIGHBOUR,
    PADDING,
    POSITION,
    RANGE,
    STATE,
    VALUE,
    WEIGHT,
    Counters,
    Ints,
    decode_bin,
)
from nnr_conformance.entropy.faults import (
    LEVEL_OUT_OF_CODEBOOK,
    LEVEL_OVERFLOW,
    OVERRUN,
    PARAMETER_OVERFLOW,
    PREFIX_OVERFLOW,
    RESTART_OFFSET,
)
from nnr_conformance.entropy.tables import tables

NEXT_STATE = tables().next_state
ZERO_RUN_STATE = tables().zero_run_state

decode_sign = decode_bin
"""Signs are close to random: the compiled binding puts the form without branches here."""

(
    HEIGHT,
    WIDTH,
    BLOCK_HEIGHT,
    BLOCK_WIDTH,
    RESTART,
    UNARY,
    DQ,
    SKIP_STEPS,
    SKIP_RESETS,
    USE_SKIP,
    USE_BASE,
    USE_HISTORY,
    FIXED_SIGN,
    LOWEST,
    HIGHEST,
    BOUNDED,
) = range(16)
"""Cells of the description of a tensor. SKIP_STEPS: trellis steps of a skipped segment, 0 for one each weight.
FIXED_SIGN: 0 the sign is coded, 1 always negative, 2 always positive. LOWEST, HIGHEST: the levels that the codebook
has. BOUNDED: the binarization ends at these."""
CODING_CELLS = 16

MARK_BIT, MARK_VALUE, MARK_STATE = range(3)
MARK_CELLS = 3
"""What is kept of the start of each block row: payload bits read, offset, trellis state."""

INT32_LOWEST = -2147483648
INT32_HIGHEST = 2147483647
OVERRUN_CHECK = 4096
"""Weights after which a segment checks that the payload has not ended, so that a wide row cannot run on on zeros."""


def decode_segment(
    payload: Ints,
    engine: Counters,
    counters0: Counters,
    counters1: Counters,
    coding: Ints,
    base: Ints,
    history: Ints,
    quantized: Counters,
    first: int,
    end: int,
) -> None:
    """Decode the weights first..end-1, neighbours in the scan; `quantized` holds zeros there before."""
    interval, value, ahead, position = engine[RANGE], engine[VALUE], engine[AHEAD], engine[POSITION]
    state = engine[STATE] & 7
    neighbour = engine[NEIGHBOUR] & 3
    unary = coding[UNARY] & 511
    dq = coding[DQ]
    prefix = GREATER + 4 * unary
    lowest, highest, bounded = coding[LOWEST], coding[HIGHEST], coding[BOUNDED]
    use_base, use_history, fixed_sign = coding[USE_BASE], coding[USE_HISTORY], coding[FIXED_SIGN]
    for weight in range(first, end):
        sig_context = SIG_NEIGHBOUR + 3 * state + neighbour
        sign_context = SIGN_NEIGHBOUR + neighbour
        base_magnitude = 0
        if ALL_TOOLS:
            if use_base and base[weight] != 0:
                base_magnitude = abs(base[weight] * 1)
                sig_context = SIG_BASE + 2 * state + (base_magnitude > 1)
                sign_context = SIGN_BASE + (base[weight] > 0)
            if use_history and history[weight]:
                sig_context = SIG_HISTORY + state
        significant, interval, value, ahead, position = decode_bin(
            payload, counters0, counters1, sig_context, interval, value, ahead, position
        )
        if significant == 0:
            neighbour = 0
            if dq:
                state = NEXT_STATE[2 * state] * 1
            continue

        if ALL_TOOLS and fixed_sign:
            negative = fixed_sign & 1
        else:
            negative, interval, value, ahead, position = decode_sign(
                payload, counters0, counters1, sign_context, interval, value, ahead, position
            )
        flag = GREATER + negative
        first_flag = GREATER
        base_switch = 0
        bound = NO_BOUND
        if ALL_TOOLS:
            if base_magnitude:
                flag = first_flag = GREATER + 2 * unary
                base_switch = first_flag + 2 * (base_magnitude + 1)
            if bounded:
                bound = -lowest if negative else highest
        magnitude, prefix_length, interval, value, ahead, position = decode_magnitude(
            payload,
            counters0,
            counters1,
            flag,
            first_flag,
            base_switch,
            unary,
            prefix,
            bound,
            interval,
            value,
            ahead,
            position,
        )
        sign = 1 - 2 * negative
        level = sign * magnitude
        parameter = level
        if dq:
            parameter = 2 * level - sign * (state & 1)
            state = NEXT_STATE[2 * state + (magnitude & 1)] * 1
        # Only a remainder can leave 32 bits; a codebook can be left by any level that it does not bound.
        if prefix_length or ALL_TOOLS:
            fault = 0
            if prefix_length == LONGEST_PREFIX:
                fault = PREFIX_OVERFLOW
            elif level < INT32_LOWEST or level > INT32_HIGHEST:
                fault = LEVEL_OVERFLOW
            elif parameter < INT32_LOWEST or parameter > INT32_HIGHEST:
                fault = PARAMETER_OVERFLOW
            elif level < lowest or level > highest:
                fault = LEVEL_OUT_OF_CODEBOOK
            if fault:
                engine[FAULT] = fault
                engine[WEIGHT] = weight
                break
        quantized[weight] = parameter
        neighbour = 2 >> negative
    engine[RANGE] = interval
    engine[VALUE] = value
    engine[AHEAD] = ahead
    engine[POSITION] = position
    engine[STATE] = state
    engine[NEIGHBOUR] = neighbour


def skip_segment(engine: Counters, coding: Ints, count: int) -> None:
    """Pass `count` weights of a skipped row: no bins, but the trellis moves as for even levels."""
    if coding[DQ]:
        steps = coding[SKIP_STEPS] or count
        engine[STATE] = ZERO_RUN_STATE[8 * (steps & 3) + (engine[STATE] & 7)]
    if coding[SKIP_RESETS]:
        engine[NEIGHBOUR] = 0


def start_block_row(
    engine: Counters,
    counters0: Counters,
    counters1: Counters,
    start0: Ints,
    start1: Ints,
) -> None:
    """Restart the interval at a block row with every context as its initialization id left it."""
    for context in range(len(start0)):
        counters0[context] = start0[context]
        counters1[context] = start1[context]
    if engine[VALUE] >> engine[AHEAD] >= 256:
        engine[FAULT] = RESTART_OFFSET
    engine[RANGE] = 256
    engine[NEIGHBOUR] = 0


def decode_rows(
    payload: Ints,
    engine: Counters,
    counters0: Counters,
    counters1: Counters,
    start0: Ints,
    start1: Ints,
    coding: Ints,
    skip: Ints,
    base: Ints,
    history: Ints,
    quantized: Counters,
    marks: Counters,
) -> None:
    """Decode all weights of a tensor in scan order, or up to the first fault.

    `payload`: bytes. `engine`: cells of the engine. `counters0`, `counters1`: the contexts; `start0`, `start1`: their
    values after initialization. `coding`: cells of the description. `skip`: 1 for each skipped row. `base`, `history`,
    `quantized`: row-major, of the tensor's size. `marks`: MARK_CELLS for each block row. What a tensor does not use may
    be empty. A row-major scan is one block as large as the tensor.
    """
    height, width = coding[HEIGHT], coding[WIDTH]
    mark = 0
    for top in range(0, height, coding[BLOCK_HEIGHT]):
        if coding[RESTART]:
            engine[WEIGHT] = top * width
            start_block_row(engine, counters0, counters1, start0, start1)
            if engine[FAULT]:
                return
        marks[mark + MARK_BIT] = 8 * engine[POSITION] - engine[AHEAD]
        marks[mark + MARK_VALUE] = engine[VALUE] >> engine[AHEAD]
        marks[mark + MARK_STATE] = engine[STATE]
        mark += MARK_CELLS
        for left in range(0, width, coding[BLOCK_WIDTH]):
            right = min(left + coding[BLOCK_WIDTH], width)
            for row in range(top, min(top + coding[BLOCK_HEIGHT], height)):
                if coding[USE_SKIP] and skip[row]:
                    skip_segment(engine, coding, right - left)
                    continue
                end = row * width + right
                for first in range(row * width + left, end, OVERRUN_CHECK):
                    decode_segment(
                        payload,
                        engine,
                        counters0,
                        counters1,
                        coding,
                        base,
                        history,
                        quantized,
                        first,
                        min(first + OVERRUN_CHECK, end),
                    )
                    if 8 * engine[POSITION] - engine[AHEAD] > 8 * (len(payload) - PADDING):
                        engine[FAULT] = OVERRUN
                        engine[WEIGHT] = min(first + OVERRUN_CHECK, end) - 1
                    if engine[FAULT]:
                        return
