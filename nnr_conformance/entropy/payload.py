"""Clause 10: an entropy-coded payload, tensor after tensor in one arithmetic codeword."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nnr_conformance.entropy import engine as ac
from nnr_conformance.entropy.binding import (
    Execution,
    bound_decode_init_ids,
    bound_decode_row_skip,
    choose_execution,
)
from nnr_conformance.entropy.capacity import check_capacity, check_coding
from nnr_conformance.entropy.contexts import coded_contexts, group_starts, initial_counters
from nnr_conformance.entropy.entry_points import compare, found_entry_points
from nnr_conformance.entropy.faults import (
    FAULT_CODES,
    FAULT_TEXTS,
    FIRST_RESTART_OFFSET,
    LEVEL_BEYOND_BOUND,
    LEVEL_OUT_OF_CODEBOOK,
    OVERRUN,
    RESTART_OFFSET,
    EntropyFault,
    Note,
)
from nnr_conformance.entropy.memory import CompiledMemory, InterpretedMemory
from nnr_conformance.entropy.parameters import (
    DEFAULT_RULES,
    End,
    FlagArray,
    PayloadRules,
    TensorCoding,
    TensorResult,
)
from nnr_conformance.entropy.row_skip import nonminimal
from nnr_conformance.entropy.weights import Decoded, Loops, WeightLoop
from nnr_conformance.limits import DEFAULT_LIMITS, Limits

ELEMENTS_PER_WORK_BIT = 4
"""Weights that cost as much time as one payload bit when nearly all of them are zero."""
SHORTEST_PAYLOAD = 2
ELEMENTS_FOR_THREADS = 200_000
"""Weights of a tensor from which decoding its block rows in threads pays."""


@dataclass(frozen=True, slots=True, eq=False)
class BegunTensor:
    """What comes before the weights of a tensor, and what decoding these takes.

    `first_bit`, `skip_bit`, `weights_bit`: payload bits read before the tensor, the row-skip flag, the first weight.
    """

    qp_coded: int | None
    history_flag: bool
    first_bit: int
    skip_bit: int
    weights_bit: int
    init_ids: tuple[tuple[int, int], ...]
    loop: WeightLoop
    loops: Loops


class PayloadDecoder:
    """Decodes the tensors of one payload in order, then its end.

    `payload`: from the first byte after the unit's header to the end of the unit. `compiled`: force the execution;
    None: chosen by the size of the work. `work_bits`: payload bits of the whole job, of which this payload is a part.
    `threads`: how many may decode one tensor that has entry points, compiled. `notes`: observations so far that did not
    stop decoding. `skipping`, `history`: whether the last tensor, complete or not, skips rows and uses history
    contexts. After an EntropyFault the decoder is of no further use.

    Raises EntropyFault payload_too_short (no byte), payload_overrun (one byte) or init_offset_out_of_range.
    """

    def __init__(
        self,
        payload: bytes | bytearray | memoryview,
        rules: PayloadRules = DEFAULT_RULES,
        *,
        compiled: bool | None = None,
        work_bits: int | None = None,
        limits: Limits = DEFAULT_LIMITS,
        threads: int = 1,
    ) -> None:
        self._payload = b"".join((payload, bytes(ac.PADDING)))
        self._bytes = len(self._payload) - ac.PADDING
        self._rules = rules
        self._compiled = compiled
        self._work_bits = 8 * self._bytes if work_bits is None else work_bits
        self._limits = limits
        self._threads = threads
        self._tensor = 0
        self.skipping = False
        self.history = False
        self.notes: list[Note] = []
        if self._bytes < SHORTEST_PAYLOAD:
            # One byte is too few as well; there it is the initialization that runs beyond the end.
            code = "payload_overrun" if self._bytes else "payload_too_short"
            message = f"{self._bytes} of at least {SHORTEST_PAYLOAD} bytes; initialization reads 9 bits"
            raise EntropyFault(code, 8 * self._bytes, 0, message)
        self._engine = ac.start(self._payload)
        if ac.offset(self._engine) >= self._engine[ac.RANGE]:
            message = f"the first 9 bits are {ac.offset(self._engine)}; they are below {self._engine[ac.RANGE]}"
            raise EntropyFault("init_offset_out_of_range", 9, 0, message)

    @property
    def payload_bytes(self) -> int:
        """Bytes of the payload."""
        return self._bytes

    @property
    def bits_read(self) -> int:
        """Payload bits read so far."""
        return ac.bits_read(self._engine)

    def decode_tensor(self, coding: TensorCoding) -> TensorResult:
        """Decode the next tensor.

        Raises EntropyFault with a code of the entropy stage, dims_invalid, dims_exceed_payload or limit_elements.
        """
        begun = self.begin_tensor(coding)
        decoded = self._decode_weights(begun.loop, begun.loops)
        return self.end_tensor(begun, decoded, self._engine)

    def begin_tensor(self, coding: TensorCoding) -> BegunTensor:
        """Read what comes before the weights of the next tensor. Raises as `decode_tensor` does."""
        tensor, first_bit = self._tensor, self.bits_read
        self.skipping = self.history = False
        check_coding(coding, first_bit, tensor)
        check_capacity(coding, self._bytes, self._limits, first_bit, tensor)

        qp_coded = ac.read_signed_bits(self._payload, self._engine, coding.qp_bits) if coding.qp_bits else None
        history_flag = bool(coding.two_dimensional_tools and coding.parent_present and self._read_flag())
        self.history = history_flag
        skip_bit = self.bits_read
        skipping = coding.two_dimensional_tools and self._read_flag()
        loops = self._loops(coding, history_flag)
        row_skip = self._read_row_skip(coding, loops) if skipping else None
        self.skipping = row_skip is not None and bool(row_skip.any())
        init_ids = self._read_init_ids(coding, history_flag, loops)
        if self.bits_read > 8 * self._bytes:
            self._stop(OVERRUN, "before the first weight")
        loop = WeightLoop(coding, self._rules, history_flag and coding.history is not None, row_skip)
        loops.engine[ac.STATE] = loops.engine[ac.NEIGHBOUR] = loops.engine[ac.FAULT] = 0
        return BegunTensor(qp_coded, history_flag, first_bit, skip_bit, self.bits_read, init_ids, loop, loops)

    def end_tensor(self, begun: BegunTensor, decoded: Decoded, engine: list[int]) -> TensorResult:
        """The tensor whose weights were decoded, up to where these cells are. Raises as `decode_tensor` does."""
        coding, tensor = begun.loop.coding, self._tensor
        self._engine = engine
        fault, weight = self._engine[ac.FAULT], self._engine[ac.WEIGHT]
        if fault == LEVEL_OUT_OF_CODEBOOK and coding.bound_size:
            fault = LEVEL_BEYOND_BOUND
        elif fault == RESTART_OFFSET and weight == 0:
            fault = FIRST_RESTART_OFFSET
        if fault:
            self._stop(fault, f"at weight {weight}")
        quantized, found = decoded.quantized.reshape(coding.shape), found_entry_points(decoded.marks)
        self.notes.extend(compare(coding, found, begun.weights_bit, tensor))
        self.notes.extend(nonminimal(begun.loop.row_skip, quantized, begun.skip_bit, tensor))
        self._tensor += 1
        return TensorResult(
            qp_coded=begun.qp_coded,
            history_flag=begun.history_flag,
            row_skip=begun.loop.row_skip,
            init_ids=begun.init_ids,
            quantized=quantized,
            final_state=self._engine[ac.STATE],
            entry_points=found,
            first_bit=begun.first_bit,
            end_bit=self.bits_read,
        )

    def go_on_behind(self, engine: list[int]) -> None:
        """Take it that the tensor which was begun is decoded, up to where these cells are."""
        self._engine = engine
        self._tensor += 1

    def finish(self) -> End:
        """Decode the terminate bin and check the stop bit, the alignment and the length of the payload.

        Raises EntropyFault terminate_missing, stop_bit_missing, alignment_nonzero or trailing_bytes.
        """
        terminated = ac.read_terminate(self._engine)
        bits = self.bits_read
        if not terminated:
            raise EntropyFault("terminate_missing", bits, self._tensor, "the terminate bin is 0")
        consumed = -(-bits // 8)
        last = self._payload[consumed - 1]
        unused = 8 * consumed - bits
        if not last >> unused & 1:
            raise EntropyFault("stop_bit_missing", bits, self._tensor, "the last bit read is 0; the stop bit is 1")
        if last & ((1 << unused) - 1):
            message = f"the {unused} bits after the stop bit are not all 0"
            raise EntropyFault("alignment_nonzero", bits, self._tensor, message)
        if consumed < self._bytes:
            message = f"the payload ends after {consumed} bytes, but has {self._bytes}"
            raise EntropyFault("trailing_bytes", 8 * consumed, self._tensor, message)
        return End(consumed, self._engine[ac.RANGE], ac.offset(self._engine), bits)

    def _read_flag(self) -> bool:
        return ac.read_bits(self._payload, self._engine, 1) == 1

    def _loops(self, coding: TensorCoding, history_flag: bool) -> Loops:
        """What the loops of this tensor work on, and how they run."""
        all_tools = bool(coding.codebook_size or coding.temporal or (history_flag and coding.history is not None))
        compiled = runs_compiled(coding, self._compiled, self._work_bits, all_tools)
        memory = CompiledMemory() if compiled else InterpretedMemory()
        counters0, counters1 = initial_counters(coding.unary_length)
        return Loops(
            all_tools,
            compiled,
            memory,
            memory.payload(self._payload),
            memory.cells(self._engine),
            memory.counters(counters0),
            memory.counters(counters1),
        )

    def _read_row_skip(self, coding: TensorCoding, loops: Loops) -> FlagArray:
        skip = loops.memory.row_flags(coding.height)
        bound_decode_row_skip(compiled=loops.compiled)(
            *loops.state, group_starts(coding.unary_length)["row_skip"], skip
        )
        return np.frombuffer(skip, np.uint8)

    def _read_init_ids(self, coding: TensorCoding, history_flag: bool, loops: Loops) -> tuple[tuple[int, int], ...]:
        """Context index and initialization id in coded order; the contexts are initialized by them."""
        coded = coded_contexts(coding, history_flag, self._rules)
        init_ids = loops.memory.cells([0] * len(coded))
        present = group_starts(coding.unary_length)["id_present"]
        bound_decode_init_ids(compiled=loops.compiled)(
            *loops.state, loops.memory.cells(list(coded)), 0, len(coded), present, init_ids
        )
        self._engine = loops.engine_cells()
        return tuple(zip(coded, map(int, init_ids), strict=True))

    def _stop(self, fault: int, where: str) -> None:
        message = f"{FAULT_TEXTS[fault]}, {where} of tensor {self._tensor}"
        raise EntropyFault(FAULT_CODES[fault], min(self.bits_read, 8 * self._bytes), self._tensor, message)

    def _decode_weights(self, loop: WeightLoop, loops: Loops) -> Decoded:
        decoded = self._in_parts(loop, loops) if self._threads > 1 else None
        if decoded is None:
            decoded = loop.run(loops)
            self._engine = loops.engine_cells()
        return decoded

    def _in_parts(self, loop: WeightLoop, loops: Loops) -> Decoded | None:
        if not loops.compiled or loop.coding.elements < ELEMENTS_FOR_THREADS:
            return None
        from nnr_conformance.entropy.block_rows import decode_in_parts  # noqa: PLC0415 - short work starts sooner

        found = decode_in_parts(loop, loops, self._bytes, self._threads)
        if found is None:
            return None
        decoded, self._engine = found
        return decoded


def runs_compiled(coding: TensorCoding, chosen: bool | None, work_bits: int, all_tools: bool = False) -> bool:
    """Whether the loops of a tensor run compiled; `chosen`: what the caller wants, None for what is faster."""
    if chosen is not None:
        return chosen
    elements = 0 if coding.bound_size == 1 else coding.elements
    execution, _ = choose_execution(max(work_bits, elements // ELEMENTS_PER_WORK_BIT), all_tools)
    return execution is Execution.COMPILED
