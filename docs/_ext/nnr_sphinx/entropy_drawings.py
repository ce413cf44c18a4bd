"""Drawings of entropy decoding, made by asking the decoder: contexts of the significance flag, trellis, scan."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import FunctionType
from typing import Any

from nnr_conformance.entropy import engine as ac
from nnr_conformance.entropy import rows
from nnr_conformance.entropy.binding import bound_decode_rows
from nnr_conformance.entropy.contexts import group_starts
from nnr_conformance.entropy.scan import segments
from nnr_conformance.entropy.tables import tables
from nnr_sphinx.svg import ARROW, BAD, box, drawing, line, path, text

INPUTS: Mapping[str, dict[str, int]] = {
    "neighbour 0": {"neighbour": 0},
    "neighbour < 0": {"neighbour": 1},
    "neighbour > 0": {"neighbour": 2},
    "base ±1": {"base": 1},
    "base beyond ±1": {"base": 2},
    "history": {"history": 1},
}
"""What chooses the context of the significance flag, beside the trellis state; the last one that holds decides."""


class _AskedError(Exception):
    """The loop asks for a bin."""

    def __init__(self, context: int) -> None:
        super().__init__(context)
        self.context = context


def significance_context(state: int, *, neighbour: int = 0, base: int = 0, history: int = 0) -> int:
    """The context for which the weight loop asks first. All that is drawn of contexts comes from here."""
    namespace = dict(bound_decode_rows(all_tools=True, compiled=False).__globals__)
    namespace["ALL_TOOLS"] = True

    def answer(payload: Any, counters0: Any, counters1: Any, context: int, *registers: int) -> None:
        raise _AskedError(context)

    namespace["decode_bin"] = answer
    segment = FunctionType(rows.decode_segment.__code__, namespace)
    cells, coding = [0] * ac.ENGINE_CELLS, [0] * rows.CODING_CELLS
    cells[ac.STATE], cells[ac.NEIGHBOUR] = state, neighbour
    coding[rows.UNARY], coding[rows.DQ] = 10, 1
    coding[rows.USE_BASE], coding[rows.USE_HISTORY] = int(bool(base)), history
    try:
        segment((), cells, (), (), coding, (base,), (history,), [0], 0, 1)
    except _AskedError as asked:
        return asked.context
    raise ValueError("the loop asked for no bin")


def context_drawing(name: str) -> str:
    """The context of the significance flag for each trellis state and what is known of the weight's surroundings."""
    starts = {group: first for group, first in group_starts(10).items() if group != "total"}
    left, cell, height = 90, 116, 26
    parts = [text(4, 40, "state", size=12)]
    for column, words in enumerate(INPUTS):
        parts.append(text(left + cell * (column + 0.5), 40, words, anchor="middle", size=12))
    for state in range(8):
        y = 50 + state * height
        parts.append(text(20, y + 18, str(state)))
        for column, given in enumerate(INPUTS.values()):
            context = significance_context(state, **given)
            group = max((one for one in starts if starts[one] <= context), key=lambda one: starts[one])
            shade = (0.06, 0.16, 0.3)[("sig_neighbour", "sig_base", "sig_history").index(group)]
            x = left + cell * column
            parts.append(box(x + 2, y + 1, cell - 4, height - 2, fill="currentColor", more=f'fill-opacity="{shade}"'))
            parts.append(text(x + cell / 2, y + 18, f"{context}", anchor="middle"))
    parts.append(text(left, 18, "context index of the significance flag, by what precedes it", size=12))
    del name
    return drawing(
        left + cell * len(INPUTS) + 4, 50 + 8 * height + 6, "Contexts of the significance flag", parts, minimum=560
    )


def trellis_drawing(name: str) -> str:
    """The trellis of dependent quantization: from each state, where an even and an odd level lead."""
    parts = [ARROW.format(name=f"{name}-even", colour="currentColor"), ARROW.format(name=f"{name}-odd", colour=BAD)]
    next_state = tables().next_state
    left, right, row = 90, 380, 34
    for state in range(8):
        y = 40 + row * state
        for x in (left, right):
            parts += [box(x - 20, y - 13, 40, 26), text(x, y + 5, str(state), anchor="middle")]
        parts.append(text(left - 30, y + 5, f"Q{state & 1}", anchor="end", size=11))
        for odd in (0, 1):
            to = int(next_state[2 * state + odd])
            colour, kind = (BAD, "odd") if odd else ("currentColor", "even")
            shift = 4 if odd else -4
            curve = f"M{left + 20} {y + shift} L{right - 21} {40 + row * to + shift}"
            dash = 'stroke-dasharray="6 3" ' if odd else ""
            parts.append(path(curve, colour=colour, more=f'{dash}marker-end="url(#{name}-{kind})"'))
    parts += [text(left, 16, "state", anchor="middle", size=12), text(right, 16, "next", anchor="middle", size=12)]
    parts += [
        line(430, 40, 462, 40),
        text(468, 45, "even level"),
        line(430, 64, 462, 64, colour=BAD, more='stroke-dasharray="6 3"'),
    ]
    parts += [text(468, 69, "odd level", colour=BAD), text(430, 100, "Q0, Q1: quantizer of the state", size=12)]
    return drawing(630, 40 + row * 8, "Trellis of dependent quantization", parts, minimum=420)


def scan_drawing(name: str, height: int = 18, width: int = 26, scan_order: int = 1) -> str:
    """The order in which the weights of a matrix are visited, in blocks that are clipped at its borders."""
    size = 16
    parts = [ARROW.format(name=f"{name}-scan", colour="currentColor")]
    for first, length in segments(height, width, scan_order):
        row, column = divmod(first, width)
        x, y = 8 + column * size, 30 + row * size
        parts.append(box(x, y, length * size, size, more='stroke-opacity=".25"'))
        start, end = x + 5, x + length * size - 5
        parts.append(line(start, y + size / 2, end, y + size / 2, more=f'marker-end="url(#{name}-scan)"'))
    block = int(tables().block_size[scan_order])
    for number, (x, y) in enumerate((x, y) for y in range(0, height, block) for x in range(0, width, block)):
        w, h = min(block, width - x) * size, min(block, height - y) * size
        parts.append(box(8 + x * size, 30 + y * size, w, h, more='stroke-width="2"'))
        parts.append(text(8 + x * size + 4, 30 + y * size + 13, str(number + 1), size=11, colour=BAD))
    words = f"{height} × {width} weights, scan_order {scan_order}: blocks of {block}, visited by number"
    parts.append(text(8, 18, words, size=12))
    return drawing(width * size + 16, height * size + 40, "Scan of a matrix in blocks", parts)


DRAWINGS: Mapping[str, Callable[[str], str]] = {
    "significance-contexts": context_drawing,
    "trellis": trellis_drawing,
    "scan": scan_drawing,
}
