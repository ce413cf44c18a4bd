"""What an answer is worth: the result of a case."""

from __future__ import annotations

import hashlib

from nnr_conformance.adapters import Arrays
from nnr_conformance.decoder.digests import add_array
from nnr_conformance.errors import UsageError
from nnr_conformance.suite.runner.implementation import Implementation
from nnr_conformance.suite.runner.model import Answer, Case, CaseResult, Ending, Result
from nnr_conformance.suite.runner.outputs import read_output


def judged(implementation: Implementation, case: Case, answer: Answer) -> CaseResult:
    """The result of a case. Reads the files of the answer."""
    result, detail = _result(case, answer)
    return CaseResult(case.id, result, detail=detail, seconds=answer.seconds, peak_bytes=answer.peak_bytes)


def _result(case: Case, answer: Answer) -> tuple[Result, str]:
    if answer.ending in (Ending.SIGNALLED, Ending.UNDECLARED):
        return Result.CRASH, answer.said
    if answer.ending is Ending.TIMED_OUT:
        return Result.TIMEOUT, answer.said
    if answer.ending is Ending.NOT_SUPPORTED:
        return Result.NOT_SUPPORTED, answer.said
    if case.verdict == "undetermined":
        return Result.PASS, ""
    if case.verdict == "nonconforming":
        return (Result.PASS, "") if answer.ending is Ending.REJECTED else (Result.ACCEPTED_INVALID, "")
    if answer.ending is Ending.REJECTED:
        return Result.REJECTED, answer.said
    assert answer.folder is not None
    try:
        output = read_output(answer.folder)
        for stage in ("levels", "dequantized", "tensors"):
            arrays = getattr(output, stage)
            if arrays is not None and stage in case.digests and _digest(arrays, stage) != case.digests[stage]:
                return Result.FAIL, f"{stage} differ"
    except UsageError as error:
        return Result.CRASH, str(error)
    return Result.PASS, ""


def _digest(arrays: Arrays, stage: str) -> str:
    digest = hashlib.sha256()
    for name in sorted(arrays) if stage == "tensors" else arrays:
        add_array(digest, name, arrays[name])
    return digest.hexdigest()
