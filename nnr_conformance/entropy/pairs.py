"""Clause 10: several payloads at once, two of them in one loop where that is faster.

Units that do not depend on each other have payloads that do not either. `decode_payloads` gives for each payload what
`decode_payload` gives for it alone: the same tensors, notes and end, or the same fault. Which payloads share a loop
(`pair_loop.py`) decides about nothing but time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache, lru_cache
from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnr_conformance.entropy import engine as ac
from nnr_conformance.entropy import pair_loop
from nnr_conformance.entropy.automaton import LARGEST_UNARY_LENGTH, weight_automaton
from nnr_conformance.entropy.binding import Bound, bound_compiled, compiled_available, is_kept, is_loaded
from nnr_conformance.entropy.faults import EntropyFault
from nnr_conformance.entropy.parameters import (
    End,
    PayloadResult,
    TensorCoding,
    TensorResult,
)
from nnr_conformance.entropy.payload import BegunTensor, PayloadDecoder
from nnr_conformance.entropy.together import PayloadJob, decode_payload
from nnr_conformance.entropy.weights import Decoded

FEWEST_WEIGHTS = 4_096
"""Of the smaller tensor of a pair; with fewer, preparing the loop costs more than it saves."""
FEWEST_BITS, MOST_BITS = 0.9, 4.5
"""Payload bits for each weight between which two tensors are faster in one loop (`docs/speed.md`)."""
PAIRED_FROM = 100_000_000
"""Payload bits from which compiling the loop for pairs pays for itself; once it is loaded, all do."""
PAIRED_FROM_WHEN_KEPT = 1_000_000
"""The same where its machine code is kept."""

Outcome = PayloadResult | EntropyFault


def decode_payloads(jobs: Sequence[PayloadJob], *, paired: bool | None = None) -> tuple[Outcome, ...]:
    """The result or the fault of each payload, in order.

    `paired`: decode payloads in pairs where the loop for pairs can; None: where that is faster as well. Raises
    UsageError as `decode_payload` does, and with `paired` where compiled code is not available.
    """
    outcomes: dict[int, Outcome] = {}
    for first, second in partners(jobs, paired):
        outcomes[first], outcomes[second] = decode_pair_of_payloads(jobs[first], jobs[second])
    return tuple(outcomes[index] if index in outcomes else _alone(job) for index, job in enumerate(jobs))


def decode_pair_of_payloads(first: PayloadJob, second: PayloadJob) -> tuple[Outcome, Outcome]:
    """The result or the fault of two payloads; tensors of the same number share a loop where the loop can have them.

    Raises UsageError as `decode_payload` does, or where compiled code is not available.
    """
    left, right = PayloadRun(first), PayloadRun(second)
    run_together(left, right)
    return left.outcome(), right.outcome()


class PayloadRun:
    """The decoding of one payload up to its end or its first fault, by compiled loops.

    `decoder`: None when the payload cannot even begin. `tensors`: those decoded so far. `fault`: what stopped it.
    `end`: of the payload, when it is reached.
    """

    def __init__(self, job: PayloadJob) -> None:
        self.codings = job.codings
        self.tensors: list[TensorResult] = []
        self.fault: EntropyFault | None = None
        self.end: End | None = None
        self.decoder: PayloadDecoder | None = None
        try:
            self.decoder = PayloadDecoder(job.payload, job.rules, compiled=True, limits=job.limits)
        except EntropyFault as fault:
            self.fault = fault

    def begin(self, number: int) -> BegunTensor | None:
        """The tensor of that number up to its weights; None when there is none, or after a fault."""
        if self.decoder is None or self.fault is not None or number >= len(self.codings):
            return None
        try:
            return self.decoder.begin_tensor(self.codings[number])
        except EntropyFault as fault:
            self.fault = fault
            return None

    def go_on(self, begun: BegunTensor | None, decoded: Decoded | None) -> None:
        """Take the weights of the tensor that was begun, or decode them."""
        if self.decoder is None or begun is None:
            return
        weights = begun.loop.run(begun.loops) if decoded is None else decoded
        try:
            self.tensors.append(self.decoder.end_tensor(begun, weights, begun.loops.engine_cells()))
        except EntropyFault as fault:
            self.fault = fault

    def finish(self) -> None:
        """Decode the end of the payload behind its last tensor."""
        if self.decoder is None or self.fault is not None:
            return
        try:
            self.end = self.decoder.finish()
        except EntropyFault as fault:
            self.fault = fault

    def outcome(self) -> Outcome:
        """The result, or the fault, of a run that is finished."""
        if self.decoder is None or self.end is None:
            assert self.fault is not None
            return self.fault
        return PayloadResult(tuple(self.tensors), self.end, tuple(self.decoder.notes))


def run_together(left: PayloadRun, right: PayloadRun) -> None:
    """Finish two runs; raises as `decode_pair_of_payloads` does."""
    decode = bound_compiled("decode_pair")
    runs = (left, right)
    for number in range(max(len(run.codings) for run in runs)):
        one, other = begun = left.begin(number), right.begin(number)
        decoded: tuple[Decoded | None, Decoded | None] = None, None
        if one is not None and other is not None and _fit(one, other):
            decoded = _decode_together(decode, one, other)
        for run, tensor, weights in zip(runs, begun, decoded, strict=True):
            run.go_on(tensor, weights)
    for run in runs:
        run.finish()


def _alone(job: PayloadJob) -> Outcome:
    try:
        return decode_payload(job.payload, job.codings, job.rules, limits=job.limits)
    except EntropyFault as fault:
        return fault


def _fit(left: BegunTensor, right: BegunTensor) -> bool:
    """Whether the loop for pairs can decode these tensors."""
    one, other = left.loop.coding, right.loop.coding
    both = (left, right)
    return (
        all(_plain(begun.loop.coding) and not begun.loops.all_tools and begun.loop.row_skip is None for begun in both)
        and (one.unary_length, one.dq) == (other.unary_length, other.dq)
        and one.unary_length <= LARGEST_UNARY_LENGTH
    )


def _plain(coding: TensorCoding) -> bool:
    return coding.effective_scan_order == 0 and not coding.codebook_size and not coding.temporal


def _decode_together(decode: Bound, left: BegunTensor, right: BegunTensor) -> tuple[Decoded | None, Decoded | None]:
    """The weights of both; None, with the loops as they were, for a tensor that the plain loop has to decode."""
    tensors = (left, right)
    kept = [[array.copy() for array in begun.loops.state[1:]] for begun in tensors]
    quantized = [np.zeros(begun.loop.coding.elements, np.int32) for begun in tensors]
    arguments: list[Any] = []
    for begun, levels in zip(tensors, quantized, strict=True):
        arguments += [*begun.loops.state, begun.loops.memory.cells(begun.loop.cells()), levels]
    contexts = np.zeros(pair_loop.CONTEXT_NUMBERS, np.uint16)
    edges = _edges(left.loop.coding.unary_length, left.loop.coding.dq)
    decode(edges, _table(), contexts, np.zeros(0, np.int32), np.zeros(0, np.uint8), *arguments)
    found: list[Decoded | None] = []
    for begun, before, levels in zip(tensors, kept, quantized, strict=True):
        if not begun.loops.engine[ac.FAULT]:
            found.append(Decoded(levels, []))
            continue
        # Only the plain loop knows which fault it is, and where; and a large level need not be one.
        for array, copy in zip(begun.loops.state[1:], before, strict=True):
            array[:] = copy
        found.append(None)
    return found[0], found[1]


@lru_cache(16)
def _edges(unary_length: int, dq: bool) -> NDArray[np.int64]:
    return np.array(weight_automaton(unary_length, dq), np.int64)


@cache
def _table() -> NDArray[np.uint16]:
    return np.array(pair_loop.joined_tables(), np.uint16)


def partners(jobs: Sequence[PayloadJob], paired: bool | None = None) -> Iterator[tuple[int, int]]:
    """Numbers of jobs that share a loop: equally coded ones, the largest first, since what is left over is slower.

    `paired`: as for `decode_payloads`.
    """
    if paired is False or (paired is None and not compiled_available()):
        return
    chosen = [number for number, job in enumerate(jobs) if job.codings and (paired or _worthwhile(job))]
    bits = sum(8 * len(jobs[number].payload) for number in chosen)
    if paired is None and not pays_to_load(bits):
        return

    def order(number: int) -> tuple[int, bool, int]:
        coding = jobs[number].codings[0]
        return coding.unary_length, coding.dq, -coding.elements

    for _, group in groupby(sorted(chosen, key=order), lambda number: order(number)[:2]):
        members = list(group)
        yield from zip(members[::2], members[1::2], strict=False)


def pays_to_load(bits: int) -> bool:
    """Whether the loop for pairs is worth loading for payloads of so many bits in all that it can have."""
    return bits >= PAIRED_FROM or is_loaded("decode_pair") or (bits >= PAIRED_FROM_WHEN_KEPT and is_kept("decode_pair"))


def likeness(job: PayloadJob) -> tuple[int, bool] | None:
    """What two payloads have in common that are faster in one loop; None for one that is not faster in any."""
    if not job.codings or not _worthwhile(job):
        return None
    coding = job.codings[0]
    return coding.unary_length, coding.dq


def _worthwhile(job: PayloadJob) -> bool:
    coding = job.codings[0]
    few = FEWEST_BITS <= 8 * len(job.payload) / max(coding.elements, 1) <= MOST_BITS
    return few and coding.elements >= FEWEST_WEIGHTS and _plain(coding)
