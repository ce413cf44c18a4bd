"""Streams of the field as cases: files, trees of folders, fsspec URLs. Nothing is known of them beforehand."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from nnr_conformance.adapters import Arrays
from nnr_conformance.errors import UsageError
from nnr_conformance.limits import DEFAULT_LIMITS, Limits
from nnr_conformance.suite.runner.endings import one_line
from nnr_conformance.suite.runner.implementation import Implementation
from nnr_conformance.suite.runner.model import Answer, Case, CaseResult, Ending, Result
from nnr_conformance.suite.runner.sources import filesystem_package, is_url
from nnr_conformance.version import VERSION

KIND = "field"
SUFFIXES = (".nnr", ".nnc")
"""What the names of streams end in that are looked for in trees; a file that is named is taken as it is."""

CHECKER = Implementation("nnr-check", VERSION, adapter="nnr-check")
"""What runs when no decoder is given: this package's checker."""

_RESULTS = {
    Ending.DECODED: Result.PASS,
    Ending.REJECTED: Result.REJECTED,
    Ending.NOT_SUPPORTED: Result.NOT_SUPPORTED,
    Ending.TIMED_OUT: Result.TIMEOUT,
}


def field_cases(places: Sequence[str]) -> Iterator[Case]:
    """A case for each stream, in the order of places and paths, found as it is asked for.

    The id is the path below its place; behind the name of the place when there are several. Raises UsageError for a
    place that is not there or has no streams.
    """
    if len({*places}) != len(places):
        raise UsageError("a place is named twice")
    names = _labels(places)
    nothing: dict[str, Any] = {}
    for place, name in zip(places, names, strict=True):
        empty = True
        for source, path in _found(place):
            empty = False
            # The mappings are shared: there may be 10^6 such cases.
            yield Case(
                f"{name}/{path}" if len(places) > 1 else path,
                source,
                KIND,
                check=nothing,
                digests=nothing,
                under=nothing,
            )
        if empty:
            raise UsageError(f"{place}: no stream, which would end in {' or '.join(SUFFIXES)}")


def settings_of(
    base: Arrays, out_of_band: Mapping[str, Any], limits: Limits, edition: int | None = None
) -> dict[str, Any]:
    """`Case.check` of streams of the field: what is agreed on beside them, as far as it is not the default."""
    changed = {
        name: getattr(limits, name)
        for name in limits.__slots__
        if getattr(limits, name) != getattr(DEFAULT_LIMITS, name)
    }
    settings = {
        "out_of_band": out_of_band,
        "base": {name: array.tolist() for name, array in base.items()},
        "edition": edition,
        "limits": changed,
    }
    # What is empty is left out: a decoder that cannot be told of it is not to be blamed for that.
    return {name: value for name, value in settings.items() if value}


def is_checked_alone(implementation: Implementation, case: Case) -> bool:
    """Whether a stream is only checked, with nothing that it could be compared with."""
    return case.kind == KIND and implementation.adapter == CHECKER.adapter


def checked(case: Case, answer: Answer) -> CaseResult:
    """The result of a stream that was only checked: rejected when it is nonconforming, not supported when it cannot be
    judged."""
    result = _RESULTS.get(answer.ending, Result.CRASH)
    return CaseResult(case.id, result, "", one_line(answer.said), (), {}, answer.seconds, answer.peak_bytes)


def _labels(places: Sequence[str]) -> list[str]:
    """A name for each place: its last part, or all of it where that would not tell them apart."""
    last = [PurePosixPath(place.rstrip("/")).name or place for place in places]
    return last if len({*last}) == len(last) else list(places)


def _found(place: str) -> Iterator[tuple[str, str]]:
    """Source and path below the place."""
    if is_url(place):
        yield from _found_at_url(place)
        return
    root = Path(place)
    if root.is_dir():
        yield from _walked(root, root)
    elif root.is_file():
        yield str(root), root.name
    else:
        raise UsageError(f"{place} is not there")


def _walked(folder: Path, root: Path) -> Iterator[tuple[str, str]]:
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as error:
        raise UsageError(f"cannot read {folder}: {error.strerror}") from error
    for entry in entries:
        # Links to folders are not followed: they may lead around in circles.
        if entry.is_dir(follow_symlinks=False):
            yield from _walked(Path(entry.path), root)
        elif entry.name.endswith(SUFFIXES) and entry.is_file():
            yield entry.path, Path(entry.path).relative_to(root).as_posix()


def _found_at_url(place: str) -> Iterator[tuple[str, str]]:
    fsspec = filesystem_package()
    try:
        system, path = fsspec.core.url_to_fs(place)
        if "*" in path:
            paths = sorted(system.glob(path))
            root = os.path.commonpath([PurePosixPath(one).parent for one in paths]) if paths else path
        else:
            root = path
            paths = [path] if system.isfile(path) else sorted(one for one in system.find(path) if _is_stream(one))
    except Exception as error:
        # Any exception: each file system of fsspec raises those of the package that it stands on.
        raise UsageError(f"cannot read {place}: {one_line(str(error)) or type(error).__name__}") from error
    for one in paths:
        yield _url(system, one), _below(one, root)


def _url(system: Any, path: str) -> str:
    return str(system.unstrip_protocol(path))


def _is_stream(path: str) -> bool:
    return path.endswith(SUFFIXES)


def _below(path: str, root: str) -> str:
    return path[len(root) :].lstrip("/") or PurePosixPath(path).name
