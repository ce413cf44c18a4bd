"""Reaching an encoder: one model, one working point, one process of its own; what it answers and the stream."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from nnr_conformance.adapters import Arrays
from nnr_conformance.errors import NnrError
from nnr_conformance.suite.certify.working_points import WorkingPoint
from nnr_conformance.suite.runner.encoding import STREAM, EncodeJob, write_before, write_encode_job, write_options
from nnr_conformance.suite.runner.endings import answer_of, one_line
from nnr_conformance.suite.runner.implementation import Implementation
from nnr_conformance.suite.runner.launching import launched
from nnr_conformance.suite.runner.model import Answer, Ending
from nnr_conformance.suite.runner.outputs import write_arrays
from nnr_conformance.suite.runner.processes import answer_of_adapter
from nnr_conformance.suite.runner.templates import command, places


@dataclass(frozen=True, slots=True, eq=False)
class Encoding:
    """What an encoder did with one model. `stream`: empty unless it ended well (`Ending.DECODED`).

    `unreachable`: the model could not even be given to it, since no tensor file, or no place in its command, holds it.
    """

    ending: Ending
    said: str
    stream: bytes = b""
    seconds: float = 0.0
    unreachable: bool = False


def encoded(
    implementation: Implementation, point: WorkingPoint, tensors: Arrays, before: Sequence[bytes] = ()
) -> Encoding:
    """Give a model to an encoder, to be encoded as an update when there are streams before.

    Whatever the encoder does is an answer. Raises UsageError when its command cannot be run or its adapter not
    imported.
    """
    with tempfile.TemporaryDirectory(prefix="nnr-certify-") as name:
        given, folder = Path(name) / "given", Path(name) / "out"
        given.mkdir()
        folder.mkdir()
        job = EncodeJob(tensors, point.options, before)
        if implementation.adapter:
            return _by_adapter(implementation, job, given, folder)
        return _by_command(implementation, point, job, given, folder)


def _by_adapter(implementation: Implementation, job: EncodeJob, given: Path, folder: Path) -> Encoding:
    try:
        write_encode_job(job, given)
    except NnrError as error:
        return _unreachable(error, given)
    return _encoding(answer_of_adapter(implementation, given, folder), folder / STREAM)


def _by_command(
    implementation: Implementation, point: WorkingPoint, job: EncodeJob, given: Path, folder: Path
) -> Encoding:
    takes = places(implementation.encoder)
    if job.before and "before" not in takes:
        said = "the command has no place for the streams that are to be updated"
        return Encoding(Ending.NOT_SUPPORTED, said, unreachable=True)
    tensors = given / f"tensors{implementation.suffix}"
    try:
        write_arrays(tensors, job.tensors)
    except NnrError as error:
        return _unreachable(error, given)
    files = {
        "tensors": [str(tensors)],
        "stream": [str(folder / STREAM)],
        "before": [str(path) for path in write_before(job.before, given)],
        "options": [str(write_options(job.options, given))],
    }
    empty = frozenset(name for name, found in (("before", job.before), ("options", job.options)) if not found)
    words = [*command(implementation.encoder, files, empty), *point.words]
    ended = launched(words, implementation.bounds, implementation.environment, given)
    return _encoding(answer_of(implementation, ended, folder, given), folder / STREAM)


def _encoding(answer: Answer, path: Path) -> Encoding:
    if answer.ending is not Ending.DECODED:
        return Encoding(answer.ending, answer.said, seconds=answer.seconds)
    try:
        stream = path.read_bytes() if path.is_file() else b""
    except OSError:
        stream = b""
    if not stream:
        return Encoding(Ending.UNDECLARED, "ended well, it says, but wrote no stream", seconds=answer.seconds)
    return Encoding(Ending.DECODED, "", stream, answer.seconds)


def _unreachable(error: NnrError, given: Path) -> Encoding:
    said = one_line(str(error).replace(f"{given}/", ""))
    return Encoding(Ending.NOT_SUPPORTED, f"no tensor file can hold it: {said}", unreachable=True)
