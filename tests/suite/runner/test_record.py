"""Files of results, and runs that are taken up."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nnr_conformance.errors import UsageError
from nnr_conformance.suite.results.header import header_of
from nnr_conformance.suite.runner.implementation import Bounds, Implementation
from nnr_conformance.suite.runner.model import CaseResult, Result
from nnr_conformance.suite.runner.record import open_record, run_digest

DECODER = Implementation("mydec", "1", decoder="mydec {stream} {tensors}", tools=frozenset({"uniform", "codebook"}))
HEADER = header_of(DECODER, 3, date="2026-01-01", selection=("core",), partial=True)
DIGEST = run_digest(DECODER)
RESULTS = [
    CaseResult("core/a", Result.PASS, compared=("levels", "tensors"), seconds=0.25, peak_bytes=1 << 20),
    CaseResult("core/ü", Result.FAIL, "levels", "w[0]: 1, not 2\u2028", followed={"history": "plain"}),
    CaseResult("core/c", Result.CRASH, detail="SIGSEGV"),
]


def recorded(path: Path) -> bytes:
    with open_record(path, HEADER, DIGEST, resume=False) as record:
        for result in RESULTS:
            record.add(result)
    return path.read_bytes()


def test_results_come_back(tmp_path: Path):
    recorded(tmp_path / "run")
    with open_record(tmp_path / "run", HEADER, DIGEST, resume=True) as record:
        assert list(record.done.values()) == RESULTS


def test_each_result_is_in_the_file_at_once(tmp_path: Path):
    with open_record(tmp_path / "run", HEADER, DIGEST, resume=False) as record:
        for number, result in enumerate(RESULTS):
            record.add(result)
            assert len((tmp_path / "run").read_bytes().splitlines()) == number + 2


@given(st.data())
def test_a_file_that_ends_anywhere_is_taken_up_with_its_whole_lines(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
):
    path = tmp_path_factory.mktemp("record") / "run"
    whole = recorded(path)
    end = data.draw(st.integers(0, len(whole)))
    path.write_bytes(whole[:end])
    lines = max(0, whole[:end].count(b"\n") - 1)
    with open_record(path, HEADER, DIGEST, resume=True) as record:
        assert list(record.done.values()) == RESULTS[:lines]
        for result in RESULTS[lines:]:
            record.add(result)
    assert path.read_bytes() == whole


def test_a_file_that_is_not_there_yet_is_begun(tmp_path: Path):
    with open_record(tmp_path / "run", HEADER, DIGEST, resume=True) as record:
        assert not record.done
    assert (tmp_path / "run").read_bytes().count(b"\n") == 1


def test_results_are_never_written_over(tmp_path: Path):
    recorded(tmp_path / "run")
    with (
        pytest.raises(UsageError, match="--resume takes its run up"),
        open_record(tmp_path / "run", HEADER, DIGEST, resume=False),
    ):
        pass


def test_a_run_is_taken_up_on_another_day_and_machine(tmp_path: Path):
    recorded(tmp_path / "run")
    later = replace(HEADER, date="2026-01-02", python="3.99.0", platform="Other")
    with open_record(tmp_path / "run", later, DIGEST, resume=True) as record:
        assert len(record.done) == 3


@pytest.mark.parametrize(
    ("header", "digest", "said"),
    [
        (replace(HEADER, version="2"), DIGEST, "version"),
        (replace(HEADER, corpus_digest="0" * 64), DIGEST, "corpus_digest"),
        (replace(HEADER, selection=("tools",)), DIGEST, "selection"),
        (HEADER, run_digest(replace(DECODER, rejection_codes=(1, 2))), "another declaration"),
        (HEADER, run_digest(replace(DECODER, bounds=Bounds(memory=1))), "another declaration"),
        (HEADER, run_digest(DECODER, ("/data",)), "another declaration"),
    ],
)
def test_another_run_is_not_taken_up_and_its_file_stays(tmp_path: Path, header: object, digest: str, said: str):
    whole = recorded(tmp_path / "run")
    with (
        pytest.raises(UsageError, match=said),
        open_record(tmp_path / "run", header, digest, resume=True),  # type: ignore[arg-type]
    ):
        pass
    assert (tmp_path / "run").read_bytes() == whole


@pytest.mark.parametrize("text", [b"{}\n", b"\xff\xfe\n", b"[]\nx\n", b"not a run\n"])
def test_another_file_is_not_taken_up_and_stays(tmp_path: Path, text: bytes):
    (tmp_path / "run").write_bytes(text)
    with pytest.raises(UsageError), open_record(tmp_path / "run", HEADER, DIGEST, resume=True):
        pass
    assert (tmp_path / "run").read_bytes() == text


def test_equal_declarations_have_equal_digests_in_whatever_order_their_tools_are():
    other = replace(DECODER, tools=frozenset(["codebook", "uniform"]))
    assert run_digest(other) == DIGEST
    assert run_digest(replace(DECODER, tools=frozenset({"uniform"}))) != DIGEST
