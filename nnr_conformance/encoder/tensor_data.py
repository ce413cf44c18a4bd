"""The entropy-coded data of one tensor (clause 10): its header fields, initialization ids and weights, bin by bin.

The inverse of `entropy.payload`, written from the text (entropy-coding facts clauses 3 to 8) and not from the decoder:
contexts are found by name, and the weights are visited one by one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from nnr_conformance.data import load_yaml
from nnr_conformance.encoder.arithmetic import TABLES, ArithmeticEncoder, Context
from nnr_conformance.errors import BuildError

PREFIX_CONTEXTS = 31
ContextName = tuple[str, int]
"""A context by the bin that it is for, and its number there."""


@dataclass(frozen=True, slots=True)
class TensorData:
    """What is coded of one tensor, and how; the defaults are those of a tensor with no tool in use.

    `levels`: row-major, before the doubling of dependent quantization; what skipped rows hold is not coded. `height`,
    `width`: rows and columns. `qp_value`: None where there is no such field, else a number of `qp_bits` bits.
    `row_skip`: a flag for each row, None when row skipping is off. `history`: marks of earlier updates, None when
    history contexts are off. `base`: quantized parameters of the parent, None when temporal contexts are off.
    `init_ids`: ids by context name, such as ``("sig", 0)``; others are 0. `restarts`: False leaves the restarts of the
    interval at block rows out, which is wrong on purpose; `restart_single_block_row` and 32 `prefix_ids` are the rules
    of NNCodec 1.0 (reading edition1-payload); `state_per_segment`: the state moves by a whole row for each skipped
    segment (reading row-skip-state); `skip_resets_neighbour`: the zeros of a skipped row are neighbours too (reading
    skipped-row-neighbour).
    """

    levels: Sequence[int]
    height: int
    width: int
    edition: int = 2
    unary_length: int = 10
    dq: bool = False
    scan_order: int = 0
    qp_value: int | None = None
    qp_bits: int = 0
    parent_present: bool = False
    codebook_size: int = 0
    codebook_zero: int = 0
    row_skip: Sequence[int] | None = None
    history: Sequence[int] | None = None
    base: Sequence[int] | None = None
    init_ids: Mapping[ContextName, int] = field(default_factory=dict)
    restarts: bool = True
    restart_single_block_row: bool = False
    state_per_segment: bool = True
    skip_resets_neighbour: bool = False
    prefix_ids: int = PREFIX_CONTEXTS

    @property
    def bounded(self) -> bool:
        """Whether a codebook bounds the levels, as it does in edition 2."""
        return self.edition == 2 and self.codebook_size > 0

    @property
    def largest(self) -> tuple[int, int] | None:
        """The largest magnitude of a positive and of a negative level; None without a bound."""
        return (self.codebook_size - 1 - self.codebook_zero, self.codebook_zero) if self.bounded else None

    @property
    def block(self) -> int:
        """Rows and columns of a scan block; 0 for the row-major scan."""
        return 4 << self.scan_order if self.scan_order and self.height > 1 and self.width > 1 else 0

    @property
    def has_row_flags(self) -> bool:
        """Whether flags for history contexts and row skipping are coded."""
        return self.edition == 2 and self.height > 1 and self.width > 1 and not (self.bounded and self.only_zero)

    @property
    def only_zero(self) -> bool:
        """Whether the codebook has a single entry."""
        return self.codebook_size == 1


@dataclass(frozen=True, slots=True)
class BlockRow:
    """The encoder at the first weight of a block row: bits, the lower end of the interval, the state."""

    bits: int
    low: int
    state: int


class TensorEncoder:
    """Writes one tensor into a codeword that may hold others."""

    def __init__(self, encoder: ArithmeticEncoder, data: TensorData) -> None:
        self._encoder = encoder
        self._data = data
        self._contexts: dict[ContextName, Context] = {}
        self._state = 0
        self._neighbour = 0

    def write(self) -> tuple[BlockRow, ...]:
        """Write everything; returns where the block rows begin, for entry points. Raises BuildError."""
        data, encoder = self._data, self._encoder
        if data.qp_value is not None:
            if not -(1 << data.qp_bits - 1) <= data.qp_value < 1 << data.qp_bits - 1:
                raise BuildError(f"qp_value {data.qp_value} does not fit {data.qp_bits} bits")
            encoder.bypass(data.qp_value & ((1 << data.qp_bits) - 1), data.qp_bits)
        if data.has_row_flags:
            self._write_row_flags()
        present = Context(name=("id present", 0))
        for name in self._named_contexts():
            init_id = data.init_ids.get(name, 0)
            self._contexts[name] = Context(init_id, name)
            encoder.context_bin(present, int(init_id > 0))
            if init_id:
                encoder.bypass(init_id - 1, 3)
        return tuple(self._write_block_rows())

    def _write_row_flags(self) -> None:
        data, encoder = self._data, self._encoder
        if data.parent_present:
            encoder.bypass(int(data.history is not None), 1)
        encoder.bypass(int(data.row_skip is not None), 1)
        context = Context(name=("row skip", 0))
        for flag in data.row_skip or ():
            encoder.context_bin(context, flag)

    def _named_contexts(self) -> Iterator[ContextName]:
        """The contexts that have an initialization id, in coded order."""
        data = self._data
        states, unary, largest = 8 if data.dq else 1, data.unary_length, data.largest
        farthest = max(largest) if largest is not None else None
        if farthest != 0:
            groups = [("sig", 3 * states)]
            groups += [("sig base", 2 * states)] if data.base is not None else []
            groups += [("sig history", states)] if data.history is not None else []
            yield from ((name, number) for name, count in groups for number in range(count))
        if largest is None or min(largest) > 0:
            yield from (("sign", number) for number in range(3))
            yield from (("sign base", number) for number in range(2 if data.base is not None else 0))
        for flag in range(unary):
            if farthest is None or flag < farthest:
                yield from (("greater", 2 * flag + negative) for negative in range(2))
        for flag in range(unary if data.base is not None else 0):
            if farthest is None or flag < farthest - 1:
                yield from (("greater base", 2 * flag + beyond) for beyond in range(2))
        for ones in range(data.prefix_ids):
            if farthest is None or unary - 2 + (2 << ones) < farthest:
                yield "prefix", ones

    def _write_block_rows(self) -> Iterator[BlockRow]:
        data, encoder = self._data, self._encoder
        rows, columns = (data.block, data.block) if data.block else (data.height, data.width)
        several = data.height > data.block or data.restart_single_block_row
        restart = data.block > 0 and several and data.restarts
        for top in range(0, data.height, max(rows, 1)):
            if restart:
                self._restart()
            yield BlockRow(encoder.bits, encoder.low, self._state)
            for left in range(0, data.width, max(columns, 1)):
                for row in range(top, min(top + rows, data.height)):
                    self._write_segment(row, left, min(left + columns, data.width))

    def _restart(self) -> None:
        for context in self._contexts.values():
            context.reset()
        self._neighbour = 0
        self._encoder.restart()

    def _write_segment(self, row: int, left: int, right: int) -> None:
        data = self._data
        if data.row_skip is not None and data.row_skip[row]:
            for _ in range(data.width if data.state_per_segment else right - left):
                self._advance(0)
            if data.skip_resets_neighbour:
                self._neighbour = 0
            return
        for column in range(left, right):
            at = row * data.width + column
            self._write_level(data.levels[at], at)

    def _write_level(self, level: int, at: int) -> None:
        """One level: significance, sign, magnitude."""
        data, encoder = self._data, self._encoder
        base = data.base[at] if data.base is not None else 0
        if not (data.bounded and data.only_zero):
            encoder.context_bin(self._context(*self._significance(base, at)), int(level != 0))
            if level:
                negative = int(level < 0)
                if data.largest is None or min(data.largest) > 0:
                    name = ("sign base", int(base > 0)) if base else ("sign", self._neighbour)
                    encoder.context_bin(self._context(*name), negative)
                self._write_magnitude(abs(level), negative, abs(base))
        self._neighbour = 0 if level == 0 else 1 if level < 0 else 2
        self._advance(level & 1)

    def _significance(self, base: int, at: int) -> ContextName:
        if self._data.history is not None and self._data.history[at]:
            return "sig history", self._state
        if base:
            return "sig base", 2 * self._state + int(abs(base) > 1)
        return "sig", 3 * self._state + self._neighbour

    def _write_magnitude(self, magnitude: int, negative: int, base: int) -> None:
        """Greater-than flags, then a prefix of ones and a suffix as long as the prefix."""
        data, encoder = self._data, self._encoder
        most = data.largest[negative] if data.largest is not None else None
        reached = 1
        for flag in range(data.unary_length):
            if reached == most:
                return
            name = ("greater base", 2 * flag + int(base < flag)) if base else ("greater", 2 * flag + negative)
            encoder.context_bin(self._context(*name), int(magnitude > reached))
            if magnitude <= reached:
                return
            reached += 1
        if reached == most:
            return
        ones = 0
        while ones < PREFIX_CONTEXTS and (most is None or reached + (1 << ones) <= most):
            one = int(magnitude - reached >= 1 << ones)
            encoder.context_bin(self._context("prefix", ones), one)
            if not one:
                break
            reached += 1 << ones
            ones += 1
        if magnitude - reached >= 1 << ones:
            raise BuildError(f"magnitude {magnitude} cannot be written: {ones} bits follow {reached}")
        encoder.bypass(magnitude - reached, ones)

    def _context(self, name: str, number: int) -> Context:
        return self._contexts.setdefault((name, number), Context(name=(name, number)))

    def _advance(self, parity: int) -> None:
        if self._data.dq:
            self._state = load_yaml(TABLES)["state_transition"][self._state][parity]
