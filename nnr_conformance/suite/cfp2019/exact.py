"""Linear algebra that gives the same bits on every machine, so that streams can be rebuilt byte for byte anywhere.

Libraries add products in an order that depends on the processor, and their exponentials and singular vectors differ in
the last digits. Here every operation is one of binary64 with a defined rounding (sum, product, quotient, square root)
in a fixed order, or has no rounding at all.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnr_conformance.encoder.decomposition import Factors

Floats = NDArray[np.float64]

SIGNIFICAND = 53
SWEEPS = 12
"""Of rotations; a sweep squares what is left beside the diagonal, and after 6 to 8 nothing is."""
LN2_HIGH, LN2_LOW = float.fromhex("0x1.62E42FEE00000p-1"), float.fromhex("0x1.A39EF35793C76p-33")
"""The natural logarithm of 2 in two parts; the first has so few bits that its small multiples are exact."""
TAYLOR = tuple(1 / math.factorial(power) for power in range(14, -1, -1))
LARGEST_EXPONENT = 700.0


def product(left: NDArray[Any], right: NDArray[Any]) -> Floats:
    """The product of matrices, to about 2^-43 of its largest terms.

    Each factor is split into two matrices of few bits (the scheme of Ozaki and others), whose products are sums of
    integers below 2^53 times a power of two: no order of adding them has any rounding.
    """
    bits = (SIGNIFICAND - left.shape[1].bit_length()) // 2
    (left_head, left_tail), (right_head, right_tail) = _split(left, bits), _split(right, bits)
    result: Floats = left_head @ right_head
    if right_tail.any():
        result += left_head @ right_tail
    if left_tail.any():
        result += left_tail @ right_head
    return result


def _split(values: NDArray[Any], bits: int) -> tuple[Floats, Floats]:
    values = values.astype(np.float64)
    largest = max(float(values.max(initial=0.0)), -float(values.min(initial=0.0)))
    unit = 2.0 ** (math.frexp(largest)[1] - bits)
    head = values * (1 / unit)
    np.rint(head, out=head)
    head *= unit
    values -= head
    values *= 2.0**bits / unit
    np.rint(values, out=values)
    values *= unit * 2.0**-bits
    return head, values


def exponential(values: Floats) -> Floats:
    """e to the power of values, which are taken as -700 to 700, to a few units of the last digit."""
    limited = np.clip(values, -LARGEST_EXPONENT, LARGEST_EXPONENT)
    twos = np.rint(limited * (1 / (LN2_HIGH + LN2_LOW)))
    rest = (limited - twos * LN2_HIGH) - twos * LN2_LOW
    total = np.full_like(rest, TAYLOR[0])
    for coefficient in TAYLOR[1:]:
        total = total * rest + coefficient
    result: Floats = np.ldexp(total, twos.astype(np.int32))
    return result


def solution(matrix: Floats, right: Floats) -> Floats:
    """X of `matrix` X = `right`, for a matrix that is symmetric and positive definite, by elimination."""
    rows = np.concatenate([matrix, right], axis=1)
    for at in range(len(rows)):
        rows[at] = rows[at] / rows[at, at]
        others = rows[:, at].copy()
        others[at] = 0
        rows = rows - others[:, None] * rows[at]
    return rows[:, len(matrix) :]


def eigenvectors(symmetric: Floats) -> tuple[Floats, Floats]:
    """Eigenvalues, the largest first, and eigenvectors as columns, of a symmetric matrix by Jacobi's rotations.

    In each step half as many pairs of rows as there are rows are rotated, in the order of a round robin tournament.
    """
    count = len(symmetric)
    size = count + count % 2
    matrix, vectors = np.zeros((size, size)), np.eye(size)
    matrix[:count, :count] = symmetric
    order = np.arange(size)
    for _ in range(SWEEPS * (size - 1)):
        one, other = order[: size // 2], order[: size // 2 - 1 : -1]
        cosine, sine = _rotations(matrix[one, one], matrix[other, other], matrix[one, other])
        matrix = _rotated(_rotated(matrix, one, other, cosine, sine).T, one, other, cosine, sine)
        vectors = _rotated(vectors, one, other, cosine, sine)
        order = np.concatenate([order[:1], order[-1:], order[1:-1]])
    values = np.diagonal(matrix)[:count]
    ranking = np.argsort(-values, kind="stable")
    return values[ranking], vectors[:count, :count][ranking].T


def _rotations(first: Floats, second: Floats, beside: Floats) -> tuple[Floats, Floats]:
    """Cosine and sine of the rotations that make the elements beside the diagonal 0."""
    present = beside != 0
    ratio = (second - first) / np.where(present, 2 * beside, 1.0)
    tangent = np.copysign(1.0, ratio) / (np.abs(ratio) + np.sqrt(1 + ratio * ratio))
    tangent = np.where(present, tangent, 0.0)
    cosine = 1 / np.sqrt(1 + tangent * tangent)
    return cosine, tangent * cosine


def _rotated(matrix: Floats, one: NDArray[np.int64], other: NDArray[np.int64], cosine: Floats, sine: Floats) -> Floats:
    result = np.empty_like(matrix)
    result[one] = cosine[:, None] * matrix[one] - sine[:, None] * matrix[other]
    result[other] = sine[:, None] * matrix[one] + cosine[:, None] * matrix[other]
    return result


def spectrum(weight: NDArray[Any]) -> tuple[Floats, Floats]:
    """Squares of the singular values of a weight as a matrix, largest first, and the vectors of its shorter side."""
    matrix = weight.reshape(len(weight), -1)
    return eigenvectors(product(matrix, matrix.T) if matrix.shape[0] <= matrix.shape[1] else product(matrix.T, matrix))


def low_rank(weight: NDArray[Any], rank: int) -> Factors:
    """What `encoder.decomposition.decompose` gives, to about 1e-6."""
    matrix = weight.reshape(len(weight), -1).astype(np.float64)
    squares, vectors = spectrum(weight)
    roots, vectors = np.sqrt(np.sqrt(squares[:rank])), vectors[:, :rank]
    if matrix.shape[0] <= matrix.shape[1]:
        g, h = vectors * roots, product(vectors.T, matrix) / roots[:, None]
    else:
        g, h = product(matrix, vectors) / roots, (vectors * roots).T
    signs = np.where(g[np.argmax(np.abs(g), axis=0), np.arange(rank)] < 0, -1.0, 1.0)
    return Factors((g * signs).astype(np.float32), (h * signs[:, None]).astype(np.float32))
