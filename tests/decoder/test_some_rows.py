"""Some rows of a tensor: those of the whole one, and where possible no more of the payload than their block rows."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nnr_conformance.cli.decode import main
from nnr_conformance.decoder.some_rows import SomeRows
from nnr_conformance.errors import UsageError
from nnr_conformance.suite.runner.cases import golden_cases
from nnr_conformance.suite.runner.expected import chain_of, told
from nnr_conformance.suite.runner.model import Case
from nnr_conformance.tensor_files import open_writer, read_tensors

CASES = [
    case
    for case in golden_cases()
    if case.verdict == "conforming" and not case.before and {"entry points", "scan order 1"} & set(case.tools)
]


def decoded(case: Case, rows: SomeRows | None = None) -> tuple[list[tuple[str, Any]], list[Any]]:
    chain = chain_of(case, told(case))
    if rows is not None:
        chain = replace(chain, decode_data=rows)
    tensors = [(one.name, one.values) for one in chain]
    return tensors, [list(findings) for findings in chain.findings]


def test_rows_of_golden_streams_are_those_of_their_tensors() -> None:
    cut = 0
    for case in CASES:
        whole, findings = decoded(case)
        height = min((len(values) for _, values in whole if values.ndim), default=0)
        for first, end in {(0, 1), (height - 1, height), (height // 3, height // 2 + 1), (0, height)}:
            if not 0 <= first < end <= height:
                continue
            rows = SomeRows(first, end)
            try:
                some, said = decoded(case, rows)
            except UsageError:
                assert any(not values.ndim for _, values in whole)
                continue
            assert [name for name, _ in some] == [name for name, _ in whole], case.id
            if not rows.cut:
                assert said == findings
            for (name, found), (_, expected) in zip(some, whole, strict=True):
                wanted = expected[first:end] if name in rows.cut else expected
                assert found.dtype == wanted.dtype
                assert np.array_equal(found, wanted, equal_nan=True), (case.id, name)
            cut += len(rows.cut)
    assert cut > 100


@pytest.fixture(scope="module")
def stream(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A weight of 40 rows in blocks, and a bias."""
    from nnr_conformance.cli.encode import main as encode  # noqa: PLC0415

    folder = tmp_path_factory.mktemp("rows")
    rng = np.random.default_rng(7)
    with open_writer(folder / "model.npz") as writer:
        writer.write("w", rng.laplace(size=(40, 30)).astype(np.float32))
        writer.write("b", rng.laplace(size=40).astype(np.float32))
    out = folder / "model.nnr"
    assert encode([str(folder / "model.npz"), "-o", str(out), "--scan", "1", "--dq", "-q"]) == 0
    return out


@pytest.mark.parametrize("name", ["w", "b"])
@pytest.mark.parametrize("rows", ["0:8", "13:14", "39:40", "8:24", ":", "5:", ":3"])
def test_nnr_decode_writes_the_rows_that_are_asked_for(stream: Path, tmp_path: Path, name: str, rows: str) -> None:
    some, whole = tmp_path / "some.npz", tmp_path / "whole.npz"
    assert main([str(stream), "--tensor", name, "--rows", rows, "-o", str(some)]) == 0
    assert main([str(stream), "--tensor", name, "-o", str(whole)]) == 0
    first, end = rows.split(":")
    with read_tensors(some) as found, read_tensors(whole) as expected:
        wanted = expected[name][int(first or 0) : int(end) if end else None]
        assert found[name].tobytes() == wanted.tobytes()
        assert found[name].shape == wanted.shape


def test_damage_in_other_block_rows_is_not_seen(stream: Path, tmp_path: Path) -> None:
    data = bytearray(stream.read_bytes())
    at = data.index(b"w\0") + 500
    data[at] ^= 0x55
    damaged, some, whole = tmp_path / "damaged.nnr", tmp_path / "some.npz", tmp_path / "whole.npz"
    damaged.write_bytes(data)
    assert main([str(damaged), "-o", str(whole)]) == 1
    assert main([str(damaged), "--tensor", "w", "--rows", "0:8", "-o", str(some)]) == 0
    assert main([str(damaged), "--tensor", "w", "--rows", "0:40", "-o", str(some)]) == 1


@pytest.mark.parametrize(
    "options",
    [
        ["--tensor", "w", "--rows", "40:41"],
        ["--tensor", "w", "--rows", "3:3"],
        ["--tensor", "b", "--rows", "0:41"],
        ["--tensor", "w", "--rows", "three"],
        ["--tensor", "w", "--rows=-1:3"],
        ["--tensor", "w", "b", "--rows", "0:1"],
        ["--rows", "0:1"],
        ["--tensor", "w", "--rows", "0:1", "--levels"],
    ],
)
def test_rows_that_are_not_there_are_wrong_use(stream: Path, tmp_path: Path, options: list[str]) -> None:
    out = tmp_path / "out.npz"
    assert main([str(stream), *options, "-o", str(out)]) == 2
    assert not out.exists()
