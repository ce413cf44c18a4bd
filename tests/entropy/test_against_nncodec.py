"""Random payloads by NNCodec's own encoder, with every tool, decode here to the integers that went in."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest
from numpy.typing import NDArray

from nnr_conformance.entropy import EntropyFault, PayloadResult, TensorCoding, compiled_available, decode_payload
from nnr_conformance.entropy.scan import segments
from nnr_conformance.entropy.tables import tables

cabac = pytest.importorskip("nncodec.extensions.deepCABAC", reason="NNCodec is not installed")
pytestmark = pytest.mark.interop

SHAPES = [(1,), (40,), (1, 17), (17, 1), (9, 13), (8, 24), (20, 3, 2), (33, 40), (70, 66), (3, 2, 5, 2)]


@dataclass(frozen=True)
class Job:
    """One tensor and all that its payload says."""

    coding: TensorCoding
    quantized: NDArray[np.int32]
    qp: int
    skip: NDArray[np.int32] | None
    history_flag: bool


def random_job(rng: np.random.Generator) -> Job:
    shape = SHAPES[rng.integers(len(SHAPES))]
    edition = int(rng.integers(1, 3))
    size = int(rng.choice([0, 0, 0, 1, 2, 3, 17, 300])) if edition == 2 else 0
    temporal = edition == 2 and rng.random() < 0.4
    parent = temporal or (edition == 2 and rng.random() < 0.4)
    coding = TensorCoding(
        shape=shape,
        unary_length=int(rng.choice([1, 2, 3, 10, 11, 20, 256])),
        dq=bool(size == 0 and rng.random() < 0.5),
        scan_order=int(rng.integers(0, 5)),
        edition=edition,
        qp_bits=int(rng.integers(6, 14)),
        parent_present=parent,
        codebook_size=size,
        codebook_zero=int(rng.integers(size)) if size else 0,
        base=rng.integers(-4, 5, shape).astype(np.int32) * rng.integers(0, 2, shape, np.int32) if temporal else None,
        history=rng.integers(0, 2, shape).astype(np.int8) if parent else None,
    )
    levels = random_levels(rng, coding)
    skip = None
    if coding.two_dimensional_tools and rng.random() < 0.5:
        levels[rng.random(shape[0]) < 0.4] = 0
        skip = (~levels.reshape(shape[0], -1).any(axis=1)).astype(np.int32)
    qp = int(rng.integers(-(1 << (coding.qp_bits - 1)), 1 << (coding.qp_bits - 1)))
    history_flag = bool(coding.two_dimensional_tools and parent and rng.random() < 0.6)
    return Job(coding, quantize(levels, coding, skip), qp, skip, history_flag)


def random_levels(rng: np.random.Generator, coding: TensorCoding) -> NDArray[np.int64]:
    scale = float(rng.choice([0.2, 1, 8, 300, 2e6]))
    levels = np.round(rng.laplace(0, scale, coding.shape)).astype(np.int64)
    levels[rng.random(coding.shape) < rng.random() ** 2] = 0
    if coding.codebook_size:
        return np.clip(levels, -coding.codebook_zero, coding.codebook_size - 1 - coding.codebook_zero)
    return levels


def quantize(levels: NDArray[np.int64], coding: TensorCoding, skip: NDArray[np.int32] | None) -> NDArray[np.int32]:
    """The parameters that these levels stand for, with the trellis as NNCodec's coder moves it."""
    if not coding.dq:
        return levels.astype(np.int32)
    flat = levels.reshape(-1).copy()
    state, following = 0, tables().next_state
    for first, length in segments(coding.height, coding.width, coding.scan_order):
        skipped = skip is not None and skip[first // coding.width]
        for at in [first] * coding.width if skipped else range(first, first + length):
            level = int(flat[at])
            flat[at] = 2 * level - int(np.sign(level)) * (state & 1)
            state = following[2 * state + (level & 1)]
    return flat.reshape(coding.shape).astype(np.int32)


def encode(jobs: list[Job], optimize: bool) -> bytes:
    encoder = cabac.Encoder()
    for job in jobs:
        coding = job.coding
        encoder.iae_v(coding.qp_bits, job.qp)
        encoder.initCtxModels(coding.unary_length, int(optimize))
        mode = cabac.HdspMode.AlwaysOff
        if coding.parent_present:
            mode = cabac.HdspMode.TensorOn if job.history_flag else cabac.HdspMode.TensorOff
        skip = np.zeros(coding.height, np.int32) if job.skip is None else job.skip
        history = np.zeros(coding.elements, np.int8) if coding.history is None else coding.history.reshape(-1)
        flags = int(coding.dq), coding.scan_order, coding.edition - 1, int(coding.parent_present)
        tools = int(job.skip is not None), skip, mode, history, coding.codebook_size, coding.codebook_zero
        if coding.base is None:
            encoder.encodeLayer(job.quantized, *flags, *tools)
        else:
            encoder.encodeLayer2(job.quantized, coding.base, *flags, *tools)
    return bytes(encoder.finish())


def check(jobs: list[Job], result: PayloadResult) -> None:
    for job, found in zip(jobs, result.tensors, strict=True):
        assert np.array_equal(found.quantized, job.quantized)
        assert found.qp_coded == job.qp
        assert found.history_flag == job.history_flag
        assert (found.row_skip is None) == (job.skip is None)
        assert job.skip is None or found.row_skip is None or np.array_equal(found.row_skip, job.skip)


@pytest.mark.parametrize("seed", range(400))
def test_a_random_payload_decodes_to_what_was_encoded(seed: int) -> None:
    rng = np.random.default_rng(seed)
    jobs = [random_job(rng) for _ in range(rng.integers(1, 4))]
    payload = encode(jobs, bool(rng.integers(2)))
    codings = [job.coding for job in jobs]
    check(jobs, decode_payload(payload, codings, compiled=compiled_available()))
    if seed % 10 == 0:
        check(jobs, decode_payload(payload, codings, compiled=False))


def test_entry_points_equal_those_of_nncodec() -> None:
    compared = 0
    for seed in range(60):
        rng = np.random.default_rng(1000 + seed)
        job = random_job(rng)
        coding = replace(job.coding, base=None, history=None, parent_present=False)
        job = replace(job, coding=coding, history_flag=False)
        payload = encode([job], optimize=True)
        found = decode_payload(payload, [coding], compiled=compiled_available()).tensors[0].entry_points
        if not found:
            continue
        decoder = cabac.Decoder()
        decoder.setStream(np.frombuffer(payload + bytes(8), np.uint8))
        decoder.iae_v(coding.qp_bits)
        decoder.initCtxModels(coding.unary_length)
        packed = decoder.decodeLayerAndCreateEPs(
            np.zeros(coding.shape, np.int32),
            int(coding.dq),
            coding.scan_order,
            coding.edition - 1,
            0,
            cabac.HdspMode.AlwaysOff,
            np.zeros(1, np.int8),
            coding.codebook_size,
            coding.codebook_zero,
        )
        theirs = [(int(point) >> 3 & 255, int(point) & 7, int(point) >> 11) for point in packed]
        assert [(point.value, point.dq_state, point.bit_offset) for point in found] == theirs
        compared += 1
    assert compared >= 10


def test_a_damaged_payload_never_decodes_to_the_end_unnoticed() -> None:
    # One flip in about 2000 is not noticeable: there is no checksum.
    unnoticed = 0
    for seed in range(300):
        rng = np.random.default_rng(5000 + seed)
        job = random_job(rng)
        payload = bytearray(encode([job], optimize=False))
        payload[rng.integers(len(payload))] ^= 1 << int(rng.integers(8))
        try:
            decode_payload(payload, [job.coding], compiled=compiled_available())
            unnoticed += 1
        except EntropyFault:
            pass
    assert unnoticed <= 3
