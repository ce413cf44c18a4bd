"""A decoder with a fault of choice, to see how `nnr-suite diff` finds it: that of this package, with one part replaced.

Usage: python broken_decoder.py --fault NAME {streams} -o {tensors} --levels {levels} --dequantized {dequantized}
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from nnr_conformance.adapters import Bin
from nnr_conformance.api import chain_decoder
from nnr_conformance.decoder import compressed_data, dequantization, model, unit_header
from nnr_conformance.decoder.dequantization import Codebook
from nnr_conformance.decoder.tensors import CodedTensor
from nnr_conformance.entropy import contexts, engine, payload, row_skip, rows, weights
from nnr_conformance.entropy.binding import bound_decode_rows
from nnr_conformance.entropy.parameters import End
from nnr_conformance.suite.runner.delivered import binary32
from nnr_conformance.suite.runner.outputs import write_arrays, write_trace

LOOPS = [bound_decode_rows(all_tools=all_tools, compiled=False).__globals__ for all_tools in (False, True)]
"""The names of the interpreted weight loops, where they can be replaced."""


def neighbour_contexts_swapped() -> None:
    """Significance: contexts of a negative and a positive neighbour are taken for each other."""
    for names in LOOPS:
        right = names["decode_bin"]

        def wrong(data: Any, first: Any, second: Any, context: int, *registers: int, right: Any = right) -> Any:
            return right(data, first, second, {1: 2, 2: 1}.get(context, context), *registers)

        names["decode_bin"] = wrong


def contexts_kept_at_entry_points() -> None:
    """Block rows: the interval restarts, but contexts go on as they are."""

    def wrong(cells: Any, *_: Any) -> None:
        cells[engine.RANGE], cells[engine.NEIGHBOUR] = 256, 0

    for names in LOOPS:
        names["start_block_row"] = wrong


def initialization_table_entry() -> None:
    """Initialization ids: the parameter sets 1 and 2 are swapped."""
    right = contexts.tables()
    wrong = replace(
        right,
        **{
            name: tuple(getattr(right, name)[at] for at in (0, 2, 1, *range(3, len(getattr(right, name)))))
            for name in ("initial_counter0", "initial_counter1")
        },
    )
    contexts.tables = lambda: wrong
    contexts.INITIAL_COUNTER0, contexts.INITIAL_COUNTER1 = wrong.initial_counter0, wrong.initial_counter1


def blocks_too_wide() -> None:
    """Scan orders: blocks are twice as wide as high."""
    right = weights.describe

    def wrong(coding: Any, *arguments: Any, **more: Any) -> list[int]:
        cells = right(coding, *arguments, **more)
        if coding.effective_scan_order:
            cells[rows.BLOCK_WIDTH] *= 2
        return cells

    weights.describe = wrong


def state_transition_entry() -> None:
    """Dependent quantization: the two successors of state 2 are swapped."""
    for names in LOOPS:
        table = list(names["NEXT_STATE"])
        table[4], table[5] = table[5], table[4]
        names["NEXT_STATE"] = tuple(table)


def qp_divided_towards_zero() -> None:
    """Step size: QP is divided towards zero, so that negative ones give twice the step."""
    dequantization._exponent = lambda qp, density: math.trunc(qp / (1 << density))


def codebook_offset() -> None:
    """Codebook: CbZeroOffset is one too large."""
    right = compressed_data.dequantize_codebook

    def wrong(levels: Any, codebook: Codebook, *arguments: Any, **more: Any) -> Any:
        shifted = np.append(codebook.entries[1:], codebook.entries[-1:])
        return right(levels, Codebook(shifted, codebook.zero_offset), *arguments, **more)

    compressed_data.dequantize_codebook = wrong


def factor_by_columns() -> None:
    """G·H: the elements of H are taken column by column."""
    right = model.compose
    model.compose = lambda g, h, *rest, **more: right(g, h.reshape(-1).reshape(h.shape, order="F"), *rest, **more)


def local_scaling_ignored() -> None:
    """Local scaling is decoded and not applied."""
    model.apply_local_scaling = lambda weight, scaling, **_: weight


def update_not_added() -> None:
    """Updates: the difference is delivered in place of the sum."""
    model.add_update = lambda parent, update, **_: update


def row_skip_inverted() -> None:
    """Row skipping: 1 is taken for a row that is there."""
    right = payload.bound_decode_row_skip

    def bound(*, compiled: bool) -> Callable[..., None]:
        def wrong(*arguments: Any) -> None:
            right(compiled=compiled)(*arguments)
            flags = arguments[-1]
            flags[:] = bytes(1 - flag for flag in flags)

        return wrong

    payload.bound_decode_row_skip = bound


def dimensions_reversed() -> None:
    """Header: tensor_dimensions are taken from the last one to the first."""
    right = unit_header.dimensions
    compressed_data.dimensions = lambda *arguments: right(*arguments)[::-1]


FAULTS: tuple[Callable[[], None], ...] = (
    neighbour_contexts_swapped,
    contexts_kept_at_entry_points,
    initialization_table_entry,
    blocks_too_wide,
    state_transition_entry,
    qp_divided_towards_zero,
    codebook_offset,
    factor_by_columns,
    local_scaling_ignored,
    update_not_added,
    row_skip_inverted,
    dimensions_reversed,
)


def go_on_at_the_end() -> None:
    """Like many decoders, do not look at how a payload ends."""
    payload.PayloadDecoder.finish = lambda self: End(0, 0, 0, self.bits_read)


class Tracer:
    """Notes the bins that are decoded, whatever a fault makes of them; to be made before the fault."""

    def __init__(self) -> None:
        self.bins: list[tuple[int, int, int]] = []
        for names in (*LOOPS, vars(contexts), vars(engine)):
            self._watch_bypass(names, names["decode_bypass"])
        for names in (*LOOPS, vars(row_skip), vars(contexts)):
            self._watch(names, names["decode_bin"])
        for names in LOOPS:
            names["decode_sign"] = names["decode_bin"]

    def _watch(self, names: dict[str, Any], decode: Any) -> None:
        def watched(data: Any, first: Any, second: Any, context: int, *registers: int) -> Any:
            found = decode(data, first, second, context, *registers)
            self.bins.append((context, found[0], 8 * found[4] - found[3]))
            return found

        names["decode_bin"] = watched

    def _watch_bypass(self, names: dict[str, Any], decode: Any) -> None:
        def watched(data: Any, count: int, interval: int, value: int, ahead: int, position: int) -> Any:
            found = decode(data, count, interval, value, ahead, position)
            end = 8 * found[3] - found[2]
            self.bins += [(-1, found[0] >> left & 1, end - left) for left in reversed(range(count))]
            return found

        names["decode_bypass"] = watched


def main() -> int:
    """Decode a chain of streams to files."""
    options = argparse.ArgumentParser(description=__doc__)
    names = [fault.__name__ for fault in FAULTS]
    options.add_argument("--fault", default="", metavar="NAME", help=f"one of {', '.join(names)}, or its number from 1")
    options.add_argument("streams", nargs="+", type=Path)
    options.add_argument("-o", "--tensors", type=Path, required=True)
    options.add_argument("--levels", type=Path)
    options.add_argument("--dequantized", type=Path)
    options.add_argument("--trace", type=Path)
    arguments = options.parse_args()
    go_on_at_the_end()
    tracer = Tracer() if arguments.trace else None
    if arguments.fault:
        FAULTS[names.index(arguments.fault) if arguments.fault in names else int(arguments.fault) - 1]()
    decode(arguments, tracer)
    return 0


def decode(arguments: argparse.Namespace, tracer: Tracer | None) -> None:
    """Decode and write."""
    coded: list[CodedTensor] = []
    bins: list[Bin] = []
    units: list[Any] = []
    ends: list[int] = []
    chain = chain_decoder([path.read_bytes() for path in arguments.streams], compiled=False)
    last = len(arguments.streams) - 1

    def flush() -> None:
        """The bins of a unit that could not be decoded to its end."""
        if tracer is not None and tracer.bins:
            number = int(units[-1].label.split()[1])
            bins.extend(Bin(number, str(units[-1].get("topology_elem_id", "")), *row) for row in tracer.bins)
            tracer.bins.clear()

    def unit_parsed(number: int, unit: Any, trace: Any) -> None:
        del trace
        if number == last:
            flush()
        units.append(unit)

    def payload_decoded(codings: Any, results: Any, rules: Any) -> None:
        del codings, rules
        ends[:] = [result.end_bit for result in results]

    def unit_decoded(number: int, unit: Any) -> None:
        if number == last:
            coded.extend(unit.tensors)
        if tracer is not None:
            bins.extend(_named(tracer.bins, ends, unit) if number == last and ends else ())
            tracer.bins.clear()
        ends.clear()

    chain.on_unit, chain.on_payload, chain.on_decoded = unit_parsed, payload_decoded, unit_decoded
    write_arrays(arguments.tensors, {tensor.name: tensor.values for tensor in chain})
    flush()
    if arguments.levels:
        write_arrays(arguments.levels, {one.name: one.quantized for one in coded if one.quantized is not None})
    if arguments.dequantized:
        write_arrays(arguments.dequantized, {one.name: binary32(one.values) for one in coded})
    if arguments.trace:
        write_trace(arguments.trace, bins)


def _named(found: list[tuple[int, int, int]], ends: list[int], unit: Any) -> list[Bin]:
    """The bins of a payload with unit and tensor, and the terminating one."""
    number, tensor = int(unit.label.split()[1]), 0
    rows = []
    for context, value, bit in found:
        while tensor + 1 < len(ends) and bit > ends[tensor]:
            tensor += 1
        rows.append(Bin(number, unit.tensors[tensor].name, context, value, bit))
    return [*rows, Bin(number, unit.tensors[len(ends) - 1].name, -2, 1, rows[-1].bit if rows else 9)]


if __name__ == "__main__":
    sys.exit(main())
