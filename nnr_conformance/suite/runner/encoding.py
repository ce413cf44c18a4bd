"""The job of an encoder as files: a model, options, the streams that it is to update."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from nnr_conformance.adapters import Arrays
from nnr_conformance.suite.runner.outputs import write_arrays
from nnr_conformance.tensor_files import read_tensors

OPTIONS, BEFORE, STREAM = "options.json", "before", "stream.nnr"
_TENSORS = "tensors.safetensors"
"""The format that can carry most names."""


@dataclass(frozen=True, slots=True, eq=False)
class EncodeJob:
    """What an encoder is given: a model, options, and the streams that the new one is to update."""

    tensors: Arrays
    options: Mapping[str, Any]
    before: Sequence[bytes]


def is_encoding(folder: Path) -> bool:
    """Whether the job of a folder is one for an encoder."""
    return (folder / OPTIONS).is_file()


def write_encode_job(job: EncodeJob, folder: Path) -> None:
    """Write a job for an adapter into a folder that is there. Raises UsageError for names that no file can hold."""
    write_arrays(folder / _TENSORS, job.tensors)
    write_before(job.before, folder)
    write_options(job.options, folder)


def write_before(streams: Sequence[bytes], folder: Path) -> list[Path]:
    """Write the streams that are to be updated; their files in order."""
    (folder / BEFORE).mkdir()
    paths = [folder / BEFORE / f"{number:04}.nnr" for number in range(len(streams))]
    for path, stream in zip(paths, streams, strict=True):
        path.write_bytes(stream)
    return paths


def write_options(options: Mapping[str, Any], folder: Path) -> Path:
    """Write the options of a working point as a JSON file."""
    path = folder / OPTIONS
    path.write_text(json.dumps(dict(options)), encoding="utf-8")
    return path


def read_encode_job(folder: Path) -> EncodeJob:
    """The job of a folder. Raises OSError, UsageError when its files are damaged."""
    with read_tensors(folder / _TENSORS) as file:
        tensors = {name: np.asarray(file[name]) for name in file}
    options = json.loads((folder / OPTIONS).read_text(encoding="utf-8"))
    return EncodeJob(tensors, options, [path.read_bytes() for path in sorted((folder / BEFORE).iterdir())])
