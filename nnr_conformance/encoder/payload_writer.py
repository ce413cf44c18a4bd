"""Clause 10: entropy-coded payloads in time that grows with the number of weights.

Writes the same bytes as `tensor_data` and `arithmetic`, which have the form of the specification and serve small
streams; here the weights are visited in loops that run interpreted or compiled (`binding.py`).
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnr_conformance.encoder import level_writer as lw
from nnr_conformance.encoder.arithmetic import Ending
from nnr_conformance.encoder.bin_writer import OPEN_BITS, encode_bin, encode_bypass
from nnr_conformance.encoder.binding import bound, choose_compiled
from nnr_conformance.encoder.context_numbers import (
    coded_contexts,
    context_count,
    id_present,
    ids_by_number,
    row_skipped,
)
from nnr_conformance.encoder.lookup import lookup
from nnr_conformance.encoder.tensor_data import TensorData
from nnr_conformance.encoder.work import bins_of
from nnr_conformance.errors import BuildError

IntArray = NDArray[np.int32]
FlagArray = NDArray[np.uint8]

FIRST_INTERVAL = 510
HEADER_BITS = 4096
"""More than QP, flags and initialization ids of one tensor can take, row-skip flags aside."""
LONGEST_BIN = 7


@dataclass(frozen=True, slots=True, eq=False)
class TensorPlan:
    """A tensor to encode: what `TensorData` says, in arrays.

    `levels`: int32, shape (rows, columns), before the doubling of dependent quantization. `row_skip`: uint8 for
    each row. `base`: int32, `history`: nonzero marks, both of the shape of `levels`. None: the tool is off. `init_ids`:
    uint8 for each context of `context_numbers`; None: all 0. `codebook_size`: 0 without a codebook. The other fields
    are those of `TensorData`.
    """

    levels: IntArray
    edition: int = 2
    unary_length: int = 10
    dq: bool = False
    scan_order: int = 0
    qp_value: int | None = None
    qp_bits: int = 0
    parent_present: bool = False
    codebook_size: int = 0
    codebook_zero: int = 0
    row_skip: FlagArray | None = None
    history: NDArray[np.generic] | None = None
    base: IntArray | None = None
    init_ids: NDArray[np.uint8] | None = None
    restarts: bool = True
    restart_single_block_row: bool = False
    state_per_segment: bool = True
    prefix_ids: int = lw.PREFIX_MOST

    @classmethod
    def of(cls, data: TensorData) -> TensorPlan:
        """The same tensor. Raises BuildError where numbers do not fit 32 bits."""
        shape = data.height, data.width
        return cls(
            levels=_int32(data.levels, shape),
            edition=data.edition,
            unary_length=data.unary_length,
            dq=data.dq,
            scan_order=data.scan_order,
            qp_value=data.qp_value,
            qp_bits=data.qp_bits,
            parent_present=data.parent_present,
            codebook_size=data.codebook_size,
            codebook_zero=data.codebook_zero,
            row_skip=None if data.row_skip is None else np.array(data.row_skip, np.uint8),
            history=None if data.history is None else np.array(data.history).reshape(shape) != 0,
            base=None if data.base is None else _int32(data.base, shape),
            init_ids=ids_by_number(data.init_ids, data.unary_length),
            restarts=data.restarts,
            restart_single_block_row=data.restart_single_block_row,
            state_per_segment=data.state_per_segment,
            prefix_ids=data.prefix_ids,
        )

    @property
    def height(self) -> int:
        """Number of rows."""
        return int(self.levels.shape[0])

    @property
    def most(self) -> tuple[int, int] | None:
        """The largest magnitude of a positive and of a negative level; None without a bound, as in edition 1."""
        if self.edition != 2 or not self.codebook_size:
            return None
        return self.codebook_size - 1 - self.codebook_zero, self.codebook_zero

    @property
    def block(self) -> int:
        """Rows and columns of a scan block; 0 for the row-major scan."""
        return 4 << self.scan_order if self.scan_order and min(self.levels.shape) > 1 else 0

    @property
    def has_row_flags(self) -> bool:
        """Whether flags for history contexts and skipped rows are coded."""
        return self.edition == 2 and min(self.levels.shape) > 1 and self.most != (0, 0)

    def contexts(self) -> list[int]:
        """The contexts that have an initialization id, in coded order."""
        return coded_contexts(
            self.unary_length,
            dq=self.dq,
            temporal=self.base is not None,
            history=self.history is not None,
            most=self.most,
            prefix_ids=self.prefix_ids,
        )

    def description(self) -> list[int]:
        """The cells for `level_writer.encode_rows`."""
        height, width = self.levels.shape
        block = self.block
        most = (lw.UNBOUNDED, lw.UNBOUNDED) if self.most is None else self.most
        cells = [0] * lw.DESCRIPTION_CELLS
        cells[lw.HEIGHT], cells[lw.WIDTH] = height, width
        cells[lw.BLOCK_ROWS], cells[lw.BLOCK_COLUMNS] = (block, block) if block else (max(1, height), max(1, width))
        several = height > block or self.restart_single_block_row
        cells[lw.RESTARTS] = int(block > 0 and several and self.restarts)
        cells[lw.DQ], cells[lw.UNARY] = int(self.dq), self.unary_length
        cells[lw.MOST_POSITIVE], cells[lw.MOST_NEGATIVE] = most
        cells[lw.SIGN_CODED] = int(min(most) > 0)
        cells[lw.NO_LEVELS] = int(max(most) == 0)
        cells[lw.USE_SKIP] = int(self.row_skip is not None)
        cells[lw.USE_BASE] = int(self.base is not None)
        cells[lw.USE_HISTORY] = int(self.history is not None)
        cells[lw.STATE_PER_SEGMENT] = int(self.state_per_segment)
        return cells

    @property
    def plain(self) -> bool:
        """Whether neither codebook nor base nor history has an influence."""
        return self.most is None and self.base is None and self.history is None


@dataclass(frozen=True, slots=True)
class BlockRowMark:
    """Where a block row begins: bits that a decoder has read, the interval's lower end modulo 512, the state."""

    bits: int
    low: int
    state: int


@dataclass(frozen=True, slots=True)
class Written:
    """A finished payload: its bytes and, for each tensor, where its block rows begin."""

    data: bytes
    marks: tuple[tuple[BlockRowMark, ...], ...]

    def offset_at(self, bits: int, low: int) -> int:
        """The offset that a decoder has where it has read `bits` bits; `low`: of the mark there."""
        last = (bits - 1) >> 3
        window = int.from_bytes(self.data[max(0, last - 1) : last + 1], "big")
        return ((window >> (8 * last + 8 - bits)) - low) & 511


class PayloadWriter:
    """Writes tensors into one codeword. `compiled`: force the execution; None: chosen by the number of weights."""

    def __init__(self, *, compiled: bool | None = None) -> None:
        self._compiled = compiled
        self._engine = [0] * lw.ENGINE_CELLS
        self._engine[lw.INTERVAL] = FIRST_INTERVAL
        self._output = bytearray()
        self._marks: list[tuple[BlockRowMark, ...]] = []

    def write(self, plan: TensorPlan) -> None:
        """Write one tensor.

        Raises BuildError when the QP does not fit its field, or a level is outside of its codebook or too large.
        """
        compiled = self._compiled
        if compiled is None:
            name = "encode_plain_rows" if plan.plain else "encode_rows"
            compiled = choose_compiled(bins_of(plan.levels, plan.unary_length), name)
        memory = CompiledMemory() if compiled else InterpretedMemory()
        levels = memory.levels(plan.levels)
        _check(plan)
        row_flags = plan.row_skip if plan.row_skip is not None and plan.has_row_flags else None
        bits = HEADER_BITS + LONGEST_BIN * (0 if row_flags is None else row_flags.size)
        bits += 10 * len(plan.contexts()) + int(bound("bits_at_most", compiled=compiled)(levels, plan.unary_length))
        output = memory.output(self._output, self._engine[lw.POSITION] + (bits >> 3) + 16)
        self._write_header(plan, row_flags, output, memory, compiled)
        self._write_levels(plan, levels, output, memory, compiled)
        self._output = memory.written(output, self._engine[lw.POSITION])

    def finish(self, ending: Ending | None = None) -> Written:
        """The payload with a terminating bin, a stop bit and bits up to the byte boundary."""
        ending = Ending() if ending is None else ending
        low, held, position = (self._engine[cell] for cell in (lw.LOW, lw.HELD, lw.POSITION))
        if ending.terminate:
            low += self._engine[lw.INTERVAL] - 2
            low = low | 1 if ending.stop_bit else low & ~1
        waiting = held + OPEN_BITS
        unused = -waiting % 8
        # What is written already and what waits are one number, in which a carry may still run.
        tail = low << unused | ending.alignment & ((1 << unused) - 1)
        waiting += unused
        if tail >> waiting:
            _carry(self._output, position)
            tail -= 1 << waiting
        data = bytes(self._output) + tail.to_bytes(waiting >> 3, "big") + ending.trailing
        return Written(data, tuple(self._marks))

    def _write_header(
        self, plan: TensorPlan, row_flags: FlagArray | None, output: Any, memory: Any, compiled: bool
    ) -> None:
        if plan.qp_value is not None:
            if not -(1 << plan.qp_bits - 1) <= plan.qp_value < 1 << plan.qp_bits - 1:
                raise BuildError(f"qp_value {plan.qp_value} does not fit {plan.qp_bits} bits")
            self._bypass(output, plan.qp_value & ((1 << plan.qp_bits) - 1), plan.qp_bits)
        fresh = [lookup().start0[0]] * context_count(plan.unary_length)
        counters0, counters1 = fresh, [lookup().start1[0]] * len(fresh)
        if plan.has_row_flags:
            if plan.parent_present:
                self._bypass(output, int(plan.history is not None), 1)
            self._bypass(output, int(plan.row_skip is not None), 1)
            if row_flags is not None:
                engine = memory.cells(self._engine)
                contexts = memory.counters(counters0), memory.counters(counters1)
                flags = memory.flags(row_flags)
                bound("encode_flags", compiled=compiled)(
                    output, engine, *contexts, row_skipped(plan.unary_length), flags
                )
                self._engine = [int(cell) for cell in engine]
        self._write_ids(plan, output, counters0, counters1)

    def _write_ids(self, plan: TensorPlan, output: Any, counters0: list[int], counters1: list[int]) -> None:
        coded = plan.contexts()
        ids = [0] * len(coded) if plan.init_ids is None else plan.init_ids[coded].tolist()
        context = id_present(plan.unary_length)
        interval, low, held, position = self._engine[lw.INTERVAL : lw.POSITION + 1]
        for init_id in ids:
            present = int(init_id > 0)
            interval, low, held, position = encode_bin(
                output, counters0, counters1, context, present, interval, low, held, position
            )
            if present:
                low, held, position = encode_bypass(output, init_id - 1, 3, interval, low, held, position)
        self._engine[lw.INTERVAL : lw.POSITION + 1] = interval, low, held, position

    def _write_levels(self, plan: TensorPlan, levels: Any, output: Any, memory: Any, compiled: bool) -> None:
        self._engine[lw.STATE] = self._engine[lw.NEIGHBOUR] = self._engine[lw.FAULT] = 0
        engine = memory.cells(self._engine)
        ids = np.zeros(context_count(plan.unary_length), np.uint8) if plan.init_ids is None else plan.init_ids
        coded = set(plan.contexts())
        chosen = [int(init_id) if number in coded else 0 for number, init_id in enumerate(ids)]
        start0 = memory.counters([lookup().start0[init_id] for init_id in chosen])
        start1 = memory.counters([lookup().start1[init_id] for init_id in chosen])
        marks = memory.cells([0] * (lw.MARK_CELLS * block_rows(plan)))
        bound("encode_plain_rows" if plan.plain else "encode_rows", compiled=compiled)(
            output,
            engine,
            start0.copy(),
            start1.copy(),
            start0,
            start1,
            *row_arguments(plan, memory),
            levels,
            marks,
        )
        self._engine = [int(cell) for cell in engine]
        if self._engine[lw.FAULT]:
            magnitude = abs(int(plan.levels.reshape(-1)[self._engine[lw.WEIGHT]]))
            raise BuildError(f"magnitude {magnitude} cannot be written")
        cells = [int(cell) for cell in marks]
        first = range(0, len(cells), lw.MARK_CELLS)
        self._marks.append(tuple(BlockRowMark(*cells[at : at + lw.MARK_CELLS]) for at in first))

    def _bypass(self, output: Any, number: int, count: int) -> None:
        write = encode_bypass
        self._engine[lw.LOW], self._engine[lw.HELD], self._engine[lw.POSITION] = write(
            output, number, count, *self._engine[lw.INTERVAL : lw.POSITION + 1]
        )


def write_payload(plans: list[TensorPlan], *, compiled: bool | None = None) -> Written:
    """One payload of several tensors. Raises BuildError as PayloadWriter does."""
    writer = PayloadWriter(compiled=compiled)
    for plan in plans:
        writer.write(plan)
    return writer.finish()


def block_rows(plan: TensorPlan) -> int:
    """How many rows of blocks the scan of a tensor has."""
    return -(-plan.levels.shape[0] // plan.block) if plan.block else 1


def row_arguments(plan: TensorPlan, memory: Any) -> tuple[Any, Any, Any, Any]:
    """Description, row-skip flags, base and history, as `level_writer.encode_rows` takes them."""
    return (
        memory.cells(plan.description()),
        memory.flags(plan.row_skip),
        memory.levels(plan.base),
        memory.flags(None if plan.history is None else plan.history != 0),
    )


class InterpretedMemory:
    """What the interpreted loops work on, in Python's own sequences."""

    def output(self, written: bytearray, capacity: int) -> Any:
        return written + bytearray(max(0, capacity - len(written)))

    def written(self, output: Any, position: int) -> bytearray:
        del output[position:]
        result: bytearray = output
        return result

    def cells(self, cells: list[int]) -> Any:
        return cells.copy()

    counters = cells

    def flags(self, flags: NDArray[np.generic] | None) -> Any:
        return b"" if flags is None else np.ascontiguousarray(flags, np.uint8).tobytes()

    def levels(self, levels: IntArray | None) -> Any:
        return array("i", b"" if levels is None else np.ascontiguousarray(levels, np.int32).tobytes())


class CompiledMemory:
    """What the compiled loops work on, in arrays of the types that they were compiled for."""

    def output(self, written: bytearray, capacity: int) -> Any:
        output = np.empty(capacity, np.uint8)
        output[: len(written)] = np.frombuffer(written, np.uint8)
        return output

    def written(self, output: Any, position: int) -> bytearray:
        return bytearray(memoryview(output[:position]))

    def cells(self, cells: list[int]) -> Any:
        return np.array(cells, np.int64)

    def counters(self, counters: list[int]) -> Any:
        return np.array(counters, np.uint16)

    def flags(self, flags: NDArray[np.generic] | None) -> Any:
        return np.require(np.zeros(0) if flags is None else flags, np.uint8, ["C", "W"]).reshape(-1)

    def levels(self, levels: IntArray | None) -> Any:
        return np.require(np.zeros(0) if levels is None else levels, np.int32, ["C", "W"]).reshape(-1)


def _check(plan: TensorPlan) -> None:
    """Refuse what the loops take for granted."""
    if plan.levels.ndim != 2 or plan.levels.dtype != np.int32:
        raise BuildError(f"levels are a matrix of int32, not {plan.levels.ndim} dimensions of {plan.levels.dtype}")
    for what in (plan.base, plan.history):
        if what is not None and what.shape != plan.levels.shape:
            raise BuildError(f"a base or history of {list(what.shape)} for levels of {list(plan.levels.shape)}")
    if plan.row_skip is not None and plan.row_skip.shape != plan.levels.shape[:1]:
        raise BuildError(f"{plan.row_skip.size} row-skip flags for {plan.levels.shape[0]} rows")
    if plan.most is not None and plan.levels.size:
        positive, negative = plan.most
        coded = plan.levels if plan.row_skip is None else plan.levels[plan.row_skip == 0]
        if coded.size and (int(coded.max()) > positive or int(coded.min()) < -negative):
            raise BuildError(f"a level is not in the codebook: {-negative} to {positive}")


def _carry(output: bytearray, position: int) -> None:
    before = position - 1
    while output[before] == 255:
        output[before] = 0
        before -= 1
    output[before] += 1


def _int32(numbers: Any, shape: tuple[int, int]) -> IntArray:
    try:
        found = np.array(numbers, np.int64).reshape(shape)
    except OverflowError as fault:
        raise BuildError("a level does not fit 32 bits") from fault
    if found.size and (found.min() < -(1 << 31) or found.max() >= 1 << 31):
        raise BuildError("a level does not fit 32 bits")
    return found.astype(np.int32)


def with_ids(plan: TensorPlan, ids: NDArray[np.uint8]) -> TensorPlan:
    """The same tensor with these initialization ids."""
    return replace(plan, init_ids=ids)
