"""Counts of instructions: the same each time, and larger for more work."""

from __future__ import annotations

import sys

from benchmarks import guard, units


def _loop(times: int) -> None:
    for _ in range(times):
        abs(1)


def test_counts_are_the_same_each_time_and_grow_with_the_work() -> None:
    counted = [guard.instructions(lambda: _loop(100)) for _ in range(2)]
    assert counted[0] == counted[1] > 100
    assert guard.instructions(lambda: _loop(200)) - counted[0] == counted[0] - guard.instructions(lambda: _loop(0))


def test_counting_leaves_tracing_as_it_was() -> None:
    before = sys.gettrace()
    guard.instructions(lambda: _loop(1))
    assert sys.gettrace() is before


def test_parsing_costs_the_same_for_each_unit() -> None:
    units.seconds_to_parse(units.stream_of(8))
    counted = [
        guard.instructions(lambda count=count: units.seconds_to_parse(units.stream_of(count))) for count in (0, 4, 8)
    ]
    first, second = counted[1] - counted[0], counted[2] - counted[1]
    assert abs(second - first) < 0.1 * first


def test_every_count_is_within_its_bound() -> None:
    rows = list(guard.counts())
    assert len(rows) == 5
    assert [row.what for row in rows if not row.met] == []
