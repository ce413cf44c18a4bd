"""Which choice of a reading an implementation follows, as far as its results tell.

A result tells a choice when it is that under this choice and under no other one of the reading. It tells nothing about
an implementation that was told what to choose and came to that: it may just have obeyed.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator

from nnr_conformance.suite.runner.expected import Choices, choices_of, default_of
from nnr_conformance.suite.runner.implementation import Implementation
from nnr_conformance.suite.runner.model import Case

MOST_COMBINATIONS = 64
"""Combinations of choices that a result is compared with; streams that depend on more than three readings are rare."""


def asked(implementation: Implementation, case: Case) -> dict[str, str]:
    """The choices under which a case is judged first: what it is checked under, but for what is declared."""
    return {**case.check.get("readings", {}), **implementation.readings}


def open_readings(implementation: Implementation, case: Case, dependent: Iterable[str]) -> tuple[str, ...]:
    """The readings on which a stream depends and of which the implementation does not declare its choice.

    `dependent`: those of which nobody chose anything, in the case.
    """
    known = dict.fromkeys((*dependent, case.reading, *case.check.get("readings", {})))
    return tuple(reading for reading in known if reading and reading not in implementation.readings)


def combinations(first: Choices, readings: tuple[str, ...]) -> Iterator[dict[str, str]]:
    """Choices to be tried: `first`, then the defaults, then other ones of these readings, fewest changes first."""
    yield dict(first)
    every = itertools.product(*([*choices_of(reading)] for reading in readings))
    mixed = [dict(zip(readings, names, strict=True)) for names in itertools.islice(every, MOST_COMBINATIONS)]
    mixed.sort(key=lambda choices: sum(name != default_of(reading) for reading, name in choices.items()))
    for choices in mixed:
        if any(choices[reading] != first.get(reading, default_of(reading)) for reading in readings):
            yield {**first, **choices}


def followed(
    implementation: Implementation,
    case: Case,
    choices: Choices,
    readings: tuple[str, ...],
    agrees: Callable[[Choices], bool],
) -> dict[str, str]:
    """The readings that a result tells, with the choice.

    `choices`: under which the result is the expected one. `readings`: those that are open. `agrees`: whether it is so
    under others.
    """
    found = {}
    first = asked(implementation, case)
    for reading in readings:
        choice = choices.get(reading, default_of(reading))
        departs = choice != first.get(reading, default_of(reading))
        obeys = choice == case.check.get("readings", {}).get(reading) and _can_be_told(implementation)
        if obeys or not (departs or reading == case.reading):
            continue
        others = (other for other in choices_of(reading) if other != choice)
        if not any(agrees({**choices, reading: other}) for other in others):
            found[reading] = choice
    return found


def _can_be_told(implementation: Implementation) -> bool:
    """Whether the implementation is given the settings of a case; what it makes of them is not known."""
    return bool(implementation.adapter) or "{settings}" in implementation.decoder
