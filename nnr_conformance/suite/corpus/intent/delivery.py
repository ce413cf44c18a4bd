"""The number format in which a decoder delivers a tensor (clause 7)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnr_conformance.readings import Readings
from nnr_conformance.suite.corpus.intent.elements import UnitIntent
from nnr_conformance.suite.corpus.intent.exact import BINARY16, BINARY32, BINARY64, Format, converted
from nnr_conformance.suite.corpus.intent.refusal import NoIntent

INTEGERS = {0: ("int32", 32), 2: ("int8", 2), 3: ("int8", 3), 4: ("int8", 4), 5: ("int8", 8), 6: ("int16", 16)} | {
    7: ("int64", 64)
}
"""Type and bits of the integer formats; the narrowest are held in bytes."""
FLOATS: dict[int, Format] = {1: BINARY32, 8: BINARY16, 9: BINARY64}
FIRST_EXTENSION = 2


def delivered(values: NDArray[Any], unit: UnitIntent | None, readings: Readings) -> NDArray[Any]:
    """A tensor in the format that its unit signals: without one binary32, or 32-bit integers. Raises NoIntent."""
    integers = values.dtype == np.int32
    form = None if unit is None else unit.written.get("nnr_decompressed_data_format")
    if form is None:
        form = 0 if integers else 1
    if form not in (INTEGERS if integers else FLOATS):
        raise NoIntent(f"format {form} is not one for these numbers")
    if form >= FIRST_EXTENSION and readings["decompressed-formats"] == "two":
        raise NoIntent(f"format {form} is reserved")
    if integers:
        name, bits = INTEGERS[form]
        if values.size and not -(1 << bits - 1) <= int(values.min()) <= int(values.max()) < 1 << bits - 1:
            raise NoIntent(f"an integer does not fit {bits} bits")
        return values.astype(name)
    return as_floats(values, FLOATS[form])


def as_floats(values: NDArray[Any], form: Format) -> NDArray[Any]:
    """Numbers in a format; what is in it already stays as it is, sign and payload of NaN included."""
    if values.dtype.name == form.name:
        return values
    return np.array([converted(one, form) for one in values.ravel().tolist()], form.name).reshape(values.shape)
