"""Scan orders."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from nnr_conformance.entropy.scan import Segment, segments

sizes = st.integers(1, 150)


@given(sizes, sizes, st.integers(0, 4))
def test_every_scan_order_visits_each_weight_once(height: int, width: int, scan_order: int) -> None:
    visited = [at for first, length in segments(height, width, scan_order) for at in range(first, first + length)]
    assert sorted(visited) == list(range(height * width))


@given(sizes, sizes, st.integers(1, 4))
def test_a_segment_stays_inside_one_row_and_one_block(height: int, width: int, scan_order: int) -> None:
    block = 4 << scan_order if height > 1 and width > 1 else height * width
    for first, length in segments(height, width, scan_order):
        row, column = divmod(first, width)
        assert column + length <= width
        assert column // block == (column + length - 1) // block
        assert 0 <= row < height


def test_scan_order_one_visits_border_blocks_in_reading_order() -> None:
    width = 11
    found = list(segments(9, width, 1))
    left = [Segment(row * width, 8) for row in range(8)]
    right = [Segment(row * width + 8, 3) for row in range(8)]
    assert found == [*left, *right, Segment(8 * width, 8), Segment(8 * width + 8, 3)]


def test_a_single_row_or_column_has_no_blocks() -> None:
    assert list(segments(1, 100, 1)) == [Segment(0, 100)]
    assert list(segments(3, 1, 4)) == [Segment(0, 1), Segment(1, 1), Segment(2, 1)]
