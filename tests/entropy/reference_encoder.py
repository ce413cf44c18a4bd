"""An arithmetic encoder in the specification's form, for payloads that the vectors do not have.

It shares nothing with the decoder but the source tables: the interval's lower end is one growing integer, contexts are
the two signed counters, and tensors are written bin by bin as the clause says.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from nnr_conformance.data import load_yaml

TABLES = load_yaml("spec/tables/cabac.yaml")


class Context:
    """A context variable as two signed counters."""

    def __init__(self, init_id: int = 0) -> None:
        row = TABLES["init_sets"][init_id]
        self.rates = row["a0"], row["a1"]
        self.start = self.counters = row["s0"], row["s1"]

    def reset(self) -> None:
        self.counters = self.start

    def lps(self, interval: int) -> int:
        return TABLES["range_lps"][(interval >> 5) & 7][abs(self._sum() >> 7)]

    def mps(self) -> int:
        return int(self._sum() >= 0)

    def update(self, bin_value: int) -> None:
        sign = 1 if bin_value else -1
        self.counters = tuple(
            counter + sign * (TABLES["transition"][16 + ((sign * counter) >> shift)] >> rate)
            for counter, shift, rate in zip(self.counters, (3, 7), self.rates, strict=True)
        )

    def _sum(self) -> int:
        return 16 * self.counters[0] + self.counters[1]


class BinEncoder:
    """Writes bins; `low` has as many bits below the first nine as doublings were made."""

    def __init__(self) -> None:
        self.low, self.interval, self.bits = 0, 510, 9

    def context_bin(self, context: Context, bin_value: int) -> None:
        lps = context.lps(self.interval)
        self.interval -= lps
        if bin_value != context.mps():
            self.low += self.interval
            self.interval = lps
        context.update(bin_value)
        while self.interval < 256:
            self.interval *= 2
            self._double()

    def bypass(self, number: int, count: int) -> None:
        for shift in reversed(range(count)):
            self._double()
            self.low += self.interval * (number >> shift & 1)

    def restart(self) -> None:
        self.interval = 256

    def finish(self) -> bytes:
        code = self.low + self.interval - 2
        code |= 1
        unused = -self.bits % 8
        return (code << unused).to_bytes((self.bits + unused) // 8, "big")

    def _double(self) -> None:
        self.low *= 2
        self.bits += 1


class TensorEncoder:
    """Writes one tensor without base and history: initialization ids, then weights.

    `bound`: the largest magnitude on either side of a codebook with zero in its middle; None without codebook.
    """

    def __init__(
        self, encoder: BinEncoder, unary_length: int, dq: bool, prefix_ids: int = 31, bound: int | None = None
    ) -> None:
        self.encoder, self.unary_length, self.dq = encoder, unary_length, dq
        self.bound = 1 << 40 if bound is None else bound
        self.sig = [Context() for _ in range(24)]
        self.sign = [Context() for _ in range(3)]
        self.greater = [Context() for _ in range(2 * unary_length)]
        self.prefix = [Context() for _ in range(32)]
        self.state = self.neighbour = 0
        prefixes = sum(unary_length - 2 + (2 << index) < self.bound for index in range(prefix_ids))
        self.coded_ids = (24 if dq else 3) + 3 + min(2 * unary_length, 2 * self.bound) + prefixes

    def row_skip(self, skip: Sequence[int] | None) -> None:
        self.encoder.bypass(int(skip is not None), 1)
        context = Context()
        for flag in skip or ():
            self.encoder.context_bin(context, flag)

    def init_ids(self) -> None:
        present = Context()
        for _ in range(self.coded_ids):
            self.encoder.context_bin(present, 0)

    def block_row(self) -> None:
        for context in self.sig + self.sign + self.greater + self.prefix:
            context.reset()
        self.neighbour = 0
        self.encoder.restart()

    def levels(self, levels: Iterable[int]) -> None:
        for level in levels:
            self.level(level)

    def level(self, level: int) -> None:
        kind = 0 if level == 0 else 1 if level < 0 else 2
        self.encoder.context_bin(self.sig[3 * self.state + self.neighbour], int(level != 0))
        if level:
            self.encoder.context_bin(self.sign[self.neighbour], int(level < 0))
            self._magnitude(abs(level), int(level < 0))
        self.neighbour = kind
        if self.dq:
            self.state = TABLES["state_transition"][self.state][level & 1]

    def skip(self, steps: int) -> None:
        for _ in range(steps):
            self.state = TABLES["state_transition"][self.state][0] if self.dq else 0

    def parameter(self, level: int) -> int:
        """The quantized parameter that `level` stands for in the present state."""
        sign = (level > 0) - (level < 0)
        return 2 * level - sign * (self.state & 1) if self.dq else level

    def _magnitude(self, magnitude: int, negative: int) -> None:
        for flag in range(min(self.unary_length, self.bound - 1)):
            self.encoder.context_bin(self.greater[2 * flag + negative], int(magnitude > flag + 1))
            if magnitude == flag + 1:
                return
        if self.bound <= self.unary_length + 1:
            return
        remainder = magnitude - self.unary_length - 1
        ones = (remainder + 1).bit_length() - 1
        for index in range(ones):
            self.encoder.context_bin(self.prefix[index], 1)
        # The closing zero is left out where one more one could not be: it would leave the bound.
        if ones < 31 and self.unary_length + (2 << ones) <= self.bound:
            self.encoder.context_bin(self.prefix[ones], 0)
        self.encoder.bypass(remainder + 1 - (1 << ones), ones)
