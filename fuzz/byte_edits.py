"""Edits that know nothing of the format: bits flipped, bytes set, taken out, put in, repeated, cut off."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

ByteEdit = Callable[[Random, bytes], bytes]

_TELLING = (0x00, 0xFF, 0x80, 0x7F, 0x01, 0xFE)
_LONGEST_RUN = 32


def flip_bits(random: Random, data: bytes) -> bytes:
    """Flip one to eight bits."""
    changed = bytearray(data)
    for _ in range(random.choice((1, 1, 1, 2, 4, 8))):
        bit = random.randrange(8 * len(changed))
        changed[bit >> 3] ^= 0x80 >> (bit & 7)
    return bytes(changed)


def set_bytes(random: Random, data: bytes) -> bytes:
    """Set one to eight bytes in a row to 0, 255, another telling value, or random ones."""
    first, size = _run(random, data, 8)
    return data[:first] + _filling(random, size) + data[first + size :]


def delete_bytes(random: Random, data: bytes) -> bytes:
    """Take out a run of bytes."""
    first, size = _run(random, data)
    return data[:first] + data[first + size :]


def insert_bytes(random: Random, data: bytes) -> bytes:
    """Put in a run of bytes."""
    at = random.randint(0, len(data))
    return data[:at] + _filling(random, random.randint(1, _LONGEST_RUN)) + data[at:]


def duplicate_bytes(random: Random, data: bytes) -> bytes:
    """Repeat a run of bytes one to eight times where it is, or copy it elsewhere."""
    first, size = _run(random, data)
    run = data[first : first + size]
    if random.random() < 0.5:
        return data[:first] + run * random.randint(2, 9) + data[first + size :]
    at = random.randint(0, len(data))
    return data[:at] + run + data[at:]


def overwrite_bytes(random: Random, data: bytes) -> bytes:
    """Overwrite a run of bytes by another one of the same data."""
    first, size = _run(random, data)
    source = random.randrange(len(data))
    run = data[source : source + size]
    return data[:first] + run + data[first + len(run) :]


def truncate(random: Random, data: bytes) -> bytes:
    """Cut the end off; half of the time only a few bytes."""
    if random.random() < 0.5:
        return data[: -random.randint(1, min(4, len(data)))]
    return data[: random.randrange(len(data))]


BYTE_EDITS: tuple[ByteEdit, ...] = (
    flip_bits,
    set_bytes,
    delete_bytes,
    insert_bytes,
    duplicate_bytes,
    overwrite_bytes,
    truncate,
)


def _run(random: Random, data: bytes, longest: int = _LONGEST_RUN) -> tuple[int, int]:
    first = random.randrange(len(data))
    return first, random.randint(1, min(random.choice((1, 4, longest)), len(data) - first))


def _filling(random: Random, size: int) -> bytes:
    if random.random() < 0.5:
        return bytes([random.choice(_TELLING)]) * size
    return random.randbytes(size)
