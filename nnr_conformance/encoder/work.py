"""How much work encoding is, before it is done: bins and searched weights, from a sample of each tensor.

Interpreted, a weight of large levels takes ten times as long as a zero; bins all take about the same.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnr_conformance.encoder.bin_writer import INIT_IDS
from nnr_conformance.encoder.decomposition import can_decompose
from nnr_conformance.encoder.settings import EncoderSettings
from nnr_conformance.encoder.step_size import LARGEST_QUOTIENT, step_size

Tensors = Mapping[str, NDArray[Any]]

SAMPLE = 500
"""Elements of each tensor that are looked at."""


def bins_of(levels: NDArray[Any], unary_length: int) -> int:
    """About how many bins these levels are: significance, sign, greater-than flags, remainder."""
    sample = _sample(levels)
    return round(_bins(np.abs(sample.astype(np.float64)), unary_length) * levels.size / max(1, sample.size))


def loops_of(tensors: Tensors, settings: EncoderSettings, before: Tensors) -> dict[str, int]:
    """What the loops of `binding.INTERPRETED` have to do for a model, or for its difference to `before`."""
    work: Counter[str] = Counter()
    for name, tensor in tensors.items():
        if name in settings.raw or not tensor.size:
            continue
        sample = _sample(tensor).astype(np.float64)
        parent = before.get(name)
        if parent is not None and parent.shape != tensor.shape:
            parent = None
        if parent is not None:
            sample -= _sample(parent)
        count, of_floats = tensor.size, tensor.dtype.kind == "f"
        if of_floats and settings.rank and can_decompose(tensor.shape, settings.rank):
            count = settings.rank * (tensor.shape[0] + math.prod(tensor.shape[1:]))
        magnitudes = _magnitudes(name, sample, tensor.ndim, settings) if of_floats else np.abs(sample)
        bins = round(_bins(magnitudes, settings.unary_length) * count / sample.size)
        plain = parent is None and not (settings.codebook and of_floats and tensor.ndim > 1)
        work["encode_plain_rows" if plain else "encode_rows"] += bins
        work["price_rows"] += bins * INIT_IDS * settings.init_ids
        work["search_trellis"] += count * (settings.dq and of_floats)
        work["choose_levels"] += count * (of_floats and bool(settings.price) and not settings.dq)
    return dict(work)


def _magnitudes(
    name: str, sample: NDArray[np.float64], dimensions: int, settings: EncoderSettings
) -> NDArray[np.float64]:
    """About the levels that values are quantized to."""
    steps = np.abs(sample) / step_size(settings.qp_of(name, dimensions), settings.qp_density)
    # What cannot be encoded is told later.
    steps = np.minimum(np.nan_to_num(steps, posinf=LARGEST_QUOTIENT), LARGEST_QUOTIENT)
    if settings.codebook and dimensions > 1:
        return np.minimum(steps, settings.codebook // 2)
    levels: NDArray[np.float64] = np.floor(steps / (2 if settings.dq else 1) + 0.5)
    return levels


def _bins(magnitudes: NDArray[np.float64], unary_length: int) -> float:
    beyond = np.maximum(magnitudes - unary_length, 0)
    remainder = np.where(beyond > 0, 2 * np.floor(np.log2(np.maximum(beyond, 1))) + 1, 0)
    flags = np.where(magnitudes >= 1, 1 + np.minimum(magnitudes, unary_length), 0)
    return float((1 + flags + remainder).sum())


def _sample(tensor: NDArray[Any]) -> NDArray[Any]:
    flat = tensor.reshape(-1)
    # An odd stride meets every column of most matrices.
    return flat[:: flat.size // SAMPLE | 1]
