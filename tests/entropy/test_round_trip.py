"""Tensors written by the reference encoder: what the vectors do not have, above all the readings."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from nnr_conformance.entropy import (
    EntropyFault,
    PayloadRules,
    TensorCoding,
    TensorResult,
    compiled_available,
    decode_payload,
)
from nnr_conformance.entropy.entry_points import restarts
from nnr_conformance.entropy.scan import block_shape, segments

from .reference_encoder import BinEncoder, TensorEncoder


def coding_of(levels: NDArray[np.int64], **more: object) -> TensorCoding:
    parameters: dict[str, object] = {"unary_length": 11, "dq": False, "scan_order": 0, "edition": 2, "qp_bits": 0}
    return TensorCoding(shape=levels.shape, **(parameters | more))  # type: ignore[arg-type]


def encode(
    levels: NDArray[np.int64], coding: TensorCoding, rules: PayloadRules, skip: list[int] | None = None
) -> tuple[bytes, list[int]]:
    """The payload of one tensor, and its quantized parameters row-major."""
    encoder = BinEncoder()
    bound = coding.codebook_zero if coding.bound_size else None
    tensor = TensorEncoder(encoder, coding.unary_length, coding.dq, rules.prefix_ids, bound)
    if coding.two_dimensional_tools:
        tensor.row_skip(skip)
    tensor.init_ids()
    flat, parameters = levels.reshape(-1).tolist(), [0] * levels.size
    height, width = coding.height, coding.width
    top = -1
    for first, length in segments(height, width, coding.scan_order):
        row = first // width
        block_row = row // block_shape(height, width, coding.scan_order)[0]
        if restarts(coding, rules) and block_row != top:
            tensor.block_row()
        top = block_row
        if skip is not None and skip[row]:
            tensor.skip(width if rules.skip_advances_row_width else length)
            tensor.neighbour = 0 if rules.skip_resets_neighbour else tensor.neighbour
            continue
        for at in range(first, first + length):
            parameters[at] = tensor.parameter(flat[at])
            tensor.level(flat[at])
    return encoder.finish(), parameters


def decode(payload: bytes, coding: TensorCoding, rules: PayloadRules, compiled: bool) -> TensorResult:
    return decode_payload(payload, [coding], rules, compiled).tensors[0]


magnitudes = st.one_of(st.just(0), st.integers(-3, 3), st.integers(-40, 40), st.integers(1 - 2**30, 2**30 - 1))


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_any_levels_scan_and_rules_round_trip(data: st.DataObject) -> None:
    height, width = data.draw(st.integers(1, 20)), data.draw(st.integers(1, 20))
    levels = np.array(data.draw(st.lists(magnitudes, min_size=height * width, max_size=height * width)), np.int64)
    levels = levels.reshape(height, width)
    rules = PayloadRules(*data.draw(st.tuples(st.sampled_from([31, 32]), *[st.booleans()] * 3)))
    coding = coding_of(
        levels,
        dq=data.draw(st.booleans()),
        unary_length=data.draw(st.sampled_from([1, 2, 11, 256])),
        scan_order=data.draw(st.integers(0, 4)),
        edition=data.draw(st.sampled_from([1, 2])),
    )
    skip = None
    if coding.two_dimensional_tools and data.draw(st.booleans()):
        skip = data.draw(st.lists(st.integers(0, 1), min_size=height, max_size=height))
        levels[np.array(skip) == 1] = 0
    payload, parameters = encode(levels, coding, rules, skip)
    found = decode(payload, coding, rules, compiled=False)
    assert found.quantized.reshape(-1).tolist() == parameters


@pytest.mark.parametrize("unary_length", [1, 2, 5, 11])
@pytest.mark.parametrize("bound", [1, 2, 3, 4, 5, 6, 8, 9, 12, 13, 20, 40, 127])
def test_every_level_of_a_codebook_round_trips(bound: int, unary_length: int) -> None:
    levels = np.arange(-bound, bound + 1)
    coding = coding_of(levels, unary_length=unary_length, codebook_size=2 * bound + 1, codebook_zero=bound)
    payload, parameters = encode(levels, coding, PayloadRules())
    for compiled in (False, True) if compiled_available() else (False,):
        assert decode(payload, coding, PayloadRules(), compiled).quantized.tolist() == parameters


def skipping(rules: PayloadRules, width: int, scan_order: int = 1) -> tuple[bytes, TensorCoding, list[int]]:
    levels = np.arange(5 * width).reshape(5, width) % 7 - 3
    skip = [0, 1, 0, 1, 0]
    levels[[1, 3]] = 0
    coding = coding_of(levels, dq=True, scan_order=scan_order)
    payload, parameters = encode(levels, coding, rules, skip)
    return payload, coding, parameters


@pytest.mark.parametrize("width", [13, 14, 15, 18])
@pytest.mark.parametrize("row_width", [True, False])
def test_the_state_moves_over_a_skipped_row_as_the_reading_says(row_width: bool, width: int, compiled: bool) -> None:
    rules, other = (PayloadRules(skip_advances_row_width=choice) for choice in (row_width, not row_width))
    payload, coding, parameters = skipping(rules, width)
    assert decode(payload, coding, rules, compiled).quantized.reshape(-1).tolist() == parameters
    try:
        wrong = decode(payload, coding, other, compiled).quantized.reshape(-1).tolist()
    except EntropyFault:
        return
    assert wrong != parameters


def test_both_readings_of_the_state_agree_without_blocks(compiled: bool) -> None:
    payload, coding, parameters = skipping(PayloadRules(), width=13, scan_order=0)
    for row_width in (True, False):
        rules = PayloadRules(skip_advances_row_width=row_width)
        assert decode(payload, coding, rules, compiled).quantized.reshape(-1).tolist() == parameters


@pytest.mark.parametrize("resets", [True, False])
def test_the_neighbour_after_a_skipped_row_is_as_the_reading_says(resets: bool, compiled: bool) -> None:
    rules, other = (PayloadRules(skip_resets_neighbour=choice) for choice in (resets, not resets))
    payload, coding, parameters = skipping(rules, width=12)
    assert decode(payload, coding, rules, compiled).quantized.reshape(-1).tolist() == parameters
    try:
        wrong = decode(payload, coding, other, compiled)
    except EntropyFault:
        return
    assert wrong.quantized.reshape(-1).tolist() != parameters


def fault_of(levels: list[int], compiled: bool, **more: object) -> EntropyFault:
    array = np.array(levels, np.int64)
    coding = coding_of(array, **more)
    payload, _ = encode(array, coding, PayloadRules())
    with pytest.raises(EntropyFault) as caught:
        decode(payload, coding, PayloadRules(), compiled)
    return caught.value


def test_the_extreme_levels_fit(compiled: bool) -> None:
    levels = np.array([2**31 - 1, -(2**31), 0, 1])
    coding = coding_of(levels)
    payload, parameters = encode(levels, coding, PayloadRules())
    assert decode(payload, coding, PayloadRules(), compiled).quantized.tolist() == parameters


@pytest.mark.parametrize("level", [2**31, -(2**31) - 1])
def test_a_level_beyond_32_bits_is_an_overflow(level: int, compiled: bool) -> None:
    fault = fault_of([5, level, 1, 1, 1], compiled)
    assert fault.code == "level_overflow"
    assert "at weight 1 of tensor 0" in fault.message


def test_a_quantized_parameter_beyond_32_bits_is_an_overflow(compiled: bool) -> None:
    assert fault_of([2**30, 1, 1], compiled, dq=True).code == "quantized_parameter_overflow"
    assert fault_of([-(2**30) - 1, 1, 1], compiled, dq=True).code == "quantized_parameter_overflow"
    assert fault_of([2**31, 1, 1], compiled, dq=True).code == "level_overflow"


@pytest.mark.parametrize("level", [2**31 + 1, 3 * 2**30, -(2**32 - 5)])
def test_31_ones_are_a_prefix_overflow(level: int, compiled: bool) -> None:
    fault = fault_of([0, 0, level, 1, 1], compiled, unary_length=1)
    assert fault.code == "prefix_overflow"
    assert "at weight 2 of tensor 0" in fault.message


def test_an_edition_1_level_outside_the_codebook_is_a_fault(compiled: bool) -> None:
    for level in (-3, 8):
        fault = fault_of([1, -2, 7, level, 1, 1], compiled, edition=1, codebook_size=10, codebook_zero=2)
        assert fault.code == "level_out_of_codebook"
        assert "at weight 3 of tensor 0" in fault.message
