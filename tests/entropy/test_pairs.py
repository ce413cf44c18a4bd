"""Two payloads in one loop: the same tensors, faults and bits as each alone."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nnr_conformance.encoder.payload_writer import TensorPlan, write_payload
from nnr_conformance.entropy import (
    EntropyFault,
    PayloadResult,
    PayloadRules,
    TensorCoding,
    compiled_available,
    decode_payload,
)
from nnr_conformance.entropy.binding import bound_compiled, compile_loop
from nnr_conformance.entropy.pairs import (
    Outcome,
    PayloadRun,
    decode_pair_of_payloads,
    decode_payloads,
    partners,
    run_together,
)
from nnr_conformance.entropy.together import PayloadJob
from nnr_conformance.errors import UsageError

from . import vector_files as files
from .test_round_trip import encode
from .test_two_lives import tensor_codings

needs_numba = pytest.mark.skipif(not compiled_available(), reason="numba is not installed")
PLAIN = TensorCoding(shape=(1,), unary_length=11, dq=False, scan_order=0, edition=2, qp_bits=0)


def comparable(outcome: Outcome) -> Any:
    if isinstance(outcome, EntropyFault):
        return outcome.code, outcome.bit, outcome.tensor, outcome.message
    tensors = [
        (
            found.qp_coded,
            found.history_flag,
            None if found.row_skip is None else found.row_skip.tolist(),
            found.init_ids,
            found.quantized.dtype,
            found.quantized.shape,
            found.quantized.tobytes(),
            found.final_state,
            found.entry_points,
            found.first_bit,
            found.end_bit,
        )
        for found in outcome.tensors
    ]
    return tensors, outcome.end, outcome.notes


def alone(job: PayloadJob, compiled: bool = False) -> Outcome:
    try:
        return decode_payload(job.payload, job.codings, job.rules, compiled)
    except EntropyFault as fault:
        return fault


def assert_same(*jobs: PayloadJob) -> tuple[Outcome, ...]:
    found = decode_pair_of_payloads(*jobs)
    assert [comparable(outcome) for outcome in found] == [comparable(alone(job)) for job in jobs]
    return found


def job_of(levels: list[int], **more: Any) -> PayloadJob:
    array = np.array(levels, np.int64)
    coding = replace(PLAIN, shape=(len(levels),), **more)
    payload, _ = encode(array, coding, PayloadRules())
    return PayloadJob(payload, [coding])


magnitudes = st.one_of(
    st.just(0), st.integers(-3, 3), st.integers(-3, 3), st.integers(-40, 40), st.integers(1 - 2**30, 2**30 - 1)
)
few = st.lists(magnitudes, min_size=1, max_size=150)


@needs_numba
@settings(max_examples=200, deadline=None)
@given(few, few, st.sampled_from([1, 2, 11, 64]), st.booleans(), st.sampled_from([11, 11, 2]))
def test_any_two_tensors_decode_as_each_alone(
    left: list[int], right: list[int], unary_length: int, dq: bool, other: int
) -> None:
    first = job_of(left, dq=dq, unary_length=unary_length)
    second = job_of(right, dq=dq, unary_length=unary_length if other == 11 else other)
    for outcome in assert_same(first, second):
        assert isinstance(outcome, PayloadResult)


@needs_numba
@settings(max_examples=300, deadline=None)
@given(
    st.binary(max_size=300) | st.integers(0, 300).map(bytes),
    st.binary(max_size=300) | st.integers(0, 300).map(bytes),
    st.integers(1, 3000),
    st.integers(1, 3000),
    st.sampled_from([1, 2, 11]),
    st.booleans(),
)
def test_any_bytes_end_as_each_alone(
    left: bytes, right: bytes, length: int, other: int, unary_length: int, dq: bool
) -> None:
    codings = [replace(PLAIN, shape=(size,), unary_length=unary_length, dq=dq) for size in (length, other)]
    assert_same(PayloadJob(left, codings[:1]), PayloadJob(right, codings[1:]))


@needs_numba
@settings(max_examples=200, deadline=None)
@given(
    st.tuples(st.binary(max_size=200), st.binary(max_size=200)),
    st.tuples(*[st.lists(tensor_codings(), min_size=0, max_size=3)] * 2),
)
def test_tensors_that_cannot_share_a_loop_decode_as_each_alone(
    payloads: tuple[bytes, bytes], codings: tuple[list[TensorCoding], list[TensorCoding]]
) -> None:
    assert_same(*(PayloadJob(*both) for both in zip(payloads, codings, strict=True)))


@needs_numba
@pytest.mark.parametrize("name", files.VALID)
def test_a_vector_decodes_beside_another_and_beside_damage(name: str) -> None:
    rng = random.Random(name)
    vectors = [files.load(other) for other in (name, rng.choice(files.VALID))]
    jobs = [PayloadJob(files.payload(one), files.codings(one), files.rules(one)) for one in vectors]
    for outcome in assert_same(*jobs):
        assert isinstance(outcome, PayloadResult)
    assert_same(jobs[0], jobs[0])
    for _ in range(10):
        flipped = bytearray(jobs[0].payload)
        flipped[rng.randrange(len(flipped))] ^= 1 << rng.randrange(8)
        damaged = PayloadJob(bytes(flipped), jobs[0].codings, jobs[0].rules)
        truncated = PayloadJob(flipped[: rng.randrange(len(flipped))], jobs[0].codings, jobs[0].rules)
        assert_same(jobs[0], damaged)
        assert_same(truncated, damaged)


@needs_numba
@pytest.mark.parametrize("dq", [False, True])
@pytest.mark.parametrize("scale", [0.3, 1, 4, 30])
def test_long_tensors_of_unequal_lengths_decode_as_each_alone(scale: float, dq: bool) -> None:
    rng = np.random.default_rng(7)
    left, right = (np.round(rng.laplace(0, scale, count)).astype(int).tolist() for count in (9_000, 13_001))
    long, short = job_of(left, dq=dq), job_of(right, dq=dq)
    for pair in ((long, short), (short, long), (long, job_of([1], dq=dq))):
        for outcome in assert_same(*pair):
            assert isinstance(outcome, PayloadResult)


@needs_numba
def test_large_levels_and_faults_of_one_tensor_leave_the_other_alone() -> None:
    good = job_of([1, 0, -2, 5, 0, 0, 40, -1] * 700, dq=True)
    large = job_of([0, 2**30 + 1, -3, 1 - 2**30], dq=False)
    for level, code in ((2**31, "level_overflow"), (2**30 + 5, None), (3 * 2**30, "prefix_overflow")):
        other = job_of([3, level, 1], dq=False)
        found = assert_same(large, other)
        assert (found[1].code if isinstance(found[1], EntropyFault) else None) == code
    broken = job_of([3, 2**30 + 1, 1] * 900, dq=True)
    for pair in ((good, broken), (broken, good)):
        codes = [outcome.code if isinstance(outcome, EntropyFault) else None for outcome in assert_same(*pair)]
        assert sorted(codes, key=str) == [None, "quantized_parameter_overflow"]


@needs_numba
def test_several_payloads_keep_their_order() -> None:
    rng = np.random.default_rng(3)
    jobs = [
        job_of(np.round(rng.laplace(0, 1, 40 + 7 * index)).astype(int).tolist(), dq=index % 3 == 0)
        for index in range(7)
    ]
    jobs.insert(2, PayloadJob(b"", [PLAIN]))
    jobs.append(PayloadJob(bytes(9), []))
    expected = [comparable(alone(job)) for job in jobs]
    for paired in (True, False, None):
        assert [comparable(outcome) for outcome in decode_payloads(jobs, paired=paired)] == expected


def test_one_payload_or_none_has_no_partner() -> None:
    assert decode_payloads([]) == ()
    job = job_of([1, 2, 3])
    assert [comparable(outcome) for outcome in decode_payloads([job])] == [comparable(alone(job))]


@needs_numba
def test_partners_are_coded_alike_and_cost_few_bits_for_each_weight() -> None:
    bound_compiled("decode_pair")

    def job(bits: float, weights: int = 100_000, **more: Any) -> PayloadJob:
        return PayloadJob(bytes(int(bits * weights / 8)), [replace(PLAIN, shape=(weights,), **more)])

    assert list(partners([job(2), job(2.5)])) == [(0, 1)]
    assert list(partners([job(2), job(6), job(2, 300_000), job(2, 200_000)])) == [(2, 3)]
    assert list(partners([job(6), job(6)])) == []
    assert list(partners([job(0.2), job(0.2)])) == []
    assert list(partners([job(2, 100), job(2, 100)])) == []
    assert list(partners([job(2), job(2, dq=True), job(2, unary_length=5)])) == []
    assert list(partners([job(2, codebook_size=9, codebook_zero=4)] * 2)) == []
    assert list(partners([job(6), job(6)], paired=True)) == [(0, 1)]
    assert list(partners([job(2), job(2)], paired=False)) == []


def test_without_compiled_code_there_are_no_pairs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NNR_PURE", "1")
    job = job_of([1, 2, 3])
    assert list(partners([job, job])) == []
    with pytest.raises(UsageError):
        decode_payloads([job, job], paired=True)


@needs_numba
def test_the_loop_for_pairs_does_not_count_references() -> None:
    (assembly,) = compile_loop("decode_pair", entrance=True).inspect_asm().values()
    assert "decode_pair" in assembly
    assert "NRT_incref" not in assembly


@needs_numba
def test_a_run_keeps_what_came_before_its_fault() -> None:
    levels = np.array([[1, 0, -2], [3, 0, 0]])
    plans = [TensorPlan(levels.astype(np.int32), unary_length=11)] * 2
    data = write_payload(plans).data
    codings = [replace(PLAIN, shape=levels.shape)] * 2
    runs = [PayloadRun(PayloadJob(payload, codings)) for payload in (data, data + b"\x00", data[:-4])]
    run_together(runs[0], runs[1])
    run_together(runs[2], PayloadRun(PayloadJob(b"", codings)))
    assert [len(run.tensors) for run in runs] == [2, 2, 1]
    assert [run.fault.code if run.fault else None for run in runs] == [None, "trailing_bytes", "payload_overrun"]
    assert all(np.array_equal(run.tensors[0].quantized, levels) for run in runs)
