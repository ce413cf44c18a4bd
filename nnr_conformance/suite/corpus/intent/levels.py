"""Quantized parameters from the levels of a recipe (clause 10): scan, skipped rows, dependent quantization.

The levels of a recipe are what is coded. What a decoder makes of them differs where rows are skipped, where a codebook
of one entry leaves nothing to code, and where dependent quantization doubles them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nnr_conformance.readings import Readings
from nnr_conformance.suite.corpus.intent.refusal import NoIntent

TRANSITIONS = ((0, 2), (7, 5), (1, 3), (6, 4), (2, 0), (5, 7), (3, 1), (4, 6))
"""The next state, by state and parity of the level."""

_INT32 = range(-(1 << 31), 1 << 31)


@dataclass(frozen=True, slots=True)
class Coding:
    """How a tensor is coded. `rows`, `columns`: of the matrix that is scanned. `entries`: of its codebook, or 0."""

    rows: int
    columns: int
    profile: int
    dq: bool
    scan_order: int
    entries: int
    readings: Readings

    @property
    def block(self) -> int:
        """Rows and columns of a scan block; 0 where the scan is row by row."""
        return 4 << self.scan_order if self.scan_order and self.rows > 1 and self.columns > 1 else 0

    @property
    def has_row_flags(self) -> bool:
        """Whether the payload says that history and row skipping are on."""
        return self.profile == 1 and self.rows > 1 and self.columns > 1 and self.entries != 1


def quantized_parameters(tensor: Mapping[str, Any], coding: Coding) -> list[int]:
    """The quantized parameters of a tensor, row-major. Raises NoIntent where the payload is not one to decode."""
    levels = [int(level) for level in flat(tensor["levels"])]
    skipped = tensor.get("row_skip")
    if skipped is not None and not coding.has_row_flags:
        raise NoIntent("rows are skipped where the payload has no flags for rows")
    if skipped is not None and len(skipped) != coding.rows:
        raise NoIntent(f"there are {len(skipped)} flags for {coding.rows} rows")
    _same_restarts(tensor, coding)
    if coding.profile == 1 and coding.entries == 1:
        return [0] * len(levels)
    per_segment = coding.readings["row-skip-state"] == "row-width"
    resets = coding.readings["skipped-row-neighbour"] == "zero"
    same = bool(tensor.get("skip_resets_neighbour", False)) == resets
    found = _walk(levels, skipped, coding, steps_per_segment=per_segment, same_neighbour=same)
    if coding.dq and skipped and bool(tensor.get("state_per_segment", True)) != per_segment:
        written = _walk(levels, skipped, coding, steps_per_segment=not per_segment, same_neighbour=same)
        if written != found:
            raise NoIntent("the payload is written by another reading of row-skip-state")
    return found


def _walk(
    levels: Sequence[int],
    skipped: Sequence[int] | None,
    coding: Coding,
    *,
    steps_per_segment: bool,
    same_neighbour: bool,
) -> list[int]:
    found = [0] * len(levels)
    state, last, behind_skipped = 0, 0, False
    for row, left, right in segments(coding):
        if skipped is not None and skipped[row]:
            for _ in range(coding.columns if steps_per_segment else right - left):
                state = TRANSITIONS[state][0]
            behind_skipped = True
            continue
        if left == 0 and coding.block and row % coding.block == 0:
            last, behind_skipped = 0, False
        for at in range(row * coding.columns + left, row * coding.columns + right):
            if behind_skipped and last and not same_neighbour:
                raise NoIntent("the payload is written by another reading of skipped-row-neighbour")
            last, behind_skipped = levels[at], False
            found[at] = _doubled(levels[at], state) if coding.dq else levels[at]
            state = TRANSITIONS[state][levels[at] & 1]
            if levels[at] not in _INT32 or found[at] not in _INT32:
                raise NoIntent(f"level {levels[at]} does not fit 32 bits")
    return found


def _doubled(level: int, state: int) -> int:
    """Dependent quantization: even multiples of the step in even states, zero and odd multiples in odd ones."""
    return 2 * level - ((level > 0) - (level < 0)) * (state & 1)


def segments(coding: Coding) -> Iterator[tuple[int, int, int]]:
    """Row, first column and end of each run of weights, in the order of the scan."""
    height = coding.block or coding.rows
    width = coding.block or coding.columns
    for top in range(0, coding.rows, max(height, 1)):
        for left in range(0, coding.columns, max(width, 1)):
            for row in range(top, min(top + height, coding.rows)):
                yield row, left, min(left + width, coding.columns)


def _same_restarts(tensor: Mapping[str, Any], coding: Coding) -> None:
    """Whether a decoder restarts the interval where the payload does, and reads as many initialization ids."""
    several = coding.block and coding.rows > coding.block
    if several and not tensor.get("restarts", True):
        raise NoIntent("the interval does not restart at block rows")
    single = coding.block and not several
    early = {"31": [False], "32": [True], "auto": [False, True]}[coding.readings["edition1-payload"]]
    for of_version_1 in early if coding.profile != 1 else [False]:
        restart = bool(tensor.get("restart_single_block_row", False)) == of_version_1
        if tensor.get("prefix_ids", 31) == 31 + of_version_1 and (restart or not single):
            return
    raise NoIntent("the payload is written by rules that the decoder does not follow")


def flat(values: Any) -> list[Any]:
    """The numbers of nested lists in row-major order."""
    if isinstance(values, (list, tuple)):
        return [number for value in values for number in flat(value)]
    return [values]


def nested_shape(values: Any) -> tuple[int, ...]:
    """The dimensions of nested lists."""
    if not isinstance(values, (list, tuple)):
        return ()
    return (len(values), *nested_shape(values[0])) if values else (0,)
