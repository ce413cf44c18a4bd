"""What cases can have in common: properties of their streams, and what was said of their failure."""

from __future__ import annotations

import re

from nnr_conformance.suite.results.report import About
from nnr_conformance.suite.runner.model import CaseResult, Result

_KINDS = ("tool", "reading", "code", "requirement", "order", "verdict", "class")
_NUMBER = re.compile(r"0x[0-9A-Fa-f]+|\d+")


def properties_of(about: About) -> frozenset[str]:
    """The properties of a case, as selectors of `nnr-suite run`, and what its units come before."""
    named = [
        *(f"tool:{tool}" for tool in about.tools),
        *(f"code:{code}" for code in about.codes),
        *(f"reading:{reading}" for reading in about.readings),
        *(f"order:{order}" for order in about.order),
        *about.requirements,
    ]
    kinds = (("class", about.kind), ("verdict", about.verdict))
    return frozenset((*named, *(f"{kind}:{value}" for kind, value in kinds if value)))


def rank(properties: tuple[str, ...]) -> tuple[tuple[int, str], ...]:
    """Sorts what should be named first where several properties are those of the same cases: tools."""
    kinds = (name.partition(":")[0] for name in properties)
    return tuple(
        (_KINDS.index(kind if kind in _KINDS else "requirement"), name)
        for kind, name in zip(kinds, properties, strict=True)
    )


def symptom(one: CaseResult) -> str:
    """What is said of a failure, without numbers; of one that is decoded to something else the stage alone."""
    if one.result in (Result.FAIL, Result.ACCEPTED_INVALID):
        # The names and numbers in the detail are those of the stream.
        return f"{one.result.value} in {one.stage}" if one.stage else one.result.value
    return f"{one.result.value}: {_NUMBER.sub('0', one.detail)}" if one.detail else one.result.value
