"""Clause 10: whole payloads of one plain tensor each, one after the other, compiled only.

Networks have many small tensors, and what Python does around the loops of one costs more than the loops. This loop
takes many payloads at once, from the first bit of the quantization parameter to the alignment at the end. It decodes
what is as it should be; a payload in which anything else comes, a fault or a list of skipped rows, is left to
`payload.PayloadDecoder`, which decodes it from its beginning and knows what there is to say.
"""

from __future__ import annotations

from nnr_conformance.entropy.contexts import INITIAL_COUNTER0, INITIAL_COUNTER1, decode_init_ids
from nnr_conformance.entropy.engine import (
    AHEAD,
    FAULT,
    NEIGHBOUR,
    POSITION,
    RANGE,
    STATE,
    VALUE,
    Counters,
    Ints,
    decode_bypass,
)
from nnr_conformance.entropy.rows import (
    DQ,
    HIGHEST,
    INT32_HIGHEST,
    INT32_LOWEST,
    LOWEST,
    OVERRUN_CHECK,
    UNARY,
    decode_segment,
)

(
    FIRST_BYTE,
    END_BYTE,
    QP_BITS,
    SKIP_FLAG,
    UNARY_LENGTH,
    DEPENDENT,
    FIRST_CODED,
    CODED,
    PRESENT,
    FIRST_LEVEL,
    LEVELS,
) = range(11)
"""Cells that say what a payload has. FIRST_BYTE, END_BYTE: where it is. SKIP_FLAG: whether the tensor has the row-skip
flag. FIRST_CODED, CODED: which contexts have initialization ids. PRESENT: the context of the flag before each id.
FIRST_LEVEL, LEVELS: where its quantized parameters belong."""
QP, END_BIT, END_RANGE, END_OFFSET, FINAL_STATE, SOME_ID, DECODED = range(11, 18)
"""Cells that are filled in. QP: the bins of the quantization parameter. END_BIT, END_RANGE, END_OFFSET: payload bits
read, range and offset behind the terminate bin. SOME_ID: whether an initialization id is not 0. DECODED: 1 for a
payload that is as it should be."""
JOB_CELLS = 18


def decode_payloads(
    payload: Ints,
    jobs: Counters,
    coded: Ints,
    init_ids: Counters,
    engine: Counters,
    coding: Counters,
    counters0: Counters,
    counters1: Counters,
    base: Ints,
    history: Ints,
    quantized: Counters,
) -> None:
    """Decode all payloads of `jobs`, JOB_CELLS for each.

    `payload`: the bytes of all, with padding behind each. `coded`, `init_ids`: context indices, and a number for each.
    `engine`, `coding`, `counters0`, `counters1`: room for the cells and the contexts of one tensor, zeros.
    `base`, `history`: empty. `quantized`: room for all levels, zeros.
    """
    for job in range(0, len(jobs), JOB_CELLS):
        decode_one(payload, jobs, job, coded, init_ids, engine, coding, counters0, counters1, base, history, quantized)


def decode_one(
    payload: Ints,
    jobs: Counters,
    job: int,
    coded: Ints,
    init_ids: Counters,
    engine: Counters,
    coding: Counters,
    counters0: Counters,
    counters1: Counters,
    base: Ints,
    history: Ints,
    quantized: Counters,
) -> None:
    """Decode the payload whose cells begin at `job`, as `decode_payloads` does."""
    first_byte = jobs[job + FIRST_BYTE] & 0x7FFFFFFFFFFF
    bits = 8 * (jobs[job + END_BYTE] - first_byte)
    interval, value, ahead, position = 510, payload[first_byte] * 256 + payload[first_byte + 1] * 1, 7, first_byte + 2
    if value >> ahead >= interval:
        return
    number, value, ahead, position = decode_bypass(payload, jobs[job + QP_BITS], interval, value, ahead, position)
    jobs[job + QP] = number
    if jobs[job + SKIP_FLAG]:
        number, value, ahead, position = decode_bypass(payload, 1, interval, value, ahead, position)
        if number:
            return
    for context in range(len(counters0)):
        counters0[context] = INITIAL_COUNTER0[0]
        counters1[context] = INITIAL_COUNTER1[0]
    engine[RANGE] = interval
    engine[VALUE] = value
    engine[AHEAD] = ahead
    engine[POSITION] = position
    engine[STATE] = 0
    engine[NEIGHBOUR] = 0
    engine[FAULT] = 0
    end_coded = jobs[job + FIRST_CODED] + jobs[job + CODED]
    jobs[job + SOME_ID] = decode_init_ids(
        payload,
        engine,
        counters0,
        counters1,
        coded,
        jobs[job + FIRST_CODED],
        end_coded,
        jobs[job + PRESENT],
        init_ids,
    )
    coding[UNARY] = jobs[job + UNARY_LENGTH]
    coding[DQ] = jobs[job + DEPENDENT]
    coding[LOWEST] = INT32_LOWEST
    coding[HIGHEST] = INT32_HIGHEST
    end = jobs[job + FIRST_LEVEL] + jobs[job + LEVELS]
    for first in range(jobs[job + FIRST_LEVEL], end, OVERRUN_CHECK):
        decode_segment(
            payload,
            engine,
            counters0,
            counters1,
            coding,
            base,
            history,
            quantized,
            first,
            min(first + OVERRUN_CHECK, end),
        )
        if engine[FAULT] or 8 * (engine[POSITION] - first_byte) - engine[AHEAD] > bits:
            return
    read = 8 * (engine[POSITION] - first_byte) - engine[AHEAD]
    jobs[job + END_BIT] = read
    jobs[job + END_RANGE] = engine[RANGE] - 2
    jobs[job + END_OFFSET] = engine[VALUE] >> engine[AHEAD]
    terminated = jobs[job + END_OFFSET] >= jobs[job + END_RANGE]
    # The last bit read is the stop bit; zeros up to the end of its byte, which is the last one.
    unused = bits - read
    last = payload[first_byte + (bits >> 3) - 1] * 1
    if terminated and 0 <= unused < 8 and last & ((2 << unused) - 1) == 1 << unused:
        jobs[job + FINAL_STATE] = engine[STATE]
        jobs[job + DECODED] = 1
