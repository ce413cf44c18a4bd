"""Command templates: words, places in them, and groups of words that are left out when there is nothing to give.

A template is split like a shell does. ``[--base {base}]`` is a group: its words are there only in cases in which each
of its places has something to give. Without brackets a place always gets a file, which then holds nothing.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence

from nnr_conformance.errors import UsageError

_PLACE = re.compile(r"\{(\w+)\}")

Group = tuple[bool, tuple[str, ...]]
"""Whether the words are optional, and the words."""


def groups(template: str) -> tuple[Group, ...]:
    """The words of a template. Raises UsageError for a quotation or a group without an end."""
    try:
        words = shlex.split(template)
    except ValueError as error:
        raise UsageError(f"the command {template!r} cannot be split into words: {error}") from error
    if not words:
        raise UsageError("the command is empty")
    found: list[Group] = []
    optional: list[str] | None = None
    for word in words:
        if optional is None and not word.startswith("["):
            found.append((False, (word,)))
            continue
        optional = [word[1:]] if optional is None else [*optional, word]
        if word.endswith("]"):
            optional[-1] = optional[-1][:-1]
            found.append((True, tuple(one for one in optional if one)))
            optional = None
    if optional is not None:
        raise UsageError(f"the command {template!r} has a group [ ... without its end")
    return tuple(found)


def places(template: str) -> frozenset[str]:
    """The names in braces. Raises UsageError as `groups` does."""
    return frozenset(_names(word for _, words in groups(template) for word in words))


def check_places(template: str, known: Iterable[str], needed: Iterable[str]) -> None:
    """Raises UsageError for a place that is not known, and when none of `needed` is there."""
    found = places(template)
    unknown = sorted(found - frozenset(known))
    if unknown:
        listed = ", ".join(f"{{{name}}}" for name in sorted(known))
        raise UsageError(f"the command {template!r} has a place {{{unknown[0]}}}; known are {listed}")
    if not found & frozenset(needed):
        listed = " or ".join(f"{{{name}}}" for name in sorted(needed))
        raise UsageError(f"the command {template!r} has no place {listed}")


def command(template: str, given: Mapping[str, Sequence[str]], empty: frozenset[str] = frozenset()) -> list[str]:
    """The words of a command. `given`: what stands for each place; `empty`: places with nothing to give.

    A word that is one place becomes as many words as are given for it.
    """
    found: list[str] = []
    for optional, words in groups(template):
        if optional and _names(words) & empty:
            continue
        for word in words:
            found.extend(_filled(word, given))
    return found


def _filled(word: str, given: Mapping[str, Sequence[str]]) -> Iterator[str]:
    whole = _PLACE.fullmatch(word)
    if whole is not None:
        yield from given[whole[1]]
    else:
        yield _PLACE.sub(lambda place: " ".join(given[place[1]]), word)


def _names(words: Iterable[str]) -> frozenset[str]:
    return frozenset(name for word in words for name in _PLACE.findall(word))
