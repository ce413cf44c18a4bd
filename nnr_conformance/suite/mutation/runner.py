"""Run the stored streams against mutants, and keep the results so that a run can be taken up again."""

from __future__ import annotations

import hashlib
import json
import random
import signal
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from nnr_conformance.errors import UsageError
from nnr_conformance.suite.mutation.cases import Case
from nnr_conformance.suite.mutation.child import Say, Trial, fresh_decoder, try_mutant
from nnr_conformance.suite.mutation.children import Ended, run_tasks
from nnr_conformance.suite.mutation.mutants import Mutant, Sources
from nnr_conformance.suite.mutation.reach import Baseline

KILLED, SURVIVED, NOT_REACHED, EQUIVALENT = "killed", "survived", "not reached", "equivalent"

TIME_FACTOR, MORE_SECONDS = 10, 2.0
"""A mutant is killed by a stream that takes so many times as long as without the fault, and so many seconds more."""


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a mutant. `stream`: the case that killed it; `by`: the stage, exception or signal."""

    id: str
    state: str
    stream: str = ""
    by: str = ""


def seeded_sample(mutants: Sequence[Mutant], count: int, seed: int) -> list[Mutant]:
    """So many mutants, chosen by chance but the same for a seed, in their order."""
    chosen = sorted(random.Random(seed).sample(range(len(mutants)), min(count, len(mutants))))
    return [mutants[index] for index in chosen]


def run_mutants(
    sources: Sources,
    mutants: Sequence[Mutant],
    known: Baseline,
    *,
    jobs: int,
    reasons: Mapping[str, str] = MappingProxyType({}),
    finished: Mapping[str, Result] | None = None,
    on_result: Callable[[Result], None] = lambda _: None,
) -> list[Result]:
    """The results of mutants in their order; those that are in `finished` are not run again.

    `reasons`: ids of equivalent mutants, which are not run. `on_result` gets each new result, in the order of the
    mutants.
    """
    done = dict(finished or {})
    # Reasons may have come or gone since the file was written.
    done = {identifier: result for identifier, result in done.items() if result.state != EQUIVALENT}
    done |= {mutant.id: Result(mutant.id, EQUIVALENT) for mutant in mutants if mutant.id in reasons}
    results: list[Result] = []
    left = [mutant for mutant in mutants if mutant.id not in done]

    def ready() -> None:
        while len(results) < len(mutants) and mutants[len(results)].id in done:
            result = done[mutants[len(results)].id]
            if result.state != EQUIVALENT and (finished is None or result.id not in finished):
                on_result(result)
            results.append(result)

    def work(mutant: Mutant, say: Say) -> None:
        source = "" if mutant.table is not None else sources.mutated(mutant)
        try_mutant(mutant, source, _trials(known, mutant), known.acts_on_import(mutant), say)

    reached = (mutant for mutant in left if not _unreached(mutant, known, done))
    with fresh_decoder():
        for ended in run_tasks(reached, work, jobs):
            result = _result(ended, [case for case, _ in known.reaching(ended.task)])
            done[result.id] = result
            ready()
    ready()
    return results


def _unreached(mutant: Mutant, known: Baseline, done: dict[str, Result]) -> bool:
    if known.reaching(mutant):
        return False
    done[mutant.id] = Result(mutant.id, NOT_REACHED)
    return True


def _trials(known: Baseline, mutant: Mutant) -> list[Trial]:
    return [
        Trial(case, reached.expected, TIME_FACTOR * reached.seconds + MORE_SECONDS)
        for case, reached in known.reaching(mutant)
    ]


def _result(ended: Ended[Mutant], cases: Sequence[Case]) -> Result:
    identifier = ended.task.id
    at: int | None = None
    for message in ended.messages:
        if "survived" in message:
            return Result(identifier, SURVIVED)
        if "killed" in message:
            number = message["killed"]
            return Result(identifier, KILLED, "" if number is None else cases[number].label, message["by"])
        at = message["at"]
    by = "time" if ended.signal == signal.SIGPROF else f"signal {ended.signal}" if ended.signal else "its end"
    return Result(identifier, KILLED, "" if at is None else cases[at].label, by)


class Journal:
    """Results in a file of JSON lines, so that a run can be taken up again where it ended.

    The first line has the digest of sources and streams; results of others are of no use. Raises UsageError for a file
    that is not of this run.
    """

    def __init__(self, path: Path, sources: Sources, cases: Sequence[Case]) -> None:
        self._path = path
        text = "".join([sources.digest, *(case.name + case.content for case in cases)])
        self._head = {"mutation": 1, "digest": hashlib.sha256(text.encode()).hexdigest()}

    def read(self) -> dict[str, Result]:
        """The results so far; starts the file when there is none."""
        if not self._path.exists() or not self._path.stat().st_size:
            self._path.write_text(json.dumps(self._head) + "\n", encoding="utf-8")
            return {}
        # A run that was ended while it wrote leaves half a line.
        whole = self._path.read_bytes().rpartition(b"\n")[0]
        try:
            rows: list[Any] = [json.loads(line) for line in whole.split(b"\n")]
        except ValueError:
            rows = []
        if not rows or rows[0] != self._head:
            raise UsageError(f"{self._path} is not of this decoder and these streams; remove it to start anew")
        self._path.write_bytes(whole + b"\n")
        return {row["id"]: Result(**row) for row in rows[1:]}

    def add(self, result: Result) -> None:
        """Append a result."""
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(result), ensure_ascii=False) + "\n")
