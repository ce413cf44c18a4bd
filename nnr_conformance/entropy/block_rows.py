"""Clause 10: block rows decoded by themselves, from the entry points of the header.

An entry point says how many bits come before a block row, and with which offset and trellis state it starts. That it is
true shows where decoding of the block rows before it ends; then the levels are those of decoding one after the other.
Source: entropy coding facts 9.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import accumulate, pairwise
from typing import NamedTuple

import numpy as np

from nnr_conformance.entropy import engine as ac
from nnr_conformance.entropy import rows
from nnr_conformance.entropy.entry_points import header_count, restarts
from nnr_conformance.entropy.parameters import IntArray, TensorCoding
from nnr_conformance.entropy.payload import PayloadDecoder
from nnr_conformance.entropy.tables import tables
from nnr_conformance.entropy.weights import Decoded, Loops, WeightLoop


class Start(NamedTuple):
    """Where a block row starts: payload bits read before it, the offset, the trellis state."""

    bit: int
    value: int
    state: int


class Part(NamedTuple):
    """Some block rows: their weights, and the engine's cells behind them."""

    decoded: Decoded
    engine: list[int]

    @property
    def end(self) -> Start:
        """What the start of the next block row has to be; the state matters with dependent quantization only."""
        return Start(ac.bits_read(self.engine), ac.offset(self.engine), self.engine[ac.STATE])


def block_row_starts(loop: WeightLoop, engine: Sequence[int], payload_bytes: int) -> list[Start] | None:
    """Where all block rows start by the header, the first one where the engine is.

    None where there are no entry points, not as many as block rows need, or some that lead out of the payload.
    """
    coding = loop.coding
    given = coding.entry_points
    if not given or coding.bound_size == 1 or not restarts(coding, loop.rules):
        return None
    if len(given) != header_count(coding.height, coding.scan_order):
        return None
    first = Start(ac.bits_read(engine), ac.offset(engine), 0)
    bits = accumulate((point.bit_offset for point in given), initial=first.bit)
    states = [0, *(point.dq_state if coding.dq else 0 for point in given)]
    values = [first.value, *(point.value for point in given)]
    starts = [Start(*found) for found in zip(bits, values, states, strict=True)]
    rising = all(before.bit <= after.bit for before, after in pairwise(starts))
    return starts if rising and starts[-1].bit <= 8 * payload_bytes else None


def decode_part(loop: WeightLoop, loops: Loops, starts: Sequence[Start], first: int, end: int) -> Part:
    """Decode the block rows `first` to `end` - 1; a fault is in the engine's cells."""
    size = tables().block_size[loop.coding.scan_order]
    own = replace(
        loops,
        engine=loops.memory.cells(_engine_at(loops.payload, starts[first])),
        counters0=loops.counters0.copy(),
        counters1=loops.counters1.copy(),
    )
    decoded = loop.run_rows(own, first * size, min(end * size, loop.coding.height))
    return Part(decoded, own.engine_cells())


def decode_in_parts(
    loop: WeightLoop, loops: Loops, payload_bytes: int, threads: int
) -> tuple[Decoded, list[int]] | None:
    """Decode all block rows in this many threads; the weights, and the engine's cells behind the last one.

    None where it cannot be done, or where an entry point is not true or a fault is found: decoding one block row after
    the other tells more.
    """
    starts = block_row_starts(loop, loops.engine_cells(), payload_bytes)
    if starts is None:
        return None
    cuts = _cuts(starts, payload_bytes, threads)
    with ThreadPoolExecutor(threads, "nnr-block-rows") as pool:
        parts = list(pool.map(lambda cut: decode_part(loop, loops, starts, *cut), pairwise(cuts)))
    if any(part.engine[ac.FAULT] for part in parts):
        return None
    if not all(leads_to(loop, part, starts[cut]) for part, cut in zip(parts, cuts[1:-1], strict=False)):
        return None
    quantized = np.concatenate([part.decoded.quantized for part in parts])
    marks = [mark for part in parts for mark in part.decoded.marks]
    return Decoded(quantized, marks), parts[-1].engine


class Rows(NamedTuple):
    """Some rows of a tensor, row-major and of whole block rows. `first`: the first one. `qp_coded`: of the tensor."""

    quantized: IntArray
    first: int
    qp_coded: int | None


def decode_rows(decoder: PayloadDecoder, coding: TensorCoding, first: int, end: int) -> Rows | None:
    """Decode the block rows that hold the rows `first` to `end` - 1 of the only tensor of a payload, and no others.

    None where entry points do not serve: there are none, or they are found not to be true. Raises EntropyFault for what
    is wrong before the weights.
    """
    begun = decoder.begin_tensor(coding)
    loop, loops = begun.loop, begun.loops
    starts = block_row_starts(loop, loops.engine_cells(), decoder.payload_bytes)
    if starts is None:
        return None
    size = tables().block_size[coding.scan_order]
    block_rows = first // size, -(-end // size)
    part = decode_part(loop, loops, starts, *block_rows)
    if part.engine[ac.FAULT] or not _true_inside(loop, part, starts[block_rows[0] : block_rows[1]]):
        return None
    if block_rows[1] < len(starts):
        if not leads_to(loop, part, starts[block_rows[1]]):
            return None
    else:
        decoder.go_on_behind(part.engine)
        decoder.finish()
    height = len(part.decoded.quantized) // coding.width
    return Rows(part.decoded.quantized.reshape(height, *coding.shape[1:]), block_rows[0] * size, begun.qp_coded)


def _true_inside(loop: WeightLoop, part: Part, starts: Sequence[Start]) -> bool:
    marks = part.decoded.marks
    found = [
        Start(marks[at + rows.MARK_BIT], marks[at + rows.MARK_VALUE], marks[at + rows.MARK_STATE])
        for at in range(0, len(marks), rows.MARK_CELLS)
    ]
    kept = slice(None) if loop.coding.dq else slice(2)
    return [one[kept] for one in found[1:]] == [one[kept] for one in starts[1:]]


def leads_to(loop: WeightLoop, part: Part, start: Start) -> bool:
    """Whether decoding comes from the end of a part to the start of a block row."""
    end = part.end
    return end == start if loop.coding.dq else end[:2] == start[:2]


def _engine_at(payload: Sequence[int], start: Start) -> list[int]:
    cells = [0] * ac.ENGINE_CELLS
    ahead = -start.bit & 7
    position = (start.bit + 7) >> 3
    cells[ac.RANGE] = 256
    cells[ac.AHEAD] = ahead
    cells[ac.POSITION] = position
    cells[ac.VALUE] = (start.value << ahead) + (int(payload[position - 1]) & ((1 << ahead) - 1))
    cells[ac.STATE] = start.state
    return cells


def _cuts(starts: Sequence[Start], payload_bytes: int, parts: int) -> list[int]:
    """Numbers of block rows at which parts of about the same number of bits start and end."""
    first, last = starts[0].bit, 8 * payload_bytes
    wanted = [first + (last - first) * number // parts for number in range(1, parts)]
    bits = [start.bit for start in starts]
    inside = {int(np.searchsorted(bits, bit)) for bit in wanted}
    return sorted({0, len(starts)} | inside)
