"""What decoding holds in memory: tensors that are in flight, and little else."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from nnr_conformance.api import ChainDecoder, chain_decoder
from nnr_conformance.encoder.model_encoder import encode_model
from nnr_conformance.encoder.settings import EncoderSettings
from nnr_conformance.entropy import compiled_available
from nnr_conformance.suite.runner.cases import golden_cases
from nnr_conformance.suite.runner.expected import chain_of, told

needs_numba = pytest.mark.skipif(not compiled_available(), reason="numba is not installed")
WEIGHTS = 2_000_000


def without_levels(chain: ChainDecoder) -> ChainDecoder:
    chain.digesting = chain.with_levels = False
    return chain


@pytest.mark.parametrize("compiled", [False, pytest.param(True, marks=needs_numba)])
def test_nothing_but_the_levels_is_lost_without_levels(compiled: bool) -> None:
    for case in golden_cases()[::6]:
        chain = replace(chain_of(case, told(case)), compiled=compiled)
        expected = list(_tensors(replace(chain, decoders=[], findings=[], digests=[])))
        assert list(_tensors(without_levels(chain))) == expected, case.id


def test_levels_are_handed_out_where_somebody_wants_them() -> None:
    data = encode_model({"w": np.arange(12, dtype=np.float32).reshape(3, 4)}, EncoderSettings(qp=0)).data
    for digesting, with_levels in ((True, False), (False, True), (True, True), (False, False)):
        chain = chain_decoder(data)
        chain.digesting, chain.with_levels = digesting, with_levels
        units = [unit for _, unit in chain.units()]
        assert [unit.tensors[0].quantized is not None for unit in units] == [digesting or with_levels]


@needs_numba
@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("settings", [EncoderSettings(qp=0), EncoderSettings(qp=0, scan_order=2)])
def test_one_large_tensor_takes_its_own_memory_and_that_of_its_payload(settings: EncoderSettings, threads: int) -> None:
    weights = np.random.default_rng(1).laplace(0, 1, (WEIGHTS // 1000, 1000)).astype(np.float32)
    data = encode_model({"w": weights}, settings).data
    list(without_levels(chain_decoder(data, compiled=True, threads=threads)))
    tracemalloc.start()
    for tensor in without_levels(chain_decoder(data, compiled=True, threads=threads)):
        assert tensor.values.size == WEIGHTS
        del tensor
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    # Block rows that threads decode are put together into one tensor, and are in flight until then.
    in_flight = weights.nbytes if threads > 1 and settings.scan_order else 0
    assert peak < 1.3 * weights.nbytes + in_flight + 2 * len(data)


def _tensors(chain: ChainDecoder) -> Iterator[Any]:
    for tensor in chain:
        yield tensor.name, tensor.values.tobytes(), tensor.values.shape, tensor.values.dtype, tensor.label
    yield [list(findings) for findings in chain.findings]
