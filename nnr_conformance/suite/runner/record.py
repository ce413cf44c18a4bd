"""The results of a run in a file, written as they come, so that a run that was killed can be taken up.

The file is a run as lines of JSON (`suite.results.jsonl`). Its first line has, beside the header, a digest of all that
makes two runs the same. A last line without its end was being written when the run was killed, and is dropped.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

from nnr_conformance.errors import NnrError, UsageError
from nnr_conformance.suite.results.jsonl import header_line, read, result_line
from nnr_conformance.suite.results.report import RunHeader
from nnr_conformance.suite.runner.digest import digest_of
from nnr_conformance.suite.runner.implementation import Implementation
from nnr_conformance.suite.runner.model import CaseResult

_DIGEST = "run_digest"


def run_digest(implementation: Implementation, places: tuple[str, ...] = ()) -> str:
    """Of what a header does not tell: the whole declaration, and the `places` of field streams."""
    return digest_of({"implementation": implementation, "places": list(places)})


@dataclass(frozen=True, slots=True)
class Record:
    """An open file of results. `done`: those that were in it, by case."""

    file: IO[bytes]
    path: Path
    done: Mapping[str, CaseResult]

    def add(self, result: CaseResult) -> None:
        """Write a result, at once. Raises NnrError when that fails."""
        try:
            self.file.write(result_line(result).encode("utf-8") + b"\n")
            self.file.flush()
        except OSError as error:
            raise NnrError(f"cannot write {self.path}: {error.strerror}") from error


@contextmanager
def open_record(path: Path, header: RunHeader, digest: str, resume: bool) -> Iterator[Record]:
    """A file for the results of a run, or with `resume` the one of the same run that was killed.

    Raises UsageError for a file that is there without `resume`, is of another run, or is damaged.
    """
    try:
        file = path.open("a+b" if resume else "xb")
    except FileExistsError:
        raise UsageError(f"{path} is there already; --resume takes its run up") from None
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}") from error
    with file:
        done = _taken_up(file, path, header, digest) if resume else {}
        if file.tell() == 0:
            file.write(_first_line(header, digest))
            file.flush()
        yield Record(file, path, done)


def _first_line(header: RunHeader, digest: str) -> bytes:
    return json.dumps({**json.loads(header_line(header)), _DIGEST: digest}).encode("ascii") + b"\n"


def _taken_up(file: IO[bytes], path: Path, header: RunHeader, digest: str) -> dict[str, CaseResult]:
    file.seek(0)
    kept = 0

    def whole_lines() -> Iterator[str]:
        nonlocal kept
        for line in file:
            if not line.endswith(b"\n"):
                return
            kept += len(line)
            yield line.decode("utf-8", "replace")

    lines = whole_lines()
    first = next(lines, None)
    done: dict[str, CaseResult] = {}
    if first is not None:
        try:
            found, results = read([first])
            _must_be_same(found, header)
            if json.loads(first).get(_DIGEST) != digest:
                raise UsageError("it is of another declaration, other bounds or other streams")
            _, results = read(_with(first, lines))
            done = {result.case: result for result in results}
        except UsageError as error:
            raise UsageError(f"{path} cannot be taken up: {error}") from error
    file.truncate(kept)
    file.seek(kept)
    return done


def _with(first: str, lines: Iterator[str]) -> Iterator[str]:
    yield first
    yield from lines


def _must_be_same(found: RunHeader, header: RunHeader) -> None:
    """A run may be taken up at another time and on another machine."""
    other = replace(found, date=header.date, python=header.python, numpy=header.numpy, platform=header.platform)
    if other != header:
        differing = [name for name in RunHeader.__slots__ if getattr(other, name) != getattr(header, name)]
        raise UsageError(f"it is of another run, which differs in {', '.join(differing)}")
