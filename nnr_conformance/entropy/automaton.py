"""Clause 10: the weights of a plain tensor as an automaton, found by asking the plain loop.

A plain tensor has no codebook, base or history. Which context variable its next bin has, and what a weight's bins say,
is written down in `rows.decode_segment`; nothing of it is repeated here. `weight_automaton` runs that very function for
one weight at a time on an engine that answers from a list, and records for which context it asks, and where it ends.

A node is a bin to be decoded; the nodes 3 * state + neighbour are the significance flags. An edge is a word of 64 bits:

* bits 0 to 31: the quantized parameter of a weight that ends, as a signed number; else 0, or, before a remainder,
  2 * state + negative
* bits NODE to NODE + 11: twice the number of the next node
* bits CONTEXT to CONTEXT + 8: twice the number of its context
* bit FINISHED: a weight ends
* the sign: the remainder of a level comes next, which is left to the plain loop
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from types import FunctionType
from typing import Any, NamedTuple

from nnr_conformance.entropy import engine as ac
from nnr_conformance.entropy import rows
from nnr_conformance.entropy.binding import bound_decode_rows
from nnr_conformance.entropy.contexts import GREATER
from nnr_conformance.entropy.pair_loop import CONTEXT, FINISHED, NEIGHBOURS, NODE, START_NODES

WORD = 1 << 64
LARGEST_UNARY_LENGTH = 64
"""What the fields have room for, and more than anybody uses; the number of nodes grows with it."""


class _Weight(NamedTuple):
    """The end of a weight: its quantized parameter, the trellis state and the sign class behind it."""

    parameter: int
    state: int
    neighbour: int


class _Remainder(NamedTuple):
    """The greater-than flags have ended, and the level has not."""

    state: int
    negative: int


class _Flag(NamedTuple):
    """A bin: its context, and what follows on a 0 and on a 1."""

    context: int
    zero: Any
    one: Any


@cache
def weight_automaton(unary_length: int, dq: bool) -> tuple[int, ...]:
    """The edges at 2 * node + bin, then a word that leads to each start node, as signed 64-bit integers.

    Without `dq` only the start nodes of state 0 are real.
    """
    segment = _AskedSegment(unary_length, dq)
    starts = [_flag(segment, divmod(node, NEIGHBOURS), ()) for node in range(START_NODES if dq else NEIGHBOURS)]
    # Equal flags are one node: what is left of a weight seldom depends on all that was before.
    numbers: dict[_Flag, int] = {}
    for flag in _flags_of(starts):
        numbers.setdefault(flag, START_NODES + len(numbers))
    edges = [0] * (2 * START_NODES)
    for node, start in enumerate(starts):
        edges[2 * node : 2 * node + 2] = (_word(end, numbers, starts) for end in (start.zero, start.one))
    for flag in numbers:
        edges += (_word(end, numbers, starts) for end in (flag.zero, flag.one))
    edges += (_leading_to(node, starts) for node in range(len(starts)))
    edges += [0] * (START_NODES - len(starts))
    return tuple(edges)


class _AskedSegment:
    """The plain loop over an engine that answers with given bins."""

    def __init__(self, unary_length: int, dq: bool) -> None:
        self._coding = [0] * rows.CODING_CELLS
        self._coding[rows.UNARY], self._coding[rows.DQ] = unary_length, int(dq)
        self._coding[rows.LOWEST], self._coding[rows.HIGHEST] = rows.INT32_LOWEST, rows.INT32_HIGHEST
        self._prefix = GREATER + 4 * unary_length
        self._bins: list[int] = []
        namespace = dict(bound_decode_rows(all_tools=False, compiled=False).__globals__)
        namespace["decode_bin"] = namespace["decode_sign"] = self._answer
        for name in ("decode_magnitude", "decode_segment"):
            namespace[name] = FunctionType(namespace[name].__code__, namespace)
        self._segment = namespace["decode_segment"]

    def follow(self, start: tuple[int, int], bins: tuple[int, ...]) -> int | _Weight | _Remainder:
        """The context of the bin after `bins` of a weight that starts in (state, neighbour), or how the weight ends."""
        cells, quantized = [0] * ac.ENGINE_CELLS, [0]
        cells[ac.STATE], cells[ac.NEIGHBOUR] = start
        self._bins = [*bins]
        try:
            self._segment((), cells, (), (), self._coding, (), (), quantized, 0, 1)
        except _AskedError as asked:
            context = asked.context
            return context if context < self._prefix else _Remainder(start[0], bins[1])
        return _Weight(quantized[0], cells[ac.STATE], cells[ac.NEIGHBOUR])

    def _answer(self, payload: Any, counters0: Any, counters1: Any, context: int, *registers: int) -> tuple[int, ...]:
        if not self._bins:
            raise _AskedError(context)
        return self._bins.pop(0), *registers


class _AskedError(Exception):
    """The loop asks for a bin that is not in the list."""

    def __init__(self, context: int) -> None:
        super().__init__(context)
        self.context = context


def _flag(segment: _AskedSegment, start: tuple[int, int], bins: tuple[int, ...]) -> Any:
    found = segment.follow(start, bins)
    if isinstance(found, int):
        return _Flag(found, _flag(segment, start, (*bins, 0)), _flag(segment, start, (*bins, 1)))
    return found


def _flags_of(flags: list[Any]) -> Iterator[_Flag]:
    """All flags behind these, the next of each first."""
    for flag in flags:
        behind = [end for end in (flag.zero, flag.one) if isinstance(end, _Flag)]
        yield from behind
        yield from _flags_of(behind)


def _word(end: Any, numbers: dict[_Flag, int], starts: list[_Flag]) -> int:
    if isinstance(end, _Remainder):
        word = WORD // 2 + 2 * end.state + end.negative
    elif isinstance(end, _Flag):
        word = 2 * numbers[end] << NODE | 2 * end.context << CONTEXT
    else:
        word = end.parameter & 0xFFFFFFFF | 1 << FINISHED
        word |= _leading_to(NEIGHBOURS * end.state + end.neighbour, starts)
    return word - WORD if word >> 63 else word


def _leading_to(node: int, starts: list[_Flag]) -> int:
    return 2 * node << NODE | 2 * starts[node].context << CONTEXT
