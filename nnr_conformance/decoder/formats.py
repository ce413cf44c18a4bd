"""Clause 7, nnr_decompressed_data_format: the number format in which a decoded tensor is delivered.

Formats 0 and 1 are known to both editions; 2 to 9 are known from the 2026 release of the public codec only (open
question H-18) and are accepted with the same meaning everywhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnr_conformance.decoder.not_a_number import with_one_nan
from nnr_conformance.diagnostics import Findings

_CHUNK = 1 << 16


@dataclass(frozen=True, slots=True)
class DataFormat:
    """One value of nnr_decompressed_data_format, held in `dtype`; `bits`: its width where that is narrower."""

    name: str
    dtype: np.dtype[Any]
    bits: int = 0

    @property
    def is_integer(self) -> bool:
        """True for the formats that suit NNR_PT_INT."""
        return self.dtype.kind == "i"

    @property
    def integer_range(self) -> tuple[int, int]:
        """Smallest and largest value of an integer format."""
        half = 1 << ((self.bits or 8 * self.dtype.itemsize) - 1)
        return -half, half - 1


DATA_FORMATS = (
    DataFormat("TENSOR_INT32", np.dtype(np.int32)),
    DataFormat("TENSOR_FLOAT32", np.dtype(np.float32)),
    DataFormat("TENSOR_INT2", np.dtype(np.int8), 2),
    DataFormat("TENSOR_INT3", np.dtype(np.int8), 3),
    DataFormat("TENSOR_INT4", np.dtype(np.int8), 4),
    DataFormat("TENSOR_INT8", np.dtype(np.int8)),
    DataFormat("TENSOR_INT16", np.dtype(np.int16)),
    DataFormat("TENSOR_INT64", np.dtype(np.int64)),
    DataFormat("TENSOR_FLOAT16", np.dtype(np.float16)),
    DataFormat("TENSOR_FLOAT64", np.dtype(np.float64)),
)
"""All known formats; the position is the value of nnr_decompressed_data_format."""

_INT32, _FLOAT32 = 0, 1


def data_format(nnr_decompressed_data_format: int) -> DataFormat | None:
    """The format of this value, None for the reserved ones."""
    if 0 <= nnr_decompressed_data_format < len(DATA_FORMATS):
        return DATA_FORMATS[nnr_decompressed_data_format]
    return None


def convert(
    array: NDArray[Any],
    nnr_decompressed_data_format: int | None,
    *,
    findings: Findings,
    path: str = "",
    bits: tuple[int, int] | None = None,
) -> NDArray[Any]:
    """R-NDU-19 to R-NDU-21: `array` in the signalled format, same shape; the same object where nothing changes.

    `array` is what dequantization delivers: an integer array for NNR_PT_INT, float32 or float64 otherwise. None is the
    absent element: 32-bit integers for integers, binary32 for the rest. Floats are rounded once to nearest even; a NaN
    has neither sign nor payload in another format.

    Reports `format_inconsistent` when the format is of the other kind; then, and for a reserved value (which the syntax
    reports), the rule of the absent element applies. Reports `format_overflow` when a value does not fit: an integer
    tensor then keeps its type, since no wrapped or clipped value was ever coded, and a float becomes the infinity that
    rounding gives.
    """
    integers = array.dtype.kind == "i"
    default = DATA_FORMATS[_INT32 if integers else _FLOAT32]
    target = None if nnr_decompressed_data_format is None else data_format(nnr_decompressed_data_format)
    if target is not None and target.is_integer != integers:
        kind = "integers" if integers else "floating-point numbers"
        findings.report("format_inconsistent", f"{target.name} for a tensor of {kind}", bits=bits, path=path)
        target = None
    target = target or default
    misfit = _integer_misfit(array, target) if integers else _float_misfit(array, target)
    if misfit is not None:
        findings.report("format_overflow", f"{misfit} does not fit {target.name}", bits=bits, path=path)
        if integers:
            return array
    if array.dtype == target.dtype:
        return array
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        converted = array.astype(target.dtype)
    return converted if integers else with_one_nan(converted)


def _integer_misfit(array: NDArray[Any], target: DataFormat) -> int | None:
    if array.size:
        smallest, largest = target.integer_range
        for value in (int(array.min()), int(array.max())):
            if not smallest <= value <= largest:
                return value
    return None


def _float_misfit(array: NDArray[Any], target: DataFormat) -> float | None:
    if array.dtype.itemsize <= target.dtype.itemsize:
        return None
    flat = array.ravel()
    for first in range(0, array.size, _CHUNK):
        chunk = flat[first : first + _CHUNK]
        with np.errstate(over="ignore", under="ignore", invalid="ignore"):
            # An infinity that was coded as such (raw floats) fits every float format.
            misfits = np.isinf(chunk.astype(target.dtype)) & np.isfinite(chunk)
        if misfits.any():
            return float(chunk[misfits.argmax()])
    return None
