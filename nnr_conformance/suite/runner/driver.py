"""Cases through an implementation: one, and many on any executor, each with its result whatever happens to workers."""

from __future__ import annotations

import tempfile
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from pathlib import Path

from nnr_conformance.suite.runner.executors import worker_died
from nnr_conformance.suite.runner.field_streams import KIND, checked, is_checked_alone
from nnr_conformance.suite.runner.implementation import Implementation
from nnr_conformance.suite.runner.judgement import judged
from nnr_conformance.suite.runner.model import Case, CaseResult, Result
from nnr_conformance.suite.runner.processes import answered
from nnr_conformance.suite.runner.selection import not_claimed
from nnr_conformance.suite.runner.sources import Unreadable

IN_FLIGHT = 64
"""Cases that an executor has at a time: enough for its workers, few enough for streams without number."""

OnResult = Callable[[CaseResult], None]


def run_case(implementation: Implementation, case: Case) -> CaseResult:
    """One case to its result. Raises UsageError when the implementation cannot be run at all."""
    lacking = not_claimed(implementation, case)
    if lacking:
        return CaseResult(case.id, Result.NOT_SUPPORTED, detail=lacking)
    with tempfile.TemporaryDirectory(prefix="nnr-", ignore_cleanup_errors=True) as folder:
        try:
            answer = answered(implementation, case, Path(folder))
        except Unreadable as error:
            if case.kind != KIND:
                raise
            # One of very many; the others are worth running.
            return CaseResult(case.id, Result.NOT_SUPPORTED, detail=f"the stream cannot be read: {error.reason}")
        return checked(case, answer) if is_checked_alone(implementation, case) else judged(implementation, case, answer)


def run_cases(
    implementation: Implementation,
    cases: Iterable[Case],
    executor: Executor,
    on_result: OnResult | None = None,
    in_flight: int = IN_FLIGHT,
) -> Iterator[CaseResult]:
    """The results as they come; each is told to `on_result` first.

    `cases` is read no further than `in_flight` beyond what is done. Cases that were with a worker when it died are
    tried again, one at a time; one with which a worker then dies twice is a crash. Raises UsageError as `run_case`.
    """
    waiting = iter(cases)
    running: dict[Future[CaseResult], Case] = {}
    suspects: deque[Case] = deque()

    def begin(case: Case) -> None:
        running[executor.submit(run_case, implementation, case)] = case

    try:
        while True:
            while not suspects and len(running) < in_flight:
                case = next(waiting, None)
                if case is None:
                    break
                begin(case)
            if not running:
                if not suspects:
                    return
                yield _told(_alone(implementation, suspects.popleft(), executor), on_result)
                continue
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                case = running.pop(future)
                error = future.exception()
                if error is None:
                    yield _told(future.result(), on_result)
                elif worker_died(error):
                    suspects.append(case)
                else:
                    raise error
    finally:
        for future in running:
            future.cancel()


def _alone(implementation: Implementation, case: Case, executor: Executor) -> CaseResult:
    """A case that was with a worker when it died, with nothing beside it, so that it is clear who ends the worker."""
    for _ in range(2):
        future = executor.submit(run_case, implementation, case)
        error = future.exception()
        if error is None:
            return future.result()
        if not worker_died(error):
            raise error
    return CaseResult(case.id, Result.CRASH, detail="its worker died twice")


def _told(result: CaseResult, on_result: OnResult | None) -> CaseResult:
    if on_result is not None:
        on_result(result)
    return result
