"""Entropy decoding of several units at a time, in threads; results and findings as without them.

Compiled loops leave Python's lock, so that threads use several cores. Units are begun and finished in the order of the
stream by whoever iterates; only the jobs between run elsewhere. How much is begun ahead is bounded by elements.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from nnr_conformance.decoder.steps import Job, Schedule, Work, done
from nnr_conformance.decoder.tensors import DecodedUnit
from nnr_conformance.diagnostics import Diagnostic, Findings

SMALL = 4_096
"""Elements up to which handing a unit to a thread takes longer than decoding it."""
AHEAD = 4_000_000
"""Elements that may be begun before the oldest unit is finished, besides one unit for each thread."""
MOST = 256
"""Units that may be begun before the oldest one is finished."""


def in_threads(count: int, findings: Findings) -> Schedule:
    """The schedule that does jobs in `count` threads; `findings`: those that the works report to."""
    return lambda works: _Line(count, findings).run(works)


@dataclass(frozen=True, slots=True, eq=False)
class _Begun:
    """A unit whose first job was handed over, or which has its result already. `place`: of its findings."""

    work: Work
    place: list[Diagnostic]
    future: Future[Any] | None
    decoded: DecodedUnit | None = None


class _Line:
    """Units that were begun and not finished, in the order of the stream."""

    def __init__(self, count: int, findings: Findings) -> None:
        self._count = count
        self._findings = findings
        self._begun: deque[_Begun] = deque()
        self._elements = 0

    def run(self, works: Iterator[Work]) -> Iterator[DecodedUnit]:
        pool = ThreadPoolExecutor(self._count, "nnr-decoder")
        try:
            for work in works:
                if work.needs_earlier:
                    yield from self._finish_until(0)
                self._begin(work, pool)
                del work
                yield from self._finish_ripe()
            yield from self._finish_until(0)
        finally:
            # Whoever stops iterating, or is stopped by an exception, needs no result any more.
            pool.shutdown(wait=True, cancel_futures=True)

    def _begin(self, work: Work, pool: ThreadPoolExecutor) -> None:
        place = self._findings.reserve()
        with self._findings.within(place):
            try:
                job: Job = next(work.steps)
            except StopIteration as end:
                self._begun.append(_Begun(work, place, None, end.value))
                return
        future: Future[Any] = Future()
        if work.elements > SMALL:
            future = pool.submit(job)
        else:
            _do(job, future)
        self._elements += work.elements
        self._begun.append(_Begun(work, place, future))

    def _finish_ripe(self) -> Iterator[DecodedUnit]:
        """Finish what is done, and what must be done before more is begun."""
        while self._begun:
            oldest = self._begun[0].future
            too_many = len(self._begun) > MOST or (len(self._begun) > self._count and self._elements > AHEAD)
            if not too_many and oldest is not None and not oldest.done():
                return
            yield from self._finish_oldest()

    def _finish_until(self, left: int) -> Iterator[DecodedUnit]:
        while len(self._begun) > left:
            yield from self._finish_oldest()

    def _finish_oldest(self) -> Iterator[DecodedUnit]:
        begun = self._begun.popleft()
        with self._findings.within(begun.place):
            decoded = begun.decoded
            if begun.future is not None:
                self._elements -= begun.work.elements
                decoded = _rest(begun.work, begun.future)
            # What is found in composing a unit, which happens before the next one is asked for, belongs to it.
            if decoded is not None:
                del begun
                yield decoded


def _rest(work: Work, future: Future[Any]) -> DecodedUnit | None:
    result = future.result()
    try:
        job = work.steps.send(result)
    except StopIteration as end:
        decoded: DecodedUnit | None = end.value
        return decoded
    return done(work.steps, job)


def _do(job: Job, future: Future[Any]) -> None:
    try:
        future.set_result(job())
    except BaseException as error:
        future.set_exception(error)
