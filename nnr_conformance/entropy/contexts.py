"""Clause 10: where each context variable is, and the order in which initialization ids are sent."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache, lru_cache

from nnr_conformance.entropy.engine import (
    AHEAD,
    POSITION,
    RANGE,
    VALUE,
    Counters,
    Ints,
    decode_bin,
    decode_bypass,
)
from nnr_conformance.entropy.parameters import PayloadRules, TensorCoding
from nnr_conformance.entropy.tables import context_layout, tables

INITIAL_COUNTER0 = tables().initial_counter0
INITIAL_COUNTER1 = tables().initial_counter1

SIG_NEIGHBOUR = 0
SIG_BASE = 24
SIG_HISTORY = 40
SIGN_NEIGHBOUR = 48
SIGN_BASE = 51
GREATER = 53
"""First indices of the groups that do not depend on the unary length; `greater` is followed by groups that do."""


@cache
def group_starts(unary_length: int) -> dict[str, int]:
    """First index of each context group by its name in `spec/tables/cabac.yaml`, and ``total``, for one U."""
    starts, index = {}, 0
    for group in context_layout():
        starts[group["name"]] = index
        index += 2 * unary_length if group["count"] == "2*U" else group["count"]
    starts["total"] = index
    return starts


def initial_counters(unary_length: int) -> tuple[list[int], list[int]]:
    """All context variables of a tensor with initialization id 0."""
    total = group_starts(unary_length)["total"]
    return [tables().initial_counter0[0]] * total, [tables().initial_counter1[0]] * total


def coded_contexts(coding: TensorCoding, history_flag: bool, rules: PayloadRules) -> tuple[int, ...]:
    """Indices of the contexts that have an initialization id in the payload, in coded order.

    A codebook leaves out those that no level inside it can reach.
    """
    return _coded_contexts(
        coding.unary_length,
        coding.dq,
        coding.temporal,
        history_flag,
        coding.bound_size,
        coding.codebook_zero if coding.bound_size else 0,
        rules.prefix_ids,
    )


@lru_cache(64)
def _coded_contexts(*parameters: int) -> tuple[int, ...]:
    return tuple(_contexts_in_order(*parameters))


def _contexts_in_order(
    unary_length: int, dq: int, temporal: int, history_flag: int, size: int, zero: int, prefix_ids: int
) -> Iterator[int]:
    starts = group_starts(unary_length)
    flags = 2 * unary_length
    states = 8 if dq else 1
    farthest = max(zero, size - 1 - zero) if size else None
    if size != 1:
        yield from range(3 * states)
        if temporal:
            yield from range(SIG_BASE, SIG_BASE + 2 * states)
        if history_flag:
            yield from range(SIG_HISTORY, SIG_HISTORY + states)
    if size == 0 or 0 < zero < size - 1:
        yield from range(SIGN_NEIGHBOUR, GREATER if temporal else SIGN_BASE)
    yield from range(GREATER, GREATER + (flags if farthest is None else min(flags, 2 * farthest)))
    if temporal:
        first = starts["greater_base"]
        yield from range(first, first + (flags if farthest is None else min(flags, 2 * (farthest - 1))))
    for prefix_bin in range(prefix_ids):
        if farthest is None or unary_length - 2 + (2 << prefix_bin) < farthest:
            yield starts["remainder_prefix"] + prefix_bin


def decode_init_ids(
    payload: Ints,
    engine: Counters,
    counters0: Counters,
    counters1: Counters,
    coded: Ints,
    first: int,
    end: int,
    present: int,
    init_ids: Counters,
) -> int:
    """Read an initialization id for each of the contexts `coded` [first..end-1] into `init_ids`, zeros before.

    The contexts are initialized by them. `present`: the context of the flag before each id. Returns whether there is an
    id that is not 0. Written once and run twice, like the weight loops (`rows`).
    """
    interval, value, ahead, position = engine[RANGE], engine[VALUE], engine[AHEAD], engine[POSITION]
    some = 0
    for number in range(first, end):
        chosen, interval, value, ahead, position = decode_bin(
            payload, counters0, counters1, present, interval, value, ahead, position
        )
        if chosen:
            init_id, value, ahead, position = decode_bypass(payload, 3, interval, value, ahead, position)
            init_ids[number] = init_id + 1
            counters0[coded[number]] = INITIAL_COUNTER0[init_id + 1]
            counters1[coded[number]] = INITIAL_COUNTER1[init_id + 1]
            some = 1
    engine[RANGE] = interval
    engine[VALUE] = value
    engine[AHEAD] = ahead
    engine[POSITION] = position
    return some
