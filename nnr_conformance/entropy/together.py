"""Clause 10: whole payloads; plain ones, alone or many of them, in one call of a compiled loop (`payload_loop.py`)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from nnr_conformance.entropy import engine as ac
from nnr_conformance.entropy import payload_loop, rows
from nnr_conformance.entropy.binding import bound_compiled
from nnr_conformance.entropy.capacity import check_capacity, check_coding
from nnr_conformance.entropy.contexts import coded_contexts, group_starts
from nnr_conformance.entropy.faults import EntropyFault
from nnr_conformance.entropy.parameters import (
    DEFAULT_RULES,
    End,
    PayloadResult,
    PayloadRules,
    TensorCoding,
    TensorResult,
)
from nnr_conformance.entropy.payload import SHORTEST_PAYLOAD, PayloadDecoder, runs_compiled
from nnr_conformance.limits import DEFAULT_LIMITS, Limits

START_BITS = 9
"""Payload bits that are read before the first tensor."""


@dataclass(frozen=True, slots=True, eq=False)
class PayloadJob:
    """A payload and what its unit's header says of it, as for `decode_payload`."""

    payload: bytes | bytearray | memoryview
    codings: Sequence[TensorCoding]
    rules: PayloadRules = DEFAULT_RULES
    limits: Limits = DEFAULT_LIMITS


def decode_payload(
    payload: bytes | bytearray | memoryview,
    codings: Iterable[TensorCoding],
    rules: PayloadRules = DEFAULT_RULES,
    compiled: bool | None = None,
    limits: Limits = DEFAULT_LIMITS,
) -> PayloadResult:
    """Decode a whole payload of the tensors `codings`; raises EntropyFault as PayloadDecoder does."""
    job = PayloadJob(payload, tuple(codings), rules, limits)
    if is_plain(job) and runs_compiled(job.codings[0], compiled, 8 * len(payload)):
        found = decode_plain([job])[0]
        if found is not None:
            return found
    decoder = PayloadDecoder(payload, rules, compiled=compiled, limits=limits)
    tensors = tuple(decoder.decode_tensor(coding) for coding in job.codings)
    return PayloadResult(tensors, decoder.finish(), tuple(decoder.notes))


def is_plain(job: PayloadJob) -> bool:
    """Whether the loop can have this payload: one tensor in row-major order, without codebook, parent and skipped rows.

    Whether rows are skipped is in the payload itself, where the loop finds it.
    """
    if len(job.codings) != 1 or len(job.payload) < SHORTEST_PAYLOAD:
        return False
    coding = job.codings[0]
    if coding.parent_present or coding.codebook_size or coding.base is not None or coding.entry_points is not None:
        return False
    try:
        check_coding(coding, START_BITS, 0)
        check_capacity(coding, len(job.payload), job.limits, START_BITS, 0)
    except EntropyFault:
        return False
    return coding.effective_scan_order == 0


def decode_plain(jobs: Sequence[PayloadJob]) -> list[PayloadResult | None]:
    """What plain payloads hold; None for one that only `PayloadDecoder` can do justice to.

    Raises UsageError where compiled code is not available.
    """
    decode = bound_compiled("decode_payloads")
    codings = [job.codings[0] for job in jobs]
    contexts = [coded_contexts(job.codings[0], False, job.rules) for job in jobs]
    padding = bytes(ac.PADDING)
    cells: list[int] = []
    at = coded_at = level_at = 0
    for job, coding, coded in zip(jobs, codings, contexts, strict=True):
        size, elements = len(job.payload), coding.elements
        cells += (
            at,
            at + size,
            coding.qp_bits,
            coding.two_dimensional_tools,
            coding.unary_length,
            coding.dq,
            coded_at,
            len(coded),
            group_starts(coding.unary_length)["id_present"],
            level_at,
            elements,
            *_NOTHING_YET,
        )
        at, coded_at, level_at = at + size + ac.PADDING, coded_at + len(coded), level_at + elements
    found = np.array(cells, np.int64)
    init_ids = np.zeros(coded_at, np.int64)
    levels = np.zeros(level_at, np.int32)
    longest = max(group_starts(coding.unary_length)["total"] for coding in codings)
    decode(
        np.frombuffer(b"".join(part for job in jobs for part in (job.payload, padding)), np.uint8),
        found,
        np.concatenate([_as_array(coded) for coded in contexts]),
        init_ids,
        np.zeros(ac.ENGINE_CELLS, np.int64),
        np.zeros(rows.CODING_CELLS, np.int64),
        np.zeros(longest, np.uint16),
        np.zeros(longest, np.uint16),
        np.zeros(0, np.int32),
        np.zeros(0, np.uint8),
        levels,
    )
    ends = found.tolist()
    return [
        _result(ends[number : number + payload_loop.JOB_CELLS], coding, coded, init_ids, levels)
        for number, coding, coded in zip(range(0, len(ends), payload_loop.JOB_CELLS), codings, contexts, strict=True)
    ]


_NOTHING_YET = (0,) * (payload_loop.JOB_CELLS - payload_loop.QP)


def _result(
    cells: list[int],
    coding: TensorCoding,
    coded: tuple[int, ...],
    init_ids: NDArray[np.int64],
    levels: NDArray[np.int32],
) -> PayloadResult | None:
    if not cells[payload_loop.DECODED]:
        return None
    ids = _no_ids(coded)
    if cells[payload_loop.SOME_ID]:
        first = cells[payload_loop.FIRST_CODED]
        ids = tuple(zip(coded, init_ids[first : first + len(coded)].tolist(), strict=True))
    qp: int | None = None
    if coding.qp_bits:
        qp = cells[payload_loop.QP]
        qp -= qp >> (coding.qp_bits - 1) << coding.qp_bits
    first = cells[payload_loop.FIRST_LEVEL]
    bits = cells[payload_loop.END_BIT]
    tensor = TensorResult(
        qp_coded=qp,
        history_flag=False,
        row_skip=None,
        init_ids=ids,
        quantized=levels[first : first + cells[payload_loop.LEVELS]].reshape(coding.shape),
        final_state=cells[payload_loop.FINAL_STATE],
        entry_points=(),
        first_bit=START_BITS,
        end_bit=bits,
    )
    end = End(-(-bits // 8), cells[payload_loop.END_RANGE], cells[payload_loop.END_OFFSET], bits)
    return PayloadResult((tensor,), end, ())


@lru_cache(64)
def _as_array(coded: tuple[int, ...]) -> NDArray[np.int64]:
    return np.array(coded, np.int64)


@lru_cache(64)
def _no_ids(coded: tuple[int, ...]) -> tuple[tuple[int, int], ...]:
    return tuple((context, 0) for context in coded)
