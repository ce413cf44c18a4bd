"""Chosen initialization ids make payloads smaller, and never larger than the estimate's error."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nnr_conformance.encoder.init_ids import BIT, choose_ids, prices
from nnr_conformance.encoder.payload_writer import TensorPlan, with_ids, write_payload
from nnr_conformance.encoder.tensor_data import TensorData
from nnr_conformance.entropy import compiled_available
from tests.encoder.tensor_strategies import tensors

ROUNDING_BITS = 16
"""The end of a payload takes whole bytes, and the first bins come in an interval that is not yet halved."""
SHARE_OF_ERROR = 0.01
"""The range table is coarser than the prices."""


def size(plan: TensorPlan) -> int:
    return 8 * len(write_payload([plan]).data)


@pytest.mark.parametrize("scale", [0.05, 0.3, 1, 5, 400])
@pytest.mark.parametrize("dq", [False, True])
@pytest.mark.parametrize("scan_order", [0, 1])
def test_the_payload_is_not_larger_with_chosen_ids(scale: float, dq: bool, scan_order: int) -> None:
    rng = np.random.default_rng(int(100 * scale))
    for shape in ((1, 40), (9, 12), (64, 70)):
        plan = TensorPlan(np.round(rng.laplace(0, scale, shape)).astype(np.int32), dq=dq, scan_order=scan_order)
        without, chosen = size(plan), size(with_ids(plan, choose_ids(plan)))
        assert chosen <= without + ROUNDING_BITS + SHARE_OF_ERROR * without


def test_ids_gain_on_many_short_block_rows() -> None:
    # At each block row the contexts start anew, so that a good start counts every time.
    rng = np.random.default_rng(7)
    levels = np.where(rng.random((256, 16)) < 0.03, 1, 0).astype(np.int32)
    plan = TensorPlan(levels, scan_order=1)
    assert size(with_ids(plan, choose_ids(plan))) < 0.95 * size(plan)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(tensors(largest=12))
def test_both_lives_find_the_same_prices_and_the_ids_can_be_written(data: TensorData) -> None:
    plan = TensorPlan.of(data)
    if plan.most is not None and plan.row_skip is not None:
        plan.levels[plan.row_skip == 1] = 0
    found = prices(plan, compiled=False)
    if compiled_available():
        assert np.array_equal(found, prices(plan, compiled=True))
    ids = choose_ids(plan, compiled=False)
    assert not ids[[number for number in range(ids.size) if number not in plan.contexts()]].any()


@given(st.integers(0, 2**31))
@settings(max_examples=20, deadline=None)
def test_prices_of_the_chosen_start_are_close_to_the_bits_written(seed: int) -> None:
    rng = np.random.default_rng(seed)
    plan = TensorPlan(rng.integers(-2, 3, (40, 40)).astype(np.int32), edition=1)
    estimated = prices(plan)[:, 0].sum() / BIT
    assert size(plan) == pytest.approx(estimated, rel=0.03, abs=40)
