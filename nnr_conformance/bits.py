"""Bits of a stream: an integer cursor over a buffer, most significant bit first (clause 6, R-GEN-01).

Positions are absolute: bit 0 is the most significant bit of the first byte of the stream, so that every diagnostic can
name the bits it is about. A reader is bounded by the unit that it reads; nothing here copies the buffer.
"""

from __future__ import annotations

from nnr_conformance.errors import NnrError

Buffer = bytes | bytearray | memoryview

LONGEST_PREFIX = 32
"""Longest run of zero bits that starts an Exp-Golomb code (project limit, R-GEN-02)."""


class EndOfBits(NnrError):
    """A read goes beyond the end of the unit (or of the stream)."""


class PrefixTooLong(NnrError):
    """An Exp-Golomb code starts with more zero bits than the project limit allows."""


class BitReader:
    """Reads bits `position` .. `end` - 1 of a buffer; the cursor `position` may be moved freely up to `end`.

    `end` is not beyond the buffer; None is its end. A read that raises leaves the cursor somewhere in the element.
    """

    __slots__ = ("buffer", "end", "position")

    def __init__(self, buffer: Buffer, first: int = 0, end: int | None = None) -> None:
        self.buffer = memoryview(buffer)
        self.position = first
        self.end = 8 * len(self.buffer) if end is None else end

    @property
    def remaining(self) -> int:
        """Bits left before `end`."""
        return self.end - self.position

    def bits(self, count: int) -> int:
        """The next `count` bits as an unsigned integer, first bit most significant. Raises EndOfBits."""
        first = self.position
        end = first + count
        if end > self.end:
            raise EndOfBits
        self.position = end
        first_byte, last_byte = first >> 3, (end + 7) >> 3
        if last_byte - first_byte == 1:
            window = self.buffer[first_byte]
        else:
            window = int.from_bytes(self.buffer[first_byte:last_byte], "big")
        return (window >> ((last_byte << 3) - end)) & ((1 << count) - 1)

    def exp_golomb(self, order: int) -> int:
        """An unsigned Exp-Golomb code of this order: zeros, a one, and order + number of zeros more bits.

        Raises EndOfBits and PrefixTooLong.
        """
        first = self.position
        width = min(LONGEST_PREFIX + 1, self.end - first)
        window = self.bits(width)
        if window == 0:
            raise PrefixTooLong if width > LONGEST_PREFIX else EndOfBits
        zeros = width - window.bit_length()
        self.position = first + zeros + 1
        return (((1 << zeros) - 1) << order) + self.bits(order + zeros)

    def aligned_bytes(self, count: int) -> memoryview:
        """A view of the next `count` bytes, which are there; the cursor must be at a byte boundary."""
        first = self.position >> 3
        self.position += 8 * count
        return self.buffer[first : first + count]

    def find_zero_byte(self, limit: int) -> int | None:
        """Number of bytes before the next zero byte, looking at no more than `limit` bytes; None if there is none."""
        first = self.position >> 3
        last = min(self.end >> 3, first + limit)
        step = 64
        while first < last:
            chunk = bytes(self.buffer[first : min(first + step, last)])
            at = chunk.find(0)
            if at >= 0:
                return first + at - (self.position >> 3)
            first += step
            step *= 4
        return None


class BitWriter:
    """Collects bits, most significant first; `position` counts them."""

    __slots__ = ("_bytes", "_pending", "_width")

    def __init__(self) -> None:
        self._bytes = bytearray()
        self._pending = 0
        self._width = 0

    @property
    def position(self) -> int:
        """Number of bits written."""
        return 8 * len(self._bytes) + self._width

    def bits(self, value: int, count: int) -> None:
        """Append `value` as `count` bits; the value must fit."""
        if value < 0 or value >> count:
            raise ValueError(f"{value} does not fit {count} bits")
        self._pending = (self._pending << count) | value
        self._width += count
        if self._width >= 64:
            self._flush()

    def exp_golomb(self, value: int, order: int) -> None:
        """Append an unsigned Exp-Golomb code; the value is not negative."""
        zeros = ((value >> order) + 1).bit_length() - 1
        suffix = value - (((1 << zeros) - 1) << order)
        self.bits(1, zeros + 1)
        if order + zeros:
            self.bits(suffix, order + zeros)

    def aligned_bytes(self, data: Buffer) -> None:
        """Append whole bytes; the position must be at a byte boundary."""
        self._flush()
        if self._width:
            raise ValueError(f"bit {self.position} is not at a byte boundary")
        self._bytes += data

    def getvalue(self) -> bytes:
        """All bytes written; the position must be at a byte boundary."""
        self._flush()
        if self._width:
            raise ValueError(f"bit {self.position} is not at a byte boundary")
        return bytes(self._bytes)

    def _flush(self) -> None:
        whole, rest = divmod(self._width, 8)
        self._bytes += (self._pending >> rest).to_bytes(whole, "big")
        self._pending &= (1 << rest) - 1
        self._width = rest
