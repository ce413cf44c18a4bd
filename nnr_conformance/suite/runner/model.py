"""Values of a run: what a case asks, what an implementation answers, what that is worth."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any


class Result(Enum):
    """What became of a case."""

    PASS = "pass"
    FAIL = "fail"
    """Decoded, to something else."""
    REJECTED = "rejected"
    """A stream that is to be decoded was rejected."""
    ACCEPTED_INVALID = "accepted-invalid"
    """A nonconforming stream was decoded."""
    CRASH = "crash"
    """Ended by a signal, or in a way that it does not declare."""
    TIMEOUT = "timeout"
    NOT_SUPPORTED = "not-supported"
    """Not claimed, or refused as not supported."""


class Ending(Enum):
    """How an implementation ended on a case."""

    DECODED = "decoded"
    REJECTED = "rejected"
    NOT_SUPPORTED = "not supported"
    UNDECLARED = "undeclared"
    """An exception or exit code that is not declared, or output that cannot be read."""
    SIGNALLED = "signalled"
    TIMED_OUT = "timed out"


@dataclass(frozen=True, slots=True)
class Case:
    """One stream to be decoded.

    `id`: its path below `bitstreams/` without suffix, or what a field stream is called. `source`: where its bytes are:
    a path below `bitstreams/` ("golden:PATH"), a file or an fsspec URL. `before`: sources of the streams that it
    updates, in order. `verdict`: conforming, nonconforming, undetermined; empty for a field stream, of which nothing is
    known yet. `check`: what the application knows and what is agreed, as in sidecars. `digests`: by stage. `under`: by
    reading and choice, what the stream is when that is chosen, as in the manifest.
    """

    id: str
    source: str
    kind: str
    before: tuple[str, ...] = ()
    verdict: str = ""
    codes: tuple[str, ...] = ()
    requirements: tuple[str, ...] = ()
    editions: tuple[int, ...] = ()
    tools: tuple[str, ...] = ()
    readings: tuple[str, ...] = ()
    check: Mapping[str, Any] = field(default_factory=dict)
    digests: Mapping[str, str] = field(default_factory=dict)
    reading: str = ""
    under: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answer:
    """What an implementation did with a case.

    `said`: its exception or first words in one line. `code`: exit code or number of the signal. `seconds`: wall clock.
    `folder`: where its output lies while the answer is judged: `tensors`, `dequantized`, `levels` with the suffix of
    their format, `trace`; see `suite.runner.outputs`.
    """

    ending: Ending
    said: str = ""
    code: int = 0
    seconds: float = 0.0
    peak_bytes: int = 0
    folder: Path | None = None


@dataclass(frozen=True, slots=True)
class CaseResult:
    """What a case came to; all that a report needs, without arrays.

    `stage`: the first stage that differs. `detail`: one line, the same in every run and on every machine, without
    times and paths. `compared`: stages that could be compared. `followed`: readings that tell themselves by the
    result, with the choice that the implementation follows. `known`: whether a baseline expects exactly this.
    """

    case: str
    result: Result
    stage: str = ""
    detail: str = ""
    compared: tuple[str, ...] = ()
    followed: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    peak_bytes: int = 0
    known: bool = False
