"""Runs of mutants in worker processes: what goes wrong is reported with the number of its run, and the next run starts.

A worker makes and examines the mutants of every `jobs`-th run, one after the other without a process of its own for
each. The parent sees from the reports which run a worker is at. A run that does not end is a hang: the worker says
where it is (faulthandler, which needs no help from the interpreter), is ended, and another one takes over behind that
run. The same happens after a crash. Memory is the growth of the process's peak since it started; a process that grew
too much is replaced, and the run that it was at is judged again by the new one, in which it is the first.
"""

from __future__ import annotations

import contextlib
import faulthandler
import gc
import mmap
import multiprocessing
import os
import pickle
import resource
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

from fuzz.examination import Examine, Observation
from fuzz.mutation import Mutant, Mutator, most_bytes
from fuzz.streams import Corpus

_METHOD = "fork" if "fork" in multiprocessing.get_all_start_methods() and sys.platform != "darwin" else "spawn"
_PEAK_UNIT = 1 if sys.platform == "darwin" else 1024
_ADDRESS_SPACE_FACTOR = 8
_GRACE = 2.0


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a case may take: CPU seconds, megabytes of peak growth, and the wall-clock seconds after which it hangs."""

    seconds: float = 2.0
    megabytes: float = 300.0
    hang: float = 60.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """One run: CPU seconds (mutation not counted), peak growth in MB, what was observed, and what was violated.

    `violation`: exception, seconds, megabytes, hang, crash, or empty. `detail`: a traceback or a figure. `mutant` is
    there for violations and for the slowest run of a worker so far; it has no edits when making it did not end.
    """

    number: int
    mutant: Mutant | None = None
    seconds: float = 0.0
    megabytes: float = 0.0
    observation: Observation | None = None
    violation: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class _Job:
    """What a worker does; it writes tracebacks to the file `dump`, and the mutant that it is at to the file `at`."""

    corpus: Corpus
    seed: int
    bounds: Bounds
    examine: Examine
    dump: str
    at: str


class _Place:
    """The mutant that a worker is at, in a file mapped to memory: it can be read when the worker cannot be asked."""

    def __init__(self, path: str, size: int) -> None:
        Path(path).write_bytes(bytes(size))
        with Path(path).open("r+b") as file:
            self._map = mmap.mmap(file.fileno(), size)

    def put(self, mutant: Mutant) -> None:
        """Remember the mutant."""
        data = pickle.dumps(mutant)
        self._map[: 4 + len(data)] = len(data).to_bytes(4, "big") + data

    @staticmethod
    def read(path: str, number: int) -> Mutant:
        """The mutant of this run; one without edits and bytes when the worker did not come as far."""
        data = Path(path).read_bytes() if Path(path).exists() else b""
        size = int.from_bytes(data[:4], "big")
        mutant: Mutant | None = pickle.loads(data[4 : 4 + size]) if size else None
        return mutant if mutant is not None and mutant.number == number else Mutant(number, "", (), b"", 0)


class _Worker:
    """A worker process as the parent sees it: the runs that it still has to do, the first of which it is at."""

    def __init__(self, job: _Job, numbers: range) -> None:
        self._job = job
        self.numbers = numbers
        self._start()

    def _start(self) -> None:
        context: Any = multiprocessing.get_context(_METHOD)
        self.reports, sending = context.Pipe(duplex=False)
        self.process = context.Process(target=_work, args=(self._job, self.numbers, sending), daemon=True)
        self.process.start()
        sending.close()
        self.deadline = time.monotonic() + self._job.bounds.hang + _GRACE

    def received(self) -> Iterator[Outcome]:
        """What the worker has to say now; a worker that ended or grew too large is replaced."""
        try:
            outcome, again = self.reports.recv()
        except EOFError:
            yield from self._ended("crash")
            return
        self.deadline = time.monotonic() + self._job.bounds.hang
        if again:
            self._replace()
            return
        self.numbers = self.numbers[1:]
        yield outcome
        if outcome.violation == "megabytes" and self.numbers:
            self._replace()

    def overdue(self) -> Iterator[Outcome]:
        """The hang of the run that the worker is at, when it takes too long."""
        if time.monotonic() > self.deadline:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.process.pid or 0, signal.SIGUSR1)
            time.sleep(0.2)
            yield from self._ended("hang")

    def stop(self) -> None:
        """End the process."""
        self.process.kill()
        self.process.join()
        self.reports.close()

    def _ended(self, violation: str) -> Iterator[Outcome]:
        self.stop()
        if not self.numbers:
            return
        dump = Path(self._job.dump)
        detail = dump.read_text(errors="replace") if dump.exists() else ""
        dump.write_text("")
        number, self.numbers = self.numbers[0], self.numbers[1:]
        detail = f"exit code {self.process.exitcode}\n{detail}" if violation == "crash" else detail
        yield Outcome(number, _Place.read(self._job.at, number), violation=violation, detail=detail)
        if self.numbers:
            self._start()

    def _replace(self) -> None:
        self.stop()
        self._start()


def outcomes(
    corpus: Corpus,
    seed: int,
    numbers: range,
    jobs: int,
    bounds: Bounds,
    examine: Examine,
    idle: Callable[[], None] = lambda: None,
) -> Iterator[Outcome]:
    """The outcome of every run, in the order in which they end; `idle` is called several times a second."""
    with tempfile.TemporaryDirectory() as folder:
        workers = []
        for job in range(min(jobs, len(numbers))):
            dump, at = str(Path(folder) / f"{job}.txt"), str(Path(folder) / f"{job}.at")
            workers.append(_Worker(_Job(corpus, seed, bounds, examine, dump, at), numbers[job::jobs]))
        try:
            while busy := [worker for worker in workers if worker.numbers]:
                ready = wait([worker.reports for worker in busy], timeout=0.2)
                for worker in busy:
                    yield from worker.received() if worker.reports in ready else worker.overdue()
                idle()
        finally:
            for worker in workers:
                worker.stop()


def _work(job: _Job, numbers: range, reports: Connection) -> None:
    with Path(job.dump).open("w") as dump:
        faulthandler.enable(dump)
        faulthandler.register(signal.SIGUSR1, dump)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        place = _Place(job.at, 4096 + most_bytes(job.corpus.largest.data))
        mutator = Mutator(job.corpus, job.seed)
        with contextlib.suppress(Exception):
            # What is loaded once is not charged to the first run.
            job.examine(job.corpus.smallest.data, 0)
        gc.freeze()
        _limit_address_space(job.bounds)
        before, slowest = _peak(), -1.0
        for done, number in enumerate(numbers):
            mutant = mutator.mutant(number)
            place.put(mutant)
            outcome = _examined(job, mutant, before)
            if outcome.violation or outcome.seconds > slowest:
                slowest = max(slowest, outcome.seconds)
                outcome = replace(outcome, mutant=mutant)
            reports.send((outcome, done > 0 and outcome.violation == "megabytes"))


def _examined(job: _Job, mutant: Mutant, before: float) -> Outcome:
    number, started = mutant.number, time.process_time()
    try:
        observation = job.examine(mutant.data, mutant.choice)
    except Exception as error:
        seconds, detail = time.process_time() - started, "".join(traceback.format_exception(error))
        return Outcome(number, None, seconds, _peak() - before, None, "exception", detail)
    seconds, grown = time.process_time() - started, _peak() - before
    if grown > job.bounds.megabytes:
        return Outcome(number, None, seconds, grown, observation, "megabytes", f"{grown:.0f} MB")
    if seconds > job.bounds.seconds:
        return Outcome(number, None, seconds, grown, observation, "seconds", f"{seconds:.2f} s")
    return Outcome(number, None, seconds, grown, observation)


def _peak() -> float:
    """Largest resident memory of this process so far, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _PEAK_UNIT / (1 << 20)


def _limit_address_space(bounds: Bounds) -> None:
    """Make allocations far beyond the bound fail, which is a violation with a traceback, before the machine suffers."""
    statistics = Path("/proc/self/statm")
    if statistics.exists():
        used = int(statistics.read_text().split()[0]) * resource.getpagesize()
        most = used + int(_ADDRESS_SPACE_FACTOR * bounds.megabytes) * (1 << 20)
        hard = resource.getrlimit(resource.RLIMIT_AS)[1]
        if hard in (resource.RLIM_INFINITY, -1) or most <= hard:
            resource.setrlimit(resource.RLIMIT_AS, (most, hard))
