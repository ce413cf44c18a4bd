"""Clause 10: the trellis of dependent quantization, retraced from the quantized parameters."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nnr_conformance.entropy.binding import bound_retrace
from nnr_conformance.entropy.parameters import DEFAULT_RULES, FlagArray, IntArray, PayloadRules
from nnr_conformance.entropy.scan import segments


@dataclass(frozen=True, slots=True, eq=False)
class Trellis:
    """`states`: int8, the state before each weight, -1 in skipped rows; `levels`: int32, the coded levels; both of the
    tensor's shape. `final_state`: the state after the last weight."""

    states: NDArray[np.int8]
    levels: IntArray
    final_state: int


def trellis_states(
    quantized: IntArray,
    scan_order: int,
    row_skip: FlagArray | None = None,
    rules: PayloadRules = DEFAULT_RULES,
    *,
    compiled: bool = False,
) -> Trellis:
    """The trellis states and coded levels behind quantized parameters of a tensor with dependent quantization.

    `quantized`: int32 of the tensor's shape, as decoded. `row_skip`: as in TensorResult. `compiled`: run the compiled
    form, which needs numba.
    """
    height = quantized.shape[0]
    width = quantized.size // height
    spans = np.array(list(segments(height, width, scan_order)), np.int64)
    flat = np.ascontiguousarray(quantized, np.int32).reshape(-1)
    skip = np.zeros(height, np.uint8) if row_skip is None else row_skip
    states = np.full(flat.size, -1, np.int8)
    levels = np.zeros(flat.size, np.int32)
    steps = width if rules.skip_advances_row_width else 0
    arguments = (flat, spans[:, 0].copy(), spans[:, 1].copy(), skip, width, steps, states, levels)
    final_state = bound_retrace(compiled=compiled)(*arguments)
    return Trellis(states.reshape(quantized.shape), levels.reshape(quantized.shape), int(final_state))
