"""Clause 10: where each context variable is, and the order in which initialization ids are sent."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from nnr_conformance.entropy.engine import Counters, Ints, read_bin, read_bits
from nnr_conformance.entropy.parameters import PayloadRules, TensorCoding
from nnr_conformance.entropy.tables import context_layout, tables

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


def coded_contexts(coding: TensorCoding, history_flag: bool, rules: PayloadRules) -> Iterator[int]:
    """Indices of the contexts that have an initialization id in the payload, in coded order.

    A codebook leaves out those that no level inside it can reach.
    """
    starts = group_starts(coding.unary_length)
    size, zero, flags = coding.bound_size, coding.codebook_zero, 2 * coding.unary_length
    states = 8 if coding.dq else 1
    farthest = max(zero, size - 1 - zero) if size else None
    if size != 1:
        yield from range(3 * states)
        if coding.temporal:
            yield from range(SIG_BASE, SIG_BASE + 2 * states)
        if history_flag:
            yield from range(SIG_HISTORY, SIG_HISTORY + states)
    if size == 0 or 0 < zero < size - 1:
        yield from range(SIGN_NEIGHBOUR, GREATER if coding.temporal else SIGN_BASE)
    yield from range(GREATER, GREATER + (flags if farthest is None else min(flags, 2 * farthest)))
    if coding.temporal:
        first = starts["greater_base"]
        yield from range(first, first + (flags if farthest is None else min(flags, 2 * (farthest - 1))))
    for prefix_bin in range(rules.prefix_ids):
        if farthest is None or coding.unary_length - 2 + (2 << prefix_bin) < farthest:
            yield starts["remainder_prefix"] + prefix_bin


def read_init_ids(
    payload: Ints,
    engine: Counters,
    counters0: Counters,
    counters1: Counters,
    coding: TensorCoding,
    history_flag: bool,
    rules: PayloadRules,
) -> tuple[tuple[int, int], ...]:
    """Read the initialization ids and initialize the contexts; returns (context index, id) in coded order."""
    present = group_starts(coding.unary_length)["id_present"]
    ids = []
    for context in coded_contexts(coding, history_flag, rules):
        init_id = 0
        if read_bin(payload, engine, counters0, counters1, present):
            init_id = 1 + read_bits(payload, engine, 3)
            counters0[context] = tables().initial_counter0[init_id]
            counters1[context] = tables().initial_counter1[init_id]
        ids.append((context, init_id))
    return tuple(ids)
