"""Framing, the first stage: bytes to units, aggregate units unfolded (clause 6, R-UNIT-01 to R-UNIT-06).

A unit is found by its size alone, so that a unit that cannot be read does not hide those behind it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from nnr_conformance.errors import BitstreamError
from nnr_conformance.scope import Session
from nnr_conformance.syntax.enumerations import STR
from nnr_conformance.syntax.repeated_units import SizeParser

SHORTEST_UNIT = 3
"""Bytes of the short size field and the common unit header."""


@dataclass(frozen=True, slots=True)
class UnitSpan:
    """Where a unit is: bytes `first` .. `end` - 1 of the stream.

    `label` numbers it: ``unit 3``, or ``unit 3.1`` inside aggregate unit 3. `header` is the byte behind the size field,
    which is `end` when nothing follows. `declared` is nnr_unit_size; it goes beyond `end` when the stream (or the
    enclosing unit) ends too early.
    """

    label: str
    first: int
    header: int
    end: int
    declared: int


def frame(
    buffer: memoryview, session: Session, first: int = 0, end: int | None = None, parent: str = ""
) -> Iterator[UnitSpan]:
    """The units in bytes `first` .. `end` - 1, in order; violations go to the session's findings.

    `parent` is the label of the enclosing aggregate unit. After a size that leads nowhere nothing more is found.
    """
    stop_at = len(buffer) if end is None else end
    if stop_at > session.limits.stream_bytes:
        message = f"{stop_at} bytes, the limit stream_bytes is {session.limits.stream_bytes}"
        session.findings.report("limit_bytes", message, bits=(0, 0))
        return
    sizes = SizeParser(Session(session.findings, None, session.limits, specialise=session.specialise))
    number = 0
    while first < stop_at:
        label = f"{parent}.{number}" if parent else f"unit {number}"
        if number >= session.limits.units:
            session.findings.report(
                "limit_units", f"more than {session.limits.units} units", bits=(8 * first, 8 * first), path=label
            )
            return
        try:
            size, behind = sizes.parse(buffer, first, stop_at)
        except BitstreamError:
            message = f"{stop_at - first} bytes are left, too few for the size field of a unit"
            code = "aggregate_rest" if parent else "unit_size_truncated"
            session.findings.report(code, message, bits=(8 * first, 8 * stop_at), path=label)
            return
        declared, long_form = size["nnr_unit_size"], size["nnr_unit_size_flag"]
        field_bits = (8 * first, behind)
        if declared < SHORTEST_UNIT + 2 * long_form:
            message = f"found {declared}, at least {SHORTEST_UNIT + 2 * long_form} are needed"
            code = "aggregate_rest" if parent else "unit_size_too_small"
            session.findings.report(code, message, bits=field_bits, path=label)
            return
        if long_form and declared - 2 < 1 << 15:
            message = f"size {declared} is in the long form, {declared - 2} would fit the short one"
            session.findings.report("unit_size_long_form", message, bits=field_bits, path=label)
        if declared > stop_at - first:
            what = f"its {parent}" if parent else "the stream"
            message = f"nnr_unit_size is {declared}, but {what} has only {stop_at - first} more bytes"
            session.findings.report("unit_exceeds_stream", message, bits=field_bits, path=label)
        yield UnitSpan(label, first, behind >> 3, min(first + declared, stop_at), declared)
        first += declared
        number += 1


def holds_several_models(
    buffer: memoryview, specialise: bool = True, on_read: Callable[[int], None] | None = None
) -> bool:
    """True when a stream has more than one start unit, as concatenated streams have. Looks at sizes and types alone.

    `on_read`: called with where each unit begins, when it is its turn.
    """
    starts = 0
    for span in frame(buffer, Session(specialise=specialise)):
        if span.header < span.end:
            starts += buffer[span.header] >> 2 == STR
        if on_read is not None:
            on_read(span.first)
    return starts > 1
