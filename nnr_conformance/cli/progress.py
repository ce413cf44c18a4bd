"""Progress of long work, shown on terminals only, and the one hint that long work gives."""

from __future__ import annotations

import sys
import time

from nnr_conformance.entropy import choose_execution

_FIRST_AFTER, _EVERY = 1.0, 0.2


class Progress:
    """A line on standard error that is rewritten while work goes on; nothing unless that is a terminal."""

    def __init__(self, total_bytes: int, what: str) -> None:
        self._total = max(1, total_bytes)
        self._what = what
        self._next = time.monotonic() + _FIRST_AFTER
        self._shown = False
        self._active = sys.stderr.isatty()

    def at(self, done_bytes: int) -> None:
        """So many bytes of the input are done."""
        if self._active and time.monotonic() >= self._next:
            self._next = time.monotonic() + _EVERY
            self._shown = True
            percent = 100 * done_bytes / self._total
            print(f"\r{self._what} {percent:5.1f} %", end="", file=sys.stderr, flush=True)

    def done(self) -> None:
        """Remove the line."""
        if self._shown:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)


def advise(total_bytes: int) -> None:
    """Say once, on standard error, what would speed up long work."""
    _, advice = choose_execution(8 * total_bytes)
    if advice:
        print(f"note: {advice}", file=sys.stderr)
