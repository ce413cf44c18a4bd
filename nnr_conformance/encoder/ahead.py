"""Tensors of a model encoded several at a time, in threads; what comes out, and its order, is as without them."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

AHEAD = 2_000_000
"""Elements that may be begun before the oldest tensor is finished, besides one tensor for each thread."""
MOST = 64
"""Tensors that may be begun before the oldest one is finished."""


@dataclass(frozen=True, slots=True, eq=False)
class Work:
    """The work on something of `elements` elements: a job that touches nothing else, and what takes its result."""

    elements: int
    job: Callable[[], Any]
    finish: Callable[[Any], Any]


def finished(works: Iterator[Work], threads: int) -> Iterator[Any]:
    """What finishing each work gives, in order; an exception of a job comes when it is its turn.

    `threads`: how many do jobs; with 1 each is done when it is to be finished.
    """
    if threads == 1:
        for work in works:
            yield work.finish(work.job())
        return
    pool = ThreadPoolExecutor(threads, "nnr-encoder")
    begun: deque[tuple[Work, Future[Any]]] = deque()
    elements = 0
    try:
        for work in works:
            begun.append((work, pool.submit(work.job)))
            elements += work.elements
            while begun and (len(begun) > MOST or (len(begun) > threads and elements > AHEAD)):
                oldest, future = begun.popleft()
                elements -= oldest.elements
                yield oldest.finish(future.result())
        while begun:
            oldest, future = begun.popleft()
            yield oldest.finish(future.result())
    finally:
        # Whoever stops iterating, or is stopped by an exception, needs no result any more.
        pool.shutdown(wait=True, cancel_futures=True)
