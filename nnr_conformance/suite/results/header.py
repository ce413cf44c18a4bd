"""The header of a run: software, streams and machine by their versions and digests."""

from __future__ import annotations

import hashlib
import platform
import shlex
from collections.abc import Iterable
from functools import cache
from pathlib import PurePosixPath, PureWindowsPath

import numpy as np

from nnr_conformance.data import corpus_version
from nnr_conformance.suite.corpus.manifest import SCHEMA
from nnr_conformance.suite.corpus.summary import manifest_rows
from nnr_conformance.suite.results.report import RunHeader
from nnr_conformance.suite.runner.implementation import Implementation
from nnr_conformance.version import VERSION


def header_of(
    implementation: Implementation, cases: int, *, date: str, selection: Iterable[str] = (), partial: bool = False
) -> RunHeader:
    """The header of a run of so many cases; `date`, `selection`, `partial`: as in `RunHeader`."""
    return RunHeader(
        implementation=implementation.name,
        version=implementation.version,
        reached=reached(implementation),
        suite=VERSION,
        corpus=corpus_version() or "",
        corpus_digest=corpus_digest(),
        manifest=SCHEMA,
        python=platform.python_version(),
        numpy=np.__version__,
        platform=f"{platform.system()} {platform.machine()}",
        date=date,
        cases=cases,
        partial=partial,
        seconds=implementation.bounds.seconds,
        memory=implementation.bounds.memory,
        editions=implementation.editions,
        tools=None if implementation.tools is None else tuple(sorted(implementation.tools)),
        readings=dict(sorted(implementation.readings.items())),
        selection=tuple(selection),
    )


@cache
def corpus_digest() -> str:
    """SHA-256 over the streams of the manifest in its order, for each one the line ``SHA256  PATH`` that sha256sum
    writes; empty where no streams are installed."""
    try:
        rows = manifest_rows()
    except FileNotFoundError:
        return ""
    lines = (f"{row['sha256']}  {row['path']}\n" for row in rows)
    return hashlib.sha256("".join(lines).encode("utf-8")).hexdigest()


def reached(implementation: Implementation) -> str:
    """How an implementation is reached: its command without folders, or the name of its adapter."""
    if implementation.adapter:
        module, _, name = implementation.adapter.rpartition(":")
        return f"adapter {_without_folder(module)}:{name}" if module else f"adapter {name}"
    command = implementation.decoder or implementation.encoder
    try:
        words = shlex.split(command)
    except ValueError:
        words = command.split()
    return " ".join(["command", *map(_without_folder, words)])


def _without_folder(word: str) -> str:
    """A word of a command; of ``OPTION=PATH`` the path loses its folders."""
    option, equals, value = word.rpartition("=")
    for flavour in (PurePosixPath, PureWindowsPath):
        if flavour(value).is_absolute() or value.startswith((".", "~")):
            value = flavour(value).name or value
    return option + equals + value
