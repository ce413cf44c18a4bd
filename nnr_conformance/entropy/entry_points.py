"""Clause 10: entry points as sequential decoding finds them, and their comparison with those of the header."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from nnr_conformance.entropy.faults import Note
from nnr_conformance.entropy.parameters import EntryPoint, PayloadRules, TensorCoding
from nnr_conformance.entropy.rows import MARK_BIT, MARK_CELLS, MARK_STATE, MARK_VALUE


def restarts(coding: TensorCoding, rules: PayloadRules) -> bool:
    """Whether the interval restarts at each block row of this tensor."""
    if coding.effective_scan_order == 0:
        return False
    return header_count(coding.height, coding.scan_order) > 0 or rules.restart_single_block_row


def header_count(height: int, scan_order: int) -> int:
    """Entry points that the header carries for a tensor: counted from scan_order and the first dimension alone.

    A scan_order that is reserved counts as well, since a header is read before it is judged.
    """
    return -(-height // (4 << scan_order)) - 1 if scan_order else 0


def found_entry_points(marks: Sequence[int]) -> tuple[EntryPoint, ...]:
    """Entry points from the marks that the weight loop left at the block rows."""
    starts = [marks[index : index + MARK_CELLS] for index in range(0, len(marks), MARK_CELLS)]
    return tuple(
        EntryPoint(after[MARK_VALUE], after[MARK_STATE], after[MARK_BIT] - before[MARK_BIT])
        for before, after in pairwise(starts)
    )


def compare(coding: TensorCoding, found: tuple[EntryPoint, ...], first_bit: int, tensor: int) -> Iterator[Note]:
    """Notes on the header's entry points that differ from those found; `first_bit`: payload bit of the first weight."""
    given = coding.entry_points
    if given is None:
        return
    expected = header_count(coding.height, coding.scan_order)
    if len(given) != expected:
        yield Note(
            "entry_point_count",
            first_bit,
            tensor,
            f"{len(given)} entry points for {expected + 1} block rows; {expected} are required",
        )
    bit = first_bit
    for index, (theirs, ours) in enumerate(zip(given, found, strict=False), start=1):
        bit, number = bit + ours.bit_offset, theirs.number
        if theirs.value != ours.value:
            message = f"value is {theirs.value}, sequential decoding has {ours.value}"
            yield Note("entry_point_mismatch", bit, tensor, f"entry point {index}: {message}", f"value[{number}]")
        if coding.dq and theirs.dq_state != ours.dq_state:
            message = f"dq_state is {theirs.dq_state}, sequential decoding has {ours.dq_state}"
            element = f"dq_state[{number}]"
            yield Note("entry_point_state_mismatch", bit, tensor, f"entry point {index}: {message}", element)
        if theirs.bit_offset != ours.bit_offset:
            message = f"bit_offset is {theirs.bit_offset}, sequential decoding has {ours.bit_offset}"
            element = f"bit_offset_delta[{number}]" if number else "bit_offset[0]"
            yield Note("entry_point_bit_offset", bit, tensor, f"entry point {index}: {message}", element)
