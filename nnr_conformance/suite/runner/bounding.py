"""Bounds that the system holds a process to, as far as it can: address space, size of files; it leaves no core."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from nnr_conformance.suite.runner.implementation import Bounds

try:
    import resource
except ModuleNotFoundError:
    resource = None  # type: ignore[assignment]  # Windows has none


def bound_self(bounds: Bounds) -> None:
    """Bound this process; its memory to so much beyond what it has."""
    if resource is not None:
        _bound(resource.setrlimit, _address_space() + bounds.memory, bounds.output)


def bound_process(process: int, bounds: Bounds) -> None:
    """Bound a process that has just begun. Not between fork and exec: that would not be safe beside threads."""
    if hasattr(resource, "prlimit"):
        _bound(lambda kind, limits: resource.prlimit(process, kind, limits), bounds.memory, bounds.output)


def _bound(limit: Callable[[int, tuple[int, int]], Any], memory: int, output: int) -> None:
    for kind, most in ((resource.RLIMIT_AS, memory), (resource.RLIMIT_FSIZE, output), (resource.RLIMIT_CORE, 0)):
        try:
            limit(kind, (most, most))
        except (ValueError, OSError):
            """It has ended already, or has a lower limit."""


def _address_space() -> int:
    """Bytes of address space that this process has, 0 where the system does not tell."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    except (OSError, ValueError):
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")
