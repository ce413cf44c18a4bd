"""Large streams are made again as they were recorded, and hold what they were made from."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml

from nnr_conformance.api import decode
from nnr_conformance.checker.check import check
from nnr_conformance.entropy.binding import compiled_available
from nnr_conformance.errors import BuildError
from nnr_conformance.report.model import Verdict
from nnr_conformance.suite.corpus.stress import (
    CHAIN,
    NAMES,
    SMALL_CHAIN,
    link_levels,
    random_levels,
    random_numbers,
    stress_streams,
)
from nnr_conformance.suite.corpus.stress_record import record, recorded, stage_digests, stress_problems, write_stress
from nnr_conformance.suite.coverage.samples import samples

BY_NAME = {stream.name: stream for stream in stress_streams()}


def chain_of(name: str) -> list[bytes]:
    return [BY_NAME[one].build() for one in (*BY_NAME[name].behind, name)]


def test_small_ones_are_what_is_recorded() -> None:
    assert list(stress_problems()) == []


@pytest.mark.parametrize("name", ["names", "chain-00", "chain-05"])
def test_recorded_digests_are_those_of_the_decoder(name: str) -> None:
    assert stage_digests(chain_of(name)) == recorded()[name]["digests"]


@pytest.mark.skipif(not compiled_available(), reason="numba is not installed")
@pytest.mark.parametrize("name", ["skipped", "codebook"])
def test_a_large_tensor_is_what_is_recorded(name: str) -> None:
    data = BY_NAME[name].build()
    assert hashlib.sha256(data).hexdigest() == recorded()[name]["sha256"]
    assert stage_digests([data]) == recorded()[name]["digests"]


@pytest.mark.parametrize("depth", [0, 1, 2, 6, CHAIN - 1])
def test_the_chain_decodes_to_the_levels_it_was_made_from(depth: int) -> None:
    found = decode(chain_of(f"chain-{depth:02}"), transmitted=True)
    assert found.diagnostics == ()
    levels = link_levels(SMALL_CHAIN, depth)
    quantized = found.levels["layer.weight"]
    if depth == CHAIN - 1:
        # Dependent quantization doubles them, and subtracts 1 in some states.
        quantized = np.sign(quantized) * (np.abs(quantized) + 1 >> 1)
    assert np.array_equal(quantized, levels)


def test_the_chain_uses_all_contexts_and_conforms() -> None:
    report = check(chain_of("chain-07"))
    assert report.verdict is Verdict.CONFORMING
    used = {tool for stream in report.streams for tool in stream.tools}
    assert {"temporal contexts", "history contexts", "row skip", "initialization ids", "update"} <= used


def test_names_are_deep_and_differ_in_their_last_component() -> None:
    names = list(decode(BY_NAME["names"].build()).tensors)
    assert len(names) == NAMES
    assert {name.count(".") for name in names} == {100}
    assert len({name.rpartition(".")[0] for name in names}) == 1


def test_random_numbers_are_those_of_splitmix64() -> None:
    # The first outputs for the seed 0, as published with the generator.
    assert [hex(number) for number in random_numbers(0, 3)] == [
        "0xe220a8397b1dcdaf",
        "0x6e789e6aa1b965f4",
        "0x6c45d188009454f",
    ]


def test_random_levels_are_sparse_with_rows_of_zeros_and_a_few_large_ones() -> None:
    levels = random_levels(1, (400, 300))
    assert 0.05 < np.count_nonzero(levels) / levels.size < 0.2
    assert 20 < np.count_nonzero(~levels.any(axis=1)) < 80
    assert levels.min() < -1000
    assert levels.max() > 1000


def test_streams_are_written_with_an_index_and_compared(tmp_path: Path) -> None:
    chain = [BY_NAME["chain-00"], BY_NAME["chain-01"]]
    lines = list(write_stress(tmp_path, chain))
    assert [line.partition(",")[0] for line in lines] == ["wrote chain-00.nnr", "wrote chain-01.nnr"]
    assert (tmp_path / "chain-01.nnr").read_bytes() == chain[1].build()
    assert [Path(sample.name).stem for sample in samples([tmp_path / "chain-01.nnr"])] == ["chain-01"]
    assert [len(sample.data) for sample in samples([tmp_path / "chain-01.nnr"])] == [2]
    rows = yaml.safe_load(record(tmp_path, chain))["streams"]
    assert rows == [recorded()[stream.name] for stream in chain]


def test_a_stream_that_is_not_what_was_recorded_is_told(tmp_path: Path) -> None:
    other = replace(BY_NAME["chain-00"], build=BY_NAME["chain-01"].build)
    with pytest.raises(BuildError, match="differences"):
        list(write_stress(tmp_path, [other]))
    assert len(list(write_stress(tmp_path, [other], compare=False))) == 1
