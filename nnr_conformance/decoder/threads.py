"""Entropy decoding of several units at a time: small ones in groups, like ones in pairs, in threads if there are some.

What Python does for each unit costs more than decoding a small tensor, so that many are decoded in one call; of larger
ones two may share a loop. Compiled loops leave Python's lock, so that threads use several cores. Units are begun and
finished in the order of the stream by whoever iterates; only the jobs between run elsewhere, with the results and
findings of one after the other. How much is begun ahead is bounded by elements.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from nnr_conformance.decoder.attempts import Attempt, attempt_all, attempt_pair, likeness
from nnr_conformance.decoder.steps import Job, Schedule, Work, done
from nnr_conformance.decoder.tensors import DecodedUnit
from nnr_conformance.diagnostics import Diagnostic, Findings

SMALL = 4_096
"""Elements up to which handing a unit to a thread takes longer than decoding it, where it cannot be in a group."""
GROUP = 30_000
"""Elements of plain units that are decoded in one call; one that has as many is a group by itself."""
AHEAD = 4_000_000
"""Elements that may be begun before the oldest unit is finished, besides two units for each thread."""
MOST = 256
"""Units that may be begun before the oldest one is finished."""


def ahead(count: int, findings: Findings) -> Schedule:
    """The schedule that does jobs in `count` threads, in that of whoever iterates for 1; `findings`: of the works."""
    return lambda works: _Line(count, findings).run(works)


@dataclass(frozen=True, slots=True, eq=False)
class _Begun:
    """A unit whose first job was handed over, or which has its result already. `place`: of its findings."""

    work: Work
    place: list[Diagnostic]
    future: Future[Any] | None
    decoded: DecodedUnit | None = None


@dataclass(slots=True, eq=False)
class _Jobs:
    """Jobs that are done by `submit`, at once or with others.

    `group`: small ones that wait for more. `single`: one of each likeness that waits for its partner.
    """

    submit: Callable[[Callable[[], None]], object]
    group: list[tuple[Attempt, Future[Any]]] = field(default_factory=list)
    elements: int = 0
    single: dict[object, tuple[Attempt, Future[Any]]] = field(default_factory=dict)

    def add(self, job: Job, elements: int) -> Future[Any]:
        """The job's result, some time."""
        future: Future[Any] = Future()
        if not isinstance(job, Attempt) or not job.is_plain:
            self._do(lambda: [job()], [future], now=elements <= SMALL)
        elif elements >= GROUP:
            self._add_large(job, future)
        else:
            self.group.append((job, future))
            self.elements += elements
            if self.elements >= GROUP:
                self._do_group()
        return future

    def hasten(self, future: Future[Any]) -> None:
        """See to it that this job waits for no others."""
        if any(future is other for _, other in self.group):
            self._do_group()
        for like, (attempt, other) in self.single.items():
            if future is other:
                del self.single[like]
                self._do(partial(attempt_all, [attempt]), [future])
                return

    def _add_large(self, attempt: Attempt, future: Future[Any]) -> None:
        like = likeness(attempt)
        if like is None:
            self._do(lambda: attempt_all([attempt]), [future])
        elif like not in self.single:
            self.single[like] = attempt, future
        else:
            first, other = self.single.pop(like)
            self._do(lambda: attempt_pair(first, attempt), [other, future])

    def _do_group(self) -> None:
        group, self.group, self.elements = self.group, [], 0
        self._do(lambda: attempt_all([attempt for attempt, _ in group]), [future for _, future in group])

    def _do(self, job: Callable[[], Sequence[Any]], futures: Sequence[Future[Any]], now: bool = False) -> None:
        if now:
            _do(job, futures)
        else:
            self.submit(lambda: _do(job, futures))


class _Line:
    """Units that were begun and not finished, in the order of the stream."""

    def __init__(self, count: int, findings: Findings) -> None:
        self._count = count
        self._findings = findings
        self._begun: deque[_Begun] = deque()
        self._elements = 0

    def run(self, works: Iterator[Work]) -> Iterator[DecodedUnit]:
        pool = ThreadPoolExecutor(self._count, "nnr-decoder") if self._count > 1 else None
        self._jobs = _Jobs(_at_once if pool is None else pool.submit)
        try:
            for work in works:
                if work.needs_earlier:
                    yield from self._finish_until(0)
                self._begin(work)
                del work
                yield from self._finish_ripe()
            yield from self._finish_until(0)
        finally:
            # Whoever stops iterating, or is stopped by an exception, needs no result any more.
            if pool is not None:
                pool.shutdown(wait=True, cancel_futures=True)

    def _begin(self, work: Work) -> None:
        place = self._findings.reserve()
        with self._findings.within(place):
            try:
                job: Job = next(work.steps)
            except StopIteration as end:
                self._begun.append(_Begun(work, place, None, end.value))
                return
        self._elements += work.elements
        self._begun.append(_Begun(work, place, self._jobs.add(job, work.elements)))

    def _finish_ripe(self) -> Iterator[DecodedUnit]:
        """Finish what is done, and what must be done before more is begun."""
        while self._begun:
            oldest = self._begun[0].future
            too_many = len(self._begun) > MOST or (len(self._begun) > 2 * self._count and self._elements > AHEAD)
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
                if not begun.future.done():
                    self._jobs.hasten(begun.future)
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


def _at_once(job: Callable[[], None]) -> None:
    job()


def _do(job: Callable[[], Sequence[Any]], futures: Sequence[Future[Any]]) -> None:
    try:
        for future, result in zip(futures, job(), strict=True):
            future.set_result(result)
    except BaseException as error:
        for future in futures:
            future.set_exception(error)
