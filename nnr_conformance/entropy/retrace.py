"""Clause 10: the loop that retraces the trellis; see `rows.py` for its two lives."""

from __future__ import annotations

from nnr_conformance.entropy.engine import Counters, Ints
from nnr_conformance.entropy.tables import tables

NEXT_STATE = tables().next_state
ZERO_RUN_STATE = tables().zero_run_state


def retrace(
    quantized: Ints,
    firsts: Ints,
    counts: Ints,
    skip: Ints,
    width: int,
    skip_steps: int,
    states: Counters,
    levels: Counters,
) -> int:
    """Fill `states` and `levels` for the segments (firsts, counts); returns the final state.

    `skip_steps`: trellis steps of a skipped segment, 0 for one each weight.
    """
    state = 0
    for index in range(len(firsts)):
        first = firsts[index]
        if skip[first // width]:
            steps = skip_steps or counts[index]
            state = ZERO_RUN_STATE[8 * (steps & 3) + state] * 1
            continue
        for weight in range(first, first + counts[index]):
            parameter = quantized[weight] * 1
            magnitude = (abs(parameter) + (state & 1)) >> 1 if parameter else 0
            states[weight] = state
            levels[weight] = magnitude if parameter > 0 else -magnitude
            state = NEXT_STATE[2 * state + (magnitude & 1)] * 1
    return state
