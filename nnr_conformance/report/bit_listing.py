"""The annotated bits of a unit, for people and for programs: position, bits, element, value, meaning."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nnr_conformance.binary32 import Binary32
from nnr_conformance.descriptors import Bytes, Unsigned
from nnr_conformance.diagnostics import Diagnostic, Severity
from nnr_conformance.report.json import diagnostic_to_json
from nnr_conformance.report.printing import printable
from nnr_conformance.report.text import place
from nnr_conformance.scope import SEPARATOR, TraceEntry
from nnr_conformance.syntax.enumerations import unit_type_name
from nnr_conformance.syntax.unit_parser import Unit

LONGEST_BINARY = 16
"""Elements of more bits are shown in hexadecimal digits, from their own first bit on."""

FIRST_BYTES = 8
"""Bytes shown of a long element or of a payload."""

LONGEST_VALUE = 48
"""Characters shown of a value."""

LARGEST = Binary32.from_pattern(0x7F7FFFFF)

TITLES = ("byte.bit", "bit", "bits", "element", "descriptor", "value", "meaning")


@dataclass(frozen=True, slots=True)
class BitRow:
    """One element of a listing. `first` and `size` are bits, absolute in the stream; `size` is 0 when inferred.

    `structures` are the names of the structures around it, from the outermost on; `name` has its loop indices.
    `value` is as in the tree; `is_payload` marks bytes up to the end of the unit, which are not shown in full.
    """

    first: int
    size: int
    bits: str
    structures: tuple[str, ...]
    name: str
    descriptor: str
    value: Any
    meaning: str
    inferred: bool
    is_payload: bool


def bit_rows(trace: Sequence[TraceEntry], buffer: memoryview) -> list[BitRow]:
    """The rows of a trace that was recorded on `buffer`."""
    return [_row(entry, buffer) for entry in trace]


def render_unit(unit: Unit, rows: Sequence[BitRow], found: Sequence[Diagnostic], *, payload: bool = True) -> list[str]:
    """The lines of a unit: what and where it is, its elements, its payload in short, what is wrong with it."""
    lines = [f"{unit.label}  {_unit_type(unit)}  {_byte_range(unit.first, unit.end)}"]
    table = [(row.structures, _cells(row)) for row in rows if not row.is_payload]
    # The last column is not padded, so it takes no part in the widths.
    widths = [max(map(len, column)) for column in zip(TITLES, *(cells for _, cells in table), strict=True)][:-1]
    lines.append("  " + _line(TITLES, widths))
    around: tuple[str, ...] = ()
    for structures, cells in table:
        if structures != around:
            lines.append("  " + SEPARATOR.join(structures))
            around = structures
        lines.append("  " + _line(cells, widths))
    if payload:
        lines += [_payload_line(row) for row in rows if row.is_payload]
    lines += [line for diagnostic in found for line in render_diagnostic(diagnostic)]
    return lines


def render_diagnostic(found: Diagnostic) -> Iterator[str]:
    """A diagnostic in the lines of a listing."""
    yield f"  {found.severity.value}: {found.code} [{found.requirement}]: {printable(found.message)}"
    if found.path or found.bits is not None:
        where = [place(found)] if found.bits is not None else []
        yield "    " + ", ".join(where + [found.path] * bool(found.path))
    if found.hint and found.severity is not Severity.INFO:
        yield f"    hint: {found.hint}"


def unit_to_json(
    stream: str, unit: Unit, rows: Sequence[BitRow], found: Sequence[Diagnostic], *, payload: bool = True
) -> dict[str, Any]:
    """A unit as JSON values. Positions are bits from the start of the stream, ends are exclusive."""
    return {
        "stream": stream,
        "unit": unit.label.removeprefix("unit "),
        "type": _unit_type(unit),
        "first_byte": unit.first,
        "end_byte": unit.end,
        "elements": [_row_to_json(row) for row in rows if payload or not row.is_payload],
        "diagnostics": [diagnostic_to_json(diagnostic) for diagnostic in found],
    }


def value_text(element: Any) -> str:
    """A value in short: text quoted, floats with the digits that tell binary32 apart, digests in hexadecimal digits."""
    if isinstance(element, Binary32):
        return _shortest(element)
    if isinstance(element, str):
        return printable(json.dumps(element, ensure_ascii=False))
    if isinstance(element, bytes | memoryview):
        return _bytes(len(element))
    if isinstance(element, int) and element.bit_length() > 64:
        return f"{element:#x}"
    return str(element)


def _row(entry: TraceEntry, buffer: memoryview) -> BitRow:
    descriptor = entry.descriptor
    is_payload = isinstance(descriptor, Bytes) and not entry.inferred
    if descriptor is None:
        label, meaning = "", "out of band, or the default"
    else:
        # A width that depends on other elements is shown as the number of bits that it came to.
        concrete = isinstance(descriptor, Unsigned) and not entry.inferred
        label = f"u({entry.size})" if concrete else descriptor.label()
        meaning = descriptor.meaning(entry.value)
    return BitRow(
        first=entry.first,
        size=entry.size,
        bits="" if entry.inferred else _bits(buffer, entry.first, entry.size),
        structures=tuple(entry.path.split(SEPARATOR)[1:-1]),
        name=entry.name,
        descriptor=label,
        value=entry.value,
        meaning=meaning,
        inferred=entry.inferred,
        is_payload=is_payload,
    )


def _bits(buffer: memoryview, first: int, size: int) -> str:
    shown = min(size, 8 * FIRST_BYTES)
    last = (first + shown + 7) >> 3
    number = int.from_bytes(buffer[first >> 3 : last], "big") >> (8 * last - first - shown)
    number &= (1 << shown) - 1
    if size <= LONGEST_BINARY:
        return f"{number:0{size}b}" if size else ""
    filled = (number << (-shown % 8)).to_bytes((shown + 7) >> 3, "big")
    return f"hex {filled.hex(' ')}" + (" …" if size > shown else "")


def _cells(row: BitRow) -> tuple[str, ...]:
    value = "" if row.name == "byte_alignment()" else _cut(value_text(row.value))
    if row.inferred:
        meaning = f"inferred: {row.meaning}" if row.meaning else "inferred"
        return ("-", "-", "", row.name, row.descriptor, value, meaning)
    position = f"{row.first >> 3}.{row.first & 7}"
    return (position, str(row.first), row.bits, row.name, row.descriptor, value, row.meaning)


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = [cell.ljust(width) for cell, width in zip(cells, widths, strict=False)]
    return "  ".join([*padded, cells[-1]]).rstrip()


def _payload_line(row: BitRow) -> str:
    size = row.size >> 3
    digits = f": {row.bits.removeprefix('hex ')}" if size else ""
    if 0 < row.size <= LONGEST_BINARY:
        digits = f": {int(row.bits, 2).to_bytes(size, 'big').hex(' ')}"
    return f"  payload {row.name} {_byte_range(row.first >> 3, (row.first >> 3) + size)}{digits}"


def _row_to_json(row: BitRow) -> Mapping[str, Any]:
    value = row.value
    if isinstance(value, Binary32):
        value = _shortest(value)
    elif isinstance(value, bytes | memoryview):
        value = {"bytes": len(value), "first": bytes(value[:FIRST_BYTES]).hex()}
    return {
        "element": row.name,
        "structures": list(row.structures),
        "first_bit": None if row.inferred else row.first,
        "bit_count": row.size,
        "bits": row.bits,
        "descriptor": row.descriptor,
        "value": value,
        "meaning": row.meaning,
        "inferred": row.inferred,
    }


def _unit_type(unit: Unit) -> str:
    return unit_type_name(unit.unit_type) if unit.unit_type >= 0 else "unreadable"


def _byte_range(first: int, end: int) -> str:
    return f"bytes {first}..{end - 1} ({_bytes(end - first)})" if end > first else f"at byte {first} (0 bytes)"


def _bytes(count: int) -> str:
    return "1 byte" if count == 1 else f"{count} bytes"


def _shortest(number: Binary32) -> str:
    for digits in range(1, 10):
        candidate = float(f"{float(number):.{digits}g}")
        # Rounding the largest numbers up leaves the range of binary32.
        if (abs(candidate) <= LARGEST or math.isinf(candidate)) and Binary32(candidate).pattern == number.pattern:
            return repr(candidate)
    return f"{float(number)} (pattern {number.pattern:#010x})"


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST_VALUE else text[: LONGEST_VALUE - 2] + " …"
