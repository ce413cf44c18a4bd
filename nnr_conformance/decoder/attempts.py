"""Clause 10: attempts at entropy-coded payloads, jobs of the entropy stage that are done alone or several at a time.

How they are done decides about nothing but time: the outcome is that of decoding one payload after the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from nnr_conformance.decoder.how import UnitDecoder
from nnr_conformance.entropy import EntropyFault, Note, PayloadDecoder, PayloadRules, TensorCoding, TensorResult, pairs
from nnr_conformance.entropy.payload import runs_compiled
from nnr_conformance.entropy.together import PayloadJob, decode_plain, is_plain
from nnr_conformance.limits import Limits


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """What one attempt at a payload gave: the tensors up to the fault, and the fault if there was one.

    `skipping`, `history`: of the last tensor that was begun, as in `PayloadDecoder`.
    """

    results: list[TensorResult]
    notes: list[Note]
    fault: EntropyFault | None
    skipping: bool = False
    history: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Attempt:
    """A job: to decode a payload by some rules. `is_plain`: a loop can do it with many others, see `together`."""

    job: PayloadJob
    how: UnitDecoder
    is_plain: bool

    @classmethod
    def of(
        cls,
        codings: list[TensorCoding],
        payload: bytes | memoryview,
        rules: PayloadRules,
        how: UnitDecoder,
        limits: Limits,
    ) -> Attempt:
        """The attempt at these tensors of a payload."""
        job = PayloadJob(payload, codings, rules, limits)
        plain = is_plain(job) and runs_compiled(codings[0], how.compiled, how.work_bits or 8 * len(payload))
        return cls(job, how, plain)

    def __call__(self) -> Outcome:
        """Do it."""
        return attempt_all([self])[0]


def attempt_all(attempts: Sequence[Attempt]) -> list[Outcome]:
    """The outcome of each, in order; those that are plain are done in one call of a loop."""
    jobs = [attempt.job for attempt in attempts if attempt.is_plain]
    results = iter(decode_plain(jobs) if jobs else ())
    found = [next(results) if attempt.is_plain else None for attempt in attempts]
    return [
        _alone(attempt) if result is None else Outcome(list(result.tensors), [], None)
        for attempt, result in zip(attempts, found, strict=True)
    ]


def likeness(attempt: Attempt) -> object:
    """What another plain attempt must have in common to be done faster together; None where none is."""
    work_bits = attempt.how.work_bits or 8 * len(attempt.job.payload)
    return pairs.likeness(attempt.job) if pairs.pays_to_load(work_bits) else None


def attempt_pair(first: Attempt, second: Attempt) -> list[Outcome]:
    """The outcomes of two attempts that are alike, in one loop."""
    found = pairs.decode_pair_of_payloads(first.job, second.job)
    return [
        _alone(attempt) if isinstance(result, EntropyFault) else Outcome(list(result.tensors), list(result.notes), None)
        for attempt, result in zip((first, second), found, strict=True)
    ]


def _alone(attempt: Attempt) -> Outcome:
    results: list[TensorResult] = []
    how, job = attempt.how, attempt.job
    try:
        decoder = PayloadDecoder(
            job.payload,
            job.rules,
            compiled=how.compiled,
            work_bits=how.work_bits,
            limits=job.limits,
            threads=how.threads,
        )
    except EntropyFault as fault:
        return Outcome(results, [], fault)
    try:
        for coding in job.codings:
            results.append(decoder.decode_tensor(coding))
        decoder.finish()
    except EntropyFault as fault:
        return Outcome(results, decoder.notes, fault, decoder.skipping, decoder.history)
    return Outcome(results, decoder.notes, None)
