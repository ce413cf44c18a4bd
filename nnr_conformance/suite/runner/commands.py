"""A case given to a command: files, words, one process for each step, the answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from nnr_conformance.adapters import Arrays
from nnr_conformance.errors import UsageError
from nnr_conformance.suite.runner.endings import answer_of, one_line
from nnr_conformance.suite.runner.handing_over import Given
from nnr_conformance.suite.runner.implementation import Implementation
from nnr_conformance.suite.runner.launching import launched
from nnr_conformance.suite.runner.model import Answer, Ending
from nnr_conformance.suite.runner.outputs import STAGES, TRACE, read_output
from nnr_conformance.suite.runner.templates import command, places

NEEDED_SETTINGS = ("out_of_band", "tensors", "edition")
"""Without being told of these a decoder cannot come to the result of a case."""


def answer_of_command(implementation: Implementation, given: Given, folder: Path) -> Answer:
    """Run the decoder on the files of a case; its output is in `folder`.

    A chain is given as a whole to a command that takes several streams. One that takes a base model gets the streams
    one by one, with the model that it made of those before. Raises UsageError when it cannot be run.
    """
    takes = places(implementation.decoder)
    lacking = _lacking(takes, given)
    if lacking:
        return Answer(Ending.NOT_SUPPORTED, f"the command has no place for {lacking}")
    if "streams" in takes or len(given.streams) == 1:
        return _checked(_step(implementation, given, folder, given.streams, given.base), implementation)
    base: Arrays | None = given.base
    seconds = 0.0
    for number, stream in enumerate(given.streams[:-1]):
        step = folder / f"step{number}"
        step.mkdir()
        answer = _checked(_step(implementation, given, step, (stream,), base), implementation)
        seconds += answer.seconds
        base, said = (
            _model(step, implementation.bounds.output) if answer.ending is Ending.DECODED else (None, answer.said)
        )
        if base is None:
            ending = Ending.UNDECLARED if answer.ending is Ending.DECODED else answer.ending
            said = f"stream {number + 1} of {len(given.streams)}: {said}"
            return replace(answer, ending=ending, said=said, seconds=seconds, folder=folder)
    answer = _checked(_step(implementation, given, folder, given.streams[-1:], base), implementation)
    return replace(answer, seconds=seconds + answer.seconds)


def _model(folder: Path, most: int) -> tuple[Arrays | None, str]:
    """The model that a step has made, or why there is none."""
    try:
        found = read_output(folder, most).tensors
        return (None if found is None else dict(found)), ""
    except UsageError as error:
        return None, one_line(str(error).replace(f"{folder}/", ""))


def _lacking(takes: frozenset[str], given: Given) -> str:
    """What the case gives and the command cannot be given."""
    if given.base and "base" not in takes:
        return "a base model"
    if len(given.streams) > 1 and "streams" not in takes and not {"base", "tensors"} <= takes:
        return "several streams or a base model"
    if "settings" not in takes:
        return next((name for name in NEEDED_SETTINGS if name in given.settings), "").replace("_", " ")
    return ""


def _step(
    implementation: Implementation, given: Given, folder: Path, streams: tuple[Path, ...], base: Arrays | None
) -> Answer:
    takes, suffix = places(implementation.decoder), implementation.suffix
    files: Mapping[str, list[str]] = {
        "stream": [str(streams[-1])],
        "streams": [str(path) for path in streams],
        "base": [str(given.base_file(suffix, f"base of {folder.name}", base or {}))] if "base" in takes else [],
        "settings": [str(given.settings_file())] if "settings" in takes else [],
        "trace": [str(folder / TRACE)],
        **{stage: [str(folder / f"{stage}{suffix}")] for stage in STAGES},
    }
    empty = frozenset(name for name, found in (("base", base), ("settings", given.settings)) if not found)
    words = command(implementation.decoder, files, empty)
    ended = launched(words, implementation.bounds, implementation.environment, given.folder)
    return answer_of(implementation, ended, folder, given.folder)


def _checked(answer: Answer, implementation: Implementation) -> Answer:
    """An answer that says decoded without the tensors that were asked for, or with files that are none, is another."""
    if answer.ending is not Ending.DECODED or answer.folder is None:
        return answer
    try:
        output = read_output(answer.folder, implementation.bounds.output)
    except UsageError as error:
        return replace(answer, ending=Ending.UNDECLARED, said=one_line(str(error).replace(f"{answer.folder}/", "")))
    if "tensors" in places(implementation.decoder) and output.tensors is None:
        return replace(answer, ending=Ending.UNDECLARED, said="decoded, it says, but wrote no tensors")
    return answer
