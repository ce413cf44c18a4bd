"""A tensor's parameters as the cells that the weight loops read."""

from __future__ import annotations

from nnr_conformance.entropy import rows
from nnr_conformance.entropy.entry_points import restarts
from nnr_conformance.entropy.parameters import PayloadRules, TensorCoding
from nnr_conformance.entropy.tables import tables


def describe(coding: TensorCoding, rules: PayloadRules, *, use_history: bool, use_skip: bool) -> list[int]:
    """The cells `rows.HEIGHT` to `rows.BOUNDED` of one tensor."""
    height, width = coding.height, coding.width
    if coding.bound_size == 1:
        # Nothing is coded and nothing moves; only the block rows are visited.
        width = 0
    elif coding.effective_scan_order == 0 and not use_skip:
        # Row ends mean nothing here, and one long row is faster than many short ones.
        height, width = 1, coding.elements
    block_height, block_width = height, max(width, 1)
    if coding.effective_scan_order:
        block_height = block_width = tables().block_size[coding.scan_order]
    size, zero = coding.codebook_size, coding.codebook_zero
    cells = [0] * rows.CODING_CELLS
    cells[rows.HEIGHT] = height
    cells[rows.WIDTH] = width
    cells[rows.BLOCK_HEIGHT] = block_height
    cells[rows.BLOCK_WIDTH] = block_width
    cells[rows.RESTART] = int(restarts(coding, rules))
    cells[rows.UNARY] = coding.unary_length
    cells[rows.DQ] = int(coding.dq)
    cells[rows.SKIP_STEPS] = width if rules.skip_advances_row_width else 0
    cells[rows.SKIP_RESETS] = int(rules.skip_resets_neighbour)
    cells[rows.USE_SKIP] = int(use_skip)
    cells[rows.USE_BASE] = int(coding.temporal)
    cells[rows.USE_HISTORY] = int(use_history)
    cells[rows.LOWEST] = -zero if size else rows.INT32_LOWEST
    cells[rows.HIGHEST] = size - 1 - zero if size else rows.INT32_HIGHEST
    if coding.bound_size:
        cells[rows.BOUNDED] = 1
        cells[rows.FIXED_SIGN] = 2 if zero == 0 else int(zero == size - 1)
    return cells
