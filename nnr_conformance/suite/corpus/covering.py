"""Two-way covering arrays of flags under constraints: few rows in which every possible pair of settings occurs.

The rows are found greedily, one setting after the other; the same flags and constraints always give the same rows.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

Setting = tuple[str, bool]
"""A flag, and whether it is on."""
Pair = tuple[Setting, Setting]


@dataclass(frozen=True, slots=True)
class Forbidden:
    """Settings that cannot all occur together, and why: flags that are on, and flags that are off."""

    reason: str
    on: tuple[str, ...] = ()
    off: tuple[str, ...] = ()


@dataclass(slots=True)
class Constraints:
    """What a row may not hold; `flags` in an order that decides ties."""

    flags: Sequence[str]
    forbidden: Sequence[Forbidden]
    _rules: list[tuple[int, int]] = field(default_factory=list)
    _rows: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._rules = [(self._mask(rule.on), self._mask(rule.off)) for rule in self.forbidden]

    def pairs(self) -> Iterator[Pair]:
        """All pairs of settings of two flags."""
        for one, other in itertools.combinations(self.flags, 2):
            for on, other_on in itertools.product((True, False), repeat=2):
                yield (one, on), (other, other_on)

    def possible(self, settings: Mapping[str, bool]) -> bool:
        """Whether some row has these settings."""
        on = self._mask([flag for flag, value in settings.items() if value])
        off = self._mask([flag for flag, value in settings.items() if not value])
        if any(row & on == on and not row & off for row in self._rows):
            return True
        row = self._completed(on, off)
        if row is not None:
            self._rows.append(row)
        return row is not None

    def _mask(self, flags: Collection[str]) -> int:
        return sum(1 << number for number, flag in enumerate(self.flags) if flag in flags)

    def _completed(self, on: int, off: int) -> int | None:
        """The flags that are on in a row with these settings, None when there is no such row."""
        settled = self._settled(on, off)
        if settled is None:
            return None
        on, off = settled
        free = ~(on | off) & ((1 << len(self.flags)) - 1)
        if not free:
            return on
        lowest = free & -free
        found = self._completed(on, off | lowest)
        return self._completed(on | lowest, off) if found is None else found

    def _settled(self, on: int, off: int) -> tuple[int, int] | None:
        """The settings with all that follows from them one by one, None when they contradict each other."""
        before = None
        while before != (on, off):
            before = on, off
            for rule_on, rule_off in self._rules:
                if rule_on & off or rule_off & on:
                    continue
                left_on, left_off = rule_on & ~on, rule_off & ~off
                if not left_on and not left_off:
                    return None
                if (left_on | left_off).bit_count() == 1:
                    on, off = on | left_off, off | left_on
        return on, off


def covering_array(constraints: Constraints) -> list[dict[str, bool]]:
    """Rows, each a setting of every flag, in which every possible pair of settings occurs."""
    left = {pair: None for pair in constraints.pairs() if constraints.possible(dict(pair))}
    rows = []
    while left:
        row = dict(next(iter(left)))
        for flag in constraints.flags:
            if flag not in row:
                row[flag] = _best(flag, row, left, constraints)
        rows.append({flag: row[flag] for flag in constraints.flags})
        for pair in itertools.combinations(rows[-1].items(), 2):
            left.pop(pair, None)
    return rows


def _best(flag: str, row: Mapping[str, bool], left: Mapping[Pair, None], constraints: Constraints) -> bool:
    """The setting of a flag with which the row can be completed, and that covers more of what is left."""
    found = [on for on in (True, False) if constraints.possible({**row, flag: on})]

    def new_pairs(on: bool) -> int:
        pairs = (((other, value), (flag, on)) for other, value in row.items())
        return sum((one, two) in left or (two, one) in left for one, two in pairs)

    return max(found, key=new_pairs)
