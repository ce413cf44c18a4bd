"""Where entropy decoding parts from the stream: the first bin that a decoder took for another one."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnr_conformance.adapters import Bin
from nnr_conformance.encoder.arithmetic import FIRST_BITS
from nnr_conformance.errors import BuildError, UsageError
from nnr_conformance.suite.diff.bins import (
    NO_WEIGHT,
    TERMINATE,
    CodedBin,
    TracedPayload,
    context_name,
    index_of,
    levels_of_parameters,
    scan_position,
    scanned,
)

MOST_WEIGHTS = 1_000_000
"""Weights of a payload whose bins are looked for; a million takes about half a minute."""

_SHOWN = 200
"""Characters of a part of a bin that are shown."""

_PARTS = ("unit", "tensor", "context", "value", "bit")


@dataclass(frozen=True, slots=True)
class BinDifference:
    """The first bin that differs.

    `unit`, `tensor`: where it is. `number`: of the bin in its payload, from 0. `weight`: index of the weight that it
    codes, empty for what comes before the weights; `position`: of that weight in the scan, -1 for none. `context`,
    `context_name`: that of the stream. `bits`: payload bits that are read before and after the bin; `stream_bit`: the
    place of the first of the two in the stream. `differs`: what of the bin is another one, with both values.
    """

    unit: int
    tensor: str
    number: int
    weight: tuple[int, ...]
    position: int
    context: int
    context_name: str
    bits: tuple[int, int]
    stream_bit: int
    differs: tuple[tuple[str, str, str], ...]


def from_trace(payloads: Sequence[TracedPayload], trace: Iterable[Bin]) -> BinDifference | None:
    """The first bin of a trace that is not that of the stream. Raises UsageError for what is no trace."""
    bins = ((payload, number, one) for payload in payloads for number, one in enumerate(payload.bins()))
    for expected, found in itertools.zip_longest(bins, trace):
        if expected is None:
            assert found is not None
            return _behind_the_end(payloads, found)
        payload, number, wanted = expected
        if found is None or tuple(found) != tuple(wanted):
            return _described(payload, number, _differing(payload, wanted, found))
    return None


def from_levels(payload: TracedPayload, number: int, parameters: NDArray[Any]) -> BinDifference | None:
    """The first bin that a decoder must have taken for another one to come to these parameters of a tensor.

    `number`: of the tensor in the payload. None when no bin explains it: the parameters cannot be had in the states
    that the levels lead to, or nobody can say, in payloads that are too large.
    """
    if sum(one.elements for one in payload.codings) > MOST_WEIGHTS:
        return None
    levels, impossible = levels_of_parameters(payload, number, parameters)
    first = first_weight(payload, number, parameters)
    if first is None or impossible == first:
        return None
    before = list(payload.coded(number))
    other = _bins_with(payload, number, levels, first)
    offset = sum(len(one) for one in before[:-1])
    for at, wanted in enumerate(before[-1]):
        if wanted.weight == first:
            given = other.pop(0) if other else None
            if given is None or (given.context, given.value) != (wanted.context, wanted.value):
                return _described(payload, offset + at, (("value", str(wanted.value), str(1 - wanted.value)),))
    return None


def first_weight(payload: TracedPayload, number: int, parameters: NDArray[Any]) -> int | None:
    """The first weight in the scan that is another one, by its row-major number."""
    wrong = (payload.results[number].quantized.reshape(-1) != np.asarray(parameters).reshape(-1)).tolist()
    return next((weight for weight in scanned(payload.codings[number]) if wrong[weight]), None)


def _bins_with(payload: TracedPayload, number: int, levels: Sequence[int], weight: int) -> list[CodedBin]:
    """The bins of a weight when a tensor has other levels there; none when it cannot have them."""
    wanted = payload.levels(number)
    wanted[weight] = levels[weight]
    try:
        return [one for one in [*payload.coded(number, wanted)][-1] if one.weight == weight]
    except BuildError:
        return []


def _described(payload: TracedPayload, number: int, differs: tuple[tuple[str, str, str], ...]) -> BinDifference:
    """A bin by its number in the payload."""
    rows = [(at, one) for at, coded in enumerate(payload.coded()) for one in coded]
    last, end = rows[-1] if rows else (0, CodedBin(TERMINATE, 1, FIRST_BITS, NO_WEIGHT))
    tensor, found = rows[number] if number < len(rows) else (last, CodedBin(TERMINATE, 1, end.bit, NO_WEIGHT))
    before = rows[number - 1][1].bit if number else FIRST_BITS
    coding, in_weights = payload.codings[tensor], found.weight != NO_WEIGHT
    return BinDifference(
        unit=payload.unit,
        tensor=payload.names[tensor],
        number=number,
        weight=index_of(coding.shape, found.weight) if in_weights else (),
        position=scan_position(coding, found.weight) if in_weights else NO_WEIGHT,
        context=found.context,
        context_name=context_name(found.context, coding.unary_length),
        bits=(before, found.bit),
        stream_bit=payload.stream_bit(before),
        differs=differs,
    )


def _differing(payload: TracedPayload, wanted: Bin, found: Bin | None) -> tuple[tuple[str, str, str], ...]:
    if found is None:
        return (("bin", "one more", "the trace ends"),)
    unary = max(coding.unary_length for coding in payload.codings)
    rows = []
    for part in _PARTS:
        one, other = (shortened(str(getattr(each, part))) for each in (wanted, found))
        if getattr(wanted, part) != getattr(found, part):
            if part == "context":
                one, other = (f"{number} {context_name(int(number), unary)}" for number in (one, other))
            rows.append((part, one, other))
    return tuple(rows)


def shortened(text: str) -> str:
    """A name of a trace, which somebody else wrote, as far as people read it."""
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"


def _behind_the_end(payloads: Sequence[TracedPayload], found: Bin) -> BinDifference:
    if not payloads:
        raise UsageError("the stream has no arithmetic-coded payload, but the trace has bins")
    last = payloads[-1]
    number = sum(1 for _ in last.bins()) - 1
    shown = f"{found.value} with context {found.context} in {shortened(found.tensor)!r}"
    return _described(last, number, (("bin", "none behind this one", shown),))
