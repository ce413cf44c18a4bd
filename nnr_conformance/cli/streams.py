"""What the commands share: stream files, side files, options that select readings and limits."""

from __future__ import annotations

import argparse
import mmap
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import yaml

from nnr_conformance.errors import UsageError
from nnr_conformance.limits import DEFAULT_LIMITS, Limits

_MAPPED_FROM = 1 << 20
_GIVEN_BACK_EVERY = 1 << 20


def read_stream(path: str) -> memoryview:
    """A stream file as a view; large files are mapped, not read. Raises UsageError."""
    try:
        with Path(path).open("rb") as file:
            if Path(path).stat().st_size < _MAPPED_FROM:
                return memoryview(file.read())
            return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    except (OSError, ValueError) as error:
        raise UsageError(f"cannot read {path}: {_reason(error)}") from error


def read_streams(paths: Sequence[str]) -> list[memoryview]:
    """Several stream files in order. Raises UsageError."""
    return [read_stream(path) for path in paths]


class ReadPages:
    """Gives pages of mapped streams back behind the place that is read, so that memory does not grow with streams.

    What is used again is mapped again. Where the platform gives nothing back, nothing happens.
    """

    def __init__(self, streams: Sequence[memoryview]) -> None:
        self._streams = streams
        self._next = _GIVEN_BACK_EVERY

    def at(self, done_bytes: int) -> None:
        """So many bytes of all streams, one behind the other, were read; fewer than before to read some again."""
        self._next = min(self._next, done_bytes + _GIVEN_BACK_EVERY)
        if done_bytes < self._next:
            return
        self._next = done_bytes + _GIVEN_BACK_EVERY
        for stream in self._streams:
            _give_back(stream, min(done_bytes, len(stream)))
            done_bytes -= len(stream)
            if done_bytes <= 0:
                return


def _give_back(stream: memoryview, end: int) -> None:
    whole = end // mmap.PAGESIZE * mmap.PAGESIZE
    if whole and isinstance(stream.obj, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED"):
        with suppress(OSError):
            stream.obj.madvise(mmap.MADV_DONTNEED, 0, whole)


def read_out_of_band(path: str | None) -> dict[str, Any]:
    """Out-of-band parameters: a YAML or JSON mapping of tensor names to parameters. Raises UsageError."""
    if path is None:
        return {}
    try:
        found = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise UsageError(f"cannot read {path}: {_reason(error)}") from error
    return out_of_band_of(found, path)


def out_of_band_of(found: Any, path: str) -> dict[str, Any]:
    """Out-of-band parameters that were read from a file. Raises UsageError for what they cannot be."""
    if not isinstance(found, dict) or not all(_is_parameters(value) for value in found.values()):
        raise UsageError(f"{path}: expected tensor names, each with tensor_dimensions and other parameters")
    return {str(name): value for name, value in found.items()}


def add_common_options(parser: argparse.ArgumentParser) -> None:
    """--reading, --limit and --out-of-band."""
    parser.add_argument(
        "--reading",
        action="append",
        default=[],
        metavar="ID=NAME",
        help="choose one reading of the standard where it can be read in two ways (see spec/readings.yaml)",
    )
    parser.add_argument(
        "--limit",
        action="append",
        default=[],
        metavar="NAME=NUMBER",
        help=f"change a limit on hostile input: {', '.join(field.name for field in fields(Limits))}",
    )
    parser.add_argument(
        "--out-of-band",
        metavar="FILE",
        help="YAML or JSON file with parameters that the stream leaves out, by tensor name",
    )


def limits_of(choices: Sequence[str], limits: Limits = DEFAULT_LIMITS) -> Limits:
    """Limits with ``NAME=NUMBER`` changes. Raises UsageError."""
    known = {field.name for field in fields(Limits)}
    changes = {}
    for choice in choices:
        name, separator, number = choice.partition("=")
        if name not in known:
            raise UsageError(f"no limit {name!r}; known: {', '.join(sorted(known))}")
        if not separator or not number.isdecimal():
            raise UsageError(f"a limit is given as NAME=NUMBER, not {choice!r}")
        changes[name] = int(number)
    return replace(limits, **changes)


_PARAMETERS = {
    "cabac_unary_length_minus1": 255,
    "compressed_parameter_types": 15,
    "decomposition_rank": 1 << 31,
    "g_number_of_rows": 1 << 31,
}


def _is_parameters(value: Any) -> bool:
    if not isinstance(value, dict):
        return False
    for name, given in value.items():
        if name == "tensor_dimensions":
            if not isinstance(given, list) or not all(_is_number(size, 1 << 31) for size in given):
                return False
        elif name not in _PARAMETERS or not _is_number(given, _PARAMETERS[name]):
            return False
    return True


def _is_number(value: Any, most: int) -> bool:
    return type(value) is int and 0 <= value <= most


def _reason(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) and error.strerror else str(error)).splitlines()[0]
