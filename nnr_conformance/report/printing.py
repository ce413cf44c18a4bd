"""Text from streams, made safe to print."""

from __future__ import annotations


def printable(text: str) -> str:
    """Text of a stream without what a terminal would obey, and without halves of surrogate pairs."""
    return "".join(letter if letter.isprintable() else _escaped(letter) for letter in text)


def _escaped(letter: str) -> str:
    return f"\\u{ord(letter):04x}" if ord(letter) < 1 << 16 else f"\\U{ord(letter):08x}"
