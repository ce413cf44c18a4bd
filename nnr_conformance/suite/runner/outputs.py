"""What a decoder gave back, as files of a folder: tensors by stage, and the trace of its bins.

`tensors`, `dequantized` and `levels` are tensor files, `.npz` or `.safetensors`. The trace is `trace.jsonl`, a JSON
object for each bin in order, with the fields of `adapters.Bin`::

    {"unit": 2, "tensor": "conv.weight", "context": 1, "value": 0, "bit": 14}
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from nnr_conformance.adapters import Arrays, Bin, Decoding
from nnr_conformance.errors import NnrError, UsageError
from nnr_conformance.suite.runner.implementation import Bounds
from nnr_conformance.tensor_files import open_writer, read_tensors

STAGES = ("tensors", "dequantized", "levels")
"""Names of the tensor files."""

TRACE = "trace.jsonl"
SUFFIXES = (".npz", ".safetensors")
MOST_BYTES = Bounds().output
_LINE_LIMIT = 1 << 18
"""Bytes of a line of a trace; names are the longest part."""


def read_output(folder: Path, most: int = MOST_BYTES) -> Decoding:
    """What lies in a folder; arrays are read when they are accessed, bins when they are iterated over.

    `most`: bytes that the arrays of a stage may take, which can be far more than their file. Raises UsageError for
    these, and for a file that is not what it should be, here or when it is read.
    """
    found = {stage: _stage(folder, stage, most) for stage in STAGES}
    trace = folder / TRACE
    return Decoding(**found, trace=TraceFile(trace) if trace.is_file() else None)


def write_output(folder: Path, decoding: Decoding, suffix: str = ".npz") -> None:
    """Write what a decoder gave into a folder.

    Raises UsageError for what is no mapping of texts to arrays of numbers, NnrError when the file cannot be written.
    """
    for stage in STAGES:
        arrays = getattr(decoding, stage)
        if arrays is not None:
            write_arrays(folder / f"{stage}{suffix}", arrays, stage)
    if decoding.trace is not None:
        write_trace(folder / TRACE, decoding.trace)


def write_arrays(path: Path, arrays: Arrays, what: str = "tensors") -> None:
    """Write named arrays in their order. Raises as `write_output`."""
    if not isinstance(arrays, Mapping):
        raise UsageError(f"{what} is no mapping of names to arrays but {type(arrays).__name__}")
    with open_writer(path) as writer:
        for name, array in arrays.items():
            if not isinstance(name, str):
                raise UsageError(f"{what} has a name that is no text: {name!r}")
            if not isinstance(array, np.ndarray | np.generic):
                raise UsageError(f"{what} {name!r} is no array of numpy but {type(array).__name__}")
            writer.write(name, np.asarray(array))


@dataclass(frozen=True, slots=True)
class TraceFile:
    """The bins of a trace file, each time it is iterated over. Raises UsageError at a line that is no bin."""

    path: Path

    def __iter__(self) -> Iterator[Bin]:
        try:
            with self.path.open("rb") as file:
                number = 0
                while line := file.readline(_LINE_LIMIT):
                    number += 1
                    yield _bin(line, number)
        except OSError as error:
            raise UsageError(f"cannot read the trace: {error.strerror}") from error


def _stage(folder: Path, stage: str, most: int) -> Arrays | None:
    for suffix in SUFFIXES:
        path = folder / f"{stage}{suffix}"
        # Anything else than a file, such as a named pipe, could be read forever.
        if path.is_file():
            found = read_tensors(path)
            if found.nbytes > most:
                found.close()
                raise UsageError(f"{stage} has {found.nbytes} bytes in its arrays; at most {most} are read")
            return found
    return None


def write_trace(path: Path, trace: Iterable[Bin]) -> None:
    """Write bins as lines of JSON. Raises NnrError when that fails, UsageError for what is no bin."""
    try:
        with path.open("w", encoding="utf-8") as file:
            for row in trace:
                file.write(json.dumps(Bin(*row)._asdict(), ensure_ascii=False) + "\n")
    except OSError as error:
        raise NnrError(f"cannot write the trace: {error.strerror}") from error
    except (TypeError, ValueError) as error:
        raise UsageError(f"the trace has something that is no bin: {error}") from error


def _bin(line: bytes, number: int) -> Bin:
    try:
        row: Any = json.loads(line)
        found = Bin(row["unit"], row["tensor"], row["context"], row["value"], row["bit"])
    except (ValueError, TypeError, KeyError, RecursionError):
        raise UsageError(f"line {number} of the trace is no bin") from None
    if not isinstance(found.tensor, str) or not all(type(one) is int for one in (found[0], *found[2:])):
        raise UsageError(f"line {number} of the trace is no bin")
    return found
