"""A stream as NNCodec gets it: without some units, its parts joined, its models one by one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from nnr_conformance.report.model import UnitRow
from tests.interop.nncodec_ways import MODELS, PARTS, Way


def models(data: bytes, units: Sequence[UnitRow], way: Way) -> list[bytes]:
    """The bytes of the models of a stream, of which there is one unless the way takes them apart."""
    if not way.without and not {MODELS, PARTS} & {*way.helped}:
        return [data]
    unfold = "NNR_AGG" in way.without
    kept = [row for row in units if row.unit_type not in way.without and (unfold or "." not in row.label)]
    found: list[bytes] = []
    for unit_type, unit in _joined(data, kept) if PARTS in way.helped else _as_they_are(data, kept):
        if not found or (MODELS in way.helped and unit_type == "NNR_STR"):
            found.append(b"")
        found[-1] += unit
    return found


def _as_they_are(data: bytes, units: Sequence[UnitRow]) -> Iterator[tuple[str, bytes]]:
    return ((row.unit_type, data[row.first : row.first + row.size]) for row in units)


def _joined(data: bytes, units: Sequence[UnitRow]) -> Iterator[tuple[str, bytes]]:
    """Units without partial_data_counter: a header for all parts of a unit, and their payloads behind each other."""
    numbers, number, left = [], 0, 0
    for row in units:
        counter = _counter(data, row)
        # A part belongs to the one before when it counts down by one.
        number += not (left > 1 and counter == left - 1)
        left = counter
        numbers.append(number)
    for _, group in groupby(zip(numbers, units, strict=True), key=lambda pair: pair[0]):
        rows = [row for _, row in group]
        first = rows[0]
        header = data[_common(data, first) : first.first + first.size - first.payload_size]
        if _counter(data, first):
            header = bytes([header[0] & ~1 | 2]) + header[2:]
        payload = b"".join(data[row.first + row.size - row.payload_size : row.first + row.size] for row in rows)
        yield first.unit_type, _sized(header + payload)


def _common(data: bytes, row: UnitRow) -> int:
    """Where the type and the flags of a unit are."""
    return row.first + (4 if data[row.first] >> 7 else 2)


def _counter(data: bytes, row: UnitRow) -> int:
    """partial_data_counter of a unit, 0 where there is none."""
    common = _common(data, row)
    return data[common + 1] if data[common] & 1 else 0


def _sized(content: bytes) -> bytes:
    if len(content) + 2 < 1 << 15:
        return (len(content) + 2).to_bytes(2, "big") + content
    return (len(content) + 4 | 1 << 31).to_bytes(4, "big") + content
