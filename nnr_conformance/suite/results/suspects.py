"""What fails as a whole in a run: properties of streams with which (nearly) every case fails, and what is said alike.

Nothing is known here of any implementation. A finding is a property or two with which cases fail, or the same words
about many failures with a property that these have in common. It is worth the bits that it saves in telling which
cases fail, less those that name it, so that few and general properties come first. Cases that a finding tells are put
aside before the next one is sought.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import combinations
from math import log2

from nnr_conformance.suite.results.case_sets import bits_saved, case_set, numbers_of, share
from nnr_conformance.suite.results.finding import Finding
from nnr_conformance.suite.results.report import FAILURES, About, RunReport
from nnr_conformance.suite.results.traits import properties_of, rank, symptom
from nnr_conformance.suite.runner.model import Result

NEARLY_ALL = 0.9
"""Share of the cases with a property that fail, and of those that are said alike that have one in common."""
FEWEST = 3
"""Failures that make a finding; two may be alike by chance."""
MOST_PROPERTIES, MOST_PAIRS, MOST_FINDINGS = 600, 4000, 60
"""Bounds that keep the time linear in the cases."""

_NOTHING = About()


def findings(report: RunReport) -> tuple[Finding, ...]:
    """What fails as a whole, what tells the most first; the same for the same results in the same order."""
    return tuple(_Search(report).findings()) if report.failures else ()


class _Search:
    def __init__(self, report: RunReport) -> None:
        self.results = [one for one in report.results if one.result is not Result.NOT_SUPPORTED]
        self.properties = [properties_of(report.about.get(one.case, _NOTHING)) for one in self.results]
        self.every = (1 << len(self.results)) - 1
        self.failed = case_set(number for number, one in enumerate(self.results) if one.result in FAILURES)
        self.sets = self._frequent()
        self.price = log2(len(self.sets) + 2)
        groups: dict[str, list[int]] = {}
        for number in numbers_of(self.failed):
            groups.setdefault(symptom(self.results[number]), []).append(number)
        kept = sorted(groups, key=lambda says: (-len(groups[says]), says))[:MOST_FINDINGS]
        self.said = {says: case_set(groups[says]) for says in kept}

    def findings(self) -> Iterator[Finding]:
        """By properties and by words as long as they tell something, then by words what is left."""
        left = self.every
        sets = {properties: self._with(properties) for properties in self._candidates()}
        for _ in range(MOST_FINDINGS):
            found = [(self._worth(cases, left, len(properties)), properties, "") for properties, cases in sets.items()]
            found += [self._by_words(says, left) for says in self.said]
            worth, properties, says = min(found, key=lambda one: (-one[0], one[2], len(one[1]), rank(one[1])))
            if worth <= 0:
                break
            cases = self.said[says] & self._with(properties) if says else sets[properties]
            yield self._finding(properties, says, cases & left)
            left &= ~cases
        for says in self.said:
            properties = self._in_common(says, left)
            cases = self.said[says] & self._with(properties) & left
            if cases.bit_count() >= FEWEST:
                yield self._finding(properties, says, cases)

    def _worth(self, cases: int, left: int, names: int) -> float:
        bad = (cases & left & self.failed).bit_count()
        if bad < FEWEST or bad < NEARLY_ALL * (cases & left).bit_count():
            return 0.0
        return bits_saved(cases, left, self.failed) - names * self.price if cases & left != left else 1.0

    def _by_words(self, says: str, left: int) -> tuple[float, tuple[str, ...], str]:
        """What words are worth; a mere result has none, and words about everything name nothing."""
        telling = ": " in says and self.said[says] & left != self.failed & left
        worth = self._worth(self.said[says], left, 2) if telling else 0.0
        properties = self._in_common(says, left) if worth > 0 else ()
        return worth if properties else 0.0, properties, says

    def _in_common(self, says: str, left: int) -> tuple[str, ...]:
        """The property that nearly all of these cases have and the fewest others, at most half of them."""
        group, others = self.said[says] & left, left & ~self.said[says]
        common = [
            (share(cases, others), rank((name,)), name)
            for name, cases in self.sets.items()
            if share(cases, group) >= NEARLY_ALL and share(cases, others) <= 1 / 2
        ]
        return (min(common)[2],) if common else ()

    def _finding(self, properties: tuple[str, ...], says: str, new: int) -> Finding:
        inside = self._with(properties)
        cases = [*numbers_of(new & self.failed)]
        said = Counter(symptom(self.results[number]) for number in cases)
        example = min(cases, key=lambda number: (len(self.properties[number]), number))
        own = self.properties[example]
        passed = numbers_of(self.every & ~self.failed)
        contrast = min(passed, key=lambda number: (len(own ^ self.properties[number]), number), default=None)
        others = own if contrast is None else self.properties[contrast]
        return Finding(
            properties,
            says,
            (inside & self.failed & self.said.get(says, self.every)).bit_count(),
            inside.bit_count(),
            dict(sorted(said.items(), key=lambda row: (-row[1], row[0]))),
            tuple(self.results[number].case for number in cases),
            self.results[example].case,
            "" if contrast is None else self.results[contrast].case,
            tuple(sorted(own - others)),
            tuple(sorted(others - own)),
        )

    def _frequent(self) -> dict[str, int]:
        """The cases with each property of failures, the most frequent ones."""
        counts = Counter(name for number in numbers_of(self.failed) for name in self.properties[number])
        kept = sorted(counts, key=lambda name: (-counts[name], name))[:MOST_PROPERTIES]
        found: dict[str, list[int]] = {name: [] for name in kept}
        for number, properties in enumerate(self.properties):
            for name in properties & found.keys():
                found[name].append(number)
        return {name: case_set(numbers) for name, numbers in found.items()}

    def _candidates(self) -> list[tuple[str, ...]]:
        pairs: Counter[tuple[str, ...]] = Counter()
        for number in numbers_of(self.failed):
            pairs.update(combinations(sorted(self.properties[number] & self.sets.keys()), 2))
        kept = sorted(pairs, key=lambda pair: (-pairs[pair], pair))[:MOST_PAIRS]
        return [(), *((name,) for name in self.sets), *(pair for pair in kept if pairs[pair] >= FEWEST)]

    def _with(self, properties: tuple[str, ...]) -> int:
        cases = self.every
        for name in properties:
            cases &= self.sets[name]
        return cases
