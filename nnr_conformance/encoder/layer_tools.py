"""Clause 8, encoder side: local scaling and batch-norm folding."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]

EPSILON = 1e-5
"""What PyTorch adds to the variance by default; TensorFlow adds 1e-3."""


@dataclass(frozen=True, slots=True, eq=False)
class BatchNorm:
    """The vectors of a batch normalization behind a layer, one number for each of its outputs."""

    beta: Floats
    gamma: Floats
    mean: Floats
    variance: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Folded:
    """Local scaling and bias of a layer that does what the layer and its batch normalization did; float32."""

    scaling: NDArray[np.float32]
    bias: NDArray[np.float32]


def fold_batch_norm(norm: BatchNorm, bias: Floats | None, epsilon: float = EPSILON) -> Folded:
    """The scaling gamma / sqrt(variance + epsilon), and the bias (bias - mean) * scaling + beta.

    `bias`: that of the layer, None without one. Source: standard facts D.17, batch-norm folding.
    """
    gain = norm.gamma.astype(np.float64) / np.sqrt(norm.variance.astype(np.float64) + epsilon)
    own = 0.0 if bias is None else bias.astype(np.float64)
    folded = (own - norm.mean.astype(np.float64)) * gain + norm.beta.astype(np.float64)
    return Folded(gain.astype(np.float32), folded.astype(np.float32))


def row_scaling(weight: Floats) -> NDArray[np.float32]:
    """A local scaling vector: the root mean square of each row, divided by that of all; 1 for rows of zeros.

    Divided by it all rows spread alike, so that one step size is as fine for each of them.
    """
    squares = np.square(weight.reshape(weight.shape[0], -1).astype(np.float64)).mean(axis=1)
    overall = squares[squares > 0].mean() if (squares > 0).any() else 1.0
    scaling = np.sqrt(np.where(squares > 0, squares / overall, 1.0)).astype(np.float32)
    # A row far below the others can vanish in binary32, and nothing can be divided by 0.
    return np.where(scaling > 0, scaling, np.float32(1))


def divided_rows(weight: Floats, scaling: NDArray[np.float32]) -> NDArray[np.float64]:
    """The weight whose rows become those of `weight` when a decoder multiplies them by `scaling`."""
    return weight.astype(np.float64) / scaling.astype(np.float64).reshape(-1, *[1] * (weight.ndim - 1))
