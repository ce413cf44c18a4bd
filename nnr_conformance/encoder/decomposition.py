"""Clause 8, encoder side: low-rank decomposition of weights, W = G * H."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnr_conformance.errors import BuildError


@dataclass(frozen=True, slots=True, eq=False)
class Factors:
    """G, shape (rows, rank), and H, shape (rank, the weight's other elements); float32."""

    g: NDArray[np.float32]
    h: NDArray[np.float32]

    @property
    def rank(self) -> int:
        """Columns of G."""
        return int(self.g.shape[1])

    def values(self, shape: tuple[int, ...]) -> NDArray[np.float64]:
        """The product in the weight's shape, in binary64."""
        return (self.g.astype(np.float64) @ self.h.astype(np.float64)).reshape(shape)


def can_decompose(shape: tuple[int, ...], rank: int) -> bool:
    """Whether factors of this rank have fewer elements than a weight of this shape."""
    if len(shape) < 2:
        return False
    rows, columns = shape[0], int(np.prod(shape[1:]))
    return rank < min(rows, columns) and rank * (rows + columns) < rows * columns


def decompose(weight: NDArray[np.floating[Any]], rank: int) -> Factors:
    """The factors of this rank whose product is nearest to the weight (truncated singular value decomposition).

    The singular values are shared by both factors, so that one step size suits both. The sign of each pair is such that
    the largest element of its column of G is positive, which not every library does the same way. Raises BuildError for
    a rank that is not 1 to the smaller dimension, and for NaN and infinities.
    """
    rows = weight.shape[0]
    matrix = weight.reshape(rows, -1).astype(np.float64)
    if not 1 <= rank <= min(matrix.shape):
        raise BuildError(f"a matrix of {list(matrix.shape)} has no decomposition of rank {rank}")
    if not np.isfinite(matrix).all():
        raise BuildError("a weight with NaN or infinities has no decomposition")
    left, singular, right = np.linalg.svd(matrix, full_matrices=False)
    roots = np.sqrt(singular[:rank])
    g, h = left[:, :rank] * roots, right[:rank] * roots[:, None]
    signs = np.where(g[np.argmax(np.abs(g), axis=0), np.arange(rank)] < 0, -1.0, 1.0)
    return Factors((g * signs).astype(np.float32), (h * signs[:, None]).astype(np.float32))
