"""Whether the readings of payloads differ on a payload that was decoded (clause 10, `spec/readings.yaml`)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from nnr_conformance.entropy import TensorCoding, TensorResult
from nnr_conformance.readings import Readings

_STATE_PERIOD = 4
"""Even levels bring the trellis back to its state after this many steps."""


def mark_payload(
    readings: Readings,
    codings: Sequence[TensorCoding],
    results: Sequence[TensorResult],
    *,
    skipping: bool,
    history: bool,
) -> None:
    """Mark the readings row-skip-state, skipped-row-neighbour and history where their choices differ.

    `skipping`, `history`: of the tensor at which decoding ended, when it is not among `results`: whether it skips rows
    and uses its history. How it went on is not known, so the choices are taken to differ.
    """
    for coding, result in zip(codings, results, strict=False):
        if result.row_skip is not None and result.row_skip.any():
            if state_depends(coding):
                readings.mark("row-skip-state")
            if neighbour_depends(coding, result.row_skip, result.quantized):
                readings.mark("skipped-row-neighbour")
        if result.history_flag:
            readings.mark("history")
    if len(results) < len(codings):
        if skipping:
            readings.mark("skipped-row-neighbour")
        if skipping and state_depends(codings[len(results)]):
            readings.mark("row-skip-state")
        if history:
            readings.mark("history")


def state_depends(coding: TensorCoding) -> bool:
    """True when a full row width and the parts of a row inside the blocks bring the trellis to different states."""
    order = coding.effective_scan_order
    return coding.dq and order > 0 and coding.width > 4 << order and coding.width % _STATE_PERIOD != 0


def neighbour_depends(coding: TensorCoding, row_skip: NDArray[np.uint8], quantized: NDArray[np.int32]) -> bool:
    """True when a weight that is decoded right after a skipped row has a weight before that which is not 0."""
    levels = quantized.reshape(coding.height, coding.width)
    for skipped, last in _segments(coding, row_skip != 0, levels):
        numbers = np.where(skipped, -1, np.arange(len(skipped)))
        before = np.maximum.accumulate(numbers)[:-1]
        after_skipped = skipped[:-1] & ~skipped[1:] & (before >= 0)
        if (last[before[after_skipped]] != 0).any():
            return True
    return False


def _segments(
    coding: TensorCoding, skip: NDArray[np.bool_], levels: NDArray[np.int32]
) -> Iterator[tuple[NDArray[np.bool_], NDArray[np.int32]]]:
    """For each run of the scan between restarts: which of its row segments are skipped, and their last weights."""
    order = coding.effective_scan_order
    if order == 0:
        yield skip, levels[:, -1]
        return
    size = 4 << order
    lefts = [*range(0, coding.width, size), coding.width]
    ends = [end - 1 for _, end in pairwise(lefts)]
    for top in range(0, coding.height, size):
        rows = slice(top, top + size)
        yield np.tile(skip[rows], len(ends)), levels[rows][:, ends].T.ravel()
