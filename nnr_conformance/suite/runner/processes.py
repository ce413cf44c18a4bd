"""A case given to an implementation, in a process of its own: what it answers."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import replace
from pathlib import Path

from nnr_conformance.suite.runner.adapter_case import ANSWER
from nnr_conformance.suite.runner.commands import answer_of_command
from nnr_conformance.suite.runner.endings import answer_of, first_words
from nnr_conformance.suite.runner.forker import ONE_THREAD, Gone, forker_of
from nnr_conformance.suite.runner.handing_over import given_files
from nnr_conformance.suite.runner.implementation import Implementation
from nnr_conformance.suite.runner.launching import launched
from nnr_conformance.suite.runner.model import Answer, Case, Ending
from nnr_conformance.suite.runner.watching import Ended

CAN_FORK = sys.platform.startswith("linux")
"""Where a process that has imported much can be forked safely: not on Windows, and not with the frameworks of macOS."""


def answered(implementation: Implementation, case: Case, folder: Path) -> Answer:
    """Give a case to an implementation; output is in `folder`, which must be empty and belongs to the caller.

    Whatever the implementation does is an answer. Raises UsageError when the streams cannot be had, the command cannot
    be run, or the adapter cannot be imported.
    """
    (folder / "given").mkdir()
    given = given_files(case, folder / "given")
    if implementation.adapter:
        given.base_file(".npz")
        given.settings_file()
        return answer_of_adapter(implementation, given.folder, folder)
    return answer_of_command(implementation, given, folder)


def answer_of_adapter(implementation: Implementation, given: Path, folder: Path) -> Answer:
    """Give a job, which lies in the folder `given`, to an adapter; output is in `folder`. Raises as `answered`."""
    try:
        ended = (_forked if CAN_FORK else spawned)(implementation, given, folder)
    except Gone as gone:
        return Answer(Ending.UNDECLARED, f"ended the process that runs it: {gone}", folder=folder)
    if ended.timed_out or ended.status != 0:
        # Its exit codes mean nothing: adapters answer with values and exceptions.
        return answer_of(replace(implementation, rejection_codes=(), rejections=()), ended, folder, given)
    try:
        row = json.loads((folder / ANSWER).read_text(encoding="utf-8"))
        ending, said = Ending(row["ending"]), row["said"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        ending, said = Ending.UNDECLARED, f"ended its process: {first_words(ended)}".removesuffix(": ")
    return Answer(ending, said, 0, ended.seconds, ended.peak_bytes, folder)


def _forked(implementation: Implementation, given: Path, folder: Path) -> Ended:
    return forker_of(implementation).case(given, folder, implementation.bounds)


def spawned(implementation: Implementation, given: Path, folder: Path) -> Ended:
    """The same in a process that imports everything again. Raises UsageError as for commands."""
    bounds = implementation.bounds
    words = [
        *(sys.executable, "-m", "nnr_conformance.suite.runner.adapter_case"),
        *(implementation.adapter, str(given), str(folder), str(bounds.memory), str(bounds.output)),
        *implementation.rejections,
    ]
    path = {"PYTHONPATH": os.pathsep.join(one for one in sys.path if one)}
    # What the process has when it has imported everything is not known here; it bounds its memory itself.
    wide = replace(bounds, memory=1 << 46)
    return launched(words, wide, {**ONE_THREAD, **path, **implementation.environment}, given)
