"""Inputs of the battery that provoke by the values of their tensors."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnr_conformance.adapters import Arrays
from nnr_conformance.suite.certify.inputs import BatteryInput, single
from nnr_conformance.suite.certify.noise import bell, heavy_tailed

Matrix = NDArray[np.float32]
_SHAPE = (20, 33)


def value_inputs() -> Iterator[BatteryInput]:
    """Nothing but zeros to nothing that is finite."""
    yield _input("zeros", "All zero.", "Divides by the largest magnitude.", _zeros)
    yield _input("one-first", "Zero but for the first number.", "Takes the tensor for empty.", partial(_one, 0))
    yield _input("one-last", "Zero but for the last number.", "Ends the payload a weight early.", partial(_one, -1))
    yield _input("constant", "The same number everywhere.", "Divides by the range, which is 0.", partial(_same, 0.1875))
    yield _input("constant-negative", "The same negative number.", "Loses signs.", partial(_same, -0.3125))
    yield _input("alternating", "Signs in turns.", "Updates contexts of signs with another one.", _alternating)
    yield _input("zero-rows", "Rows of zeros between others.", "Skips rows that are not zero.", _zero_rows)
    yield _input("ramp", "Equal steps from -1 to 1.", "Clips one end of the range.", _ramp)
    yield _input("ties", "Odd multiples of half of 2^-10.", "Rounds ties beyond half a step.", _ties)
    yield _input("heavy-tails", "Few numbers hundreds of times the others.", "Clips large levels.", _heavy_tails)
    yield _input("outlier", "One number of 1000 among small ones.", "Codes remainders with too few bits.", _outlier)
    yield _input("large", "Numbers up to 2000.", "Levels in 16 bits.", lambda: bell(104, _SHAPE, 1024.0))
    yield _input(
        "huge",
        "Numbers up to 2^100: with any usual step the levels are beyond 32 bits.",
        "Lets levels wrap; clips them without a word.",
        lambda: bell(105, _SHAPE, 2.0**99),
        refusable=True,
    )
    yield _input(
        "largest",
        "The largest finite binary32 number and its negative.",
        "Reconstructs infinities.",
        lambda: np.where(bell(106, (3, 5)) < 0, np.finfo(np.float32).max, -np.finfo(np.float32).max),
        refusable=True,
    )
    yield _input(
        "tiny", "Numbers below 2^-60.", "Derives a step without exponent.", lambda: bell(107, _SHAPE, 2.0**-60)
    )
    yield _input("subnormal", "Subnormal binary32 numbers.", "Divides by 0.", lambda: bell(108, _SHAPE, 2.0**-140))
    yield _input(
        "small",
        "Numbers about 2^-12, as those of late updates are, which need steps far below those of weights.",
        "Signals a step that its field does not hold.",
        lambda: bell(118, _SHAPE, 2.0**-12),
    )
    yield _input("minus-zero", "-0.0 beside 0.0 and other numbers.", "Codes a sign of zero.", _minus_zero)
    yield from _not_finite()
    yield from _dtypes()


def _input(name: str, purpose: str, bug: str, make: Any, *, refusable: bool = False) -> BatteryInput:
    return BatteryInput(
        f"values/{name}",
        purpose,
        bug,
        single(lambda: {"w": make().astype(np.float32), "b": bell(100, (11,))}),
        refusable,
    )


def _not_finite() -> Iterator[BatteryInput]:
    rows = (
        ("nan", "One NaN among numbers.", "Codes 0, or the smallest integer, in its place.", np.nan),
        ("infinity", "One infinity among numbers.", "Codes the largest level in its place.", np.inf),
        ("minus-infinity", "One negative infinity among numbers.", "As infinity, with the sign lost.", -np.inf),
    )
    for number, (name, purpose, bug, value) in enumerate(rows):
        yield _input(name, f"{purpose} To be refused or kept.", bug, partial(_with_one, number, value), refusable=True)
    yield _input(
        "nan-everywhere",
        "NaN and nothing else. To be refused or kept.",
        "Takes a largest magnitude of NaN for 0.",
        lambda: np.full((3, 4), np.nan),
        refusable=True,
    )


def _dtypes() -> Iterator[BatteryInput]:
    yield BatteryInput(
        "values/float16",
        "Binary16 numbers.",
        "Reads their bytes as binary32.",
        single(lambda: _typed(np.float16)),
        refusable=True,
    )
    yield BatteryInput(
        "values/float64",
        "Binary64 numbers that binary32 does not hold exactly.",
        "Reads their bytes as binary32.",
        single(lambda: {"w": bell(121, _SHAPE).astype(np.float64) / 3}),
        refusable=True,
    )
    yield BatteryInput(
        "values/float64-beyond",
        "Binary64 numbers beyond the range of binary32.",
        "Writes infinities.",
        single(lambda: {"w": bell(122, (4, 5)).astype(np.float64) * 2.0**300}),
        refusable=True,
    )


def _typed(dtype: Any) -> Arrays:
    return {"w": bell(120, _SHAPE).astype(dtype), "v": bell(120, (5, 5))}


def _zeros() -> Matrix:
    return np.zeros(_SHAPE, np.float32)


def _one(place: int) -> Matrix:
    values = _zeros()
    values.flat[place] = 0.75
    return values


def _same(value: float) -> Matrix:
    return np.full(_SHAPE, value, np.float32)


def _alternating() -> Matrix:
    values = np.abs(bell(101, _SHAPE)) + np.float32(0.0625)
    values.reshape(-1)[1::2] *= -1
    return values


def _zero_rows() -> Matrix:
    values = bell(102, _SHAPE)
    values[::3] = 0
    values[1] = 0
    return values


def _ramp() -> Matrix:
    return (np.arange(-330, 330, dtype=np.float32) / np.float32(330)).reshape(_SHAPE)


def _ties() -> Matrix:
    return ((2 * np.arange(-330, 330, dtype=np.float32) + 1) / np.float32(2048)).reshape(_SHAPE)


def _heavy_tails() -> Matrix:
    return heavy_tailed(103, _SHAPE)


def _outlier() -> Matrix:
    values = bell(109, _SHAPE)
    values[7, 5] = 1000
    return values


def _minus_zero() -> Matrix:
    values = bell(110, _SHAPE)
    values[::2, ::3] = -0.0
    values[1::2, ::3] = 0.0
    return values


def _with_one(number: int, value: float) -> Matrix:
    values = bell(111 + number, _SHAPE)
    values[3, 4] = value
    return values
