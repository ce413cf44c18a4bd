"""What the end of a process means, by what the implementation declares."""

from __future__ import annotations

import re
import signal
from pathlib import Path

from nnr_conformance.suite.runner.implementation import Implementation
from nnr_conformance.suite.runner.model import Answer, Ending
from nnr_conformance.suite.runner.watching import Ended

_SAID = 200
"""Characters of what an implementation said that are kept."""

_TRACEBACK = "Traceback (most recent call last):"


def answer_of(implementation: Implementation, ended: Ended, folder: Path, given: Path) -> Answer:
    """The answer that the end of a command is.

    A Python program that ends with a traceback has exit code 1 like many that reject; it is a rejection only when its
    exception is declared to be one.
    """
    ending, said = _meaning(implementation, ended)
    said = said or first_words(ended, (given, folder))
    return Answer(ending, said, abs(ended.status), ended.seconds, ended.peak_bytes, folder)


def _meaning(implementation: Implementation, ended: Ended) -> tuple[Ending, str]:
    if ended.timed_out:
        return Ending.TIMED_OUT, f"took longer than {implementation.bounds.seconds:g} s"
    if ended.status < 0:
        return Ending.SIGNALLED, signal_name(-ended.status)
    if ended.status == 0:
        return Ending.DECODED, ""
    if ended.status in implementation.unsupported_codes:
        return Ending.NOT_SUPPORTED, ""
    exception = raised(ended.complained.decode("utf-8", "replace")) if ended.status == 1 else ""
    if exception:
        name = exception.partition(":")[0]
        declared = name in implementation.rejections or f"builtins.{name}" in implementation.rejections
        return (Ending.REJECTED if declared else Ending.UNDECLARED), one_line(exception)
    if ended.status in implementation.rejection_codes:
        return Ending.REJECTED, ""
    return Ending.UNDECLARED, f"exit code {ended.status}"


def raised(text: str) -> str:
    """The exception of the last Python traceback in a text, with its message; empty without a traceback."""
    _, found, rest = text.rpartition(_TRACEBACK)
    if not found:
        return ""
    lines = [line for line in rest.splitlines() if line and not line[0].isspace()]
    return lines[0] if lines and re.match(r"[\w.]+(:|$)", lines[0]) else "a traceback without its end"


def signal_name(number: int) -> str:
    """Such as SIGSEGV."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def first_words(ended: Ended, folders: tuple[Path, ...] = ()) -> str:
    """The first line that a process said, errors first, without the names of temporary folders."""
    for words in (ended.complained, ended.said):
        text = words.decode("utf-8", "replace")
        for folder in folders:
            text = text.replace(f"{folder}/", "")
        line = one_line(text)
        if line:
            return line
    return ""


def one_line(text: str) -> str:
    """The first line of a text that has something, bounded, without characters that a terminal would obey."""
    for line in text.splitlines():
        found = "".join(one if one.isprintable() else " " for one in line).strip()
        if found:
            return found if len(found) <= _SAID else found[: _SAID - 1] + "…"
    return ""
