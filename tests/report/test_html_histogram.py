"""Histograms count every level once, in few bins, and are drawn to a scale that the page names."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

import nnr_conformance
from nnr_conformance.checker.details import MOST_BINS, level_histogram
from nnr_conformance.report.html_histogram import HEIGHT, WIDTH, histogram_figure
from nnr_conformance.report.model import Histogram, Report
from tests.decoder.stream_builder import coded, levels_of, parameter_set, raw, start
from tests.report.golden import damaged_report
from tests.report.page import Page, page_of

LEVELS = arrays.arrays(
    np.int32,
    arrays.array_shapes(max_dims=3, max_side=8),
    elements=st.one_of(st.integers(-40, 40), st.integers(-(2**31), 2**31 - 1)),
)


@given(LEVELS)
def test_every_level_is_counted_in_the_bin_that_holds_it(levels: np.ndarray) -> None:
    histogram = level_histogram(levels)
    assert histogram is not None
    assert len(histogram.counts) <= MOST_BINS
    for number, count in enumerate(histogram.counts):
        low = histogram.first + number * histogram.width
        inside = (levels.astype(np.int64) >= low) & (levels.astype(np.int64) < low + histogram.width)
        assert count == np.count_nonzero(inside)
    assert sum(histogram.counts) == levels.size
    assert histogram.counts[0]
    assert histogram.counts[-1]


@given(LEVELS)
def test_level_0_is_in_the_middle_of_a_bin(levels: np.ndarray) -> None:
    histogram = level_histogram(levels)
    assert histogram is not None
    assert (histogram.first + (histogram.width - 1) // 2) % histogram.width == 0


@given(st.integers(-(2**31), 2**31 - MOST_BINS), st.integers(0, MOST_BINS - 1))
def test_few_levels_have_a_bin_each(low: int, span: int) -> None:
    assert level_histogram(np.array([low, low + span])) == Histogram(
        low, 1, (2,) if not span else (1, *[0] * (span - 1), 1)
    )


def test_a_tensor_without_elements_has_no_histogram() -> None:
    assert level_histogram(np.zeros((0, 3), np.int32)) is None


def test_levels_are_counted_in_portions(monkeypatch: pytest.MonkeyPatch) -> None:
    levels = np.arange(-500, 600, dtype=np.int32)
    whole = level_histogram(levels)
    monkeypatch.setattr("nnr_conformance.checker.details._PORTION", 7)
    assert level_histogram(levels) == whole


def test_a_report_has_histograms_of_the_levels_when_details_are_asked_for() -> None:
    floats = raw("floats", np.arange(6.0))
    stream = start() + parameter_set() + coded("w", "e2-001-plain") + floats
    (plain,) = nnr_conformance.check(stream).streams
    assert [tensor.histogram for tensor in plain.tensors] == [None, None]
    (detailed,) = nnr_conformance.check(stream, details=1000).streams
    assert [tensor.histogram for tensor in detailed.tensors] == [level_histogram(levels_of("e2-001-plain")), None]
    assert replace(detailed, details=None, tensors=plain.tensors) == plain
    assert Page(f"<p>{histogram_figure(detailed.tensors[1].histogram)}</p>").text == "–"


def bars(histogram: Histogram) -> list[tuple[float, float, float]]:
    """Left edge, width and height of the bars in the figure, that of level 0 last."""
    page = Page(histogram_figure(histogram))
    drawn = "".join(str(one["d"]) for one in page.all("path") if one["class"] in {"bars", "zero"})
    found = re.findall(r"M([\d.]+) \d+v-([\d.]+)h([\d.]+)", drawn)
    return [(float(left), float(width), float(height)) for left, height, width in found]


@given(st.integers(-100, 10), st.lists(st.integers(0, 10**7), min_size=1, max_size=MOST_BINS).filter(any))
def test_there_is_a_bar_for_every_bin_that_is_not_empty_and_higher_means_more(first: int, counts: list[int]) -> None:
    drawn = sorted(bars(Histogram(first, 1, tuple(counts))))
    filled = [count for count in counts if count]
    assert len(drawn) == len(filled)
    for (left, width, height), count in zip(drawn, filled, strict=True):
        assert 0 <= left < left + width <= WIDTH + 0.1
        assert 0 < height <= HEIGHT
        assert height == pytest.approx(HEIGHT * np.log(2 * count) / np.log(2 * max(filled)), abs=0.06)


def test_the_figure_names_its_range_its_bins_and_its_scale() -> None:
    page = Page(histogram_figure(Histogram(-10, 5, (1, 20, 12_345, 3))))
    assert "12\u202f369 levels from \u221210 to 9 in bins of 5; the fullest bin has 12\u202f345 levels" in page.text
    assert page.text.endswith("\u22121090" + "12.3\u202fk")
    assert "logarithmic scale" in page_of(damaged_report()).text


def test_bits_per_weight_are_in_the_table() -> None:
    (stream, *_) = damaged_report().streams
    page = page_of(Report((stream,), "0"))
    for tensor in stream.tensors:
        assert f"{tensor.bits / tensor.elements:.3g}" in page.text
    assert len([one for one in page.all("svg") if one.get("class") == "histogram"]) == len(stream.tensors)
