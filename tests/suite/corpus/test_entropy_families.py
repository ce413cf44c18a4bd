"""Families of streams on entropy decoding have what their recipes say: all states, all ids, heights on each side."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from nnr_conformance.suite.corpus.families import block_scans, initialization_ids, skipped_rows
from nnr_conformance.suite.corpus.intent.levels import TRANSITIONS
from nnr_conformance.suite.corpus.recipes import Recipe


def tensors(recipe: Recipe) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    """The compressed data unit of each stream with its last tensor."""
    for stream in recipe.content["streams"]:
        unit = stream["units"][-1]["NNR_NDU"]
        yield unit, unit["tensors"][-1]


def test_scattered_numbers_are_the_same_on_every_machine() -> None:
    assert initialization_ids.scattered(3, 8, 13) == [7, 2, 4, 11, 5, 5, 5, 4]
    assert set(initialization_ids.scattered(1, 500, 7)) == set(range(7))


def test_every_context_takes_every_initialization_id() -> None:
    for recipe in initialization_ids.recipes():
        given: dict[str, set[int]] = {}
        for _, tensor in tensors(recipe):
            for name, init_id in tensor.get("init_ids", {}).items():
                given.setdefault(name, set()).add(init_id)
        assert {"sig 23", "sig base 15", "sign base 1", "greater base 19", "prefix 30"} <= set(given)
        assert all(ids == set(range(9)) for name, ids in given.items() if not name.startswith("sig history"))


def test_rows_are_skipped_in_each_state() -> None:
    recipe = next(one for one in skipped_rows.recipes() if one.name == "10-row-skip-states")
    widths = set()
    for _, tensor in tensors(recipe):
        state, seen = 0, set()
        for row, skip in zip(tensor["levels"], tensor["row_skip"], strict=True):
            seen |= {state} if skip else set()
            for level in row:
                state = TRANSITIONS[state][level & 1]
        assert seen == set(range(8))
        widths.add(len(tensor["levels"][0]) % 4)
    assert widths == {0, 1, 2, 3}


def test_long_lists_have_coded_rows_behind_their_first_piece() -> None:
    recipe = next(one for one in skipped_rows.recipes() if one.name == "10-row-skip-long-lists")
    lists = [tensor["row_skip"] for _, tensor in tensors(recipe)]
    assert any(len(flags) == 4096 for flags in lists)
    assert sum(0 in flags[4096:] for flags in lists) >= 2


def test_blocks_of_each_size_have_heights_on_and_above_their_border() -> None:
    recipe = next(block_scans.recipes())
    heights = {
        (unit["scan_order"], len(tensor["levels"]) % (4 << unit["scan_order"])) for unit, tensor in tensors(recipe)
    }
    assert heights >= {(order, rest) for order in (1, 2, 3, 4) for rest in (0, 1)}
