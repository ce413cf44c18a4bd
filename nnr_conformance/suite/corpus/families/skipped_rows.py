"""Skipped rows (clause 10): what they do to the state of the trellis and to the neighbour, and long lists of them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

from nnr_conformance.suite.corpus.families.initialization_ids import scattered
from nnr_conformance.suite.corpus.intent.levels import TRANSITIONS
from nnr_conformance.suite.corpus.recipes import Recipe

_SOURCE = __name__.replace(".", "/") + ".py"
_PER_POSITION = {"readings": {"row-skip-state": "per-position"}}
_NEIGHBOUR_ZERO = {"readings": {"skipped-row-neighbour": "zero"}}
_PIECE = 4096
"""Rows of a list after which this suite's decoder looks whether the payload has ended."""


def recipes() -> Iterator[Recipe]:
    """Recipes on states, on blocks, on neighbours, and on long lists."""
    yield _states()
    yield _blocks()
    yield _neighbours()
    yield _long_lists()


def _states() -> Recipe:
    streams: list[dict[str, Any]] = [
        {"units": _units(*_through_all_states(width), {"dq_flag": 1})} for width in (4, 5, 6, 7)
    ]
    content = {
        "purpose": "Rows are skipped in each of the eight states, with widths of each remainder divided by four.",
        "bug": "A decoder that leaves the state of the quantizer where it is when a row is skipped.",
        "requirements": ["R-ED2-22", "R-ED2-24"],
        "streams": streams,
    }
    return Recipe("core", "10-row-skip-states", content, _SOURCE)


def _blocks() -> Recipe:
    streams: list[dict[str, Any]] = []
    for width in (13, 18, 16):
        levels, skipped = _scattered_rows(width, width, 20)
        for per_position in (False, True):
            unit = {"dq_flag": 1, "scan_order": 1}
            tensor: dict[str, Any] = {"state_per_segment": not per_position}
            streams.append(
                {"units": _units(levels, skipped, unit, tensor)} | ({"check": _PER_POSITION} if per_position else {})
            )
    content = {
        "purpose": "Skipped rows in a block scan, by both readings of how far the state moves for each part of a row.",
        "bug": "A decoder that mixes the readings, or moves the state once a row instead of once a part.",
        "requirements": ["R-ED2-24", "R-EP-05"],
        "streams": streams,
    }
    return Recipe("core", "10-row-skip-in-blocks", content, _SOURCE)


def _neighbours() -> Recipe:
    streams: list[dict[str, Any]] = []
    for scan_order in (0, 1):
        levels, skipped = _scattered_rows(scan_order + 5, 11, 20)
        unit = {"scan_order": scan_order} if scan_order else {}
        streams.append({"units": _units(levels, skipped, unit)})
        streams.append(
            {"units": _units(levels, skipped, unit, {"skip_resets_neighbour": True}), "check": _NEIGHBOUR_ZERO}
        )
    content = {
        "purpose": "The weight behind a skipped row, by both readings of which neighbour it sees.",
        "bug": "A decoder that takes one reading in row-major order and the other one in blocks.",
        "requirements": ["R-AC-05", "R-ED2-22"],
        "streams": streams,
    }
    return Recipe("core", "10-row-skip-neighbours", content, _SOURCE)


def _long_lists() -> Recipe:
    scattered_list = [int(number > 0) for number in scattered(9, _PIECE + 1, 8)]
    lists = ([1] * (_PIECE - 1) + [0, 1, 1, 0], [1] * _PIECE, scattered_list)
    streams: list[dict[str, Any]] = []
    for skipped in lists:
        levels = [[0, 0] if flag else [1 + row % 3, -1] for row, flag in enumerate(skipped)]
        streams.append({"units": _units(levels, skipped, {})})
    skipped = [1] * (2 * _PIECE + 2) + [0]
    one_bin = {"codebook_center_offset": -1, "codebook_zero_value": 0, "codebook_size": 2, "codebook_delta_right": [4]}
    units = _units([[0, 0] if flag else [1, 0] for flag in skipped], skipped, one_bin)
    units[1]["NNR_MPS"]["mps_quantization_method_flags"] = 3
    streams.append(
        {"purpose": "Nearly all bits are those of the list, and the last rows begin near their end.", "units": units}
    )
    content = {
        "purpose": "Lists of more than 4096 rows, with rows that are not skipped on either side of that number.",
        "bug": "A decoder that reads the list in pieces and loses the rows of the last one.",
        "requirements": ["R-ED2-22"],
        "streams": streams,
    }
    return Recipe("extremes", "10-row-skip-long-lists", content, _SOURCE)


def _units(
    levels: list[list[int]], skipped: list[int], unit: dict[str, Any], tensor: dict[str, Any] | None = None
) -> list[dict[str, Any]]:
    coded = {"levels": levels, "row_skip": skipped, **(tensor or {})}
    return [
        {"NNR_STR": {}},
        {"NNR_MPS": {"mps_qp_density": 2}},
        {"NNR_NDU": {"topology_elem_id": "w", **unit, "tensors": [coded]}},
    ]


def _through_all_states(width: int) -> tuple[list[list[int]], list[int]]:
    """Rows that end in each state in turn, each before a row to skip; the last row is coded."""
    levels: list[list[int]] = []
    state = 0
    for target in range(8):
        row = _row_to(state, target, width)
        levels += [row, [0] * width]
        state = target
        for _ in range(width):
            state = TRANSITIONS[state][0]
    levels.append([1, -2, 3] + [0] * (width - 3))
    return levels, [0, 1] * 8 + [0]


def _row_to(state: int, target: int, width: int) -> list[int]:
    """Levels of a row that bring the trellis from one state to another."""
    for row in product((1, -2, 3, 0), repeat=width):
        if row[0] and _after(state, row) == target:
            return list(row)
    raise AssertionError(f"{width} weights do not lead from state {state} to {target}")


def _after(state: int, row: tuple[int, ...]) -> int:
    for level in row:
        state = TRANSITIONS[state][level & 1]
    return state


def _scattered_rows(seed: int, width: int, height: int) -> tuple[list[list[int]], list[int]]:
    skipped = [int(number == 0) for number in scattered(seed, height, 3)]
    numbers = scattered(seed + 1, width * height, 7)
    rows = [[number - 3 for number in numbers[row * width : (row + 1) * width]] for row in range(height)]
    return [[0] * width if skip else row for row, skip in zip(rows, skipped, strict=True)], skipped
