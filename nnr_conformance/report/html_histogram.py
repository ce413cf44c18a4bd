"""The histograms of the HTML report: how often the quantized levels of a tensor occur, on a logarithmic scale."""

from __future__ import annotations

from collections.abc import Iterator
from math import log10

from nnr_conformance.report.html_text import many
from nnr_conformance.report.model import Histogram

WIDTH, HEIGHT = 198, 40
"""Size of the bars in pixels."""

_WIDEST = 12
"""Pixels of a bar at most, so that a tensor of few levels has bars and no blocks."""

LEGEND = (
    "Histograms count quantized levels on a logarithmic scale, with a line at each power of ten; "
    "the number is the largest count, the bar that stands out holds level 0."
)


def histogram_figure(histogram: Histogram | None) -> str:
    """A histogram as inline SVG with its scales in words; a dash where there is none."""
    return "–" if histogram is None else "".join(_figure(histogram))


def _figure(histogram: Histogram) -> Iterator[str]:
    most = max(histogram.counts)
    last = histogram.first + histogram.width * len(histogram.counts) - 1
    step = min(_WIDEST, WIDTH / len(histogram.counts))
    title = (
        f"{many(sum(histogram.counts), 'level')} from {_level(histogram.first)} to {_level(last)} "
        f"in bins of {histogram.width}; the fullest bin has {many(most, 'level')}"
    )
    right = step * len(histogram.counts)
    yield f'<svg class="histogram" role="img" viewBox="0 0 {WIDTH + 50} {HEIGHT + 14}"><title>{title}</title>'
    yield f'<path class="scale" d="{_scale(most, right)}"/>'
    zero = -histogram.first // histogram.width if histogram.first <= 0 <= last else -1
    others = "".join(_bar(count, most, n * step, step) for n, count in enumerate(histogram.counts) if n != zero)
    yield f'<path class="bars" d="{others}"/>'
    if zero >= 0:
        yield f'<path class="zero" d="{_bar(histogram.counts[zero], most, zero * step, step)}"/>'
    yield from _labels(histogram, last, zero, step, right)
    yield f'<text class="most" x="{_short(right + 4)}" y="8">{_count(most)}</text>'
    yield "</svg>"


def _labels(histogram: Histogram, last: int, zero: int, step: float, right: float) -> Iterator[str]:
    """Levels below the bars: the lowest and the highest, and 0 where it has room."""
    low, high = _level(histogram.first), _level(last)
    yield f'<text x="0" y="{HEIGHT + 12}">{low}</text>'
    room = 6.5
    if right > room * (len(low) + len(high) + 1):
        yield f'<text class="end" x="{_short(right)}" y="{HEIGHT + 12}">{high}</text>'
        middle = (zero + 0.5) * step
        if zero >= 0 and room * (len(low) + 1) < middle < right - room * (len(high) + 1):
            yield f'<text class="middle" x="{_short(middle)}" y="{HEIGHT + 12}">0</text>'
    elif high != low:
        yield f'<text x="{_short(room * len(low))}" y="{HEIGHT + 12}"> … {high}</text>'


def _bar(count: int, most: int, left: float, step: float) -> str:
    if not count:
        return ""
    height = _height(count, most)
    return f"M{_short(left)} {HEIGHT}v-{_short(height)}h{_short(max(0.5, step - 1))}v{_short(height)}z"


def _height(count: float, most: int) -> float:
    """Pixels of a count; the scale begins at one half, so that a single level can be seen."""
    return HEIGHT * log10(2 * count) / log10(2 * most)


def _scale(most: int, right: float) -> str:
    """Lines at the powers of ten."""
    powers = (10**power for power in range(len(str(most))))
    lines = (f"M0 {_short(HEIGHT - _height(power, most))}h{_short(right)}" for power in powers)
    return "".join(lines) + f"M0 {HEIGHT}h{_short(right)}"


def _short(pixels: float) -> str:
    return f"{pixels:.1f}".removesuffix(".0")


def _level(level: int) -> str:
    return str(level).replace("-", "\N{MINUS SIGN}")


def _count(count: int) -> str:
    for power, name in ((9, "G"), (6, "M"), (3, "k")):
        if count >= 10 ** max(4, power):
            return f"{count / 10**power:.3g}\u202f{name}"
    return str(count)
