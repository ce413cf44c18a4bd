"""Protocol buffers on the wire: walk over the fields of a message, and change some of them.

What is not changed stays as it is, byte for byte; a schema is what the caller knows of field numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from nnr_conformance.errors import UsageError

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
_LONGEST_VARINT = 10
_LARGEST = 1 << 64


class Field(NamedTuple):
    """One field of a message: its number and wire type, where it is (bytes), and what it holds.

    `content`: the bytes behind tag and length; for a varint those of the number. `number_value`: of a varint.
    """

    number: int
    kind: int
    first: int
    end: int
    content: memoryview
    number_value: int = 0


def fields(message: memoryview) -> Iterator[Field]:
    """The fields of a message in order. Raises UsageError for bytes that are no message."""
    at = 0
    while at < len(message):
        first = at
        tag, at = varint(message, at)
        number, kind = tag >> 3, tag & 7
        value = 0
        start = at
        if kind == VARINT:
            value, at = varint(message, at)
        elif kind == BYTES:
            size, start = varint(message, at)
            at = start + size
        elif kind in (FIXED32, FIXED64):
            at += 4 if kind == FIXED32 else 8
        else:
            raise UsageError(f"no protocol buffer: wire type {kind} is not in use")
        if at > len(message) or not number:
            raise UsageError("no protocol buffer: a field goes beyond its message, or has no number")
        yield Field(number, kind, first, at, message[start:at], value)


def varint(data: memoryview, at: int) -> tuple[int, int]:
    """The number at a position, and the position behind it. Raises UsageError when it does not end."""
    number = 0
    for index in range(_LONGEST_VARINT):
        if at + index >= len(data):
            break
        byte = data[at + index]
        number |= (byte & 0x7F) << (7 * index)
        if byte < 0x80:
            return number % _LARGEST, at + index + 1
    raise UsageError("no protocol buffer: a number does not end")


def varint_bytes(number: int) -> bytes:
    """A number that is not negative, in as few bytes as possible."""
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def bytes_field(number: int, content: bytes | bytearray | memoryview) -> bytes:
    """A field that holds bytes: a text, a message, packed numbers."""
    return b"".join((varint_bytes(number << 3 | BYTES), varint_bytes(len(content)), content))


def varint_field(number: int, value: int) -> bytes:
    """A field that holds a number."""
    return varint_bytes(number << 3 | VARINT) + varint_bytes(value % _LARGEST)


def edited(message: memoryview, edit: Callable[[Field], bytes | None]) -> bytes | memoryview:
    """The message with fields replaced.

    `edit`: gives for a field the bytes that take its place, tag included, empty to leave it out; None keeps it.
    """
    pieces: list[bytes | memoryview] = []
    kept = 0
    for field in fields(message):
        new = edit(field)
        if new is not None:
            pieces += [message[kept : field.first], new]
            kept = field.end
    return b"".join([*pieces, message[kept:]]) if pieces else message
