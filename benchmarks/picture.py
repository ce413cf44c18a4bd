"""The ratios of a run as SVG: a bar for each row that NNCodec is in, on a logarithmic scale, with its target.

Colours follow the light or dark scheme of the reader; every bar has a label and a tooltip.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

from benchmarks.table import Results, Row

WIDTH, LEFT, RIGHT, TOP, BOTTOM = 1000, 530, 60, 56, 40
BAR, STEP, GROUP_STEP = 12, 19, 26
LINES = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20)

STYLE = """
 .ground { fill: #ffffff } text { fill: #1f2328; font: 12px system-ui, sans-serif }
 .title { font-size: 14px; font-weight: 600 } .group { font-weight: 600 } .grid { stroke: #d8dee4; stroke-width: 1 }
 .one { stroke: #57606a; stroke-width: 1 } .quiet { fill: #57606a }
 .met { fill: #0969da } .missed { fill: #bc4c00 } .open { fill: #6e7781 }
 .range { stroke: #1f2328; stroke-width: 1 } .target { stroke: #1f2328; stroke-width: 2 }
 @media (prefers-color-scheme: dark) {
  .ground { fill: #0d1117 } text { fill: #e6edf3 } .grid { stroke: #30363d } .one { stroke: #8b949e }
  .quiet { fill: #8b949e } .met { fill: #4493f8 } .missed { fill: #db6d28 } .open { fill: #8b949e }
  .range { stroke: #e6edf3 } .target { stroke: #e6edf3 }
 }
"""
CLASSES = {True: "met", False: "missed", None: "open"}


@dataclass(frozen=True, slots=True)
class Scale:
    """From ratios to pixels, by their logarithms."""

    low: float
    high: float

    @classmethod
    def around(cls, rows: Sequence[Row]) -> Scale:
        """A scale that holds all ratios and targets."""
        ratios = [value for row in rows for value in (row.ratio, row.lowest, row.highest) if value]
        ratios += [row.target.bound for row in rows if row.target is not None and row.target.of == "ratio"]
        low = max((line for line in LINES if line <= min(ratios, default=1.0)), default=LINES[0])
        high = min((line for line in LINES if line >= max(ratios, default=1.0)), default=LINES[-1])
        return cls(min(low, 1.0), max(high, 2.0))

    def place(self, ratio: float) -> float:
        """The pixel of a ratio; those beyond the scale are at its ends."""
        share = math.log(min(max(ratio, self.low), self.high) / self.low) / math.log(self.high / self.low)
        return LEFT + share * (WIDTH - RIGHT - LEFT)


def picture(results: Results) -> str:
    """The SVG document of a run."""
    rows = [row for row in results.rows if row.ratio is not None]
    scale = Scale.around(rows)
    bars = list(_bars(rows, scale))
    groups = len({row.measurement for row in rows})
    height = TOP + GROUP_STEP * groups + STEP * len(rows) + BOTTOM
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" '
        'aria-label="How many times better than NNCodec">',
        f"<style>{STYLE}</style>",
        f'<rect class="ground" width="{WIDTH}" height="{height}"/>',
        '<text class="title" x="16" y="24">How many times better than NNCodec '
        f"{escape(results.environment.get('nncodec', ''))}</text>",
        '<text class="quiet" x="16" y="42">bars: medians, blue where the target is met; '
        "thin lines: all repetitions; thick marks: targets</text>",
        *_grid(scale, height - BOTTOM),
    ]
    return "\n".join([*lines, *bars, "</svg>", ""])


def _grid(scale: Scale, bottom: float) -> Iterator[str]:
    for value in LINES:
        if scale.low <= value <= scale.high:
            x = scale.place(value)
            kind = "one" if value == 1 else "grid"
            yield f'<line class="{kind}" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" y2="{bottom}"/>'
            yield f'<text class="quiet" x="{x:.1f}" y="{bottom + 18}" text-anchor="middle">{value:g}</text>'


def _bars(rows: Sequence[Row], scale: Scale) -> Iterator[str]:
    y, group = float(TOP), ""
    for row in rows:
        if row.measurement != group:
            group = row.measurement
            y += GROUP_STEP
            yield f'<text class="group" x="16" y="{y - 6:.1f}">{escape(group)}</text>'
        yield from _bar(row, scale, y)
        y += STEP


def _bar(row: Row, scale: Scale, y: float) -> Iterator[str]:
    assert row.ratio is not None
    one, end, middle = scale.place(1), scale.place(row.ratio), y + BAR / 2
    yield f'<text x="28" y="{y + BAR - 1:.1f}">{escape(row.what)}</text>'
    yield (
        f'<rect class="{CLASSES[row.met]}" x="{min(one, end):.1f}" y="{y:.1f}" width="{abs(end - one):.1f}" '
        f'height="{BAR}"><title>{escape(" · ".join(row.cells()))}</title></rect>'
    )
    if row.lowest is not None and row.highest is not None:
        across = f'x1="{scale.place(row.lowest):.1f}" x2="{scale.place(row.highest):.1f}"'
        yield f'<line class="range" {across} y1="{middle:.1f}" y2="{middle:.1f}"/>'
    if row.target is not None and row.target.of == "ratio":
        x = scale.place(row.target.bound)
        yield f'<line class="target" x1="{x:.1f}" x2="{x:.1f}" y1="{y - 2:.1f}" y2="{y + BAR + 2:.1f}"/>'
    yield f'<text class="quiet" x="{WIDTH - RIGHT + 8}" y="{y + BAR - 1:.1f}">{row.ratio:.2f} ×</text>'
