"""A normative function cut into numbered steps: each begins at the line that holds its fragment of the source."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

_ITEM = re.compile(r"^\s*-\s+``?(?P<fragment>.+?)``?:\s*(?P<words>.*)$")


@dataclass(frozen=True, slots=True)
class Step:
    """One step: what is done in own words, and the lines of the function that do it."""

    words: str
    first_line: int
    source: str

    @property
    def lines(self) -> range:
        """Lines of the file."""
        return range(self.first_line, self.first_line + self.source.count("\n") + 1)


def steps_of(function: Callable[..., Any], text: str) -> list[Step]:
    """The steps that a list describes, ``- `fragment`: words``, in the order of the source.

    Raises ValueError when a fragment is not in the source, or not behind that of the step before.
    """
    lines, first = source_lines(function)
    starts = []
    at = 0
    for fragment, words in items(text):
        found = next((number for number in range(at, len(lines)) if fragment in lines[number]), None)
        if found is None:
            raise ValueError(f"{function.__qualname__} has no line with {fragment!r} behind the step before")
        starts.append((found, words))
        at = found + 1
    if not starts:
        raise ValueError(f"no steps of {function.__qualname__}")
    if any(line.strip() for line in lines[: starts[0][0]]):
        raise ValueError(f"{function.__qualname__}: the first step leaves out {lines[0].strip()!r}")
    ends = [start for start, _ in starts[1:]] + [len(lines)]
    steps = []
    for (start, words), end in zip(starts, ends, strict=True):
        source = textwrap.dedent("\n".join(lines[start:end])).rstrip()
        steps.append(Step(words, first + start, source))
    return steps


def items(text: str) -> Iterator[tuple[str, str]]:
    """Fragments and words of a list; lines that begin no item go on with the words of the last one."""
    fragment, words = "", ""
    for line in text.splitlines():
        match = _ITEM.match(line)
        if match is None:
            words = f"{words} {line.strip()}".strip()
            continue
        if fragment:
            yield fragment, words
        fragment, words = match["fragment"], match["words"]
    if fragment:
        yield fragment, words


def source_lines(function: Callable[..., Any]) -> tuple[Sequence[str], int]:
    """The lines of a function's body without its docstring, and the number of the first one in the file."""
    lines, first = inspect.getsourcelines(function)
    tree = ast.parse(textwrap.dedent("".join(lines)))
    body = tree.body[0].body  # type: ignore[attr-defined]
    # A comment before the first statement belongs to it.
    start = body[0].end_lineno + 1 if ast.get_docstring(tree.body[0]) else body[0].lineno  # type: ignore[arg-type]
    while not lines[start - 1].strip():
        start += 1
    kept = [line.rstrip("\n") for line in lines[start - 1 :]]
    while kept and not kept[-1].strip():
        kept.pop()
    return kept, first + start - 1


def signature_text(function: Callable[..., Any]) -> str:
    """The head of a function as it is written, decorators left out."""
    lines, _ = inspect.getsourcelines(function)
    dedented = textwrap.dedent("".join(lines)).splitlines()
    first = next(number for number, line in enumerate(dedented) if line.startswith("def "))
    last = next(number for number in range(first, len(dedented)) if dedented[number].rstrip().endswith(":"))
    return "\n".join(dedented[first : last + 1])


def first_paragraph(function: Callable[..., Any]) -> str:
    """The first paragraph of a docstring."""
    return " ".join((inspect.getdoc(function) or "").split("\n\n")[0].split())
