"""Streams on which a decoder of others goes wrong come down to what its fault needs."""

from __future__ import annotations

import sys
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from nnr_conformance.api import chain_decoder
from nnr_conformance.checker.check import check
from nnr_conformance.data import data_path
from nnr_conformance.encoder.recipe import build_recipe
from nnr_conformance.errors import UsageError
from nnr_conformance.report.model import Verdict
from nnr_conformance.suite.runner.implementation import Bounds, Implementation
from nnr_conformance.suite.runner.model import Result
from nnr_conformance.suite.shrink.agreed import Agreed
from nnr_conformance.suite.shrink.outcome import outcome_of
from nnr_conformance.suite.shrink.search import Budget
from nnr_conformance.suite.shrink.shrinker import Shrunk, shrink
from tests.suite.diff.broken_cases import FAULTS, Fault
from tests.suite.runner.cases_for_tests import adapter, script

BROKEN = Path(__file__).parents[3] / "examples" / "broken"
BUDGET = Budget(steps=1500, seconds=90.0)
NAMES = ("first", "second", "third")


@cache
def network() -> bytes:
    """A small network that NNCodec coded."""
    return data_path("bitstreams/interop/nncodec/s01_pnet_default.nnc").read_bytes()


@cache
def three_tensors() -> bytes:
    """Three tensors, of which the second one has a level of 7, and the third one its rows skipped but the first."""
    levels = [[[1, 2], [3, 4]], [[0, 7], [1, 0], [2, 2]], [[1, 1], [0, 0], [0, 0]]]
    tensors: list[dict[str, object]] = [{"levels": one} for one in levels]
    tensors[2]["row_skip"] = [0, 1, 1]
    units = [
        {"NNR_NDU": {"topology_elem_id": name, "tensors": [one]}} for name, one in zip(NAMES, tensors, strict=True)
    ]
    return build_recipe([{"NNR_STR": {}}, {"NNR_MPS": {"mps_qp_density": 2}}, *units]).data


def broken(fault: str) -> Implementation:
    """The broken decoder as an adapter."""
    return Implementation("broken", "1", adapter="broken_adapter:Adapter", environment={"FAULT": fault})


def tools_of(stream: bytes) -> set[str]:
    """The coding tools of a stream."""
    return {tool for _, unit in chain_decoder([stream]).units() for tool in unit.tools}


def reduced(implementation: Implementation, stream: bytes, keeps: Result) -> Shrunk:
    """A stream as small as it gets, and still with the result in a process that is new."""
    kept = outcome_of(implementation, [stream], keeps, Agreed())
    found = shrink([stream], kept.shown_by, kept.agreed, budget=BUDGET)
    assert not found.exhausted
    assert kept.shown_by(found.streams)
    assert sum(map(len, found.streams)) < len(stream)
    return found


@pytest.fixture(autouse=True)
def _adapters(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.syspath_prepend(str(BROKEN))
    monkeypatch.syspath_prepend(str(tmp_path))


def test_a_network_that_an_adapter_decodes_wrongly_comes_down_to_less_than_40_bytes() -> None:
    found = reduced(broken("qp_divided_towards_zero"), network(), Result.FAIL)
    assert len(found.streams[0]) < 40
    assert check(found.streams[0]).verdict is Verdict.CONFORMING


@pytest.mark.parametrize(
    "fault",
    [one for one in FAULTS if one.name in ("initialization_table_entry", "state_transition_entry", "codebook_offset")],
    ids=lambda fault: fault.name,
)
def test_a_fault_keeps_the_tool_that_shows_it(fault: Fault) -> None:
    stream = data_path(f"bitstreams/{fault.stream}.nnr").read_bytes()
    found = reduced(broken(fault.name), stream, Result.FAIL)
    tool = {"i": "initialization ids", "s": "dependent quantization", "c": "codebook"}[fault.name[0]]
    assert tool in tools_of(found.streams[0])
    assert len(found.streams[0]) < 60


def test_a_fault_in_the_list_of_skipped_rows_keeps_a_list_of_skipped_rows() -> None:
    found = reduced(broken("row_skip_inverted"), three_tensors(), Result.FAIL)
    assert not found.names
    assert len(found.streams[0]) < 40
    assert "row skip" in tools_of(found.streams[0])


def test_a_stream_that_a_command_decodes_wrongly_is_reduced() -> None:
    words = f"{sys.executable} {BROKEN / 'broken_decoder.py'} --fault qp_divided_towards_zero"
    command = Implementation("command", "1", decoder=f"{words} {{streams}} -o {{tensors}}")
    stream = build_recipe(
        [{"NNR_STR": {}}, {"NNR_MPS": {"mps_qp_density": 2}}]
        + [{"NNR_NDU": {"topology_elem_id": name, "tensors": [{"levels": [1] * 9, "qp_value": -3}]}} for name in NAMES]
    ).data
    found = reduced(command, stream, Result.FAIL)
    assert len(found.streams[0]) < 30


def test_a_crash_keeps_its_exception_and_another_one_is_none_of_it(tmp_path: Path) -> None:
    source = """
        from nnr_conformance.suite.runner.own import Interpreted
        levels = Interpreted.decode(object.__new__(Interpreted), job).levels
        if len(levels) < 2: raise KeyError(len(levels))
        if any((one == 7).any() for one in levels.values()): raise IndexError(f"one of {len(levels)}")
        return Decoding(None)
    """
    found = reduced(adapter(tmp_path, source), three_tensors(), Result.CRASH)
    # One tensor alone, or two without a 7, end in something else.
    assert sum(1 for _ in chain_decoder(found.streams).units()) == 2


def test_a_signal_is_kept(tmp_path: Path) -> None:
    decoder = script(tmp_path, "if b'second' in Path(argv[1]).read_bytes(): os.kill(os.getpid(), 11)")
    found = reduced(decoder, three_tensors(), Result.CRASH)
    assert found.names == ("second",)


def test_what_is_accepted_although_invalid_stays_invalid_by_the_same_rule(tmp_path: Path) -> None:
    units = [{"NNR_NDU": {"topology_elem_id": name, "tensors": [{"levels": [1, 2]}]}} for name in NAMES[:2]]
    wrong = {"NNR_NDU": {"topology_elem_id": "third", "tensors": [{"levels": [[1] * 8] * 8}], "scan_order": 7}}
    stream = build_recipe([{"NNR_STR": {}}, {"NNR_MPS": {"mps_qp_density": 2}}, *units, wrong]).data
    found = reduced(adapter(tmp_path, "return Decoding({})"), stream, Result.ACCEPTED_INVALID)
    errors = {one.code for one in check(found.streams[0]).diagnostics if one.severity.value == "error"}
    assert errors == {one.code for one in check(stream).diagnostics if one.severity.value == "error"}


def test_a_rejection_is_kept_with_its_exception(tmp_path: Path) -> None:
    body = """
        if b"second" in job.streams[-1]: raise Rejected(f"byte {job.streams[-1].index(b'second')} is not known")
        raise Rejected("all else") if len(job.streams[-1]) > 40 else NotSupported("small")
    """
    found = reduced(adapter(tmp_path, body), three_tensors(), Result.REJECTED)
    assert b"second" in found.streams[0]


def test_a_timeout_is_kept(tmp_path: Path) -> None:
    decoder = script(
        tmp_path, "time.sleep(9 * (b'second' in Path(argv[1]).read_bytes()))", bounds=Bounds(0.5, 512 << 20)
    )
    kept = outcome_of(decoder, [three_tensors()], Result.TIMEOUT, Agreed())
    found = shrink([three_tensors()], kept.shown_by, kept.agreed, budget=Budget(steps=20, seconds=20.0))
    assert b"second" in found.streams[0]
    assert len(found.streams[0]) < len(three_tensors())


def test_what_a_decoder_does_not_give_is_wrong_use(tmp_path: Path) -> None:
    right = Implementation("right", "1", adapter="nnr-conformance")
    with pytest.raises(UsageError, match="right does not give fail but pass"):
        outcome_of(right, [three_tensors()], Result.FAIL, Agreed())


def test_a_decoder_that_changes_its_mind_is_wrong_use(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    decoder = script(
        tmp_path, f"mark = Path({str(mark)!r}); seen = mark.exists(); mark.touch(); sys.exit(9 * (not seen))"
    )
    with pytest.raises(UsageError, match="not give the same result each time"):
        outcome_of(decoder, [three_tensors()], Result.CRASH, Agreed())


def test_candidates_get_little_more_time_than_the_stream_took(tmp_path: Path) -> None:
    decoder = replace(script(tmp_path, "sys.exit(9)"), bounds=Bounds(seconds=600.0, memory=512 << 20))
    kept = outcome_of(decoder, [three_tensors()], Result.CRASH, Agreed())
    assert kept.implementation.bounds.seconds < 60
