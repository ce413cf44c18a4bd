"""Step sizes, uniform and codebook dequantization, raw floats."""

from __future__ import annotations

import ctypes
import json
import math
import tracemalloc
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from nnr_conformance.decoder.dequantization import (
    Codebook,
    check_qp,
    dequantize_codebook,
    dequantize_uniform,
    raw_floats,
    step_size,
)
from nnr_conformance.diagnostics import Findings, Severity
from nnr_conformance.errors import BitstreamError, UsageError
from nnr_conformance.readings import Readings

pytestmark = pytest.mark.filterwarnings("error")

VECTORS = sorted((Path(__file__).parents[1] / "entropy/vectors").glob("e[12]-*.json"))
INT32 = np.iinfo(np.int32)

densities = st.integers(0, 7)
quantization_parameters = st.integers(-(1 << 13), (1 << 13) - 1)
levels = st.integers(INT32.min, INT32.max) | st.integers(-300, 300) | st.integers(-(1 << 25), 1 << 25)


@st.composite
def usable_steps(draw: st.DrawFn) -> tuple[int, int]:
    """A QP whose step is a normal binary32 number, and its density."""
    density = draw(densities)
    return draw(st.integers(-126 << density, (128 << density) - 1)), density


def exact_step(qp: int, density: int) -> Fraction:
    k = 1 << density
    return Fraction(k + qp % k, k) * Fraction(2) ** (qp // k)


def to_binary32(value: Fraction) -> float:
    """Round to nearest even by integer arithmetic alone."""
    exponent = value.numerator.bit_length() - value.denominator.bit_length()
    exponent -= Fraction(2) ** exponent > value
    unit = Fraction(2) ** (max(-126, exponent) - 23)
    rounded = round(value / unit) * unit
    return math.inf if rounded >= Fraction(2) ** 128 else float(rounded)


def array(*values: int) -> np.ndarray[Any, np.dtype[np.int32]]:
    return np.array(values, np.int32)


def codes(findings: Findings) -> list[str]:
    return [diagnostic.code for diagnostic in findings]


def vector_tensors(*, codebook: bool) -> list[Any]:
    found = []
    for path in VECTORS:
        vector = json.loads(path.read_text())
        for number, tensor in enumerate(vector["tensors"] if vector["valid"] else []):
            if "values_f32_hex" in tensor["expected"] and (tensor["codebook"] is not None) is codebook:
                found.append(pytest.param(tensor, id=f"{path.stem}[{number}]"))
    return found


def hex_bits(words: list[str], dtype: type[np.unsignedinteger[Any]]) -> list[int]:
    return [int(dtype(int(word, 16))) for word in words]


# ---- step size


@given(quantization_parameters, densities)
def test_the_step_is_the_exact_product_rounded_once_to_binary32(qp: int, density: int) -> None:
    step = step_size(qp, density)
    assert isinstance(step, np.float32)
    assert float(step) == to_binary32(exact_step(qp, density))


@given(usable_steps())
def test_as_many_units_of_qp_as_the_density_says_double_the_step(usable: tuple[int, int]) -> None:
    qp, density = usable
    assert float(step_size(qp, density)) == 2 * float(step_size(qp - (1 << density), density)) or qp >> density == -126


@pytest.mark.parametrize(
    ("qp", "density", "step"),
    [(-20, 2, 0.03125), (-30, 2, 0.005859375), (-8, 2, 0.25), (-12, 2, 0.125), (0, 2, 1.0), (1, 2, 1.25), (-1, 0, 0.5)],
)
def test_the_step_of_common_quantization_parameters(qp: int, density: int, step: float) -> None:
    assert step_size(qp, density) == step


@pytest.mark.parametrize(
    ("qp", "density", "step"),
    [
        (127 * 4 + 3, 2, 1.75 * 2.0**127),
        (128 * 4, 2, math.inf),
        (4000, 0, math.inf),
        (-126 * 4, 2, 2.0**-126),
        (-149 * 4, 2, 2.0**-149),
        (-150 * 4, 2, 0.0),  # half of the smallest step: a tie, to even
        (-150 * 4 + 1, 2, 2.0**-149),
        (-151 * 4 + 3, 2, 0.0),
        (-8192, 0, 0.0),
    ],
)
def test_the_step_at_the_ends_of_binary32(qp: int, density: int, step: float) -> None:
    assert float(step_size(qp, density)) == step


def test_a_density_of_more_than_three_bits_is_refused() -> None:
    with pytest.raises(UsageError, match="qp_density"):
        step_size(0, 8)


@given(quantization_parameters, densities)
def test_a_qp_is_valid_exactly_when_its_step_is_a_normal_number(qp: int, density: int) -> None:
    findings = Findings()
    normal = bool(np.finfo(np.float32).tiny <= step_size(qp, density) < np.inf)
    check_qp(qp, density, findings=findings)
    assert codes(findings) == ([] if normal else ["qp_invalid"])


@pytest.mark.parametrize(("qp", "kind"), [(512, "infinite"), (-600, "zero"), (-505, "subnormal")])
def test_an_invalid_qp_is_reported_with_its_kind_and_its_place(qp: int, kind: str) -> None:
    findings = Findings(strict=True)
    check_qp(qp, 2, findings=findings, path="unit 3", bits=(40, 48))
    (found,) = findings
    assert (found.bits, found.path, found.severity) == ((40, 48), "unit 3", Severity.ERROR)
    assert kind in found.message


# ---- uniform


@pytest.mark.parametrize("tensor", vector_tensors(codebook=False))
def test_uniform_values_of_the_vectors_are_exact_to_the_bit(tensor: dict[str, Any]) -> None:
    quantized = np.array(tensor["expected"]["quant_param"], np.int32).reshape(tensor["shape"])
    qp = tensor["qp_base"] + tensor["qp_coded_value"]
    values = dequantize_uniform(quantized, qp, tensor["qp_density"], findings=Findings())
    assert values.shape == tuple(tensor["shape"])
    assert values.view(np.uint32).reshape(-1).tolist() == hex_bits(tensor["expected"]["values_f32_hex"], np.uint32)


def test_the_vectors_cover_uniform_and_codebook_dequantization() -> None:
    assert len(vector_tensors(codebook=False)) > 40
    assert len(vector_tensors(codebook=True)) > 10


@given(st.lists(levels, min_size=1, max_size=20), quantization_parameters, densities)
def test_level_and_product_are_each_rounded_once(values: list[int], qp: int, density: int) -> None:
    step = float(step_size(qp, density))
    found = dequantize_uniform(array(*values), qp, density, findings=Findings())
    for level, value in zip(values, found.tolist(), strict=True):
        # The product of two binary32 numbers is exact in binary64, so the conversion is the only rounding.
        expected = ctypes.c_float(step * ctypes.c_float(level).value).value
        assert value == expected or (math.isnan(value) and math.isnan(expected))
        if level == 0 and math.isfinite(step):
            assert math.copysign(1, value) == 1


def test_a_level_above_2_to_24_is_rounded_before_it_is_multiplied() -> None:
    level, qp, density = (1 << 24) + 1, 1, 2  # step 1.25
    value = float(dequantize_uniform(array(level), qp, density, findings=Findings())[0])
    assert value == 1.25 * (1 << 24)
    assert value != float(np.float32(1.25 * level))


def test_an_infinite_step_makes_infinities_and_turns_zero_into_nan() -> None:
    findings = Findings()
    values = dequantize_uniform(array(-1, 0, 7), 512, 2, findings=findings)
    assert values[0] == -np.inf
    assert np.isnan(values[1])
    assert values[2] == np.inf
    assert codes(findings) == ["value_overflow", "value_not_a_number"]


def test_a_zero_alone_under_an_infinite_step_is_no_number_and_no_overflow() -> None:
    findings = Findings()
    assert np.isnan(dequantize_uniform(array(0, 0), 512, 2, findings=findings)).all()
    assert codes(findings) == ["value_not_a_number"]


def test_a_zero_step_keeps_the_sign_of_the_level() -> None:
    values = dequantize_uniform(array(-5, 0, 5), -8192, 0, findings=Findings())
    assert values.tolist() == [0, 0, 0]
    assert np.signbit(values).tolist() == [True, False, False]


@given(st.lists(levels, min_size=1, max_size=8), quantization_parameters, densities)
def test_overflow_and_loss_of_precision_are_reported_exactly_when_they_occur(
    values: list[int], qp: int, density: int
) -> None:
    findings = Findings()
    found = dequantize_uniform(array(*values), qp, density, findings=findings, bits=(8, 16), path="unit 2")
    assert ("value_overflow" in codes(findings)) == bool(np.isinf(found).any())
    assert ("value_not_a_number" in codes(findings)) == bool(np.isnan(found).any())
    assert ("precision_loss" in codes(findings)) == any(abs(level) > 1 << 24 for level in values)
    assert all((finding.bits, finding.path) == ((8, 16), "unit 2") for finding in findings)


@pytest.mark.parametrize("level", [1 << 24, (1 << 24) + 1])
@pytest.mark.parametrize("sign", [-1, 1])
def test_the_largest_level_without_loss_is_2_to_24(level: int, sign: int) -> None:
    findings = Findings()
    dequantize_uniform(array(sign * level), 0, 2, findings=findings)
    assert codes(findings) == ([] if level == 1 << 24 else ["precision_loss"])


@pytest.mark.parametrize("shape", [(), (0,), (3, 0, 2), (1, 1, 1)])
def test_shapes_without_extent_keep_their_shape(shape: tuple[int, ...]) -> None:
    values = dequantize_uniform(np.zeros(shape, np.int32), 0, 2, findings=Findings())
    assert (values.shape, values.dtype) == (shape, np.float32)
    indexed = dequantize_codebook(
        np.zeros(shape, np.int32), Codebook.from_elements(1, 0, 3, [], []), 0, 2, findings=Findings()
    )
    assert (indexed.shape, indexed.dtype) == (shape, np.float64)


def test_levels_of_another_type_are_refused() -> None:
    with pytest.raises(UsageError, match="int32"):
        dequantize_uniform(np.zeros(3, np.int64), 0, 2, findings=Findings())  # type: ignore[arg-type]


def test_uniform_dequantization_needs_no_memory_but_for_the_result() -> None:
    quantized = np.arange(-(1 << 19), 1 << 19, dtype=np.int32)
    tracemalloc.start()
    values = dequantize_uniform(quantized, -20, 2, findings=Findings())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1.2 * values.nbytes


@given(st.integers(0, 3 << 15), st.integers(-(1 << 26), 1 << 26), st.integers(-300, 300))
@example(1 << 16, 7, -20)
@example((1 << 16) + 1, 7, -20)
@settings(max_examples=30)
def test_values_in_the_place_of_their_levels_are_the_same(size: int, largest: int, qp: int) -> None:
    quantized = np.linspace(-largest, largest, size).astype(np.int32)
    expected = dequantize_uniform(quantized.copy(), qp, 2, findings=Findings())
    found = dequantize_uniform(quantized, qp, 2, findings=Findings(), in_place=True)
    assert found.tobytes() == expected.tobytes()


def test_levels_that_cannot_be_replaced_stay() -> None:
    quantized = np.arange(6, dtype=np.int32).reshape(2, 3)
    fixed = quantized.copy()
    fixed.flags.writeable = False
    for levels in (quantized.T, fixed):
        before = levels.tolist()
        values = dequantize_uniform(levels, 0, 2, findings=Findings(), in_place=True)
        assert levels.tolist() == values.tolist() == before


def test_values_in_the_place_of_their_levels_take_no_more_memory() -> None:
    quantized = np.arange(-(1 << 19), 1 << 19, dtype=np.int32)
    tracemalloc.start()
    values = dequantize_uniform(quantized, -20, 2, findings=Findings(), in_place=True)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 0.2 * values.nbytes


# ---- codebook


@st.composite
def codebooks(draw: st.DrawFn) -> Codebook:
    left = draw(st.lists(st.integers(0, 9), max_size=6))
    right = draw(st.lists(st.integers(0, 9), max_size=6))
    zero_value = draw(st.integers(-200, 200))
    return Codebook.from_elements(len(left) + len(right) + 1, len(left), zero_value, left, right)


@pytest.mark.parametrize(
    ("elements", "entries"),
    [
        ((4, 1, 0, [0], [0, 0]), [-1, 0, 1, 2]),
        ((3, 0, -1, [], [1, 0]), [-1, 1, 2]),
        ((4, 3, 10, [0, 1, 2], []), [4, 7, 9, 10]),  # left deltas walk down from the zero entry
        ((1, 0, -7, [], []), [-7]),
    ],
)
def test_a_codebook_walks_away_from_its_zero_entry(elements: tuple[Any, ...], entries: list[int]) -> None:
    codebook = Codebook.from_elements(*elements)
    assert codebook.entries.dtype == np.int32
    assert codebook.entries.tolist() == entries
    assert len(codebook) == elements[0]


@given(st.sets(st.integers(INT32.min, INT32.max), min_size=1, max_size=30), st.data())
def test_every_increasing_list_of_integers_is_a_codebook(values: set[int], data: st.DataObject) -> None:
    entries = sorted(values)
    zero = data.draw(st.integers(0, len(entries) - 1))
    deltas = [high - low - 1 for low, high in pairwise(entries)]
    codebook = Codebook.from_elements(len(entries), zero, entries[zero], deltas[:zero][::-1], deltas[zero:])
    assert codebook.entries.tolist() == entries
    assert codebook.zero_offset == zero


@pytest.mark.parametrize(("size", "zero"), [(0, 0), (3, -1), (3, 3)])
def test_a_zero_offset_outside_of_the_codebook_is_refused(size: int, zero: int) -> None:
    with pytest.raises(UsageError):
        Codebook.from_elements(size, zero, 0, [], [])


@pytest.mark.parametrize(
    ("size", "zero", "value", "left", "right"),
    [
        (1, 0, 1 << 31, [], []),
        (2, 0, INT32.max, [], [0]),
        (2, 1, INT32.min, [0], []),
        (3, 0, 0, [], [1 << 31, 5]),
        (2, 0, 0, [], [1 << 70]),
    ],
)
def test_an_entry_outside_of_32_bits_is_an_error(
    size: int, zero: int, value: int, left: list[int], right: list[int]
) -> None:
    with pytest.raises(BitstreamError) as caught:
        Codebook.from_elements(size, zero, value, left, right)
    assert caught.value.diagnostic.code == "codebook_overflow"


def test_deltas_that_do_not_agree_with_the_size_are_refused() -> None:
    with pytest.raises(UsageError):
        Codebook.from_elements(3, 1, 0, [0], [])


def test_entries_of_a_codebook_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="read-only"):
        Codebook.from_elements(1, 0, 0, [], []).entries[0] = 1


@pytest.mark.parametrize("tensor", vector_tensors(codebook=True))
def test_codebook_values_of_the_vectors_are_exact_to_the_bit(tensor: dict[str, Any]) -> None:
    codebook = Codebook(np.array(tensor["codebook"]["values"], np.int32), tensor["codebook"]["zero_offset"])
    quantized = np.array(tensor["expected"]["quant_param"], np.int32).reshape(tensor["shape"])
    qp, density = tensor["qp_base"] + tensor["qp_coded_value"], tensor["qp_density"]
    wide = dequantize_codebook(quantized, codebook, qp, density, findings=Findings())
    narrow = wide.astype(np.float32)
    assert wide.shape == narrow.shape == tuple(tensor["shape"])
    assert wide.view(np.uint64).reshape(-1).tolist() == hex_bits(tensor["expected"]["values_f64_hex"], np.uint64)
    assert narrow.view(np.uint32).reshape(-1).tolist() == hex_bits(tensor["expected"]["values_f32_hex"], np.uint32)


@given(codebooks(), quantization_parameters, densities, st.data())
def test_a_codebook_value_is_the_exact_product_rounded_once(
    codebook: Codebook, qp: int, density: int, data: st.DataObject
) -> None:
    zero = codebook.zero_offset
    chosen = data.draw(st.lists(st.integers(-zero, len(codebook) - 1 - zero), min_size=1, max_size=10))
    findings = Findings()
    wide = dequantize_codebook(array(*chosen), codebook, qp, density, findings=findings)
    with np.errstate(over="ignore"):
        values = wide.astype(np.float32)
    for level, value in zip(chosen, values.tolist(), strict=True):
        exact = int(codebook.entries[level + zero]) * exact_step(qp, density)
        if qp >> density <= 1023:
            assert value == (-to_binary32(-exact) if exact < 0 else to_binary32(exact))
    expected = {"value_overflow"} if np.isinf(wide).any() else set()
    assert set(codes(findings)) == expected | ({"value_not_a_number"} if np.isnan(wide).any() else set())


@pytest.mark.parametrize("level", [-2, 3, INT32.max, INT32.min])
def test_a_level_outside_of_the_codebook_is_an_error_and_never_wraps(level: int) -> None:
    codebook = Codebook.from_elements(4, 1, 0, [0], [0, 0])
    with pytest.raises(BitstreamError) as caught:
        dequantize_codebook(array(0, level), codebook, 0, 2, findings=Findings(), path="p", bits=(3, 4))
    assert caught.value.diagnostic.code == "codebook_index"
    assert (caught.value.diagnostic.path, caught.value.diagnostic.bits) == ("p", (3, 4))


def test_a_step_beyond_binary32_is_still_exact_in_binary64() -> None:
    codebook = Codebook.from_elements(2, 0, 3, [], [1])
    values = dequantize_codebook(array(0, 1), codebook, 200, 0, findings=(findings := Findings()))
    assert values.tolist() == [3 * 2.0**200, 5 * 2.0**200]
    assert not findings.diagnostics


def test_a_zero_between_infinite_codebook_values_is_not_a_number() -> None:
    codebook = Codebook(array(-1, 0, 1), 1)
    values = dequantize_codebook(array(0, 1, -1), codebook, 1024, 0, findings=(findings := Findings()))
    assert np.isnan(values[0])
    assert not np.signbit(values[0])
    assert values[1:].tolist() == [math.inf, -math.inf]
    assert codes(findings) == ["value_overflow", "value_not_a_number"]


def test_a_step_beyond_binary64_is_infinite() -> None:
    codebook = Codebook.from_elements(2, 0, 0, [], [0])
    values = dequantize_codebook(array(0, 1), codebook, 1024, 0, findings=(findings := Findings()))
    assert np.isnan(values[0])
    assert np.isinf(values[1])
    assert codes(findings) == ["value_overflow", "value_not_a_number"]


@given(st.integers(1 << 16, (1 << 16) + 300))
def test_long_tensors_are_looked_up_completely(count: int) -> None:
    quantized = (np.arange(count, dtype=np.int32) * 7) % 5 - 2
    codebook = Codebook.from_elements(5, 2, 1, [3, 0], [2, 9])
    values = dequantize_codebook(quantized, codebook, 0, 0, findings=Findings())
    assert np.array_equal(values, codebook.entries.astype(float)[quantized + 2])


# ---- raw floats


@given(st.lists(st.integers(0, (1 << 32) - 1), max_size=12))
def test_raw_floats_keep_every_bit(words: list[int]) -> None:
    payload = b"".join(word.to_bytes(4, "little") for word in words)
    values = raw_floats(memoryview(payload), [len(words)], findings=(findings := Findings()))
    assert values.dtype == np.float32
    assert values.view(np.uint32).tolist() == words
    assert not findings.diagnostics


def test_raw_floats_are_row_major_and_own_their_memory() -> None:
    payload = bytearray(np.arange(6, dtype="<f4").tobytes())
    values = raw_floats(payload, (2, 3), findings=Findings())
    payload[:4] = b"\xff" * 4
    assert values.tolist() == [[0, 1, 2], [3, 4, 5]]


def test_missing_bytes_of_raw_floats_are_an_error_before_anything_is_allocated() -> None:
    with pytest.raises(BitstreamError) as caught:
        raw_floats(bytes(7), (1 << 40, 1 << 40), findings=Findings())
    assert caught.value.diagnostic.code == "raw_length"


def test_surplus_bytes_of_raw_floats_are_reported() -> None:
    values = raw_floats(bytes(9), (2,), findings=(findings := Findings()), bits=(0, 72))
    assert values.tolist() == [0, 0]
    assert codes(findings) == ["raw_length"]


@pytest.mark.parametrize("qp", [-596, -595, -594, 511, 512])
def test_level_rounding_makes_no_difference_up_to_two_to_the_24(qp: int) -> None:
    quantized = np.array([0, 1, 3, -1, (1 << 24) + 1], np.int32)
    found = [
        dequantize_uniform(quantized, qp, 2, findings=Findings(), readings=Readings.choose({"level-rounding": reading}))
        for reading in ("before", "once")
    ]
    assert found[0][:4].tobytes() == found[1][:4].tobytes()
