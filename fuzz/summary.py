"""What a fuzzing run came to, as the lines that are printed at its end."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from fuzz.workers import Outcome

_MOST_LINES = 12


@dataclass(slots=True)
class Summary:
    """Figures over all runs, and the violations."""

    started: float = field(default_factory=time.monotonic)
    runs: int = 0
    decoded: int = 0
    verdicts: Counter[str] = field(default_factory=Counter)
    codes: Counter[str] = field(default_factory=Counter)
    slowest: Outcome | None = None
    peak: float = 0.0
    violations: list[Outcome] = field(default_factory=list)

    def add(self, outcome: Outcome) -> None:
        """Count a run."""
        self.runs += 1
        self.peak = max(self.peak, outcome.megabytes)
        if self.slowest is None or outcome.seconds > self.slowest.seconds:
            self.slowest = outcome
        if outcome.observation is not None:
            self.verdicts[outcome.observation.verdict] += 1
            self.codes.update(outcome.observation.codes)
            self.decoded += outcome.observation.decoded
        if outcome.violation:
            self.violations.append(outcome)

    def rate(self) -> float:
        """Runs per second so far."""
        return self.runs / max(1e-9, time.monotonic() - self.started)

    def lines(self) -> Iterator[str]:
        """The figures, then every violation in the order of the runs."""
        elapsed = time.monotonic() - self.started
        yield f"runs {self.runs} ({self.decoded} also decoded) in {elapsed:.1f} s, {self.rate():.0f} cases per second"
        yield "verdicts " + (", ".join(f"{name} {count}" for name, count in self.verdicts.most_common()) or "none")
        yield f"distinct diagnostic codes {len(self.codes)}"
        if self.slowest is not None:
            yield f"slowest {self.slowest.seconds:.3f} s: {self.slowest.mutant}"
        yield f"peak memory growth {self.peak:.0f} MB"
        yield f"violations {len(self.violations)}"
        for outcome in sorted(self.violations, key=lambda one: one.number):
            yield f"{outcome.violation}: {outcome.mutant}"
            yield from (f"    {line}" for line in _telling(outcome))


def _telling(outcome: Outcome) -> list[str]:
    """The lines of a traceback that are nearest to what happened: faulthandler puts them first, exceptions last."""
    lines = outcome.detail.splitlines()
    return lines[-_MOST_LINES:] if outcome.violation == "exception" else lines[:_MOST_LINES]
