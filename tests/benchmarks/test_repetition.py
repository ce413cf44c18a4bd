"""Repetitions in turn, and ratios of each of them."""

from __future__ import annotations

import pytest

from benchmarks.repetition import Ratio, interleaved, reported


def test_a_ratio_is_taken_of_each_repetition_before_the_median() -> None:
    # Medians alone would say 10 / 4; a disturbance that meets both ways leaves the ratio as it was.
    assert Ratio.of([2.0, 10.0, 30.0], [1.0, 5.0, 4.0]) == Ratio(2.0, 2.0, 7.5)


def test_repetitions_that_do_not_pair_are_refused() -> None:
    with pytest.raises(ValueError, match="shorter"):
        Ratio.of([1.0, 2.0], [1.0])


@pytest.mark.parametrize("take", [interleaved, reported])
def test_the_ways_take_turns(take: object) -> None:
    assert callable(take)
    order: list[str] = []

    def way(name: str) -> float:
        order.append(name)
        return float(len(order))

    seconds = take({"a": lambda: way("a"), "b": lambda: way("b")}, 3)
    assert order == ["a", "b"] * 3
    assert {name: len(each) for name, each in seconds.items()} == {"a": 3, "b": 3}


def test_a_way_that_measures_itself_is_believed() -> None:
    assert reported({"a": lambda: 1.5}, 2) == {"a": [1.5, 1.5]}
