"""Clause 7, encoder side: saying in the stream in which format a tensor is to be delivered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

_NUMBERS = {"int8": 5, "int16": 6, "int64": 7, "float16": 8, "float64": 9}
"""nnr_decompressed_data_format of what is neither float32 nor int32, which are understood without."""


@dataclass(frozen=True, slots=True)
class SignalledFormat:
    """`number`: nnr_decompressed_data_format, None for none. `dtype`: of the delivered tensor."""

    number: int | None
    dtype: np.dtype[Any]

    def elements(self) -> dict[str, int]:
        """The header elements."""
        return {} if self.number is None else {"nnr_decompressed_data_format": self.number}

    def converted(self, values: NDArray[Any]) -> NDArray[Any]:
        """The values as they are delivered, rounded once."""
        return values.astype(self.dtype)


def format_of(dtype: np.dtype[Any], values: NDArray[Any]) -> SignalledFormat:
    """The format of a tensor that was of `dtype` and is decoded as `values`.

    Formats without a number (unsigned integers, booleans) are delivered as 32 bits, and so is a float16 tensor of which
    a quantized value is too large.
    """
    number = _NUMBERS.get(dtype.newbyteorder("=").name)
    plain = np.dtype(np.int32 if values.dtype.kind == "i" else np.float32)
    if number is None:
        return SignalledFormat(None, plain)
    with np.errstate(over="ignore"):
        if dtype.kind == "f" and not np.isfinite(values.astype(dtype)).all():
            return SignalledFormat(None, plain)
    return SignalledFormat(number, dtype.newbyteorder("="))
