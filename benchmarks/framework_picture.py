"""Size against decisions as SVG: one panel for each model, one line for plain tensors, one for folded blocks.

Colours follow the light or dark scheme of the reader; every mark has a tooltip.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

from nnr_conformance.suite.cfp2019.plot import STYLE, Axis, axis

WIDTH, PANEL, LEFT, RIGHT, TOP, BOTTOM = 760, 240, 84, 24, 40, 44
BLOCKS = "--blocks"
_MORE_STYLE = """
 .line { fill: none; stroke: #0969da; stroke-width: 1.5 } .folded { stroke: #bc4c00 } .mark.folded { fill: #bc4c00 }
 @media (prefers-color-scheme: dark) {
  .line { stroke: #4493f8 } .folded { stroke: #db6d28 } .mark.folded { fill: #db6d28 }
 }
"""


@dataclass(frozen=True, slots=True)
class Mark:
    """A model at a working point: percent of the file's bytes, percent of its decisions."""

    case: str
    point: str
    size: float
    same: float


def picture(marks: Sequence[Mark]) -> str:
    """The SVG document of these marks."""
    cases = list(dict.fromkeys(mark.case for mark in marks))
    height = PANEL * len(cases)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img">',
        "<title>Decisions that stay the same, by the size of the stream</title>",
        f"<style>{STYLE}{_MORE_STYLE}</style>",
        f'<rect class="ground" width="{WIDTH}" height="{height}"/>',
    ]
    for number, case in enumerate(cases):
        parts += _panel(case, [mark for mark in marks if mark.case == case], PANEL * number)
    return "\n".join([*parts, "</svg>", ""])


def _panel(case: str, marks: Sequence[Mark], top: float) -> Iterator[str]:
    sizes = [mark.size for mark in marks]
    across = axis(0, max(sizes), LEFT, WIDTH - RIGHT)
    up = axis(min(99, *(mark.same for mark in marks)), 100, top + PANEL - BOTTOM, top + TOP)
    yield f'<text class="title" x="{LEFT}" y="{top + 22}">{escape(case)}</text>'
    for tick in across.ticks:
        at = across.place(tick)
        yield f'<line class="grid" x1="{at:.1f}" x2="{at:.1f}" y1="{up.first:.1f}" y2="{up.last:.1f}"/>'
        yield f'<text class="quiet" x="{at:.1f}" y="{up.first + 16:.1f}" text-anchor="middle">{tick:g} %</text>'
    for tick in up.ticks:
        at = up.place(tick)
        yield f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{at:.1f}" y2="{at:.1f}"/>'
        yield f'<text class="quiet" x="{LEFT - 8}" y="{at + 4:.1f}" text-anchor="end">{tick:g} %</text>'
    middle = (LEFT + WIDTH - RIGHT) / 2
    caption = "bytes of the stream, of the .onnx file; decisions that stay the same (orange: folded, scaled blocks)"
    yield f'<text class="quiet" x="{middle}" y="{up.first + 32:.1f}" text-anchor="middle">{caption}</text>'
    yield from _series([mark for mark in marks if BLOCKS not in mark.point], across, up, "")
    yield from _series([mark for mark in marks if BLOCKS in mark.point], across, up, " folded")


def _series(marks: Sequence[Mark], across: Axis, up: Axis, kind: str) -> Iterator[str]:
    places = [(across.place(mark.size), up.place(mark.same)) for mark in marks]
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    yield f'<polyline class="line{kind}" points="{points}"/>'
    for mark, (x, y) in zip(marks, places, strict=True):
        tip = escape(f"{mark.point}: {mark.size:.2f} % of the bytes, {mark.same:.2f} % of the decisions")
        yield f'<circle class="mark{kind}" cx="{x:.1f}" cy="{y:.1f}" r="4.5"><title>{tip}</title></circle>'
