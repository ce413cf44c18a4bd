"""Sets of cases as integers with a bit for each case, which Python intersects and counts fast, and what they tell."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from math import log2


def case_set(numbers: Iterable[int]) -> int:
    """The set of these numbers."""
    mask = bytearray()
    for number in numbers:
        mask.extend(bytes(max(0, (number >> 3) + 1 - len(mask))))
        mask[number >> 3] |= 1 << (number & 7)
    return int.from_bytes(mask, "little")


def numbers_of(mask: int) -> Iterator[int]:
    """The numbers in a set, from the lowest."""
    digits = bin(mask)[:1:-1]
    at = digits.find("1")
    while at >= 0:
        yield at
        at = digits.find("1", at + 1)


def share(part: int, whole: int) -> float:
    """How much of a set is in another one; 0 for an empty set."""
    return (part & whole).bit_count() / whole.bit_count() if whole else 0.0


def bits_saved(inside: int, left: int, marked: int) -> float:
    """How many bits shorter it is to tell which cases of `left` are marked, when it is known which are `inside`."""
    inside, rest = inside & left, left & ~inside
    return _to_tell(marked & left, left) - _to_tell(marked & inside, inside) - _to_tell(marked & rest, rest)


def _to_tell(marked: int, among: int) -> float:
    total, some = among.bit_count(), marked.bit_count()
    return sum(-count * log2(count / total) for count in (some, total - some) if count)
