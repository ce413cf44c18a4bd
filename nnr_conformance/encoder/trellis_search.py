"""Clause 9, encoder side: levels by distortion and rate, with and without the trellis of dependent quantization.

Plain Python over floating-point numbers and sequences, run as it stands or compiled (`binding.py`); both give the same
levels, because every operation is one rounding of binary64 in the same order. Values are divided by the step size, so
that the quantizer of even states has the points ..., -2, 0, 2, ... and that of odd states ..., -3, -1, 0, 1, 3, ...
"""

from __future__ import annotations

from collections.abc import MutableSequence, Sequence

from nnr_conformance.encoder.lookup import lookup

STATES = 8
NEXT_STATE = lookup().next_state
_WAYS = sorted((NEXT_STATE[2 * state + parity], state, parity) for state in range(STATES) for parity in range(2))
BEFORE = tuple(state for _, state, _ in _WAYS)
"""The two states from which a state is reached, at ``2*state``."""
BEFORE_PARITY = tuple(parity for _, _, parity in _WAYS)
UNREACHED = 1e300

EVEN, ODD, ZERO = 16, 24, 32
"""Places in the scratch memory behind two rows of costs: the cheapest way from each state with an even and with an odd
level, and whether the even level is 0."""
SCRATCH = 40

Floats = Sequence[float]


def nearest_magnitude(value: float, quantizer: int, parity: int) -> int:
    """The magnitude of the level, not 0, of this parity whose point is nearest to `value` (not negative)."""
    wanted = 0.5 * (value + quantizer)
    least = 2 - parity
    # Truncation rounds down, since nothing here is negative once the least level is taken off.
    above = int(0.5 * (wanted - least) + 0.5) if wanted > least else 0
    return least + 2 * above


def level_rate(rates: Floats, magnitude: int) -> float:
    """Estimated bits of a magnitude; beyond the table two more for each doubling."""
    last = len(rates) - 1
    if magnitude < last:
        return rates[magnitude]
    rate = rates[last]
    beyond = magnitude - last
    while beyond > 0:
        rate += 2.0
        beyond >>= 1
    return rate


def search_trellis(
    values: Floats,
    significance: Floats,
    rates: Floats,
    weight: float,
    decisions: MutableSequence[int],
    scratch: MutableSequence[float],
) -> int:
    """The state in which the cheapest path ends; `decisions` gets what `trace_trellis` needs of each value.

    `values`: in scan order. `significance`: bits for zero and not zero at ``2*state``. `rates`: bits of sign and
    magnitude. `weight`: the price of a bit in squared steps. A decision has two bits for each state: which of its two
    ways came in, and whether that had level 0. scratch[0] becomes the cost of the path.
    """
    for state in range(2 * STATES):
        scratch[state] = UNREACHED
    scratch[0] = 0.0
    now = 0
    for at in range(len(values)):
        value = abs(values[at])
        for quantizer in range(2):
            even = nearest_magnitude(value, quantizer, 0)
            distance = value - (2 * even - quantizer)
            even_cost = distance * distance + weight * level_rate(rates, even)
            odd = nearest_magnitude(value, quantizer, 1)
            distance = value - (2 * odd - quantizer)
            odd_cost = distance * distance + weight * level_rate(rates, odd)
            for state in range(quantizer, STATES, 2):
                zero_cost = value * value + weight * significance[2 * state]
                not_zero = weight * significance[2 * state + 1]
                before = scratch[now + state]
                if zero_cost <= even_cost + not_zero:
                    scratch[EVEN + state] = before + zero_cost
                    scratch[ZERO + state] = 1.0
                else:
                    scratch[EVEN + state] = before + (even_cost + not_zero)
                    scratch[ZERO + state] = 0.0
                scratch[ODD + state] = before + (odd_cost + not_zero)
        then = STATES - now
        decision = 0
        for state in range(STATES):
            first, second = BEFORE[2 * state] * 1, BEFORE[2 * state + 1] * 1
            first_odd, second_odd = BEFORE_PARITY[2 * state] * 1, BEFORE_PARITY[2 * state + 1] * 1
            first_cost = scratch[EVEN + STATES * first_odd + first]
            second_cost = scratch[EVEN + STATES * second_odd + second]
            if first_cost <= second_cost:
                scratch[then + state] = first_cost
                if first_odd == 0 and scratch[ZERO + first] > 0.0:
                    decision |= 2 << (2 * state)
            else:
                scratch[then + state] = second_cost
                decision |= 1 << (2 * state)
                if second_odd == 0 and scratch[ZERO + second] > 0.0:
                    decision |= 2 << (2 * state)
        decisions[at] = decision
        now = then
    best = 0
    for state in range(1, STATES):
        if scratch[now + state] < scratch[now + best]:
            best = state
    scratch[0] = scratch[now + best]
    return best


def trace_trellis(
    values: Floats,
    decisions: Sequence[int],
    state: int,
    levels: MutableSequence[int],
    quantized: MutableSequence[int],
    counts: MutableSequence[int],
) -> None:
    """The levels of the path that ends in `state`, and the doubled integers that they stand for.

    `counts`: at ``2*state`` how often a level was 0 and was not.
    """
    for at in range(len(values) - 1, -1, -1):
        decision = (decisions[at] >> (2 * state)) & 3
        way = 2 * state + (decision & 1)
        state = BEFORE[way] * 1
        level = 0
        parameter = 0
        if decision < 2:
            level = nearest_magnitude(abs(values[at]), state & 1, BEFORE_PARITY[way] * 1)
            parameter = 2 * level - (state & 1)
            if values[at] < 0:
                level = -level
                parameter = -parameter
        levels[at] = level
        quantized[at] = parameter
        counts[2 * state + int(level != 0)] += 1


def choose_levels(
    values: Floats, significance: Floats, rates: Floats, weight: float, levels: MutableSequence[int]
) -> None:
    """Independent levels: for each value the cheapest of the nearest level, the one below it, and 0."""
    for at in range(len(values)):
        value = abs(values[at])
        nearest = int(value + 0.5)
        best = 0
        cost = value * value + weight * significance[0]
        for magnitude in range(max(1, nearest - 1), nearest + 1):
            distance = value - magnitude
            found = distance * distance + weight * (significance[1] + level_rate(rates, magnitude))
            if found < cost:
                best = magnitude
                cost = found
        levels[at] = -best if values[at] < 0 else best
