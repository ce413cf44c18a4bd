"""One pattern for what is not a number, where it is computed."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def with_one_nan(values: NDArray[Any]) -> NDArray[Any]:
    """The same floats, in place, with the quiet NaN without sign and payload for every NaN.

    ISO/IEC 60559 leaves sign and payload of the result of an operation to the processor; digests need one pattern.
    NaN that is transmitted and not computed with keeps its bits.
    """
    with np.errstate(invalid="ignore"):
        if values.size and np.isnan(values.max()):
            np.copyto(values, np.nan, where=np.isnan(values))
    return values
