"""Descriptors of clause 6: how one syntax element is coded as bits, and what its value must be.

Each descriptor is a small `construct.Construct` on `bits.BitReader` and `bits.BitWriter`. Parsing and building record
a trace entry with the element's path, first bit, bit count and value. Sources: high-level-syntax facts clause 1,
R-GEN-01 to R-GEN-08.
"""

from __future__ import annotations

import struct
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from construct import Construct, obj_

from nnr_conformance.binary32 import Binary32
from nnr_conformance.bits import LONGEST_PREFIX, BitReader, BitWriter, EndOfBits, PrefixTooLong
from nnr_conformance.diagnostics import stop
from nnr_conformance.errors import BuildError
from nnr_conformance.expressions import Expression, evaluate, prepared, render
from nnr_conformance.scope import Scope, TraceEntry

value = obj_
"""Stands for the element's own value in a requirement: ``Must(value <= 4, "scan_order_invalid")``."""


@dataclass(frozen=True, slots=True)
class Must:
    """A requirement on an element's value, and the diagnostic code that its violation gives.

    `on_scope`: the condition is about names of the scope instead of the element's own value.
    """

    condition: Expression
    code: str
    on_scope: bool = False
    _condition: Callable[[Any], Any] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_condition", prepared(self.condition))

    def holds(self, own_value: Any, scope: Scope) -> bool:
        """True when the requirement is met."""
        return bool(self._condition(scope if self.on_scope else own_value))


@dataclass(frozen=True, slots=True)
class Enumeration:
    """Names of an element's values; values without a name are reserved or unspecified."""

    name: str
    values: Mapping[int, str]

    def meaning(self, element_value: Any) -> str:
        """The name of a value."""
        return self.values.get(element_value, "reserved or unspecified")


class Descriptor(Construct, ABC):
    """Base: parse and build one element, record it, check its value.

    `infer`: the value when the element is absent; None when it has none. `default`: what building writes when the tree
    does not say; None when it must say. `enum`, `note`: the meaning of a value in words.
    """

    def __init__(
        self,
        *,
        infer: Any = None,
        must: Must | None = None,
        enum: Enumeration | None = None,
        note: Callable[[Any], str] | None = None,
        default: Any = None,
    ) -> None:
        super().__init__()
        self.infer = infer
        self.must = must
        self.enum = enum
        self.note = note
        self.default = default

    @abstractmethod
    def label(self) -> str:
        """The descriptor as the syntax tables write it, such as ``u(8)``."""

    @abstractmethod
    def read(self, reader: BitReader, scope: Scope, path: str) -> Any:
        """Read the value; the cursor is at its first bit."""

    @abstractmethod
    def write(self, element: Any, writer: BitWriter, scope: Scope) -> None:
        """Write the value. Raises ValueError or TypeError when it does not fit."""

    def meaning(self, element: Any) -> str:
        """What a value means, in a few words, or an empty string."""
        if self.enum is not None:
            return self.enum.meaning(element)
        return self.note(element) if self.note is not None else ""

    def _parse(self, reader: BitReader, scope: Scope, path: str) -> Any:
        first = reader.position
        try:
            element = self.read(reader, scope, path)
        except EndOfBits:
            end = reader.end
            stop("unit_overrun", f"the unit ends {end - first} bits behind its start", bits=(first, end), path=path)
        except PrefixTooLong:
            longest = f"starts with more than {LONGEST_PREFIX} zero bits"
            stop("exp_golomb_too_long", longest, bits=(first, first + LONGEST_PREFIX + 1), path=path)
        self._record(element, first, reader.position, scope, path)
        return element

    def _build(self, element: Any, writer: BitWriter, scope: Scope, path: str) -> Any:
        first = writer.position
        try:
            self.write(element, writer, scope)
        except (ValueError, TypeError, OverflowError, AttributeError, struct.error) as fault:
            raise BuildError(f"{path}: {self.label()} cannot code {element!r}: {fault}") from fault
        self._record(element, first, writer.position, scope, path)
        return element

    def _sizeof(self, scope: Scope, path: str) -> int:
        raise BuildError(f"{path}: {self.label()} has no fixed size")

    def _record(self, element: Any, first: int, end: int, scope: Scope, path: str) -> None:
        name = path[path.rfind(" ") + 1 :]
        scope.session.record(TraceEntry(path, name, first, end - first, element, self, False))


class Unsigned(Descriptor):
    """u(n): n bits, unsigned (R-GEN-01). `width` may be an expression."""

    def __init__(self, width: Expression | int, **options: Any) -> None:
        super().__init__(**options)
        self.width = width

    def label(self) -> str:
        return f"u({render(self.width)})"

    def read(self, reader: BitReader, scope: Scope, path: str) -> int:
        width = self.width
        return reader.bits(width if type(width) is int else evaluate(width, scope))

    def write(self, element: int, writer: BitWriter, scope: Scope) -> None:
        writer.bits(element, evaluate(self.width, scope))

    def _sizeof(self, scope: Scope, path: str) -> int:
        return int(evaluate(self.width, scope))


class Signed(Descriptor):
    """i(n): n bits, two's complement."""

    def __init__(self, width: int, **options: Any) -> None:
        super().__init__(**options)
        self.width = width

    def label(self) -> str:
        return f"i({self.width})"

    def read(self, reader: BitReader, scope: Scope, path: str) -> int:
        code = reader.bits(self.width)
        return code - ((code >> (self.width - 1)) << self.width)

    def write(self, element: int, writer: BitWriter, scope: Scope) -> None:
        if not -(1 << (self.width - 1)) <= element < 1 << (self.width - 1):
            raise ValueError("out of range")
        writer.bits(element & ((1 << self.width) - 1), self.width)

    def _sizeof(self, scope: Scope, path: str) -> int:
        return self.width


class UnsignedExpGolomb(Descriptor):
    """ue(k): Exp-Golomb of order k with a prefix of zeros (R-GEN-02). `order` may be an expression."""

    symbol = "ue"

    def __init__(self, order: Expression | int, **options: Any) -> None:
        super().__init__(**options)
        self.order = order

    def label(self) -> str:
        return f"{self.symbol}({render(self.order)})"

    def read(self, reader: BitReader, scope: Scope, path: str) -> int:
        order = self.order
        return reader.exp_golomb(order if type(order) is int else evaluate(order, scope))

    def write(self, element: int, writer: BitWriter, scope: Scope) -> None:
        order = evaluate(self.order, scope)
        if not 0 <= element < ((1 << 33) - 1) << order:
            raise ValueError("out of range")
        writer.exp_golomb(element, order)


class SignedExpGolomb(UnsignedExpGolomb):
    """ie(k): as ue(k); odd codes are positive values, even codes zero and negative ones (R-GEN-03)."""

    symbol = "ie"

    def read(self, reader: BitReader, scope: Scope, path: str) -> int:
        code = super().read(reader, scope, path)
        return (code >> 1) + 1 if code & 1 else -(code >> 1)

    def write(self, element: int, writer: BitWriter, scope: Scope) -> None:
        super().write(2 * element - 1 if element > 0 else -2 * element, writer, scope)


class Float(Descriptor):
    """flt(32): IEEE 754 binary32, least significant byte first, at any bit position (R-GEN-04)."""

    def label(self) -> str:
        return "flt(32)"

    def read(self, reader: BitReader, scope: Scope, path: str) -> Binary32:
        return Binary32.from_pattern(int.from_bytes(reader.bits(32).to_bytes(4, "big"), "little"))

    def write(self, element: float, writer: BitWriter, scope: Scope) -> None:
        number = element if isinstance(element, Binary32) else Binary32(element)
        writer.bits(int.from_bytes(number.pattern.to_bytes(4, "little"), "big"), 32)

    def _sizeof(self, scope: Scope, path: str) -> int:
        return 32


class String(Descriptor):
    """st(v): UTF-8 and one zero byte, starting byte aligned (R-GEN-05)."""

    def label(self) -> str:
        return "st(v)"

    def read(self, reader: BitReader, scope: Scope, path: str) -> str:
        first = reader.position
        if first & 7:
            stop("string_not_aligned", f"starts at bit {first & 7} of a byte", bits=(first, first + 1), path=path)
        limit = scope.session.limits.string_bytes
        length = reader.find_zero_byte(limit + 1)
        if length is None:
            left = reader.remaining >> 3
            if left > limit:
                stop("limit_string", f"longer than {limit} bytes", bits=(first, first + 8 * limit), path=path)
            stop("string_not_terminated", f"no zero byte in the {left} bytes left", bits=(first, reader.end), path=path)
        data = bytes(reader.aligned_bytes(length))
        reader.position += 8
        try:
            return data.decode("utf-8")
        except UnicodeDecodeError as fault:
            at = first + 8 * fault.start
            scope.session.findings.report(
                "string_not_utf8", f"byte {data[fault.start]:#04x}: {fault.reason}", bits=(at, at + 8), path=path
            )
            return data.decode("utf-8", errors="surrogateescape")

    def write(self, element: str, writer: BitWriter, scope: Scope) -> None:
        if "\0" in element:
            raise ValueError("U+0000 inside a string")
        writer.aligned_bytes(element.encode("utf-8", errors="surrogateescape") + b"\0")


class Bytes(Descriptor):
    """bs(v): bytes up to the end of the unit, starting byte aligned (R-GEN-06). A view, never a copy, when parsed."""

    def __init__(self, label: str = "bs(v)", **options: Any) -> None:
        super().__init__(**options)
        self._label = label

    def label(self) -> str:
        return self._label

    def read(self, reader: BitReader, scope: Scope, path: str) -> memoryview:
        return reader.aligned_bytes(reader.remaining >> 3)

    def write(self, element: bytes | memoryview, writer: BitWriter, scope: Scope) -> None:
        writer.aligned_bytes(element)


class BitString(Descriptor):
    """A loop of u(1) that is kept as packed bytes, first bit most significant, zero bits behind the last."""

    def __init__(self, count: Expression, **options: Any) -> None:
        super().__init__(**options)
        self.count = count

    def label(self) -> str:
        return "u(1)"

    def read(self, reader: BitReader, scope: Scope, path: str) -> bytes:
        count = int(evaluate(self.count, scope))
        size = (count + 7) >> 3
        return (reader.bits(count) << (8 * size - count)).to_bytes(size, "big")

    def write(self, element: bytes, writer: BitWriter, scope: Scope) -> None:
        count = evaluate(self.count, scope)
        if len(element) != (count + 7) >> 3:
            raise ValueError(f"{len(element)} bytes cannot hold {count} bits")
        if count:
            spare = 8 * len(element) - count
            number = int.from_bytes(element, "big")
            if number & ((1 << spare) - 1):
                raise ValueError("bits behind the last one are not zero")
            writer.bits(number >> spare, count)


class ByteAlignment(Descriptor):
    """byte_alignment(): a bit 1, then bits 0 up to the byte boundary; a whole byte when already aligned (R-GEN-07)."""

    def label(self) -> str:
        return ""

    def read(self, reader: BitReader, scope: Scope, path: str) -> int:
        first = reader.position
        count = 8 - (first & 7)
        bits = reader.bits(count)
        if bits != 1 << (count - 1):
            scope.session.findings.report(
                "alignment_bits",
                f"found {bits:0{count}b}, required {1 << (count - 1):0{count}b}",
                bits=(first, first + count),
                path=path,
            )
        return bits

    def write(self, element: Any, writer: BitWriter, scope: Scope) -> None:
        count = 8 - (writer.position & 7)
        writer.bits(1 << (count - 1), count)

    def meaning(self, element: Any) -> str:
        zeros = max(0, int(element or 1).bit_length() - 1)
        return f"1 then {zeros} zero bits" if zeros else "single 1 bit"


def u(width: Expression | int, **options: Any) -> Unsigned:
    """u(n) with n = `width`."""
    return Unsigned(width, **options)


def i(width: int, **options: Any) -> Signed:
    """i(n) with n = `width`."""
    return Signed(width, **options)


def ue(order: Expression | int, **options: Any) -> UnsignedExpGolomb:
    """ue(k) with k = `order`."""
    return UnsignedExpGolomb(order, **options)


def ie(order: Expression | int, **options: Any) -> SignedExpGolomb:
    """ie(k) with k = `order`."""
    return SignedExpGolomb(order, **options)


def flt(width: int, **options: Any) -> Float:
    """flt(n); only n = 32 occurs."""
    if width != 32:
        raise ValueError("only flt(32) is defined")
    return Float(**options)


def st(**options: Any) -> String:
    """st(v)."""
    return String(**options)


def bs(label: str = "bs(v)", **options: Any) -> Bytes:
    """bs(v), or another sequence of bytes up to the end of the unit, named by `label`."""
    return Bytes(label, **options)


def reserved_zero(width: int, code: str = "reserved_not_zero") -> Unsigned:
    """u(n) of a reserved element, which must be 0 (R-GEN-08); `code`: of a requirement that names the element."""
    return Unsigned(width, must=Must(value == 0, code), default=0)
