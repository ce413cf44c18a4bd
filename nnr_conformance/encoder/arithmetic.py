"""Arithmetic encoding of bins (clause 10), in the form of the specification: one growing integer, two signed counters.

It is the inverse of `entropy.engine` and shares nothing with it but the tables of the standard, so that a stream that
both agree on is right in two ways. Source: entropy-coding facts clause 2. Work grows with the square of the payload's
length; it serves small streams.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from nnr_conformance.data import load_yaml

FIRST_BITS = 9
"""Bits that a decoder reads to begin with."""
TABLES = "spec/tables/cabac.yaml"
RESTARTED = 256
"""The interval at an entry point."""


@dataclass(slots=True)
class Context:
    """A context variable: two counters with a rate each, begun from one of the signalled parameter sets.

    `name`: the bin that it is for, and its number there, for whoever looks on.
    """

    init_id: int = 0
    name: tuple[str, int] = ("", 0)
    rates: tuple[int, int] = field(init=False)
    counters: tuple[int, int] = field(init=False)

    def __post_init__(self) -> None:
        row = load_yaml(TABLES)["init_sets"][self.init_id]
        self.rates = row["a0"], row["a1"]
        self.counters = row["s0"], row["s1"]

    def reset(self) -> None:
        """Go back to the parameter set."""
        row = load_yaml(TABLES)["init_sets"][self.init_id]
        self.counters = row["s0"], row["s1"]

    def probable(self) -> int:
        """The more probable value of the next bin."""
        return int(self._sum() >= 0)

    def less_probable_range(self, interval: int) -> int:
        """The part of the interval for the other value."""
        part: int = load_yaml(TABLES)["range_lps"][(interval >> 5) & 7][abs(self._sum() >> 7)]
        return part

    def update(self, bin_value: int) -> None:
        """Learn from a coded bin."""
        steps = load_yaml(TABLES)["transition"]
        sign = 1 if bin_value else -1
        (fast, slow), (fast_rate, slow_rate) = self.counters, self.rates
        self.counters = (
            fast + sign * (steps[16 + ((sign * fast) >> 3)] >> fast_rate),
            slow + sign * (steps[16 + ((sign * slow) >> 7)] >> slow_rate),
        )

    def _sum(self) -> int:
        return 16 * self.counters[0] + self.counters[1]


@dataclass(frozen=True, slots=True)
class Ending:
    """How a codeword ends: as it must by default, or wrong on purpose."""

    terminate: int = 1
    stop_bit: int = 1
    alignment: int = 0
    trailing: bytes = b""


@dataclass(frozen=True, slots=True)
class Codeword:
    """A finished codeword: its bytes, and its first `bits` bits as a number."""

    data: bytes
    code: int
    bits: int

    def offset_at(self, bits: int, low: int) -> int:
        """The offset that a decoder has after `bits` bits, where the interval begins at `low` (an entry point)."""
        return (self.code >> (self.bits - bits)) - low


@dataclass(slots=True)
class ArithmeticEncoder:
    """Writes bins. `bits` is what a decoder has read when it is where the encoder is; `low` begins the interval."""

    low: int = 0
    interval: int = 510
    bits: int = FIRST_BITS

    def context_bin(self, context: Context, bin_value: int) -> None:
        """Code a bin with a context."""
        less_probable = context.less_probable_range(self.interval)
        self.interval -= less_probable
        if bin_value != context.probable():
            self.low += self.interval
            self.interval = less_probable
        context.update(bin_value)
        while self.interval < RESTARTED:
            self.interval *= 2
            self._double()

    def bypass(self, number: int, count: int) -> None:
        """Code `count` bins of equal probability, the most significant first."""
        for shift in reversed(range(count)):
            self._double()
            self.low += self.interval * (number >> shift & 1)

    def restart(self) -> None:
        """Begin the interval anew at an entry point; what is above 256 is lost."""
        self.interval = RESTARTED

    def finish(self, ending: Ending) -> Codeword:
        """The codeword with a terminating bin, a stop bit and bits up to the byte boundary."""
        code = self.low
        if ending.terminate:
            code += self.interval - 2
            code = code | 1 if ending.stop_bit else code & ~1
        unused = -self.bits % 8
        number = code << unused | ending.alignment & ((1 << unused) - 1)
        data = number.to_bytes((self.bits + unused) // 8, "big") + ending.trailing
        return Codeword(data, code, self.bits)

    def _double(self) -> None:
        self.low *= 2
        self.bits += 1
