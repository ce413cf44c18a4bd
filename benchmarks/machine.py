"""The machine: what it is, which cores are used, how much memory a process has taken."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PACKAGES = ("nnr-conformance", "nncodec", "numba", "numpy", "torch")
"""PyTorch because importing NNCodec imports it where it is installed, which takes longer than all the rest."""


def environment() -> dict[str, str]:
    """The machine and the versions that the numbers belong to."""
    return {
        "processor": _processor(),
        "cores": str(cores()),
        "system": platform.platform(),
        "python": platform.python_version(),
        **{name: _version(name) for name in PACKAGES},
    }


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def pin(core: int | None = None) -> str:
    """Keep this process on one core, None: the last one that is allowed; returns its number, or that it is not kept."""
    if not hasattr(os, "sched_setaffinity"):
        return "not pinned"
    chosen = max(os.sched_getaffinity(0)) if core is None else core
    os.sched_setaffinity(0, {chosen})
    return str(chosen)


@contextmanager
def pinned() -> Iterator[None]:
    """Keep this process, and those that it starts, on one core for a while."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = os.sched_getaffinity(0)
    try:
        pin()
        yield
    finally:
        os.sched_setaffinity(0, before)


def load() -> float:
    """Processes that wanted to run during the last minute, this one's among them; 0 where nothing tells."""
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0


def peak_bytes() -> int:
    """Most memory that this process has had resident so far.

    From /proc where there is one: what getrusage gives begins with what the parent process had.
    """
    status = Path("/proc/self/status")
    if status.exists():
        for line in status.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) << 10
    import resource  # noqa: PLC0415 -- not everywhere

    found = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return found if sys.platform == "darwin" else found << 10


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"
