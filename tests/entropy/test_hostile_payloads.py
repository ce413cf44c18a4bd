"""Payloads and parameters that nobody should send: bounded work, and always a fault of this package."""

from __future__ import annotations

import pickle
import time
from dataclasses import replace

import numpy as np
import pytest

from nnr_conformance.entropy import EntropyFault, PayloadDecoder, PayloadRules, TensorCoding, check_capacity
from nnr_conformance.entropy import decode_payload as decode
from nnr_conformance.errors import UsageError
from nnr_conformance.limits import Limits

PLAIN = TensorCoding(shape=(4, 5), unary_length=11, dq=False, scan_order=0, edition=1, qp_bits=0)
SHORT = bytes([0x12, 0x34, 0x56, 0x78] * 4)


def fault_of(coding: TensorCoding, payload: bytes = SHORT, limits: Limits = Limits(), **more: object) -> EntropyFault:  # noqa: B008 -- frozen
    with pytest.raises(EntropyFault) as caught:
        decode(payload, [coding], limits=limits, **more)  # type: ignore[arg-type]
    return caught.value


@pytest.mark.parametrize("shape", [(), (0,), (3, 0), (-1, 4)])
def test_dimensions_that_no_tensor_has_are_refused(shape: tuple[int, ...]) -> None:
    assert fault_of(replace(PLAIN, shape=shape)).code == "dims_invalid"


@pytest.mark.parametrize("shape", [(1 << 16, 1 << 16), (1 << 31,), (2, 1 << 30)])
def test_more_elements_than_31_bits_count_are_refused(shape: tuple[int, ...]) -> None:
    assert fault_of(replace(PLAIN, shape=shape)).code == "elements_overflow"


@pytest.mark.parametrize("scan_order", [-1, 5, 7])
def test_a_scan_order_above_four_is_refused(scan_order: int) -> None:
    assert fault_of(replace(PLAIN, scan_order=scan_order)).code == "scan_order_invalid"


@pytest.mark.parametrize(("size", "zero"), [(-1, 0), (3, 3), (3, -1)])
def test_a_codebook_without_its_zero_is_refused(size: int, zero: int) -> None:
    assert fault_of(replace(PLAIN, codebook_size=size, codebook_zero=zero)).code == "codebook_invalid"


def test_base_and_history_of_another_shape_are_refused() -> None:
    assert fault_of(replace(PLAIN, base=np.zeros((5, 4), np.int32))).code == "base_shape"
    assert fault_of(replace(PLAIN, history=np.zeros(20, np.int8))).code == "history_shape"


@pytest.mark.parametrize("more", [{"unary_length": 0}, {"unary_length": 257}, {"edition": 3}, {"qp_bits": 14}])
def test_parameters_that_no_header_expresses_are_a_usage_error(more: dict[str, int]) -> None:
    with pytest.raises(UsageError):
        decode(SHORT, [replace(PLAIN, **more)])


def test_more_weights_than_a_payload_carries_are_refused_before_memory_is_taken() -> None:
    limits = Limits(free_elements=100)
    assert fault_of(replace(PLAIN, shape=(2**31 - 1,)), limits=limits).code == "dims_exceed_payload"
    assert fault_of(replace(PLAIN, shape=(800 * len(SHORT) + 101,)), limits=limits).code == "dims_exceed_payload"
    check_capacity(replace(PLAIN, shape=(800 * len(SHORT) + 100,)), len(SHORT), limits, 0, 0)


def test_weights_that_cost_nothing_are_a_limit_and_not_an_error_of_the_stream() -> None:
    limits = Limits(free_elements=100)
    for coding in (
        replace(PLAIN, shape=(1 << 12, 1 << 12), edition=2),
        replace(PLAIN, shape=(1 << 24,), edition=2, codebook_size=1),
    ):
        assert fault_of(coding, limits=limits).code == "limit_elements"
    assert fault_of(PLAIN, limits=Limits(tensor_elements=19)).code == "limit_elements"


@pytest.mark.parametrize("shape", [(1, 1 << 23), (1 << 23,), (2, 1 << 22), (1 << 22, 2)])
def test_a_payload_that_ended_is_noticed_inside_a_wide_row(shape: tuple[int, ...], compiled: bool) -> None:
    started = time.process_time()
    fault = fault_of(replace(PLAIN, shape=shape), bytes(16), compiled=compiled)
    assert fault.code == "payload_overrun"
    assert fault.bit == 128
    # All 8 million weights would take seconds, interpreted; loading compiled code may take 3.
    assert compiled or time.process_time() - started < 0.5


def test_row_skip_flags_beyond_the_payload_are_noticed(compiled: bool) -> None:
    started = time.process_time()
    coding = replace(PLAIN, shape=(1 << 22, 2), edition=2)
    assert fault_of(coding, bytes([0xAA] * 8), compiled=compiled).code == "payload_overrun"
    assert time.process_time() - started < 0.5


def test_a_header_that_ends_beyond_the_payload_is_noticed(compiled: bool) -> None:
    # One entry in the codebook: after 9 + 13 bits nothing more is read.
    coding = replace(PLAIN, shape=(2,), edition=2, qp_bits=13, codebook_size=1)
    assert fault_of(coding, bytes(2), compiled=compiled).code == "payload_overrun"
    assert fault_of(coding, bytes(3), compiled=compiled).code == "terminate_missing"


def test_a_fault_in_bits_after_the_end_is_an_overrun(compiled: bool) -> None:
    rng = np.random.default_rng(3)
    codes = set()
    for _ in range(200):
        data = bytes(rng.integers(0, 255, 12, np.uint8))
        coding = replace(PLAIN, shape=(600,), unary_length=1, codebook_size=3, codebook_zero=1)
        with pytest.raises(EntropyFault) as caught:
            decode(data, [coding], compiled=compiled)
        assert caught.value.bit <= 8 * len(data)
        codes.add(caught.value.code)
    assert codes == {"payload_overrun", "level_out_of_codebook"}


def test_a_codebook_of_one_entry_takes_no_bins_and_no_time(compiled: bool) -> None:
    coding = replace(PLAIN, shape=(1 << 22, 4), edition=2, codebook_size=1, scan_order=0)
    decoder = PayloadDecoder(SHORT, compiled=compiled)
    assert not decoder.decode_tensor(coding).quantized.any()
    assert decoder.bits_read == 9


@pytest.mark.parametrize(("payload", "code"), [(b"", "payload_too_short"), (b"\x00", "payload_overrun")])
def test_a_payload_below_two_bytes_is_refused(payload: bytes, code: str) -> None:
    with pytest.raises(EntropyFault) as caught:
        PayloadDecoder(payload)
    assert caught.value.code == code


def test_an_initial_offset_of_510_is_out_of_range() -> None:
    with pytest.raises(EntropyFault) as caught:
        PayloadDecoder(b"\xff\x00")
    assert caught.value.code == "init_offset_out_of_range"
    PayloadDecoder(b"\xfe\xff")


def test_a_fault_travels_between_processes() -> None:
    fault = fault_of(replace(PLAIN, scan_order=5))
    copy = pickle.loads(pickle.dumps(fault))
    assert (copy.code, copy.bit, copy.tensor, str(copy)) == (fault.code, fault.bit, fault.tensor, fault.message)


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_any_buffer_is_a_payload(kind: type, compiled: bool) -> None:
    data = bytes.fromhex("eba100173e")
    coding = replace(PLAIN, shape=(1,), qp_bits=8)
    result = decode(kind(data), [coding], PayloadRules(), compiled)
    assert (result.tensors[0].qp_coded, result.tensors[0].quantized.tolist()) == (-20, [3])
