"""One running process: its first and last words, its end, and an end for it when it takes too long."""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import time
from dataclasses import dataclass, field

KEPT = 8192
"""Bytes that are kept of the beginning and of the end of what a process says."""

_POLL = 0.01
"""Seconds between looks at a process where the system cannot tell of its end."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a process ended. `status`: exit code, or minus the number of the signal. `said`, `complained`: the beginning
    and end of its standard output and standard error. `timed_out`: it was ended for taking too long."""

    status: int
    seconds: float = 0.0
    peak_bytes: int = 0
    said: bytes = b""
    complained: bytes = b""
    timed_out: bool = False


@dataclass(slots=True)
class Words:
    """The beginning and the end of what is read, however much that is."""

    head: bytearray = field(default_factory=bytearray)
    tail: bytearray = field(default_factory=bytearray)

    def add(self, data: bytes) -> None:
        """Keep what comes next."""
        room = KEPT - len(self.head)
        if room > 0:
            self.head += data[:room]
            data = data[room:]
        if data:
            self.tail = (self.tail + data)[-KEPT:]

    def kept(self) -> bytes:
        """What is kept."""
        return bytes(self.head + self.tail)


def watched(process: int, output: int, errors: int, seconds: float) -> Ended:
    """Wait for the end of a child that leads a process group, and end the group; POSIX only.

    `output`, `errors`: ends of pipes to read from, which are closed. After `seconds` of wall clock, or when this
    function is interrupted, the group is killed.
    """
    begin = time.monotonic()
    words = {output: Words(), errors: Words()}
    timed_out = False
    try:
        timed_out = not _wait(process, words, begin + seconds)
    finally:
        # Before the leader is reaped, so that no other group can have its number.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process, signal.SIGKILL)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(process, signal.SIGKILL)
        _, status, usage = os.wait4(process, 0)
        for pipe, heard in words.items():
            _read(pipe, heard)
            os.close(pipe)
    spent = time.monotonic() - begin
    peak = usage.ru_maxrss * (1 if os.uname().sysname == "Darwin" else 1024)
    code = os.waitstatus_to_exitcode(status)
    return Ended(code, spent, peak, words[output].kept(), words[errors].kept(), timed_out)


def _wait(process: int, words: dict[int, Words], end: float) -> bool:
    """Read until the process ends; False when time is up. Does not reap it."""
    with selectors.DefaultSelector() as selector:
        told = _descriptor(process)
        try:
            for pipe in words:
                os.set_blocking(pipe, False)
                selector.register(pipe, selectors.EVENT_READ)
            if told is not None:
                selector.register(told, selectors.EVENT_READ)
            while not _has_ended(process):
                left = end - time.monotonic()
                if left <= 0:
                    return False
                for key, _ in selector.select(left if told is not None else min(left, _POLL)):
                    if key.fd in words and not _read(key.fd, words[key.fd]):
                        selector.unregister(key.fd)
            return True
        finally:
            if told is not None:
                os.close(told)


def _descriptor(process: int) -> int | None:
    """What becomes readable when the process ends, where there is such a thing."""
    try:
        return os.pidfd_open(process)
    except (AttributeError, OSError):
        return None


def _has_ended(process: int) -> bool:
    return os.waitid(os.P_PID, process, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def _read(pipe: int, words: Words) -> bool:
    """Read what is there, at most a few blocks; False at the end."""
    for _ in range(16):
        try:
            data = os.read(pipe, 1 << 16)
        except BlockingIOError:
            return True
        except OSError:
            return False
        if not data:
            return False
        words.add(data)
    return True
