"""Clause 10: the weights of two plain tensors in turn, one bin of each at a time, compiled only.

With few bins for each weight, decoding mostly waits: for one table entry after the other, and for branches that went
the other way. Here nothing branches on a bin, since an automaton (`automaton.py`) says what comes next, and the two
payloads, which know nothing of each other, wait at the same time. Whatever is not plain sailing is left to the plain
loop: remainders of levels, the rest of the longer tensor, and, from its beginning, a tensor in which anything is wrong.
"""

from __future__ import annotations

from nnr_conformance.entropy.binarization import LONGEST_PREFIX, NO_BOUND, decode_magnitude
from nnr_conformance.entropy.contexts import GREATER
from nnr_conformance.entropy.engine import (
    AHEAD,
    FAULT,
    NEIGHBOUR,
    PADDING,
    POSITION,
    RANGE,
    STATE,
    VALUE,
    Counters,
    Ints,
    refill,
)
from nnr_conformance.entropy.faults import OVERRUN, PARAMETER_OVERFLOW
from nnr_conformance.entropy.rows import DQ, OVERRUN_CHECK, UNARY, decode_segment
from nnr_conformance.entropy.tables import tables

NODE, CONTEXT, FINISHED = 32, 44, 62
NODE_MASK, CONTEXT_MASK = 0xFFF, 0x1FF
"""Fields of an edge of the automaton."""
NEIGHBOURS = 3
START_NODES = 8 * NEIGHBOURS
"""Sign classes of a neighbour, and the nodes before a weight, with a word that leads to each behind all edges."""
COUNTER0_AT = 0
COUNTER1_AT = COUNTER0_AT + len(tables().next_counter0)
RANGE_LPS_AT = COUNTER1_AT + len(tables().next_counter1)
RENORMALIZATION_AT = RANGE_LPS_AT + len(tables().range_lps)
"""Where each table begins in the one table of this loop: compiled, one address serves them all."""
NEXT_STATE = tables().next_state
SECOND = CONTEXT_MASK + 1
"""Where the contexts of the second tensor begin; those of the first begin at 0, two numbers each."""
CONTEXT_NUMBERS = 2 * SECOND
SAFE_MAGNITUDE = 1 << 30
"""Below it no level and no parameter leaves 32 bits."""

Step = tuple[int, int, int, int, int, int]


def joined_tables() -> tuple[int, ...]:
    """The tables of the engine in one."""
    found = tables()
    return found.next_counter0 + found.next_counter1 + found.range_lps + found.renormalization


def step(
    edges: Ints,
    table: Ints,
    contexts: Counters,
    first_context: int,
    payload: Ints,
    quantized: Counters,
    word: int,
    done: int,
    interval: int,
    value: int,
    ahead: int,
    position: int,
) -> Step:
    """Decode one bin of one tensor: `engine.decode_bin` without branches, then the edge that it takes.

    `word`: the edge that led here. `done`: number of weights that are finished.
    """
    if ahead < 8:
        value, ahead, position = refill(payload, value, ahead, position)
    context = first_context + ((word >> CONTEXT) & CONTEXT_MASK)
    counter0 = contexts[context]
    counter1 = contexts[context + 1]
    probability = 16 * counter0 + counter1
    lps = table[RANGE_LPS_AT + ((probability >> 4) & 504) + ((interval >> 5) & 7)]
    interval -= lps
    border = interval << ahead
    is_lps = ~((value - border) >> 63)
    value -= border & is_lps
    interval += (lps - interval) & is_lps
    bin_value = ((probability >> 12) ^ is_lps) & 1
    doublings = table[RENORMALIZATION_AT + (interval & 511)]
    interval <<= doublings
    ahead -= doublings
    contexts[context] = table[COUNTER0_AT + 2 * counter0 + bin_value]
    contexts[context + 1] = table[COUNTER1_AT + 2 * counter1 + bin_value]
    word = edges[((word >> NODE) & NODE_MASK) + bin_value]
    quantized[done & 0x7FFFFFFF] = word
    return word, done + ((word >> FINISHED) & 1), interval, value, ahead, position


def finish_level(
    edges: Ints,
    payload: Ints,
    engine: Counters,
    counters0: Counters,
    counters1: Counters,
    coding: Ints,
    quantized: Counters,
    word: int,
    done: int,
    interval: int,
    value: int,
    ahead: int,
    position: int,
) -> Step:
    """Decode the remainder of a level with the contexts of the plain loop; a fault is told in the engine."""
    state, negative = (word >> 1) & 7, word & 1
    unary = coding[UNARY] & 511
    magnitude, length, interval, value, ahead, position = decode_magnitude(
        payload,
        counters0,
        counters1,
        GREATER + 2 * unary,
        GREATER,
        0,
        unary,
        GREATER + 4 * unary,
        NO_BOUND,
        interval,
        value,
        ahead,
        position,
    )
    if length == LONGEST_PREFIX or magnitude >= SAFE_MAGNITUDE:
        engine[FAULT] = PARAMETER_OVERFLOW
    sign = 1 - 2 * negative
    parameter = sign * magnitude
    if coding[DQ]:
        parameter = 2 * parameter - sign * (state & 1)
        state = NEXT_STATE[2 * state + (magnitude & 1)] * 1
    quantized[done] = parameter
    word = edges[len(edges) - START_NODES + NEIGHBOURS * state + (2 >> negative)]
    return word, done + 1, interval, value, ahead, position


def finish_tensor(
    edges: Ints,
    table: Ints,
    contexts: Counters,
    first_context: int,
    payload: Ints,
    engine: Counters,
    counters0: Counters,
    counters1: Counters,
    coding: Ints,
    no_base: Ints,
    no_history: Ints,
    quantized: Counters,
    word: int,
    done: int,
    interval: int,
    value: int,
    ahead: int,
    position: int,
) -> None:
    """Go on to the end of the weight that was begun, then to the end of the tensor with the plain loop."""
    while word >> NODE & NODE_MASK >= 2 * START_NODES:
        word, done, interval, value, ahead, position = step(
            edges, table, contexts, first_context, payload, quantized, word, done, interval, value, ahead, position
        )
        if word < 0:
            word, done, interval, value, ahead, position = finish_level(
                edges,
                payload,
                engine,
                counters0,
                counters1,
                coding,
                quantized,
                word,
                done,
                interval,
                value,
                ahead,
                position,
            )
    for context in range(GREATER + 2 * coding[UNARY]):
        counters0[context] = contexts[first_context + 2 * context]
        counters1[context] = contexts[first_context + 2 * context + 1]
    engine[RANGE], engine[VALUE], engine[AHEAD], engine[POSITION] = interval, value, ahead, position
    node = (word >> NODE & NODE_MASK) >> 1
    engine[STATE], engine[NEIGHBOUR] = node // NEIGHBOURS, node % NEIGHBOURS
    while done < len(quantized) and engine[FAULT] == 0:
        end = min(done + OVERRUN_CHECK, len(quantized))
        decode_segment(payload, engine, counters0, counters1, coding, no_base, no_history, quantized, done, end)
        done = end
        note_overrun(payload, engine, engine[AHEAD], engine[POSITION])
    note_overrun(payload, engine, engine[AHEAD], engine[POSITION])


def note_overrun(payload: Ints, engine: Counters, ahead: int, position: int) -> None:
    """Tell in the engine when more bits were read than the payload has."""
    if 8 * position - ahead > 8 * (len(payload) - PADDING):
        engine[FAULT] = OVERRUN


def decode_pair(
    edges: Ints,
    table: Ints,
    contexts: Counters,
    no_base: Ints,
    no_history: Ints,
    payload_a: Ints,
    engine_a: Counters,
    counters0_a: Counters,
    counters1_a: Counters,
    coding_a: Ints,
    quantized_a: Counters,
    payload_b: Ints,
    engine_b: Counters,
    counters0_b: Counters,
    counters1_b: Counters,
    coding_b: Ints,
    quantized_b: Counters,
) -> None:
    """Decode all weights of two plain tensors of one unary length that are scanned row by row.

    `edges`: of the automaton. `table`: `joined_tables`. `contexts`: two numbers for each context of the first tensor,
    from SECOND on of the second; those that a remainder has stay in `counters0` and `counters1`. `no_base`,
    `no_history`: empty. The others as for `rows.decode_rows`. A fault in an engine says that its tensor is to be
    decoded again, by the plain loop.
    """
    for context in range(GREATER + 2 * coding_a[UNARY]):
        contexts[2 * context] = counters0_a[context]
        contexts[2 * context + 1] = counters1_a[context]
        contexts[SECOND + 2 * context] = counters0_b[context]
        contexts[SECOND + 2 * context + 1] = counters1_b[context]
    interval_a, value_a, ahead_a, position_a = engine_a[RANGE], engine_a[VALUE], engine_a[AHEAD], engine_a[POSITION]
    interval_b, value_b, ahead_b, position_b = engine_b[RANGE], engine_b[VALUE], engine_b[AHEAD], engine_b[POSITION]
    word_a = word_b = edges[len(edges) - START_NODES]
    done_a = done_b = 0
    while done_a < len(quantized_a) and done_b < len(quantized_b) and engine_a[FAULT] == 0 and engine_b[FAULT] == 0:
        # A step finishes one weight at most.
        for _ in range(min(len(quantized_a) - done_a, len(quantized_b) - done_b, OVERRUN_CHECK)):
            word_a, done_a, interval_a, value_a, ahead_a, position_a = step(
                edges,
                table,
                contexts,
                0,
                payload_a,
                quantized_a,
                word_a,
                done_a,
                interval_a,
                value_a,
                ahead_a,
                position_a,
            )
            word_b, done_b, interval_b, value_b, ahead_b, position_b = step(
                edges,
                table,
                contexts,
                SECOND,
                payload_b,
                quantized_b,
                word_b,
                done_b,
                interval_b,
                value_b,
                ahead_b,
                position_b,
            )
            if (word_a | word_b) < 0:
                break
        if word_a < 0:
            word_a, done_a, interval_a, value_a, ahead_a, position_a = finish_level(
                edges,
                payload_a,
                engine_a,
                counters0_a,
                counters1_a,
                coding_a,
                quantized_a,
                word_a,
                done_a,
                interval_a,
                value_a,
                ahead_a,
                position_a,
            )
        if word_b < 0:
            word_b, done_b, interval_b, value_b, ahead_b, position_b = finish_level(
                edges,
                payload_b,
                engine_b,
                counters0_b,
                counters1_b,
                coding_b,
                quantized_b,
                word_b,
                done_b,
                interval_b,
                value_b,
                ahead_b,
                position_b,
            )
        note_overrun(payload_a, engine_a, ahead_a, position_a)
        note_overrun(payload_b, engine_b, ahead_b, position_b)
    if engine_a[FAULT] == 0:
        finish_tensor(
            edges,
            table,
            contexts,
            0,
            payload_a,
            engine_a,
            counters0_a,
            counters1_a,
            coding_a,
            no_base,
            no_history,
            quantized_a,
            word_a,
            done_a,
            interval_a,
            value_a,
            ahead_a,
            position_a,
        )
    if engine_b[FAULT] == 0:
        finish_tensor(
            edges,
            table,
            contexts,
            SECOND,
            payload_b,
            engine_b,
            counters0_b,
            counters1_b,
            coding_b,
            no_base,
            no_history,
            quantized_b,
            word_b,
            done_b,
            interval_b,
            value_b,
            ahead_b,
            position_b,
        )
