"""nnr_decompressed_data_format: the number format in which a tensor is delivered."""

from __future__ import annotations

import ctypes
import math
import struct
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nnr_conformance.api import decode
from nnr_conformance.decoder.formats import DATA_FORMATS, convert, data_format
from nnr_conformance.diagnostics import Findings
from nnr_conformance.encoder.recipe import build_recipe

pytestmark = pytest.mark.filterwarnings("error")

INTEGER_FORMATS = {0: (32, np.int32), 2: (2, np.int8), 3: (3, np.int8), 4: (4, np.int8), 5: (8, np.int8)}
INTEGER_FORMATS |= {6: (16, np.int16), 7: (64, np.int64)}
FLOAT_FORMATS = {1: np.float32, 8: np.float16, 9: np.float64}
INT32 = np.iinfo(np.int32)


def codes(findings: Findings) -> list[str]:
    return [finding.code for finding in findings]


def test_every_value_of_the_element_has_its_format_and_the_rest_is_reserved() -> None:
    names = ["INT32", "FLOAT32", "INT2", "INT3", "INT4", "INT8", "INT16", "INT64", "FLOAT16", "FLOAT64"]
    assert [format_.name for format_ in DATA_FORMATS] == [f"TENSOR_{name}" for name in names]
    assert [data_format(value) is None for value in range(128)] == [False] * 10 + [True] * 118


@given(
    st.lists(st.integers(-9, 8) | st.integers(INT32.min, INT32.max), max_size=6), st.sampled_from([*INTEGER_FORMATS])
)
def test_integers_keep_their_values_and_a_misfit_is_reported_not_wrapped(values: list[int], number: int) -> None:
    bits, dtype = INTEGER_FORMATS[number]
    findings = Findings()
    delivered = convert(np.array(values, np.int32), number, findings=findings, path="w", bits=(1, 8))
    assert delivered.tolist() == values
    fits = all(-(1 << (bits - 1)) <= value < 1 << (bits - 1) for value in values)
    assert delivered.dtype == (dtype if fits else np.int32)
    assert codes(findings) == ([] if fits else ["format_overflow"])
    assert all((finding.path, finding.bits) == ("w", (1, 8)) for finding in findings)


@pytest.mark.parametrize("number", [2, 3, 4, 5, 6])
def test_a_narrow_integer_format_is_used_up_to_its_ends(number: int) -> None:
    bits, dtype = INTEGER_FORMATS[number]
    half = 1 << (bits - 1)
    for values, expected in [([-half, half - 1], dtype), ([half], np.int32), ([-half - 1], np.int32)]:
        assert convert(np.array(values, np.int32), number, findings=Findings()).dtype == expected


@given(st.lists(st.floats(width=32, allow_nan=False), max_size=6))
def test_binary16_is_one_rounding_to_nearest_even(values: list[float]) -> None:
    findings = Findings()
    delivered = convert(np.array(values, np.float32), 8, findings=findings)
    assert delivered.dtype == np.float16
    overflow = False
    for value, found in zip(values, delivered.tolist(), strict=True):
        try:
            expected = struct.unpack("<e", struct.pack("<e", value))[0]
        except OverflowError:
            expected, overflow = math.copysign(math.inf, value), True
        assert found == expected
    assert codes(findings) == (["format_overflow"] if overflow else [])


@given(st.lists(st.floats(allow_nan=False), max_size=6), st.sampled_from([None, 1]))
def test_binary64_of_a_codebook_becomes_binary32_by_one_rounding(values: list[float], number: int | None) -> None:
    findings = Findings()
    delivered = convert(np.array(values, np.float64), number, findings=findings)
    assert delivered.dtype == np.float32
    assert delivered.tolist() == [ctypes.c_float(value).value for value in values]
    overflow = any(math.isfinite(value) and math.isinf(ctypes.c_float(value).value) for value in values)
    assert codes(findings) == (["format_overflow"] if overflow else [])


def test_coded_infinities_and_nan_fit_every_float_format() -> None:
    values = np.array([np.inf, -np.inf, np.nan], np.float32)
    for number, dtype in FLOAT_FORMATS.items():
        findings = Findings()
        delivered = convert(values, number, findings=findings)
        assert delivered.dtype == dtype
        assert np.array_equal(delivered, values, equal_nan=True)
        assert not codes(findings)


@given(st.lists(st.floats(width=32), max_size=4))
def test_binary64_holds_every_binary32_value(values: list[float]) -> None:
    delivered = convert(np.array(values, np.float32), 9, findings=(findings := Findings()))
    assert delivered.dtype == np.float64
    assert np.array_equal(delivered, np.array(values), equal_nan=True)
    assert not codes(findings)


@pytest.mark.parametrize("number", [None, *range(10, 128, 13)])
def test_an_absent_or_reserved_format_means_int32_or_binary32(number: int | None) -> None:
    findings = Findings()
    assert convert(np.zeros(2, np.int32), number, findings=findings).dtype == np.int32
    assert convert(np.zeros(2, np.float64), number, findings=findings).dtype == np.float32
    assert not codes(findings)


@pytest.mark.parametrize(
    ("array", "number", "delivered"),
    [(np.zeros(2, np.int32), number, np.int32) for number in FLOAT_FORMATS]
    + [(np.zeros(2, np.float32), number, np.float32) for number in INTEGER_FORMATS],
)
def test_a_format_of_the_other_kind_is_reported_and_not_applied(
    array: np.ndarray[Any, Any], number: int, delivered: type
) -> None:
    findings = Findings()
    assert convert(array, number, findings=findings).dtype == delivered
    assert codes(findings) == ["format_inconsistent"]


def test_a_tensor_already_in_its_format_is_not_copied() -> None:
    for array in (np.zeros((2, 3), np.float32), np.zeros((2, 3), np.int32)):
        assert convert(array, None, findings=Findings()) is array


@pytest.mark.parametrize("shape", [(), (0, 3), (2, 1, 2)])
def test_the_shape_stays(shape: tuple[int, ...]) -> None:
    assert convert(np.zeros(shape, np.float64), 8, findings=Findings()).shape == shape
    assert convert(np.zeros(shape, np.int32), 2, findings=Findings()).shape == shape


def test_an_overflow_far_into_a_large_tensor_is_found() -> None:
    values = np.zeros(200_000, np.float32)
    values[-1] = 65520  # the smallest number that rounds beyond binary16
    findings = Findings()
    assert np.isinf(convert(values, 8, findings=findings)[-1])
    assert "65520" in next(iter(findings)).message


@pytest.mark.parametrize("transmitted", [False, True])
def test_the_exact_product_of_a_codebook_reaches_binary64(transmitted: bool) -> None:
    codebook = {"codebook_size": 1, "codebook_zero_value": INT32.max}
    stream = build_recipe(
        [
            {"NNR_STR": {}},
            {"NNR_MPS": {"mps_qp_density": 7, "mps_quantization_method_flags": 3}},
            {
                "NNR_NDU": {
                    "topology_elem_id": "w",
                    "nnr_decompressed_data_format": "TENSOR_FLOAT64",
                    **codebook,
                    "tensors": [{"levels": [0], "qp_value": 127}],
                }
            },
        ]
    )
    found = decode(stream.data, transmitted=transmitted).tensors["w"]
    assert found.dtype == np.float64
    assert found.tolist() == [INT32.max * 255 / 128]


def test_a_format_that_is_reserved_where_two_are_known_is_as_good_as_none() -> None:
    unit = {
        "topology_elem_id": "w",
        "nnr_compressed_data_unit_payload_type": "NNR_PT_INT",
        "tensors": [{"levels": [3]}],
    }
    data = build_recipe(
        [{"NNR_STR": {}}, {"NNR_MPS": {}}, {"NNR_NDU": {**unit, "nnr_decompressed_data_format": 5}}]
    ).data
    assert decode(data).tensors["w"].dtype == np.int8
    assert decode(data, readings=["decompressed-formats=two"]).tensors["w"].dtype == np.int32
