"""The rate-accuracy plot of the call as SVG: one panel for each network, one mark for each stream.

Colours follow the light or dark scheme of the reader; every mark has a label and a tooltip.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

from nnr_conformance.suite.cfp2019.evaluation import Evaluation

WIDTH, PANEL, LEFT, RIGHT, TOP, BOTTOM = 760, 260, 84, 24, 46, 48
LABEL_WIDTH, LABEL_HEIGHT, RADIUS = 22, 10, 4.5
LARGE_STEPS = (1, 2, 2.5, 5, 10)

STYLE = """
 .ground { fill: #ffffff } text { fill: #1f2328; font: 12px system-ui, sans-serif }
 .title { font-size: 14px; font-weight: 600 } .grid { stroke: #d8dee4; stroke-width: 1 }
 .axis { stroke: #57606a; stroke-width: 1 } .before { stroke: #57606a; stroke-dasharray: 5 4 }
 .mark { fill: #0969da; stroke: #ffffff } .quiet { fill: #57606a }
 @media (prefers-color-scheme: dark) {
  .ground { fill: #0d1117 } text { fill: #e6edf3 } .grid { stroke: #30363d } .axis { stroke: #8b949e }
  .before { stroke: #8b949e } .mark { fill: #4493f8; stroke: #0d1117 } .quiet { fill: #8b949e }
 }
"""

Box = tuple[float, float, float, float]
"""Left, top, right, bottom."""


@dataclass(frozen=True, slots=True)
class Axis:
    """A scale from values to pixels, with the values of its lines."""

    low: float
    high: float
    first: float
    last: float
    ticks: tuple[float, ...]

    def place(self, value: float) -> float:
        """The pixel of a value."""
        return self.first + (value - self.low) / (self.high - self.low) * (self.last - self.first)


def axis(low: float, high: float, first: float, last: float, lines: int = 5) -> Axis:
    """A scale that holds both values, with about so many lines at round numbers."""
    span = (high - low) or abs(high) or 1.0
    size = 10.0 ** math.floor(math.log10(span / lines))
    step = next(size * factor for factor in LARGE_STEPS if size * factor * lines >= span)
    start, end = math.floor(low / step), math.ceil(high / step)
    end += start == end
    return Axis(start * step, end * step, first, last, tuple(number * step for number in range(start, end + 1)))


def plot(rows: Sequence[Evaluation]) -> str:
    """The SVG document of evaluations."""
    networks = list(dict.fromkeys(row.network for row in rows))
    height = PANEL * len(networks) + TOP
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" '
        'aria-label="Bytes and accuracy of the nine proposals">',
        f"<style>{STYLE}</style>",
        f'<rect class="ground" width="{WIDTH}" height="{height}"/>',
        f'<text class="title" x="{LEFT}" y="24">The nine proposals of 2019: size and accuracy</text>',
    ]
    for number, network in enumerate(networks):
        lines += _panel(network, [row for row in rows if row.network == network], TOP + PANEL * number)
    return "\n".join([*lines, "</svg>", ""])


def _panel(network: str, rows: Sequence[Evaluation], top: float) -> Iterator[str]:
    classifies = rows[0].right is not None
    across = axis(0, max(row.size for row in rows) / 1000, LEFT, WIDTH - RIGHT)
    values = [value for row in rows for value in (row.before, row.after)]
    # Better is up in every panel: an error grows downwards.
    bottom, upper = top + PANEL - BOTTOM, top + 24
    up = axis(min(values), max(values), *((bottom, upper) if classifies else (upper, bottom)))
    yield f'<text x="{LEFT}" y="{top + 14:.1f}">{escape(network)}</text>'
    for tick in across.ticks:
        x = across.place(tick)
        yield f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{upper:.1f}" y2="{bottom:.1f}"/>'
        yield f'<text class="quiet" x="{x:.1f}" y="{bottom + 16:.1f}" text-anchor="middle">{tick:g}</text>'
    for tick in up.ticks:
        y = up.place(tick)
        yield f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
        yield f'<text class="quiet" x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{tick:g}</text>'
    yield f'<path class="axis" fill="none" d="M{LEFT} {upper:.1f}V{bottom:.1f}H{WIDTH - RIGHT}"/>'
    name = "accuracy" if classifies else "squared error"
    middle = (upper + bottom) / 2
    yield f'<text transform="translate(20 {middle:.1f}) rotate(-90)" text-anchor="middle">{name}</text>'
    yield f'<text x="{(LEFT + WIDTH - RIGHT) / 2:.1f}" y="{bottom + 34:.1f}" text-anchor="middle">1000 bytes</text>'
    y = up.place(rows[0].before)
    place = f'x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"'
    yield f'<line class="before" {place}><title>before</title></line>'
    yield f'<text class="quiet" x="{LEFT + 6}" y="{y + 14:.1f}">before</text>'
    marks = [(row, across.place(row.size / 1000), up.place(row.after)) for row in rows]
    taken = [(x - RADIUS, y - RADIUS, x + RADIUS, y + RADIUS) for _, x, y in marks]
    for row, x, y in marks:
        label_x, label_y = _free_place(x, y, taken)
        taken.append(_label_box(label_x, label_y))
        yield (
            f'<circle class="mark" cx="{x:.1f}" cy="{y:.1f}" r="{RADIUS}">'
            f"<title>{escape(row.name)}: {row.size} bytes, {name} {row.after:.4g}</title></circle>"
        )
        label = row.proposal + ("+" if row.partial is None else "")
        yield f'<text x="{label_x:.1f}" y="{label_y:.1f}">{label}</text>'


def _label_box(x: float, y: float) -> Box:
    """What a label covers that begins at a point of its base line."""
    return x, y - LABEL_HEIGHT, x + LABEL_WIDTH, y


def _free_place(x: float, y: float, taken: Sequence[Box]) -> tuple[float, float]:
    """Where the label of a mark begins: the first place around it where no other label or mark is."""
    left, right = x - LABEL_WIDTH - 5, x + 7
    sides = [(right, y - 5), (right, y + 14), (left, y - 5), (left, y + 14), (x - 11, y - 9), (x - 11, y + 19)]
    sides += [(x - 11, y - 21), (x - 11, y + 31)]
    return next((side for side in sides if not any(_meet(_label_box(*side), box) for box in taken)), sides[0])


def _meet(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
