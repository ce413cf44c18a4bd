"""Clause 10: the order in which weights are visited."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from nnr_conformance.entropy.tables import tables


class Segment(NamedTuple):
    """The part of one row that lies inside one block: `first` is a row-major index, `length` its number of weights."""

    first: int
    length: int


def block_shape(height: int, width: int, scan_order: int) -> tuple[int, int]:
    """Rows and columns of a scan block; the whole tensor for the row-major scan."""
    size = tables().block_size[scan_order] if height > 1 and width > 1 else 0
    return (size, size) if size else (height, width)


def segments(height: int, width: int, scan_order: int) -> Iterator[Segment]:
    """All segments in scan order: block rows from the top, blocks from the left, rows from the top of the block.

    Blocks at the right and lower border are clipped.
    """
    rows, columns = block_shape(height, width, scan_order)
    for top in range(0, height, rows):
        for left in range(0, width, columns):
            for row in range(top, min(top + rows, height)):
                yield Segment(row * width + left, min(columns, width - left))
