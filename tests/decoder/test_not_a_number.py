"""What is not a number has one pattern where it is computed, on every machine, and keeps its bits where it is not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from nnr_conformance.decoder.composition import add_update, apply_local_scaling, compose
from nnr_conformance.decoder.formats import convert
from nnr_conformance.diagnostics import Findings

QUIET, NEGATIVE, WITH_PAYLOAD, SIGNALLING, INFINITY, ONE, ZERO = (
    np.array([bits], np.uint32).view(np.float32)
    for bits in (0x7FC00000, 0xFFC00000, 0x7FC12345, 0xFF8ABCDE, 0x7F800000, 0x3F800000, 0)
)
KINDS = [QUIET, NEGATIVE, WITH_PAYLOAD, SIGNALLING]


def is_quiet(values: NDArray[Any]) -> bool:
    return bool(values.tobytes() == np.full(values.shape, np.nan, values.dtype).tobytes())


@pytest.mark.parametrize("value", KINDS)
def test_a_nan_that_is_scaled_added_or_multiplied_is_the_quiet_one(value: NDArray[np.float32]) -> None:
    assert is_quiet(apply_local_scaling(value, ONE))
    assert is_quiet(add_update(value, ONE))
    assert is_quiet(add_update(ONE, value))
    assert is_quiet(compose(value[:, None], ONE[:, None], (1,)))


def test_infinities_that_cancel_each_other_give_the_quiet_nan() -> None:
    assert is_quiet(apply_local_scaling(INFINITY, ZERO))
    assert is_quiet(add_update(INFINITY, -INFINITY))
    assert is_quiet(compose(INFINITY[:, None], ZERO[:, None], (1,)))


@pytest.mark.parametrize("value", KINDS)
@pytest.mark.parametrize("data_format", [8, 9])
def test_a_nan_in_another_format_is_the_quiet_one(value: NDArray[np.float32], data_format: int) -> None:
    assert is_quiet(convert(value, data_format, findings=Findings()))


@pytest.mark.parametrize("value", KINDS)
@pytest.mark.parametrize("data_format", [None, 1])
def test_a_nan_that_stays_as_it_is_keeps_its_bits(value: NDArray[np.float32], data_format: int | None) -> None:
    assert convert(value, data_format, findings=Findings()).tobytes() == value.tobytes()


def test_other_numbers_beside_a_nan_stay_as_they_are() -> None:
    found = add_update(np.array([1.5, np.nan, np.inf, -0.0], np.float32), np.array([1, 1, 1, -0.0], np.float32))
    assert found.tobytes() == np.array([2.5, np.nan, np.inf, -0.0], np.float32).tobytes()
