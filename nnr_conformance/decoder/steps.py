"""Work on a unit in steps, so that entropy decoding, which takes most of the time, can be done elsewhere meanwhile.

A unit's work is a generator: what it yields is a job, a call without arguments that touches nothing of the decoder's
state, and what it is sent is the job's result. Its own code runs in the order of the stream, whoever does the jobs.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

from nnr_conformance.decoder.tensors import DecodedUnit

Result = TypeVar("Result")

Job = Callable[[], Any]
Steps = Generator[Job, Any, Result]


@dataclass(frozen=True, slots=True)
class Work:
    """The work on one unit, not begun.

    `elements`: about how many its tensors have. `needs_earlier`: it looks at what the units before it came to.
    """

    steps: Steps[DecodedUnit | None]
    elements: int
    needs_earlier: bool


Schedule = Callable[[Iterator[Work]], Iterator[DecodedUnit]]
"""Gives the decoded units of works in their order; begins each work in that order, and ends it in that order."""


def in_order(works: Iterator[Work]) -> Iterator[DecodedUnit]:
    """The schedule that does one thing after the other."""
    for work in works:
        decoded = done(work.steps)
        if decoded is not None:
            yield decoded
        del work, decoded


def done(steps: Steps[Result], job: Job | None = None) -> Result:
    """The result of work whose jobs are done here; `job`: the one that it waits for, None when it was not begun."""
    try:
        job = next(steps) if job is None else job
        while True:
            job = steps.send(job())
    except StopIteration as end:
        result: Result = end.value
        return result
