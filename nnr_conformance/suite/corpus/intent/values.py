"""Numbers from quantized parameters (clause 9): step size, uniform reconstruction, codebooks, raw floats."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nnr_conformance.suite.corpus.intent.exact import BINARY32, BINARY64, Exact, Format, exact, product, rounded
from nnr_conformance.suite.corpus.intent.refusal import NoIntent

_INT32 = range(-(1 << 31), 1 << 31)


@dataclass(frozen=True, slots=True)
class Codebook:
    """The entries in growing order, and the index of the one that level 0 addresses."""

    entries: tuple[int, ...]
    zero: int


def codebook(size: int, offset: int, zero_value: int, left: Sequence[int], right: Sequence[int]) -> Codebook:
    """The codebook of its elements. `left`, `right`: differences in the order of entries."""
    zero = (size >> 1) + offset
    if not 0 <= zero < size:
        raise NoIntent(f"entry {zero} of a codebook of {size} entries does not exist")
    entries = [zero_value]
    for difference in reversed(left):
        entries.insert(0, entries[0] - 1 - difference)
    for difference in right:
        entries.append(entries[-1] + 1 + difference)
    if len(entries) != size:
        raise NoIntent(f"the recipe has {len(entries)} of {size} codebook entries")
    if entries[0] not in _INT32 or entries[-1] not in _INT32:
        raise NoIntent("a codebook entry does not fit 32 bits")
    return Codebook(tuple(entries), zero)


def step_size(qp: int, density: int, form: Format) -> float:
    """The step size: linear between powers of two, doubled by 2^density units."""
    units = 1 << density
    exponent = qp // units
    return rounded(Exact(units + qp % units, exponent - density), form)


def uniform(quantized: Sequence[int], qp: int, density: int, *, rounded_once: bool) -> NDArray[np.float32]:
    """Binary32 values. `rounded_once`: the exact product is rounded, and not the level before."""
    step = step_size(qp, density, BINARY32)

    def one(level: int) -> float:
        if rounded_once and level and step and math.isfinite(step):
            return rounded(exact(step).times(Exact(level, 0)), BINARY32)
        return product(step, rounded(Exact(level, 0), BINARY32), BINARY32)

    return np.array(_each(quantized, one), np.float32)


def from_codebook(quantized: Sequence[int], book: Codebook, qp: int, density: int) -> NDArray[np.float64]:
    """Binary64 values, which are exact for all step sizes that binary32 has."""
    step = step_size(qp, density, BINARY64)

    def one(level: int) -> float:
        if not 0 <= level + book.zero < len(book.entries):
            raise NoIntent(f"level {level} is outside of the codebook")
        return product(step, float(book.entries[level + book.zero]), BINARY64)

    return np.array(_each(quantized, one), np.float64)


def _each(quantized: Sequence[int], one: Callable[[int], float]) -> list[float]:
    """The value of each level; few of them differ."""
    known = {level: one(level) for level in set(quantized)}
    return [known[level] for level in quantized]


def raw(data: bytes) -> NDArray[np.float32]:
    """Binary32 numbers as they travel, the least significant byte first, bits of NaN included."""
    if len(data) % 4:
        raise NoIntent("a raw payload has a part of a number")
    return np.frombuffer(data, "<f4").astype(np.float32, copy=True)
