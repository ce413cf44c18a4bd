"""Arithmetic without rounding on numbers of two, and the one rounding at its end (ISO/IEC 60559, ties to even).

Everything that a decoder computes is a sum or product of integers times powers of two; an `Exact` holds such a number
as it is. No floating-point operation of the machine takes part.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple


@dataclass(frozen=True, slots=True)
class Format:
    """A binary floating-point format: bits of a significand, exponent of the least subnormal, and of infinity."""

    name: str
    precision: int
    least: int
    beyond: int


BINARY16 = Format("float16", 11, -24, 16)
BINARY32 = Format("float32", 24, -149, 128)
BINARY64 = Format("float64", 53, -1074, 1024)


class Exact(NamedTuple):
    """The number `integer` * 2^`exponent`."""

    integer: int
    exponent: int

    def times(self, other: Exact) -> Exact:
        """The product."""
        return Exact(self.integer * other.integer, self.exponent + other.exponent)

    def plus(self, other: Exact) -> Exact:
        """The sum."""
        exponent = min(self.exponent, other.exponent)
        return Exact(self.at(exponent) + other.at(exponent), exponent)

    def at(self, exponent: int) -> int:
        """The integer that goes with a smaller or equal exponent."""
        return self.integer << self.exponent - exponent


def exact(value: float) -> Exact:
    """A finite floating-point number; the sign of a zero is lost."""
    numerator, denominator = value.as_integer_ratio()
    return Exact(numerator, 1 - denominator.bit_length())


def rounded(value: Exact, form: Format) -> float:
    """The nearest number of a format; infinite beyond its largest, a zero with the sign of what it stands for."""
    magnitude = abs(value.integer)
    if not magnitude:
        return 0.0
    sign = -1.0 if value.integer < 0 else 1.0
    unit = max(magnitude.bit_length() + value.exponent - form.precision, form.least)
    dropped = unit - value.exponent
    kept = _to_even(magnitude, dropped) if dropped > 0 else magnitude << -dropped
    if kept.bit_length() + unit > form.beyond:
        return sign * math.inf
    return math.copysign(math.ldexp(kept, unit), sign)


def _to_even(magnitude: int, dropped: int) -> int:
    """An integer without its last bits, to the nearest, a tie to the even one."""
    kept = magnitude >> dropped
    twice = (magnitude - (kept << dropped)) << 1
    whole = 1 << dropped
    return kept + int(twice > whole or (twice == whole and kept & 1 == 1))


def product(left: float, right: float, form: Format) -> float:
    """One multiplication."""
    if math.isfinite(left) and math.isfinite(right) and left and right:
        return rounded(exact(left).times(exact(right)), form)
    return _one_nan(left * right)


def total(left: float, right: float, form: Format) -> float:
    """One addition."""
    if math.isfinite(left) and math.isfinite(right) and (left or right):
        return rounded(exact(left).plus(exact(right)), form)
    return _one_nan(left + right)


def converted(value: float, form: Format) -> float:
    """A number, integers too, in a format."""
    if math.isfinite(value) and value:
        return rounded(exact(value), form)
    return _one_nan(value)


def _one_nan(value: float) -> float:
    """What is not a number has one pattern when it is computed: quiet, without sign and payload.

    The standard for arithmetic leaves sign and payload to the machine; digests must not depend on it.
    """
    return math.nan if math.isnan(value) else float(value)
