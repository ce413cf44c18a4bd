"""What is done with a mutant: checked by all rules, sometimes decoded and reported in every format.

Public functions must not raise for a bad stream; whatever is raised here is a violation.
"""

from __future__ import annotations

import warnings
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import nnr_conformance
from nnr_conformance.diagnostics import catalogue
from nnr_conformance.entropy.binding import COMPILED_FROM
from nnr_conformance.readings import known_readings
from nnr_conformance.report.formats import FORMATS, Run, renderer
from nnr_conformance.report.model import verdict_of

DECODE_ONE_IN, REPORT_ONE_IN, OTHER_READING_ONE_IN, STRICT_ONE_IN = 4, 64, 8, 16


@dataclass(frozen=True, slots=True)
class Observation:
    """What a check came to: the verdict and the codes of its diagnostics."""

    verdict: str
    codes: frozenset[str]
    decoded: bool = False


Examine = Callable[[bytes, int], Observation]
"""Looks at a stream; the number says how. Raises for whatever must not be."""


def examine(data: bytes, choice: int) -> Observation:
    """Check a stream, and by the random bits `choice` also decode it, report it, be strict, or take another reading.

    Raises AssertionError where results contradict each other, and whatever is raised anywhere. Warnings are raised too:
    they would be printed in the middle of a report.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return _examine(data, choice)


def _examine(data: bytes, choice: int) -> Observation:
    options: dict[str, Any] = {
        # As by default; said here so that a process which has compiled code loaded does not use it for small streams.
        "compiled": None if 8 * len(data) >= COMPILED_FROM else False,
        "strict": _one_in(STRICT_ONE_IN, choice, 8),
    }
    if _one_in(OTHER_READING_ONE_IN, choice, 12):
        options["readings"] = [_some_reading(choice >> 16)]
    report = nnr_conformance.check(data, **options)
    codes = frozenset(found.code for found in report.diagnostics)
    if report.verdict is not verdict_of(report.diagnostics):
        raise AssertionError(f"the verdict is {report.verdict}, its diagnostics say {verdict_of(report.diagnostics)}")
    if not codes <= catalogue().keys():
        raise AssertionError(f"codes that are not in the catalogue: {codes - catalogue().keys()}")
    decoded = _one_in(DECODE_ONE_IN, choice, 0)
    if decoded:
        result = nnr_conformance.decode(data, transmitted=_one_in(2, choice, 4), **options)
        if any(result.digests[stage] != digest for stage, digest in report.streams[-1].digests.items()):
            raise AssertionError("decoding and checking disagree on a digest")
    if _one_in(REPORT_ONE_IN, choice, 20):
        for name in FORMATS:
            deque(renderer(name)(report, Run(verbose=True)), maxlen=0)
    return Observation(report.verdict.value, codes, decoded)


def _one_in(count: int, choice: int, shift: int) -> bool:
    return (choice >> shift) % count == 0


def _some_reading(choice: int) -> str:
    readings = known_readings()
    pairs = [f"{name}={value}" for name, row in sorted(readings.items()) for value in row["readings"]]
    return pairs[choice % len(pairs)]
