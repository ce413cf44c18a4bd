"""A divergence for people and for programs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from nnr_conformance.suite.diff.entropy import BinDifference
from nnr_conformance.suite.diff.localise import NONE, Divergence
from nnr_conformance.suite.registry_rows import load_requirements
from nnr_conformance.suite.runner.model import Case, CaseResult

SCHEMA = "nnr-diff/1"
"""Of the JSON format; see `spec/schemas/diff.schema.json`."""
MOST_NAMES = 8

_STAGES = {
    "syntax": ("framing", "syntax", "semantics"),
    "levels": ("entropy",),
    "dequantized": ("reconstruction",),
    "tensors": ("reconstruction",),
}
"""Stages of requirements that a stage of decoding is about."""


def lines(case: Case, found: Divergence | None) -> Iterator[str]:
    """Lines of text."""
    if found is None:
        yield f"{case.id}: everything that is given is as expected"
        return
    yield f"{case.id}: the first difference is in {found.stage}"
    if found.difference is not None:
        yield f"  {found.difference}"
        if found.element and found.element != found.difference.index:
            yield f"  the first one in the order of coding is element {found.element}"
        if found.position != NONE:
            yield f"  position {found.position} in the scan of the tensor"
    if found.bin is not None:
        yield from _bin_lines(found.bin, found.excerpt)
    for hint in found.hints:
        yield f"  hint: {hint}"
    if found.also:
        more = len(found.also) - MOST_NAMES
        names = ", ".join(map(repr, found.also[:MOST_NAMES])) + (f" and {more} more" if more > 0 else "")
        yield f"  also different: {names}"
    for name, text in _requirements(case, found.stage):
        yield f"  {name}: {text}"


def plain(case: Case, found: Divergence | None) -> dict[str, Any]:
    """A value of JSON."""
    row: dict[str, Any] = {"schema": SCHEMA, "case": case.id, "same": found is None}
    if found is not None:
        row |= asdict(found)
        if found.difference is not None:
            row["difference"] |= {"kind": found.difference.kind.value, "text": str(found.difference)}
        row["requirements"] = [name for name, _ in _requirements(case, found.stage)]
    return row


def plain_without_output(result: CaseResult) -> dict[str, Any]:
    """A value of JSON for a decoder that did not decode the stream."""
    row = {"schema": SCHEMA, "case": result.case, "same": False}
    return {**row, "result": result.result.value, "detail": result.detail}


def _bin_lines(found: BinDifference, excerpt: str) -> Iterator[str]:
    of = f" of weight {found.weight}" if found.weight else ""
    yield f"  bin {found.number} of the payload of unit {found.unit}, in {found.tensor!r}{of}:"
    for what, expected, given in found.differs:
        yield f"    {what}: expected {expected}, found {given}"
    number = "" if found.context < 0 else f"context {found.context}, "
    first, end = found.bits
    taken = f"no bit, before bit {first}," if end == first else f"bit {first}"
    taken = f"bits {first} to {end - 1}" if end > first + 1 else taken
    yield f"    {number}{found.context_name}; takes {taken} of the payload, bit {found.stream_bit} of the stream"
    if excerpt:
        yield f"    byte {found.stream_bit >> 3}: {excerpt}"


def _requirements(case: Case, stage: str) -> Iterator[tuple[str, str]]:
    """The requirements that the case is about, those of the stage first."""
    rows = [load_requirements()[name] for name in case.requirements if name in load_requirements()]
    for row in sorted(rows, key=lambda one: one.stage not in _STAGES[stage]):
        yield row.id, row.text
