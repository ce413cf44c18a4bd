"""Progress of long work, shown on terminals only, and the one hint that long work gives."""

from __future__ import annotations

import sys
import threading
import time

from nnr_conformance.entropy import choose_execution

_FIRST_AFTER, _EVERY = 1.0, 0.2


class Progress:
    """A line on standard error that is rewritten while work goes on; nothing unless that is a terminal.

    `total`: what `at` comes to in the end. Work that says nothing for long shows where it is all the same.
    """

    def __init__(self, total: int, what: str) -> None:
        self._total = max(1, total)
        self._what = what
        self._next = time.monotonic() + _FIRST_AFTER
        self._done = 0
        self._shown = False
        self._active = sys.stderr.isatty()
        self._lock = threading.Lock()
        self._first = threading.Timer(_FIRST_AFTER, self._show)
        self._first.daemon = True
        if self._active:
            self._first.start()

    def at(self, done: int) -> None:
        """So much of the work is done; some of it may still go on in other threads."""
        self._done = done
        if self._active and time.monotonic() >= self._next:
            self._show()

    def done(self) -> None:
        """Remove the line; nothing is shown afterwards."""
        self._first.cancel()
        with self._lock:
            self._active = False
            if self._shown:
                self._shown = False
                print("\r\x1b[K", end="", file=sys.stderr, flush=True)

    def _show(self) -> None:
        with self._lock:
            if self._active:
                self._next = time.monotonic() + _EVERY
                self._shown = True
                percent = min(100.0, 100 * self._done / self._total)
                print(f"\r{self._what} {percent:5.1f} %", end="", file=sys.stderr, flush=True)


def advise(total_bytes: int) -> None:
    """Say once, on standard error, what would speed up long work."""
    _, advice = choose_execution(8 * total_bytes)
    if advice:
        print(f"note: {advice}", file=sys.stderr)
