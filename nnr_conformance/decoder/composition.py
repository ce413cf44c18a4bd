"""Clauses 7 and 8, from dequantized tensors to parameters: blocks, local scaling, G·H, parent plus update.

Batch-norm tensors are delivered as they are; the bitstream defines no arithmetic on them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnr_conformance.decoder.not_a_number import with_one_nan
from nnr_conformance.diagnostics import stop
from nnr_conformance.errors import UsageError

Bits = tuple[int, int] | None

_INTEGER_KINDS = "biu"
_INT32 = np.iinfo(np.int32)
_ACCUMULATORS = 1 << 15  # binary64 accumulators of G·H that are live at one time: 256 KiB stay in a core's cache


class Member(Enum):
    """What a tensor is to its layer."""

    WEIGHT = "W"
    G = "G"
    H = "H"
    LOCAL_SCALING = "LS"
    BN_BETA = "beta"
    BN_GAMMA = "gamma"
    BN_MEAN = "mean"
    BN_VARIANCE = "var"
    BIAS = "BI"


@dataclass(frozen=True, slots=True)
class BlockLayout:
    """The tensors of a NNR_PT_BLOCK payload, in the order of their ids (`listed`) and of their coding (`coded`)."""

    listed: tuple[Member, ...]
    coded: tuple[Member, ...]

    @property
    def id_positions(self) -> tuple[int, ...]:
        """For each coded tensor the position of its id in the list of topology element ids."""
        return tuple(self.listed.index(member) for member in self.coded)


def block_members(compressed_parameter_types: int) -> BlockLayout:
    """Clause 8, R-NDU-03 and R-NDU-05: the tensors of a block with this mask (DC 1, LS 2, BN 4, BI 8).

    The ids are listed weight first, the tensors are coded weight last. 0 gives the weight alone, which no block can
    carry (R-NDU-04). Raises UsageError for a value that is not u(4).
    """
    if not 0 <= compressed_parameter_types <= 15:
        raise UsageError(f"compressed_parameter_types is 0 to 15, not {compressed_parameter_types}")

    def when(mask: int, *members: Member) -> tuple[Member, ...]:
        return members if compressed_parameter_types & mask else ()

    weight = when(1, Member.G, Member.H) or (Member.WEIGHT,)
    scaling = when(2, Member.LOCAL_SCALING)
    norm = when(4, Member.BN_BETA, Member.BN_GAMMA, Member.BN_MEAN, Member.BN_VARIANCE)
    bias = when(8, Member.BIAS)
    return BlockLayout(listed=weight + scaling + norm + bias, coded=scaling + bias + norm + weight)


def member_shape(
    member: Member,
    tensor_dimensions: Sequence[int],
    decomposition_rank: int,
    g_number_of_rows: int,
    *,
    path: str = "",
    bits: Bits = None,
) -> tuple[int, ...]:
    """Clause 8, R-NDU-06 and R-NDU-14: shape of one tensor of a layer whose (composed) weight has `tensor_dimensions`.

    Raises BitstreamError `dims_invalid` when a vector has no first dimension to follow, and the errors of
    `factor_shapes` for G and H.
    """
    if member is Member.WEIGHT:
        return tuple(tensor_dimensions)
    if member in (Member.G, Member.H):
        shapes = factor_shapes(tensor_dimensions, decomposition_rank, g_number_of_rows, path=path, bits=bits)
        return shapes[0] if member is Member.G else shapes[1]
    if not tensor_dimensions:
        stop("dims_invalid", "the weight has no dimensions, so its vectors have no length", bits=bits, path=path)
    return (tensor_dimensions[0],)


def factor_shapes(
    tensor_dimensions: Sequence[int],
    decomposition_rank: int,
    g_number_of_rows: int,
    *,
    path: str = "",
    bits: Bits = None,
) -> tuple[tuple[int, int], tuple[int, int]]:
    """Clause 8, R-NDU-13 to R-NDU-15: shapes of G and H.

    G is [g_number_of_rows, decomposition_rank], H [decomposition_rank, elements of the weight / g_number_of_rows].

    Raises BitstreamError `decomposition_invalid` when the rank or the number of rows is 0, and `g_rows_divisibility`
    when the rows do not divide the elements of the weight.
    """
    if decomposition_rank < 1 or g_number_of_rows < 1:
        message = (
            f"decomposition_rank is {decomposition_rank} and g_number_of_rows {g_number_of_rows}, both are at least 1"
        )
        stop("decomposition_invalid", message, bits=bits, path=path)
    elements = math.prod(tensor_dimensions)
    columns, rest = divmod(elements, g_number_of_rows)
    if rest:
        message = f"{elements} elements of the weight are not divisible by g_number_of_rows {g_number_of_rows}"
        stop("g_rows_divisibility", message, bits=bits, path=path)
    return (g_number_of_rows, decomposition_rank), (decomposition_rank, columns)


def apply_local_scaling(
    weight: NDArray[Any], local_scaling: NDArray[Any], *, path: str = "", bits: Bits = None
) -> NDArray[Any]:
    """Clause 8, R-NDU-06: row i of the weight, or of G when decomposed, times local_scaling[i]; shape unchanged.

    One multiplication per element in the precision of `weight`: binary32, or binary64 for a tensor from a codebook. The
    result keeps that precision, so that a caller rounds a codebook tensor to binary32 once, at its end. Integers
    (NNR_PT_INT) become binary32 first: a scaled parameter is a real number. Raises BitstreamError `ls_shape` when the
    vector has not one element per row.
    """
    check_scaling(weight.shape, local_scaling.shape, path=path, bits=bits)
    if weight.dtype.kind in _INTEGER_KINDS:
        weight = weight.astype(np.float32)
    factors = local_scaling.astype(weight.dtype, copy=False).reshape(weight.shape[0], *(1,) * (weight.ndim - 1))
    with np.errstate(all="ignore"):
        return with_one_nan(np.asarray(weight * factors))


def compose(
    g: NDArray[Any], h: NDArray[Any], tensor_dimensions: Sequence[int], *, path: str = "", bits: Bits = None
) -> NDArray[np.float32]:
    """Clause 8, H-10: the weight W = G·H, reshaped row-major to `tensor_dimensions`, in binary32.

    `g` is [rows, rank], `h` is [rank, columns], float32 or float64. The order of summation is not normative, so other
    decoders agree within a tolerance only. Ours is fixed, to give the same bits on every machine: each element is the
    sum over k = 0, 1, ... of G[i,k] * H[k,j], every product and every sum in binary64 (products of two binary32 numbers
    are exact), rounded once to binary32. A matrix-product library would be faster but sums in an order of its own.
    Takes about 1 ns per multiplication. Raises the errors of `check_factors`.
    """
    check_factors(g.shape, h.shape, tensor_dimensions, path=path, bits=bits)
    (rows, rank), columns = g.shape, h.shape[1]
    product = np.empty((rows, columns), np.float32)
    width = max(1, min(columns, _ACCUMULATORS))
    height = _ACCUMULATORS // width
    with np.errstate(all="ignore"):
        for left in range(0, columns, width):
            h_part = h[:, left : left + width].astype(np.float64)
            for top in range(0, rows, height):
                g_part = g[top : top + height].astype(np.float64)
                total = np.zeros((g_part.shape[0], h_part.shape[1]))
                term = np.empty_like(total)
                for k in range(rank):
                    np.multiply(g_part[:, k, None], h_part[k], out=term)
                    total += term
                product[top : top + height, left : left + width] = total
    return with_one_nan(product).reshape(tuple(tensor_dimensions))


def check_scaling(
    weight_shape: Sequence[int], scaling_shape: Sequence[int], *, path: str = "", bits: Bits = None
) -> None:
    """Raises BitstreamError `ls_shape` when local scaling has not one element for each row that it scales."""
    if not weight_shape or tuple(scaling_shape) != tuple(weight_shape[:1]):
        message = f"a local scaling vector of shape {list(scaling_shape)} for a tensor of {list(weight_shape)}"
        stop("ls_shape", message, bits=bits, path=path)


def check_factors(
    g_shape: Sequence[int],
    h_shape: Sequence[int],
    tensor_dimensions: Sequence[int],
    *,
    path: str = "",
    bits: Bits = None,
) -> None:
    """Raises BitstreamError `decomposition_pair` when factors do not fit each other or the weight's dimensions.

    Raises UsageError when a factor is no matrix.
    """
    if len(g_shape) != 2 or len(h_shape) != 2:
        raise UsageError(f"factors are matrices, not of {list(g_shape)} and {list(h_shape)}")
    if g_shape[1] != h_shape[0] or g_shape[0] * h_shape[1] != math.prod(tensor_dimensions):
        message = f"G of {list(g_shape)} and H of {list(h_shape)} do not make a tensor of {list(tensor_dimensions)}"
        stop("decomposition_pair", message, bits=bits, path=path)


def add_update(parent: NDArray[Any], update: NDArray[Any], *, path: str = "", bits: Bits = None) -> NDArray[Any]:
    """Clause 7, R-ED2-14: parent + update, element by element, in binary32; same shape.

    Both are rounded to binary32 first where they are wider, as a codebook's tensor is. Several updates are added in the
    order of the stream, since this addition is not associative. Integer tensors (NNR_PT_INT) are added as int32. Raises
    BitstreamError `update_shape` when the shapes differ or only one of the two is of integers, and `format_overflow`
    when an integer sum leaves int32.
    """
    check_update(parent.shape, parent.dtype, update, path=path, bits=bits)
    if parent.dtype.kind in _INTEGER_KINDS:
        _check_sum(parent, update, path, bits)
        return np.asarray(np.add(parent, update, dtype=np.int32, casting="same_kind"))
    with np.errstate(all="ignore"):
        total = parent.astype(np.float32, copy=False) + update.astype(np.float32, copy=False)
    return with_one_nan(np.asarray(total))


def check_update(
    parent_shape: Sequence[int], parent_dtype: np.dtype[Any], update: NDArray[Any], *, path: str = "", bits: Bits = None
) -> None:
    """Raises BitstreamError `update_shape` when an update differs from its parent in shape, or one is of integers."""
    if tuple(parent_shape) != update.shape:
        message = f"the parent has the dimensions {list(parent_shape)}, the update {list(update.shape)}"
        stop("update_shape", message, bits=bits, path=path)
    if (parent_dtype.kind in _INTEGER_KINDS) != (update.dtype.kind in _INTEGER_KINDS):
        stop("update_shape", f"the parent is {parent_dtype}, the update {update.dtype}", bits=bits, path=path)


def _check_sum(parent: NDArray[Any], update: NDArray[Any], path: str, bits: Bits) -> None:
    """R-NDU-20, R-NDU-21: the parent, which a caller may have wider, and its sum with the update fit int32."""
    for values in (parent, np.add(parent, update, dtype=np.int64)):
        if (values < _INT32.min).any() or (values > _INT32.max).any():
            stop("format_overflow", "parent plus update is outside of 32-bit signed integers", bits=bits, path=path)
