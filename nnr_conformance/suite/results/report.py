"""The report of a run: what was run how, and a result for each case; everything else is counted from these."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from nnr_conformance.suite.runner.model import Case, CaseResult, Result

FAILURES = frozenset({Result.FAIL, Result.REJECTED, Result.ACCEPTED_INVALID, Result.CRASH, Result.TIMEOUT})
"""Results that break a run unless a baseline expects them."""

_CLAUSE = re.compile(r"(?:^|/)([0-9]{1,2})-[^/]*$")

Tally = Counter[Result]


@dataclass(frozen=True, slots=True)
class RunHeader:
    """What was run, by what, on what; no field tells the machine's paths.

    `reached`: command template without folders, or name of the adapter. `editions`, `tools`: what is claimed, None:
    everything; `readings`: choices that are declared. `corpus`: version of the streams; `corpus_digest`: see
    `header.corpus_digest`; `manifest`: schema of the manifest. `date`: as whoever ran it gave it. `selection`: options
    that chose cases, in words; `cases`: how many they chose; `partial`: whether any case of the corpus was left out.
    `seconds`, `memory`: bounds of a case, the latter in bytes.
    """

    implementation: str
    version: str
    reached: str
    suite: str
    corpus: str
    corpus_digest: str
    manifest: str
    python: str
    numpy: str
    platform: str
    date: str
    cases: int
    partial: bool
    seconds: float
    memory: int
    editions: tuple[int, ...] | None = None
    tools: tuple[str, ...] | None = None
    readings: Mapping[str, str] = field(default_factory=dict)
    selection: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class About:
    """What a case is about: class, tools, requirements; of golden streams codes of diagnostics, readings, verdict.

    `order`: what is behind what, as far as someone looked; see `unit_order`.
    """

    kind: str = ""
    tools: tuple[str, ...] = ()
    requirements: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()
    readings: tuple[str, ...] = ()
    verdict: str = ""
    order: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a failure is expected, as a baseline says it: `spec/schemas/baseline.schema.json` has the fields."""

    reason: str = ""
    link: str = ""
    divergence: str = ""
    reading: str = ""

    def __str__(self) -> str:
        named = (("divergence", self.divergence), ("reading", self.reading))
        more = [*(f"{name} {value}" for name, value in named if value), *([self.link] if self.link else [])]
        return " ".join((self.reason or "no reason is given", *([f"({', '.join(more)})"] if more else [])))


@dataclass(frozen=True, slots=True)
class ToolRow:
    """One tool in a run: whether it is claimed, its cases, those of them that ran, those that passed."""

    tool: str
    claimed: bool
    cases: int
    ran: int
    passed: int


@dataclass(frozen=True, slots=True)
class Contradiction:
    """A reading that an implementation follows in two ways, or otherwise than declared.

    `declared`: its choice, or empty. `followed`: by choice, the first case that shows it and how many do.
    """

    reading: str
    declared: str
    followed: Mapping[str, tuple[str, int]]


@dataclass(frozen=True)
class RunReport:
    """A run with the results of its cases in order.

    `about`: by case; a case without has rows in fewer tables. `reasons`: by case whose failure a baseline expects, why.
    """

    header: RunHeader
    results: tuple[CaseResult, ...]
    about: Mapping[str, About] = field(default_factory=dict)
    reasons: Mapping[str, Reason] = field(default_factory=dict)

    @property
    def is_partial(self) -> bool:
        """Whether cases of the corpus have no result: not selected, or the run did not come to its end."""
        return self.header.partial or len(self.results) != self.header.cases

    @cached_property
    def failures(self) -> tuple[CaseResult, ...]:
        """Results that are neither a pass nor outside of what is supported, expected or not."""
        return tuple(one for one in self.results if one.result in FAILURES)

    @cached_property
    def counts(self) -> Tally:
        """Cases by result."""
        return Counter(one.result for one in self.results)

    @cached_property
    def by_class(self) -> Mapping[str, Tally]:
        """Results by class of streams."""
        return self._tallies(lambda case: (self._about(case).kind,))

    @cached_property
    def by_tool(self) -> Mapping[str, Tally]:
        """Results by coding tool; a case counts for each of its tools."""
        return self._tallies(lambda case: self._about(case).tools)

    @cached_property
    def by_requirement(self) -> Mapping[str, Tally]:
        """Results by requirement; a case counts for each of its requirements."""
        return self._tallies(lambda case: self._about(case).requirements)

    @cached_property
    def by_clause(self) -> Mapping[str, Tally]:
        """Results by top-level clause, which the name of a stored stream begins with."""
        tallies = self._tallies(lambda case: (clause_of(case),))
        return dict(sorted(tallies.items(), key=lambda row: int(row[0])))

    @cached_property
    def tools(self) -> tuple[ToolRow, ...]:
        """Every tool that a case uses or that is claimed, with what was exercised of it."""
        claimed = self.header.tools
        names = {*self.by_tool, *(claimed or ())}
        return tuple(
            ToolRow(tool, claimed is None or tool in claimed, tally.total(), _ran(tally), tally[Result.PASS])
            for tool in sorted(names)
            for tally in (self.by_tool.get(tool, Counter()),)
        )

    @cached_property
    def unexercised(self) -> tuple[str, ...]:
        """Tools that are claimed, of which no case ran."""
        return tuple(row.tool for row in self.tools if row.claimed and not row.ran)

    @cached_property
    def followed(self) -> Mapping[str, Mapping[str, tuple[str, int]]]:
        """By reading and choice that the results show, the first case that shows it and how many do."""
        seen: dict[str, dict[str, tuple[str, int]]] = {}
        for one in self.results:
            for reading, choice in one.followed.items():
                choices = seen.setdefault(reading, {})
                first, count = choices.get(choice, (one.case, 0))
                choices[choice] = first, count + 1
        return {reading: dict(sorted(choices.items())) for reading, choices in sorted(seen.items())}

    @cached_property
    def contradictions(self) -> tuple[Contradiction, ...]:
        """Readings that are followed in two ways, or otherwise than declared."""
        found = []
        for reading, choices in self.followed.items():
            declared = self.header.readings.get(reading, "")
            if len(choices) > 1 or (declared and declared not in choices):
                found.append(Contradiction(reading, declared, choices))
        return tuple(found)

    def _about(self, case: str) -> About:
        return self.about.get(case, _NOTHING)

    def _tallies(self, groups: Callable[[str], Iterable[str]]) -> dict[str, Tally]:
        tallies: dict[str, Tally] = {}
        for one in self.results:
            for group in groups(one.case):
                if group:
                    tallies.setdefault(group, Counter())[one.result] += 1
        return dict(sorted(tallies.items()))


_NOTHING = About()


def about_of(case: Case) -> About:
    """What a case is about."""
    readings = tuple(dict.fromkeys((*case.readings, *((case.reading,) if case.reading else ()))))
    return About(case.kind, case.tools, case.requirements, case.codes, readings, case.verdict)


def clause_of(case: str) -> str:
    """The number with which the name of a stored stream begins, empty for others."""
    found = _CLAUSE.search(case)
    return found[1] if found else ""


def _ran(tally: Tally) -> int:
    return tally.total() - tally[Result.NOT_SUPPORTED]
