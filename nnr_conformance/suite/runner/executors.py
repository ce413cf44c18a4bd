"""Where cases run: processes of this machine, or workers of a Dask cluster, both with the interface of `Executor`."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor
from contextlib import contextmanager
from importlib import import_module
from multiprocessing import get_context, parent_process
from pathlib import Path
from types import FrameType
from typing import Any, ParamSpec, TypeVar

from nnr_conformance.errors import UsageError

DASK = "dask:"
_CONNECT_SECONDS = 10
_LAST_SECONDS = 5.0

P = ParamSpec("P")
T = TypeVar("T")


@contextmanager
def executor_for(place: str, jobs: int) -> Iterator[Executor]:
    """An executor by its place: "" for `jobs` processes here, ``dask:ADDRESS`` for a cluster.

    Raises UsageError for another place, and a cluster that cannot be reached.
    """
    if not place:
        with LocalProcesses(jobs) as local:
            yield local
    elif place.startswith(DASK):
        with _dask(place.removeprefix(DASK)) as cluster:
            yield cluster
    else:
        raise UsageError(f"no executor {place!r}; there is {DASK}ADDRESS")


def worker_died(error: BaseException) -> bool:
    """Whether a future failed since its worker did, not since the work did."""
    # By name, since distributed is not imported here.
    return isinstance(error, BrokenExecutor) or type(error).__name__ in {"KilledWorker", "FutureCancelledError"}


class LocalProcesses(Executor):
    """Processes of this machine; when one dies and takes the pool with it, the next work gets a new pool.

    Their temporary files are in one folder, which is removed with all that a process that died left in it.
    """

    def __init__(self, jobs: int) -> None:
        self._jobs = jobs
        self._folder = tempfile.TemporaryDirectory(prefix="nnr-run-", ignore_cleanup_errors=True)
        self._pool = self._new_pool()

    def submit(self, work: Callable[P, T], /, *arguments: P.args, **named: P.kwargs) -> Future[T]:
        """As of `Executor`."""
        try:
            return self._pool.submit(work, *arguments, **named)
        except BrokenExecutor:
            self._pool.shutdown(wait=True)
            self._pool = self._new_pool()
            return self._pool.submit(work, *arguments, **named)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """As of `Executor`."""
        self._pool.shutdown(wait=wait, cancel_futures=cancel_futures)
        self._folder.cleanup()

    def _new_pool(self) -> ProcessPoolExecutor:
        context = get_context("spawn")
        return ProcessPoolExecutor(self._jobs, context, initializer=_begin_worker, initargs=(self._folder.name,))


def _begin_worker(folder: str) -> None:
    """A worker ends with the process that began it, even when that was killed, and ends what it runs."""
    if Path(folder).is_dir():
        tempfile.tempdir = folder
    signal.signal(signal.SIGTERM, _leave)
    threading.Thread(target=_end_with_parent, args=(folder,), daemon=True).start()


def _end_with_parent(folder: str) -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        # Who would have removed it is gone, and nobody wants what is still being written.
        shutil.rmtree(folder, ignore_errors=True)
        os.kill(os.getpid(), signal.SIGTERM)
        threading.Event().wait(_LAST_SECONDS)
        shutil.rmtree(folder, ignore_errors=True)
        os._exit(1)


def _leave(number: int, frame: FrameType | None) -> None:
    raise SystemExit(128 + number)


@contextmanager
def _dask(address: str) -> Iterator[Executor]:
    try:
        distributed: Any = import_module("distributed")
    except ModuleNotFoundError:
        raise UsageError("a cluster needs distributed: pip install nnr-conformance[dask]") from None
    try:
        client = distributed.Client(address, timeout=_CONNECT_SECONDS)
    except Exception as error:
        # Any exception: those of sockets, TLS and of the scheduler's protocol.
        raise UsageError(f"cannot reach the cluster at {address}: {error}") from error
    with client:
        # Not pure: the same case again is to be run again.
        yield client.get_executor(pure=False)
