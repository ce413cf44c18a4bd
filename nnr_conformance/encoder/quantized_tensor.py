"""Clause 9, encoder side: a tensor through the quantizer that the settings ask for."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnr_conformance.encoder.codebooks import CodebookLevels, codebook_levels
from nnr_conformance.encoder.dependent import dependent_levels
from nnr_conformance.encoder.settings import DEFAULT_PRICE, EncoderSettings
from nnr_conformance.encoder.step_size import codebook_values, in_steps, sufficient_qp, uniform_values
from nnr_conformance.encoder.uniform import nearest_levels, rate_distortion_levels
from nnr_conformance.errors import BuildError


@dataclass(frozen=True, slots=True, eq=False)
class QuantizedTensor:
    """`levels`: what is coded; `quantized`: what is scaled (doubled by dependent quantization); int32. `qp`: None for
    integers. `values`: what every decoder gets, float32, float64 with a codebook, int32 for integers."""

    name: str
    levels: NDArray[np.int32]
    quantized: NDArray[np.int32]
    qp: int | None
    dq: bool
    codebook: CodebookLevels | None
    values: NDArray[Any]


def quantize(
    name: str, values: NDArray[np.floating[Any]], settings: EncoderSettings, *, scan_order: int, codebook: bool
) -> QuantizedTensor:
    """Quantize a tensor of floats with at least one dimension.

    `scan_order`: in which its levels will be coded. `codebook`: with one, if the settings say so.

    The QP is raised where levels would be beyond 2^24, finer than binary32. Raises BuildError for NaN and infinities.
    """
    largest = float(np.abs(values).max())
    if not np.isfinite(largest):
        raise BuildError(f"{name!r} has NaN or infinities, which cannot be quantized; send it raw")
    density = settings.qp_density
    qp = sufficient_qp(settings.qp_of(name, values.ndim), density, largest)
    scaled = in_steps(values, qp, density)
    if codebook and settings.codebook:
        found = codebook_levels(scaled, settings.codebook, settings.unary_length)
        of_entries = codebook_values(found.levels, found.entries, found.zero, qp, density)
        return QuantizedTensor(name, found.levels, found.levels, qp, False, found, of_entries)
    if settings.dq:
        price = DEFAULT_PRICE if settings.price is None else settings.price
        path = dependent_levels(scaled, scan_order, price, settings.unary_length, compiled=settings.compiled)
        reconstructed = uniform_values(path.quantized, qp, density)
        return QuantizedTensor(name, path.levels, path.quantized, qp, True, None, reconstructed)
    if settings.price:
        levels = rate_distortion_levels(scaled, settings.price, settings.unary_length, compiled=settings.compiled)
    else:
        levels = nearest_levels(scaled, settings.deadzone)
    return QuantizedTensor(name, levels, levels, qp, False, None, uniform_values(levels, qp, density))


def integers(name: str, values: NDArray[Any]) -> QuantizedTensor:
    """A tensor of integers or booleans as it is. Raises BuildError where 32 bits do not hold it."""
    lowest, highest = int(values.min()), int(values.max())
    if lowest < -(1 << 31) or highest >= 1 << 31:
        raise BuildError(f"{name!r} holds integers from {lowest} to {highest}; 32 bits are coded")
    levels = np.ascontiguousarray(values.astype(np.int32))
    return QuantizedTensor(name, levels, levels, None, False, None, levels)


def scan_order_of(scan_order: int, *shapes: tuple[int, ...]) -> int:
    """The scan order for a unit of tensors of these shapes.

    Blocks are for matrices of more than one row and column, and decoders differ where there is a single row of blocks.
    """
    blocks = all(len(shape) > 1 and math.prod(shape[1:]) > 1 and shape[0] > 4 << scan_order for shape in shapes)
    return scan_order if blocks else 0
