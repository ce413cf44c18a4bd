"""The same work on many streams, in several processes when there are that many cores."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import TypeVar

PIECE = 16
"""Streams that a process takes at a time."""

Progress = Callable[[int, int], None]
"""Called with how many are done, of how many."""

T = TypeVar("T")


def in_order(
    work: Callable[[Sequence[str]], list[T]], paths: Sequence[str], jobs: int = 1, on_progress: Progress | None = None
) -> Iterator[T]:
    """The results of `work`, a function of a module, on pieces of `paths`, in their order."""
    pieces = [paths[first : first + PIECE] for first in range(0, len(paths), PIECE)]
    if jobs == 1 or len(pieces) == 1:
        yield from _told(map(work, pieces), len(paths), on_progress)
        return
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        yield from _told(pool.map(work, pieces), len(paths), on_progress)


def _told(results: Iterable[list[T]], total: int, on_progress: Progress | None) -> Iterator[T]:
    done = 0
    for found in results:
        yield from found
        done += len(found)
        if on_progress is not None:
            on_progress(done, total)
