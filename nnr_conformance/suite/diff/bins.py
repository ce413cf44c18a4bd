"""The bins of arithmetic-coded payloads (clause 10): context, value and place of each, and the weight that it codes.

A decoded payload is coded once more by the builder's encoder, which shares nothing with the decoder but the tables of
the standard and knows every context by name. No codeword is made, only the positions in it, so that the work is linear.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nnr_conformance.adapters import Bin
from nnr_conformance.api import ChainDecoder
from nnr_conformance.decoder.tensors import CodedTensor, DecodedUnit
from nnr_conformance.encoder.arithmetic import RESTARTED, ArithmeticEncoder, Context
from nnr_conformance.encoder.tensor_data import ContextName, TensorData, TensorEncoder
from nnr_conformance.entropy.contexts import group_starts
from nnr_conformance.entropy.parameters import PayloadRules, TensorCoding, TensorResult
from nnr_conformance.entropy.scan import segments
from nnr_conformance.entropy.tables import tables
from nnr_conformance.scope import TraceEntry
from nnr_conformance.suite.coverage.replay import levels_of, tensor_data
from nnr_conformance.syntax.unit_parser import Unit

BYPASS, TERMINATE = -1, -2
"""Numbers that stand for no context in `adapters.Bin`."""

NO_WEIGHT = -1

_GROUPS = {
    "sig": "sig_neighbour",
    "sig base": "sig_base",
    "sig history": "sig_history",
    "sign": "sign_neighbour",
    "sign base": "sign_base",
    "greater": "greater_neighbour",
    "greater base": "greater_base",
    "prefix": "remainder_prefix",
    "id present": "id_present",
    "row skip": "row_skip",
}
"""Names of the builder's contexts in `spec/tables/cabac.yaml`."""


class CodedBin(NamedTuple):
    """A bin: `context` as in `adapters.Bin`; `weight`: row-major index of the weight that it codes, or -1."""

    context: int
    value: int
    bit: int
    weight: int


@dataclass(frozen=True, slots=True, eq=False)
class TracedPayload:
    """An arithmetic-coded payload of the last stream of a chain.

    `unit`: its number in the stream. `names`: of the coded tensors; `tensors`: what they became. `parts`: for each part
    of the payload the payload byte at which it starts and the stream byte that this is.
    """

    unit: int
    names: tuple[str, ...]
    codings: tuple[TensorCoding, ...]
    results: tuple[TensorResult, ...]
    rules: PayloadRules
    tensors: tuple[CodedTensor, ...]
    parts: tuple[tuple[int, int], ...]

    def stream_bit(self, bit: int) -> int:
        """The bit of the stream that a bit of the payload is."""
        start, place = max(part for part in self.parts if part[0] <= bit >> 3)
        return bit + 8 * (place - start)

    def levels(self, number: int) -> list[int]:
        """The levels of a tensor, row-major."""
        return levels_of(self.codings[number], self.results[number], self.rules)

    def bins(self) -> Iterator[Bin]:
        """All bins in order, the terminating one at the end."""
        bit = 0
        for name, coded in zip(self.names, self.coded(), strict=True):
            for one in coded:
                bit = one.bit
                yield Bin(self.unit, name, one.context, one.value, bit)
        yield Bin(self.unit, self.names[-1], TERMINATE, 1, bit)

    def coded(self, number: int = -1, levels: Sequence[int] | None = None) -> Iterator[list[CodedBin]]:
        """The bins of each tensor; those of tensor `number` with other levels, and none behind them."""
        encoder = TracingEncoder()
        for at, (coding, result) in enumerate(zip(self.codings, self.results, strict=True)):
            data = tensor_data(coding, result, self.rules)
            if at == number and levels is not None:
                data = replace(data, levels=levels)
            yield encoder.trace(data)
            if at == number:
                return


@dataclass(slots=True)
class TracingEncoder(ArithmeticEncoder):
    """An encoder that keeps its bins and their places, but no codeword."""

    bins: list[CodedBin] = field(default_factory=list)
    unary: int = 1
    weight: int = NO_WEIGHT
    order: Iterator[int] = field(default_factory=lambda: iter(()))

    def trace(self, data: TensorData) -> list[CodedBin]:
        """The bins of the next tensor."""
        self.bins, self.unary, self.weight, self.order = [], data.unary_length, NO_WEIGHT, coded_weights(data)
        TensorEncoder(self, data).write()
        return self.bins

    def context_bin(self, context: Context, bin_value: int) -> None:
        """Note a bin with a context; a bin of significance begins a weight."""
        if context.name[0].startswith("sig") and not context.name[0].startswith("sign"):
            self.weight = next(self.order)
        less_probable = context.less_probable_range(self.interval)
        self.interval = self.interval - less_probable if bin_value == context.probable() else less_probable
        context.update(bin_value)
        while self.interval < RESTARTED:
            self.interval *= 2
            self.bits += 1
        self.bins.append(CodedBin(context_number(context.name, self.unary), bin_value, self.bits, self.weight))

    def bypass(self, number: int, count: int) -> None:
        """Note bins without a context."""
        for shift in reversed(range(count)):
            self.bits += 1
            self.bins.append(CodedBin(BYPASS, number >> shift & 1, self.bits, self.weight))


def coded_weights(data: TensorData) -> Iterator[int]:
    """Row-major indices of the weights that have bins, in scan order."""
    for first, length in segments(data.height, data.width, data.scan_order):
        if data.row_skip is None or not data.row_skip[first // data.width]:
            yield from range(first, first + length)


def scanned(coding: TensorCoding) -> Iterator[int]:
    """Row-major indices of all weights in scan order, those of skipped rows included."""
    for first, length in segments(coding.height, coding.width, coding.scan_order):
        yield from range(first, first + length)


def scan_position(coding: TensorCoding, weight: int) -> int:
    """How many weights come before one in the scan, those of skipped rows included."""
    before = 0
    for first, length in segments(coding.height, coding.width, coding.scan_order):
        if first <= weight < first + length:
            return before + weight - first
        before += length
    raise IndexError(weight)


def index_of(shape: Sequence[int], weight: int) -> tuple[int, ...]:
    """The index of a weight by its row-major number."""
    index = []
    for size in reversed(shape):
        weight, at = divmod(weight, size)
        index.append(at)
    return tuple(reversed(index))


def context_number(name: ContextName, unary: int) -> int:
    """The number of a context in the layout of `spec/tables/cabac.yaml`."""
    return group_starts(unary)[_GROUPS[name[0]]] + name[1]


def context_name(number: int, unary: int) -> str:
    """A context's group and its number there, such as ``sig_neighbour[2]``."""
    if number in (BYPASS, TERMINATE):
        return "bypass" if number == BYPASS else "terminate"
    names = _named_starts(unary)
    group, first = max((one for one in names if one[1] <= number), key=lambda one: one[1], default=("", 0))
    return f"{group}[{number - first}]" if group and group != "total" else "unknown"


@cache
def _named_starts(unary: int) -> tuple[tuple[str, int], ...]:
    return tuple(group_starts(unary).items())


def traced(chain: ChainDecoder) -> tuple[list[TracedPayload], dict[str, CodedTensor]]:
    """The arithmetic-coded payloads of the last stream of a chain, and its transmitted tensors by name.

    Runs the chain to its end.
    """
    collector = _Collector(len(chain.streams) - 1)
    chain.on_unit, chain.on_payload, chain.on_decoded = collector.unit, collector.payload, collector.decoded
    for tensor in chain:
        del tensor
    return collector.found, collector.tensors


def bins_of(chain: ChainDecoder) -> Iterator[Bin]:
    """All bins of the last stream of a chain."""
    payloads, _ = traced(chain)
    for payload in payloads:
        yield from payload.bins()


@dataclass(slots=True)
class _Collector:
    last: int
    found: list[TracedPayload] = field(default_factory=list)
    tensors: dict[str, CodedTensor] = field(default_factory=dict)
    _units: dict[str, Unit] = field(default_factory=dict)
    _parts: dict[int, list[Unit]] = field(default_factory=dict)
    _coded: tuple[list[TensorCoding], list[TensorResult], PayloadRules] | None = None

    def unit(self, number: int, unit: Unit, trace: Sequence[TraceEntry]) -> None:
        del trace
        if number == self.last:
            self._units[unit.label] = unit
            if unit.is_part:
                self._parts.setdefault(unit.unit_type, []).append(unit)

    def payload(self, codings: list[TensorCoding], results: list[TensorResult], rules: PayloadRules) -> None:
        self._coded = codings, results, rules

    def decoded(self, number: int, decoded: DecodedUnit) -> None:
        coded, self._coded = self._coded, None
        if number != self.last:
            return
        self.tensors |= {one.name: one for one in decoded.tensors}
        unit = self._units[decoded.label]
        parts = self._parts.pop(unit.unit_type, [unit]) if unit.is_part else [unit]
        if coded is None:
            return
        codings, results, rules = coded
        names = tuple(one.name for one in decoded.tensors)
        if len(names) != len(codings):
            # One coded tensor was cut into several; the first one stands for it.
            names = names[: len(codings)]
        starts, first = [], 0
        for part in parts:
            starts.append((first, part.payload_first))
            first += part.end - part.payload_first
        self.found.append(
            TracedPayload(
                _number(decoded.label), names, tuple(codings), tuple(results), rules, decoded.tensors, tuple(starts)
            )
        )


def _number(label: str) -> int:
    """The number of a unit by its label, that of the outermost one for enclosed units."""
    return int("".join(letter if letter.isdigit() else " " for letter in label).split()[0])


def levels_of_parameters(payload: TracedPayload, number: int, parameters: NDArray[Any]) -> tuple[list[int], int | None]:
    """The levels, row-major, that give these quantized parameters in tensor `number` of a payload.

    With them the first weight in the scan whose parameter cannot be had: with dependent quantization a parameter that
    is not 0 is odd in odd states only (None: all can).
    """
    coding, result = payload.codings[number], payload.results[number]
    # Of 64 bits: what is compared here may hold what no stream can.
    flat: Any = np.asarray(parameters).astype(np.int64).reshape(result.quantized.shape)
    levels = levels_of(coding, replace(result, quantized=flat), payload.rules)
    return levels, _impossible(coding, result, payload.rules, levels, [int(one) for one in flat.flat])


def _impossible(
    coding: TensorCoding, result: TensorResult, rules: PayloadRules, levels: Sequence[int], parameters: Sequence[int]
) -> int | None:
    if not coding.dq:
        return None
    state, following = 0, tables().next_state
    for first, length in segments(coding.height, coding.width, coding.scan_order):
        skipped = result.row_skip is not None and bool(result.row_skip[first // coding.width])
        steps = coding.width if skipped and rules.skip_advances_row_width else length
        for at in range(first, first + steps):
            if not skipped and parameters[at] and (parameters[at] + state) & 1:
                return at
            state = following[2 * state + (0 if skipped else levels[at] & 1)]
    return None
