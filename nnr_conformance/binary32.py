"""Binary32 numbers of a stream, kept to the bit."""

from __future__ import annotations

import struct


class Binary32(float):
    """A float that keeps its binary32 pattern, so that NaN payloads survive; equal when the patterns are."""

    __slots__ = ("pattern",)

    pattern: int

    def __new__(cls, number: float, pattern: int | None = None) -> Binary32:
        self = super().__new__(cls, number)
        self.pattern = struct.unpack("<I", struct.pack("<f", number))[0] if pattern is None else pattern
        return self

    @classmethod
    def from_pattern(cls, pattern: int) -> Binary32:
        """The number whose binary32 representation is the 32-bit integer `pattern`."""
        return cls(struct.unpack("<f", struct.pack("<I", pattern))[0], pattern)

    def __eq__(self, other: object) -> bool:
        return self.pattern == other.pattern if isinstance(other, Binary32) else float(self) == other

    __hash__ = float.__hash__
