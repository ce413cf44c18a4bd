"""The form in which tensors are delivered and compared."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnr_conformance.adapters import Arrays


def by_name(named: Iterable[tuple[str, NDArray[Any]]]) -> Arrays | None:
    """Tensors by name; None when a name occurs twice, as in streams of several models, and they cannot be told."""
    pairs = list(named)
    found = dict(pairs)
    return found if len(found) == len(pairs) else None


def binary32(values: NDArray[Any]) -> NDArray[Any]:
    """The exact products of a codebook as they are delivered; beyond binary32 is infinity."""
    with np.errstate(over="ignore"):
        return values.astype(np.float32) if values.dtype == np.float64 else values
