"""Plain payloads, many in one call of the compiled loop: what comes out is what each gives alone, bit by bit."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nnr_conformance.entropy import (
    EntropyFault,
    PayloadDecoder,
    PayloadResult,
    PayloadRules,
    compiled_available,
    payload_loop,
    together,
)
from nnr_conformance.entropy.together import PayloadJob, decode_payload, decode_plain, is_plain
from nnr_conformance.limits import Limits

from . import vector_files as files
from .test_pairs import PLAIN, comparable, job_of
from .test_round_trip import encode

pytestmark = pytest.mark.skipif(not compiled_available(), reason="numba is not installed")


def one_by_one(job: PayloadJob) -> PayloadResult | EntropyFault:
    """By the interpreted loops, tensor after tensor."""
    try:
        decoder = PayloadDecoder(job.payload, job.rules, compiled=False, limits=job.limits)
        tensors = tuple(decoder.decode_tensor(coding) for coding in job.codings)
        return PayloadResult(tensors, decoder.finish(), tuple(decoder.notes))
    except EntropyFault as fault:
        return fault


def by_any_way(job: PayloadJob) -> PayloadResult | EntropyFault:
    try:
        return decode_payload(job.payload, job.codings, job.rules, True, job.limits)
    except EntropyFault as fault:
        return fault


def assert_same(jobs: list[PayloadJob]) -> list[PayloadResult | None]:
    """All that are plain, in one call; what the loop leaves has a fault or skipped rows."""
    plain = [job for job in jobs if is_plain(job)]
    found = decode_plain(plain) if plain else []
    for job, result in zip(plain, found, strict=True):
        alone = one_by_one(job)
        if result is not None:
            assert comparable(result) == comparable(alone)
        else:
            assert isinstance(alone, EntropyFault) or alone.tensors[0].row_skip is not None
        assert comparable(by_any_way(job)) == comparable(alone)
    return found


magnitudes = st.one_of(
    st.just(0), st.integers(-3, 3), st.integers(-3, 3), st.integers(-40, 40), st.integers(1 - 2**30, 2**30 - 1)
)
tensors = st.tuples(st.lists(magnitudes, min_size=1, max_size=120), st.sampled_from([1, 2, 11, 64]), st.booleans())


@settings(max_examples=150, deadline=None)
@given(st.lists(tensors, min_size=1, max_size=8))
def test_any_tensors_decode_as_each_alone(several: list[tuple[list[int], int, bool]]) -> None:
    jobs = [job_of(levels, unary_length=unary, dq=dq) for levels, unary, dq in several]
    assert all(is_plain(job) for job in jobs)
    assert None not in assert_same(jobs)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.binary(max_size=200) | st.integers(0, 200).map(bytes), min_size=1, max_size=5),
    st.tuples(st.integers(1, 60), st.integers(1, 60)),
    st.sampled_from([1, 2, 11]),
    st.booleans(),
    st.sampled_from([1, 2]),
)
def test_any_bytes_end_as_each_alone(
    payloads: list[bytes], shape: tuple[int, int], unary_length: int, dq: bool, edition: int
) -> None:
    coding = replace(PLAIN, shape=shape, unary_length=unary_length, dq=dq, edition=edition, qp_bits=8)
    assert_same([PayloadJob(payload, [coding]) for payload in payloads])


@pytest.mark.parametrize("name", files.VALID)
def test_a_vector_decodes_beside_its_damaged_copies(name: str) -> None:
    rng = random.Random(name)
    vector = files.load(name)
    sound = PayloadJob(files.payload(vector), files.codings(vector), files.rules(vector))
    jobs = [sound]
    for _ in range(10):
        flipped = bytearray(sound.payload)
        flipped[rng.randrange(len(flipped))] ^= 1 << rng.randrange(8)
        jobs.append(replace(sound, payload=bytes(flipped)))
        jobs.append(replace(sound, payload=flipped[: rng.randrange(len(flipped))]))
    assert_same([*jobs, replace(sound, payload=bytes(sound.payload) + b"\x00"), sound])


def test_what_lies_behind_a_payload_is_not_read_as_a_part_of_it() -> None:
    job = job_of([3, -1, 0, 0, 7] * 40)
    cut = replace(job, payload=bytes(job.payload)[:-3])
    assert comparable(one_by_one(cut)) == comparable(by_any_way(cut))
    assert decode_plain([cut, job])[0] is None
    assert decode_plain([job, cut, job])[2] is not None


@pytest.mark.parametrize("bit", range(3))
def test_an_end_that_is_not_as_it_should_be_is_left_to_the_decoder_that_says_why(bit: int) -> None:
    job = job_of([1, 0, -2, 5] * 9)
    data = bytes(job.payload)
    wrong = (data[:-1] + bytes([data[-1] ^ (data[-1] & -data[-1])]), data + b"\x00", data[:-1] + bytes([data[-1] | 1]))
    found = replace(job, payload=wrong[bit])
    outcome = by_any_way(found)
    assert comparable(outcome) == comparable(one_by_one(found))
    assert (decode_plain([found])[0] is None) == isinstance(outcome, EntropyFault)


def test_what_a_payload_must_not_have_to_be_plain() -> None:
    job = job_of([1, 2, 3, 4])
    coding = job.codings[0]
    square = replace(coding, shape=(2, 2))
    assert is_plain(job)
    assert is_plain(replace(job, codings=[square]))
    assert not is_plain(replace(job, codings=[coding, coding]))
    assert not is_plain(replace(job, codings=[]))
    assert not is_plain(replace(job, payload=b"\x00"))
    assert not is_plain(replace(job, limits=Limits(tensor_elements=3)))
    levels = np.zeros(4, np.int32)
    for other in (
        replace(coding, parent_present=True),
        replace(coding, codebook_size=3),
        replace(coding, base=levels),
        replace(coding, entry_points=()),
        replace(square, scan_order=1),
        replace(coding, shape=(0,)),
    ):
        assert not is_plain(replace(job, codings=[other])), other


def test_the_loop_runs_as_plain_python_too() -> None:
    levels = [5, 0, 0, -1, 2, 0, 1, 1]
    coding = replace(PLAIN, shape=(2, 4), dq=True)
    payload, _ = encode(np.array(levels, np.int64), coding, PayloadRules())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(together, "bound_compiled", lambda name: as_lists)

        def as_lists(*arguments: Any) -> None:
            lists = [one.tolist() for one in arguments]
            payload_loop.decode_payloads(*lists)
            for array, values in zip(arguments, lists, strict=True):
                if array.flags.writeable:
                    array[:] = values

        interpreted = decode_plain([PayloadJob(payload, [coding])])
    assert interpreted[0] is not None
    assert comparable(interpreted[0]) == comparable(one_by_one(PayloadJob(payload, [coding])))
