"""The process that imports an adapter once and forks for each case, seen from outside: begun, asked, ended."""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any

from nnr_conformance.errors import UsageError
from nnr_conformance.suite.runner.endings import one_line, raised, signal_name
from nnr_conformance.suite.runner.forking import from_row
from nnr_conformance.suite.runner.implementation import Bounds, Implementation
from nnr_conformance.suite.runner.watching import Ended

IMPORT_SECONDS = 120.0
"""Wall-clock seconds that importing and making an adapter may take; it may import a large framework."""

GRACE = 10.0
"""Seconds beyond those of the case after which the process that forks is taken to hang itself."""

ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
"""Libraries that begin threads when they are imported would lose them in forks, and take address space for them."""


class Gone(Exception):
    """The process that forks has ended or hangs."""


class Forker:
    """Begun when it is first asked, and again when it has ended; one case at a time. Not for several threads."""

    def __init__(self, adapter: str, rejections: tuple[str, ...], environment: tuple[tuple[str, str], ...]) -> None:
        self._start = {"adapter": adapter, "rejections": rejections}
        self._adapter = adapter
        self._environment = {**ONE_THREAD, **os.environ, **dict(environment)}
        self._process: subprocess.Popen[bytes] | None = None
        self._heard = bytearray()

    def case(self, given: Path, folder: Path, bounds: Bounds) -> Ended:
        """How a process for one case ended. Raises UsageError when there is no adapter, Gone when the fork took its
        parent with it."""
        self._begin()
        request = {"given": str(given), "folder": str(folder), "bounds": asdict(bounds)}
        try:
            self._tell(request)
            return from_row(self._reply(bounds.seconds + GRACE))
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """End it, and a case that is running."""
        process, self._process = self._process, None
        if process is None:
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()

    def __del__(self) -> None:
        self.close()

    def _begin(self) -> None:
        if self._process is not None and self._process.poll() is None:
            return
        self.close()
        self._heard.clear()
        with tempfile.TemporaryFile() as words:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "nnr_conformance.suite.runner.forking"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=words,
                env={**self._environment, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
                start_new_session=True,
                bufsize=0,
            )
            try:
                self._tell({**self._start, "path": sys.path})
                reply = self._reply(IMPORT_SECONDS)
            except Gone as gone:
                said = self._why(gone, words)
                raise UsageError(f"the adapter {self._adapter} cannot be imported: {said}") from gone
            except BaseException:
                self.close()
                raise
        if "failed" in reply:
            self.close()
            raise UsageError(reply["failed"])

    def _why(self, gone: Gone, words: Any) -> str:
        assert self._process is not None
        status = self._process.poll()
        self.close()
        words.seek(0)
        text = words.read(1 << 16).decode("utf-8", "replace")
        how = signal_name(-status) if status is not None and status < 0 else str(gone)
        said = one_line(raised(text) or text)
        return f"{how}: {said}" if said else how

    def _tell(self, message: Mapping[str, Any]) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        left = json.dumps(message).encode() + b"\n"
        try:
            while left:
                left = left[self._process.stdin.write(left) :]
        except OSError as error:
            raise Gone("its process has ended") from error

    def _reply(self, seconds: float) -> dict[str, Any]:
        assert self._process is not None
        assert self._process.stdout is not None
        end = time.monotonic() + seconds
        with selectors.DefaultSelector() as selector:
            selector.register(self._process.stdout, selectors.EVENT_READ)
            while b"\n" not in self._heard:
                left = end - time.monotonic()
                if left <= 0:
                    raise Gone(f"nothing was heard for {seconds:g} s")
                if selector.select(left):
                    data = os.read(self._process.stdout.fileno(), 1 << 16)
                    if not data:
                        with contextlib.suppress(subprocess.TimeoutExpired):
                            self._process.wait(1)
                        raise Gone("its process has ended")
                    self._heard += data
        line, _, rest = bytes(self._heard).partition(b"\n")
        self._heard = bytearray(rest)
        found: dict[str, Any] = json.loads(line)
        return found


@cache
def _held() -> threading.local:
    """What each thread of this process holds: its forker, begun once for many cases."""
    return threading.local()


def forker_of(implementation: Implementation) -> Forker:
    """The forker of an implementation, of this thread; that of another implementation is ended."""
    key = (implementation.adapter, implementation.rejections, tuple(sorted(implementation.environment.items())))
    held = _held()
    if getattr(held, "key", None) != key:
        held.key, held.forker = key, Forker(*key)
    found: Forker = held.forker
    return found
