"""Which lines each case reaches in the decoder without a fault, what it gives, and how long it takes.

Measured once for given sources and streams; the result can be kept in a folder.
"""

from __future__ import annotations

import hashlib
import json
import os
import resource
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

from nnr_conformance.errors import NnrError
from nnr_conformance.suite.mutation import child
from nnr_conformance.suite.mutation.cases import Case
from nnr_conformance.suite.mutation.children import run_tasks
from nnr_conformance.suite.mutation.mutants import Mutant, Sources
from nnr_conformance.suite.mutation.outcome import Outcome, outcome

Lines = dict[str, list[int]]
"""Line numbers by module name below the package."""


@dataclass(frozen=True, slots=True)
class Reached:
    """What is known of one case: lines that it runs, its outcome, the processor seconds that it takes."""

    lines: Mapping[str, frozenset[int]]
    expected: Outcome
    seconds: float


@dataclass(frozen=True, slots=True)
class Baseline:
    """The decoder without a fault on all cases. `on_import`: lines that run while it is imported."""

    on_import: Mapping[str, frozenset[int]]
    cases: Sequence[tuple[Case, Reached]]

    def acts_on_import(self, mutant: Mutant) -> bool:
        """Whether the fault, or anything in the function around it, runs while the decoder is imported."""
        if mutant.edit is None or not mutant.lines:
            return True
        first, last = mutant.edit.around
        # The line of `def` itself runs on import.
        body = range(first + 1, last + 1)
        return not self.on_import.get(mutant.module, frozenset()).isdisjoint((*body, *mutant.lines))

    def reaching(self, mutant: Mutant) -> list[tuple[Case, Reached]]:
        """The cases that reach a mutant, in the order of the cases."""
        if not mutant.lines or not self.on_import.get(mutant.module, frozenset()).isdisjoint(mutant.lines):
            return list(self.cases)
        return [
            (case, reached)
            for case, reached in self.cases
            if not reached.lines.get(mutant.module, frozenset()).isdisjoint(mutant.lines)
        ]


def baseline(sources: Sources, cases: Sequence[Case], jobs: int, cache: Path | None) -> Baseline:
    """Measure all cases, or take what `cache`, a folder, has for the same sources and streams.

    Raises NnrError when the decoder without a fault fails on a case, or has two outcomes.
    """
    name = hashlib.sha256("".join([sources.digest, *(case.name + case.content for case in cases)]).encode()).hexdigest()
    file = None if cache is None else cache / f"baseline-{name[:24]}.json"
    if file is not None and file.exists():
        rows = json.loads(file.read_text(encoding="utf-8"))
    else:
        rows = _measured(cases, jobs)
        if file is not None:
            file.parent.mkdir(parents=True, exist_ok=True)
            partial = file.with_suffix(f".{os.getpid()}")
            partial.write_text(json.dumps(rows), encoding="utf-8")
            partial.replace(file)
    return Baseline(
        _frozen(rows["on_import"]),
        [
            (case, Reached(_frozen(row["lines"]), row["outcome"], row["seconds"]))
            for case, row in zip(cases, rows["cases"], strict=True)
        ],
    )


def _measured(cases: Sequence[Case], jobs: int) -> dict[str, Any]:
    """In as many processes as `jobs`, each of which imports the decoder once and forks for every case."""
    shares = [cases[first::jobs] for first in range(min(jobs, len(cases)) or 1)]
    found: dict[tuple[int, int], Any] = {}
    on_import: Lines = {}
    for ended in run_tasks([*enumerate(shares)], _measure_share, jobs):
        share = ended.task[0]
        for message in ended.messages:
            if "on_import" in message:
                on_import = message["on_import"]
            else:
                found[share, message["case"]] = message
        if len([key for key in found if key[0] == share]) < len(ended.task[1]):
            raise NnrError(f"the decoder without a fault ended on {_first_missing(ended.task, found)}")
    ordered = [found[number % jobs, number // jobs] for number in range(len(cases))]
    return {"on_import": on_import, "cases": ordered}


def _first_missing(task: tuple[int, Sequence[Case]], found: Mapping[tuple[int, int], Any]) -> str:
    share, cases = task
    return next(case.label for number, case in enumerate(cases) if (share, number) not in found)


def _measure_share(task: tuple[int, Sequence[Case]], say: child.Say) -> None:
    child.drop_package()
    on_import = traced(child.import_decoder)
    say({"on_import": _listed(on_import)})
    for ended in run_tasks([*enumerate(task[1])], _measure, 1):
        for message in ended.messages:
            say(message)


def _measure(task: tuple[int, Case], say: child.Say) -> None:
    number, case = task
    results: list[Outcome] = []
    lines = traced(lambda: results.append(outcome(case)))
    before = _processor_seconds()
    again = outcome(case)
    seconds = _processor_seconds() - before
    if json.dumps(again) == json.dumps(results[0]):
        say({"case": number, "lines": _listed(lines), "outcome": again, "seconds": round(seconds, 4)})


def traced(work: Callable[[], object]) -> dict[str, set[int]]:
    """The lines of the package that run during `work`, by module."""
    seen: dict[str, set[int]] = {}
    root = str(Path(__file__).resolve().parents[2]) + os.sep

    def lines_of(frame: FrameType) -> set[int] | None:
        file = frame.f_code.co_filename
        if not file.startswith(root):
            return None
        return seen.setdefault(file[len(root) : -3].replace(os.sep, "."), set())

    def enter(frame: FrameType, event: str, argument: object) -> Any:
        lines = lines_of(frame)
        if lines is None:
            return None
        lines.add(frame.f_lineno)
        if not _all_lines(frame.f_code) - lines:
            return None

        def step(inner: FrameType, event: str, argument: object) -> Any:
            lines.add(inner.f_lineno)
            return step

        return step

    before = sys.gettrace()
    sys.settrace(enter)
    try:
        work()
    finally:
        sys.settrace(before)
    return seen


@cache
def _all_lines(code: CodeType) -> frozenset[int]:
    return frozenset(line for _, _, line in code.co_lines() if line)


def _processor_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _listed(lines: Mapping[str, set[int]]) -> Lines:
    return {module: sorted(found) for module, found in sorted(lines.items())}


def _frozen(lines: Lines) -> dict[str, frozenset[int]]:
    return {module: frozenset(found) for module, found in lines.items()}
