"""What can be covered, and what was: items by group, how often each was met, and the smallest stream that met it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from nnr_conformance.data import load_yaml

EXCLUSIONS = "spec/coverage.yaml"


@dataclass(frozen=True, slots=True, order=True)
class Item:
    """One thing that a stream can exercise: its group, such as ``branches``, and its name there."""

    group: str
    name: str


@dataclass(frozen=True, slots=True)
class Exclusion:
    """Items that no conforming or detectably wrong stream can reach, and why."""

    group: str
    name: str
    reason: str

    def covers(self, item: Item) -> bool:
        """Whether an item is one of these; a name may end in ``*``."""
        if self.group != item.group:
            return False
        return item.name.startswith(self.name[:-1]) if self.name.endswith("*") else self.name == item.name


def exclusions() -> tuple[Exclusion, ...]:
    """The items that are not reachable, from `spec/coverage.yaml`."""
    return tuple(Exclusion(row["group"], row["name"], row["reason"]) for row in load_yaml(EXCLUSIONS))


@dataclass(slots=True)
class StreamHits:
    """What one stream exercises: how often it meets each item."""

    name: str
    size: int
    hits: dict[Item, int] = field(default_factory=dict)

    def add(self, group: str, name: str, count: int = 1) -> None:
        """Count an item."""
        item = Item(group, name)
        self.hits[item] = self.hits.get(item, 0) + count


@dataclass(frozen=True, slots=True)
class Coverage:
    """The items, those that cannot be reached with the reason, and what each stream meets."""

    universe: tuple[Item, ...]
    unreachable: Mapping[Item, str]
    streams: tuple[StreamHits, ...]

    @property
    def covered(self) -> dict[Item, str]:
        """For each item that was met the smallest stream that does."""
        found: dict[Item, str] = {}
        for stream in sorted(self.streams, key=lambda one: (one.size, one.name)):
            for item in stream.hits:
                found.setdefault(item, stream.name)
        return found

    @property
    def missing(self) -> list[Item]:
        """Reachable items that no stream meets."""
        covered = self.covered
        return [item for item in self.universe if item not in covered and item not in self.unreachable]

    @property
    def unexpected(self) -> list[Item]:
        """Items that are said to be unreachable, and were met."""
        covered = self.covered
        return [item for item in self.unreachable if item in covered]

    def of_group(self, group: str) -> tuple[int, int, int]:
        """Items of a group that were met, that can be, and that cannot."""
        covered = self.covered
        items = [item for item in self.universe if item.group == group]
        reachable = [item for item in items if item not in self.unreachable]
        return sum(item in covered for item in reachable), len(reachable), len(items) - len(reachable)

    @property
    def groups(self) -> list[str]:
        """The groups in order."""
        return list(dict.fromkeys(item.group for item in self.universe))


def coverage_of(universe: Iterable[Item], streams: Iterable[StreamHits]) -> Coverage:
    """Coverage with the exclusions that are known; hits outside the universe are left out."""
    items = tuple(dict.fromkeys(universe))
    known = exclusions()
    unreachable = {
        item: next(one.reason for one in known if one.covers(item))
        for item in items
        if any(one.covers(item) for one in known)
    }
    inside = set(items)
    kept = []
    for stream in streams:
        kept.append(StreamHits(stream.name, stream.size, {i: n for i, n in stream.hits.items() if i in inside}))
    return Coverage(items, unreachable, tuple(kept))


def smallest_subset(coverage: Coverage) -> list[str]:
    """Names of few small streams that meet everything that all of them meet: most new items for each byte first."""
    left = set(coverage.covered)
    remaining = {stream.name: (stream.size, set(stream.hits)) for stream in coverage.streams}
    chosen = []
    while left and remaining:
        name = max(remaining, key=lambda one: (len(remaining[one][1] & left) / (remaining[one][0] + 64), one))
        new = remaining.pop(name)[1] & left
        if new:
            chosen.append(name)
            left -= new
    return chosen
