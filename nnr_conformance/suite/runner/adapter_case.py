"""One case in the process that is for it: the adapter decodes or encodes, answer and output are left in files."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from nnr_conformance.adapters import NotSupported, Rejected
from nnr_conformance.errors import NnrError
from nnr_conformance.suite.runner.bounding import bound_self
from nnr_conformance.suite.runner.encoding import STREAM, is_encoding, read_encode_job
from nnr_conformance.suite.runner.endings import one_line
from nnr_conformance.suite.runner.handing_over import read_job
from nnr_conformance.suite.runner.implementation import Bounds
from nnr_conformance.suite.runner.loading import exception_class, load_adapter
from nnr_conformance.suite.runner.model import Ending
from nnr_conformance.suite.runner.outputs import write_output

ANSWER = "answer.json"
"""What the process leaves; without it, it was ended."""


def answer_case(adapter: Any, rejections: Iterable[str], given: Path, folder: Path) -> None:
    """Do the job of `given`; write output and answer into `folder`. Raises UsageError for `rejections`."""
    declared = (Rejected, *map(exception_class, rejections), *getattr(adapter, "rejections", ()))
    work = _encoded if is_encoding(given) else _decoded
    ending, said = work(adapter, declared, given, folder)
    answer = {"ending": ending.value, "said": one_line(said)}
    (folder / ANSWER).write_text(json.dumps(answer), encoding="utf-8")


def _decoded(adapter: Any, declared: tuple[type[BaseException], ...], given: Path, folder: Path) -> tuple[Ending, str]:
    job = read_job(given)
    try:
        decoding = adapter.decode(job)
    except NotSupported as error:
        return Ending.NOT_SUPPORTED, str(error)
    except BaseException as error:
        # All of them, sys.exit too: what is not declared is a result of its own.
        return (Ending.REJECTED if isinstance(error, declared) else Ending.UNDECLARED), _told(error)
    if not all(hasattr(decoding, name) for name in ("tensors", "dequantized", "levels", "trace")):
        return Ending.UNDECLARED, f"what it gave is no Decoding but {type(decoding).__name__}"
    try:
        write_output(folder, decoding)
    except NnrError as error:
        return Ending.UNDECLARED, str(error).replace(f"{folder}/", "")
    except BaseException as error:
        # Its arrays and traces may compute when they are read.
        return Ending.UNDECLARED, _told(error)
    return Ending.DECODED, ""


def _encoded(adapter: Any, declared: tuple[type[BaseException], ...], given: Path, folder: Path) -> tuple[Ending, str]:
    job = read_encode_job(given)
    if not hasattr(adapter, "encode"):
        return Ending.NOT_SUPPORTED, "the adapter does not encode"
    try:
        stream = adapter.encode(job.tensors, job.options, job.before)
    except NotSupported as error:
        return Ending.NOT_SUPPORTED, str(error)
    except BaseException as error:
        return (Ending.REJECTED if isinstance(error, declared) else Ending.UNDECLARED), _told(error)
    if not isinstance(stream, (bytes, bytearray, memoryview)):
        return Ending.UNDECLARED, f"what it gave is no stream of bytes but {type(stream).__name__}"
    (folder / STREAM).write_bytes(stream)
    return Ending.DECODED, ""


def _told(error: BaseException) -> str:
    try:
        return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    except BaseException:
        return type(error).__name__


def main(arguments: list[str]) -> int:
    """One case in a process that was begun for it: adapter, `given`, `folder`, memory, output, rejections."""
    name, given, folder, memory, output, *rejections = arguments
    adapter = load_adapter(name)
    bound_self(Bounds(memory=int(memory), output=int(output)))
    answer_case(adapter, rejections, Path(given), Path(folder))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
