"""The results of a run in a file, written as they come, so that a run that was killed can be taken up.

The first line is a JSON object that says what was run on what; each further line is one result. A last line without its
end was being written when the run was killed, and is dropped.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from nnr_conformance.errors import NnrError, UsageError
from nnr_conformance.suite.runner.cases import corpus_identity
from nnr_conformance.suite.runner.digest import digest_of
from nnr_conformance.suite.runner.implementation import Implementation
from nnr_conformance.suite.runner.model import CaseResult, Result
from nnr_conformance.suite.runner.selection import Selection

SCHEMA = "nnr-results/1"


def run_identity(implementation: Implementation, selection: Selection, places: tuple[str, ...] = ()) -> dict[str, Any]:
    """What makes two runs the same: implementation with bounds and claims, streams, selection.

    `places`: of field streams; without them the golden streams are meant.
    """
    if places:
        streams: dict[str, Any] = {"places": list(places)}
    else:
        version, manifest = corpus_identity()
        streams = {"corpus": version, "manifest": manifest}
    return {
        "schema": SCHEMA,
        "implementation": implementation.name,
        "version": implementation.version,
        "declaration": digest_of(implementation),
        **streams,
        "selectors": list(selection.selectors),
        "only": list(selection.only),
        "exclude": list(selection.exclude),
    }


@dataclass(frozen=True, slots=True)
class Record:
    """An open file of results. `done`: those that were in it, by case."""

    file: IO[bytes]
    path: Path
    done: Mapping[str, CaseResult]

    def add(self, result: CaseResult) -> None:
        """Write a result, at once. Raises NnrError when that fails."""
        try:
            self.file.write(_line(as_row(result)))
            self.file.flush()
        except OSError as error:
            raise NnrError(f"cannot write {self.path}: {error.strerror}") from error


@contextmanager
def open_record(path: Path, identity: Mapping[str, Any], resume: bool) -> Iterator[Record]:
    """A file for the results of a run, or with `resume` the one of the same run that was killed.

    Raises UsageError for a file that is there without `resume`, is of another run, or is damaged.
    """
    try:
        with path.open("a+b" if resume else "xb") as file:
            done = _taken_up(file, path, identity) if resume else {}
            if file.tell() == 0:
                file.write(_line(identity))
                file.flush()
            yield Record(file, path, done)
    except FileExistsError:
        raise UsageError(f"{path} is there already; --resume takes its run up") from None
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}") from error


def as_row(result: CaseResult) -> dict[str, Any]:
    """A result as a value of JSON, without what is not known."""
    row: dict[str, Any] = {"case": result.case, "result": result.result.value}
    for name in ("stage", "detail", "compared", "followed", "seconds", "peak_bytes"):
        value = getattr(result, name)
        if value:
            row[name] = list(value) if isinstance(value, tuple) else value
    return row


def from_row(row: Mapping[str, Any]) -> CaseResult:
    """The result that `as_row` wrote. Raises ValueError, KeyError, TypeError for what it did not write."""
    return CaseResult(
        case=str(row["case"]),
        result=Result(row["result"]),
        stage=str(row.get("stage", "")),
        detail=str(row.get("detail", "")),
        compared=tuple(map(str, row.get("compared", ()))),
        followed={str(reading): str(choice) for reading, choice in row.get("followed", {}).items()},
        seconds=float(row.get("seconds", 0)),
        peak_bytes=int(row.get("peak_bytes", 0)),
    )


def _taken_up(file: IO[bytes], path: Path, identity: Mapping[str, Any]) -> dict[str, CaseResult]:
    file.seek(0)
    done: dict[str, CaseResult] = {}
    kept = 0
    for number, line in enumerate(file):
        if not line.endswith(b"\n"):
            break
        try:
            row = json.loads(line)
            if number == 0:
                _must_be_same(row, identity, path)
            else:
                found = from_row(row)
                done[found.case] = found
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            if isinstance(error, UsageError):
                raise
            raise UsageError(f"{path}: line {number + 1} is no result of a run") from error
        kept += len(line)
    file.truncate(kept)
    file.seek(kept)
    return done


def _must_be_same(row: Mapping[str, Any], identity: Mapping[str, Any], path: Path) -> None:
    differing = [name for name in identity if row.get(name) != identity[name]]
    if differing:
        raise UsageError(f"{path} is of another run, which differs in {', '.join(differing)}")


def _line(row: Mapping[str, Any]) -> bytes:
    return json.dumps(row, ensure_ascii=True).encode("ascii") + b"\n"
