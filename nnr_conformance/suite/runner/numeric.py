"""Comparison of a decoder's arrays with the expected ones, by numeric class.

- Integers are equal or they differ. Any integer type that holds the value will do.
- Floating-point numbers are equal bit by bit, the sign of zero included. A wider type that holds exactly the value will
  do, and so does a narrower one; binary64 in place of binary32 is rounded once, to nearest even, before it is compared,
  since that is how it would be delivered. Integers are no floating-point numbers, and these no integers.
- A NaN that is computed has the quiet pattern here (see `decoder.not_a_number`), but arithmetic elsewhere may leave
  another one, so any NaN equals the quiet one. A NaN of another pattern can only have been transmitted as it is, and
  keeps its bits where the type is kept.
- Products G·H lie within a bound of each element, given as `tolerance` (see `suite.runner.tolerance`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnr_conformance.adapters import Arrays

Mask = NDArray[np.bool_]


_WIDE = np.dtype(np.int64).itemsize
MOST_UNITS = 1 << 20
"""Units of the last place up to which a text tells how many; above, numbers say more themselves."""


class Kind(Enum):
    """What is different about a tensor."""

    MISSING = "missing"
    EXTRA = "extra"
    SHAPE = "shape"
    TYPE = "type"
    VALUES = "values"


@dataclass(frozen=True, slots=True)
class Difference:
    """What differs first in one tensor.

    `index`: of the first differing element in row-major order. `expected`, `found`: in short: elements, shapes or
    types. `differing` of `elements` differ; `largest`: the largest difference in units of the last place of the
    expected type, for integers the largest difference; None where one side is no finite number.
    """

    tensor: str
    kind: Kind
    expected: str = ""
    found: str = ""
    index: tuple[int, ...] = ()
    differing: int = 0
    elements: int = 0
    largest: int | None = None
    bounded: bool = False

    def __str__(self) -> str:
        if self.kind is Kind.MISSING:
            return f"{self.tensor!r} is missing"
        if self.kind is Kind.EXTRA:
            return f"{self.tensor!r} is not in the stream"
        if self.kind is not Kind.VALUES:
            return f"{self.kind.value} of {self.tensor!r} is {self.found}, expected {self.expected}"
        bound = " beyond the bound of products" if self.bounded else ""
        telling = self.largest is not None and (not self._unit or self.largest <= MOST_UNITS)
        largest = f", by at most {self.largest}{self._unit}" if telling else ""
        return (
            f"{self.tensor!r}: element {self.index} is {self.found}, expected {self.expected}; "
            f"{self.differing} of {self.elements} differ{bound}{largest}"
        )

    @property
    def _unit(self) -> str:
        return "" if self.expected.lstrip("-").isdigit() else " ULP"


def differences(
    expected: Arrays, found: Arrays, tolerance: Mapping[str, NDArray[np.float64]] | None = None
) -> Iterator[Difference]:
    """The tensors that differ, in the expected order, those that are not expected at the end.

    `tolerance`: by name what elements may differ by.
    """
    for name, wanted in expected.items():
        if name not in found:
            yield Difference(name, Kind.MISSING)
            continue
        difference = compared(name, wanted, found[name], (tolerance or {}).get(name))
        if difference is not None:
            yield difference
    for name in sorted(set(found) - set(expected)):
        yield Difference(name, Kind.EXTRA)


def compared(
    name: str, expected: NDArray[Any], found: NDArray[Any], tolerance: NDArray[np.float64] | None = None
) -> Difference | None:
    """How one tensor differs; None when it does not."""
    if expected.shape != found.shape:
        return Difference(name, Kind.SHAPE, str(expected.shape), str(found.shape))
    integers = expected.dtype.kind in "iu"
    if found.dtype.kind not in ("iu" if integers else "f"):
        return Difference(name, Kind.TYPE, expected.dtype.name, found.dtype.name)
    if tolerance is not None and not integers:
        wrong = _beyond(expected, found, tolerance)
    else:
        wrong = _other_integers(expected, found) if integers else _other_floats(expected, found)
    if not wrong.any():
        return None
    index = tuple(int(at) for at in np.unravel_index(int(wrong.argmax()), wrong.shape)) if wrong.ndim else ()
    return Difference(
        name,
        Kind.VALUES,
        shown(expected[index]),
        shown(found[index]),
        index,
        int(np.count_nonzero(wrong)),
        expected.size,
        _largest(expected[wrong], found[wrong]),
        tolerance is not None and not integers,
    )


def shown(value: Any) -> str:
    """An element in short, as exactly as it takes: a NaN that is not the quiet one with its bits."""
    if value.dtype.kind != "f":
        return str(value.item())
    if not np.isnan(value):
        return str(value)
    bits = int(_bits(np.asarray(value)))
    return "nan" if bits == _quiet(value.dtype) else f"nan (0x{bits:0{2 * value.dtype.itemsize}x})"


def _other_integers(expected: NDArray[Any], found: NDArray[Any]) -> Mask:
    if found.dtype == np.uint64:
        # NumPy compares these with signed integers by way of floating-point numbers.
        high = found > np.uint64(np.iinfo(np.int64).max)
        return np.asarray(high | (found.astype(np.int64) != expected), bool)
    return np.asarray(expected != found, bool)


def _other_floats(expected: NDArray[Any], found: NDArray[Any]) -> Mask:
    kept = found.dtype == expected.dtype
    if expected.dtype == np.float32 and found.dtype == np.float64:
        with np.errstate(over="ignore", under="ignore", invalid="ignore"):
            found = found.astype(np.float32)
    both = np.isnan(expected) & np.isnan(found)
    if expected.dtype == found.dtype:
        other = _bits(expected) != _bits(found)
    else:
        wide, delivered = expected.astype(np.float64), found.astype(np.float64)
        other = (wide != delivered) | (np.signbit(wide) != np.signbit(delivered))
    equal = both & (_bits(expected) == _quiet(expected.dtype)) if kept else both
    return np.asarray(other & ~equal, bool)


def _beyond(expected: NDArray[Any], found: NDArray[Any], tolerance: NDArray[np.float64]) -> Mask:
    wide, delivered = expected.astype(np.float64), found.astype(np.float64)
    if expected.dtype == np.float16:
        # The product is brought into this format afterwards, which may round two neighbours apart.
        with np.errstate(all="ignore"):
            tolerance = tolerance + np.spacing(np.abs(expected)).astype(np.float64)
    with np.errstate(invalid="ignore", over="ignore"):
        near = np.abs(delivered - wide) <= tolerance
    same = (wide == delivered) | (np.isnan(wide) & np.isnan(delivered))
    return np.asarray(~(near | same | np.isposinf(tolerance)), bool)


def _largest(expected: NDArray[Any], found: NDArray[Any]) -> int | None:
    """The largest difference of two lists of elements."""
    if expected.dtype.kind != "f":
        return _farthest(expected, found)
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        found = found.astype(expected.dtype)
    if not (np.isfinite(expected).all() and np.isfinite(found).all()):
        return None
    return _farthest(_order(expected), _order(found))


def _farthest(one: NDArray[Any], other: NDArray[Any]) -> int:
    if max(one.dtype.itemsize, other.dtype.itemsize) < _WIDE:
        return int(np.abs(one.astype(np.int64) - other.astype(np.int64)).max())
    # Differences of 64-bit integers need not fit 64 bits.
    return max(abs(int(left) - int(right)) for left, right in zip(one, other, strict=True))


def _order(values: NDArray[Any]) -> NDArray[Any]:
    """Numbers of floating-point numbers in ascending order, neighbours one apart, both zeros 0."""
    bits = _bits(values)
    magnitude = (bits & bits.dtype.type((1 << (8 * bits.dtype.itemsize - 1)) - 1)).view(f"i{values.dtype.itemsize}")
    return np.asarray(np.where(np.signbit(values), -magnitude, magnitude))


def _bits(values: NDArray[Any]) -> NDArray[Any]:
    return np.ascontiguousarray(values).view(f"u{values.dtype.itemsize}").reshape(values.shape)


def _quiet(dtype: np.dtype[Any]) -> int:
    return int(np.asarray(np.nan, dtype).view(f"u{dtype.itemsize}"))
