"""Several children at once: their messages as they come, their ends, and an end for those that hang."""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from nnr_conformance.suite.mutation.child import Say, fork

Task = TypeVar("Task")

PATIENCE = 600.0
"""Seconds without a message after which a child is killed even if it used no processor time."""


@dataclass(slots=True)
class Ended(Generic[Task]):
    """A child that has ended: its task, its messages, the signal that ended it (0: none)."""

    task: Task
    number: int
    messages: list[dict[str, Any]]
    signal: int


@dataclass(slots=True)
class _Running(Generic[Task]):
    task: Task
    number: int
    process: int
    pipe: int
    heard: float
    received: bytearray = field(default_factory=bytearray)


def run_tasks(
    tasks: Iterable[Task], work: Callable[[Task, Say], None], jobs: int, patience: float = PATIENCE
) -> Iterator[Ended[Task]]:
    """Run `work` for every task in a process of its own, `jobs` at a time; children in the order in which they end."""
    running: dict[int, _Running[Task]] = {}
    waiting = enumerate(tasks)
    selector = selectors.DefaultSelector()
    exhausted = False
    try:
        while True:
            while not exhausted and len(running) < jobs:
                number, task = next(waiting, (-1, None))
                if task is None:
                    exhausted = True
                    break
                process, pipe = fork(lambda say, task=task: work(task, say), [*running])  # type: ignore[misc]  # task is bound
                running[pipe] = _Running(task, number, process, pipe, time.monotonic())
                selector.register(pipe, selectors.EVENT_READ)
            if not running:
                return
            for key, _ in selector.select(timeout=1.0):
                child = running[key.fd]
                child.heard = time.monotonic()
                data = os.read(child.pipe, 1 << 16)
                if data:
                    child.received += data
                    continue
                selector.unregister(child.pipe)
                del running[child.pipe]
                yield _ended(child)
            for child in running.values():
                if time.monotonic() - child.heard > patience:
                    child.heard = time.monotonic()
                    os.kill(child.process, signal.SIGKILL)
    finally:
        for child in running.values():
            with contextlib.suppress(ProcessLookupError):
                os.kill(child.process, signal.SIGKILL)
            os.waitpid(child.process, 0)
            os.close(child.pipe)
        selector.close()


def _ended(child: _Running[Task]) -> Ended[Task]:
    _, status = os.waitpid(child.process, 0)
    os.close(child.pipe)
    messages = [json.loads(line) for line in bytes(child.received).split(b"\n") if line]
    return Ended(child.task, child.number, messages, os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0)
