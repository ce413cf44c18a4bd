"""A verdict says on which readings it depends: those met on the stream, checked again under each other choice."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import nnr_conformance
from nnr_conformance.api import chain_decoder
from nnr_conformance.checker import check as checking
from nnr_conformance.checker.check import check_chain
from nnr_conformance.decoder.payload_readings import neighbour_depends, state_depends
from nnr_conformance.entropy import TensorCoding
from nnr_conformance.readings import known_readings
from tests.decoder.stream_builder import aggregate, coded, parameter_set, raw, start, topology
from tests.decoder.test_reading_streams import GRID, OUT_OF_BAND, STREAMS

UNRESOLVED = sorted(set(STREAMS) - {"edition1-payload"})
PLAIN = b"".join((start(), parameter_set(), coded("w", "e2-001-plain"), raw("r", GRID)))


@pytest.mark.parametrize("reading", UNRESOLVED)
def test_the_stream_of_a_reading_is_checked_under_each_other_choice(reading: str) -> None:
    streams, outside = STREAMS[reading](), OUT_OF_BAND.get(reading)
    report = nnr_conformance.check(streams, out_of_band=outside)
    outcome = next(one for stream in reversed(report.streams) for one in stream.consulted if one.reading == reading)
    row = known_readings()[reading]
    assert outcome.name == row["default"]
    assert set(outcome.others) == set(row["readings"]) - {row["default"]}
    for name, verdict in outcome.others.items():
        alone = nnr_conformance.check(streams, readings={reading: name}, out_of_band=outside)
        assert alone.streams[-1].verdict is verdict


@pytest.mark.parametrize("reading", UNRESOLVED)
def test_a_reading_that_was_chosen_is_not_questioned(reading: str) -> None:
    chosen = {reading: known_readings()[reading]["default"]}
    report = nnr_conformance.check(STREAMS[reading](), readings=chosen, out_of_band=OUT_OF_BAND.get(reading))
    assert reading not in {one.reading for stream in report.streams for one in stream.consulted}


def test_the_default_that_tries_both_payloads_of_edition_1_is_not_tried_again() -> None:
    (stream,) = nnr_conformance.check(STREAMS["edition1-payload"]()).streams
    assert stream.consulted == ()


def count_of_checks(monkeypatch: pytest.MonkeyPatch, streams: list[bytes]) -> int:
    count = 0
    plain = checking.check_chain

    def counted(*arguments: object, **more: object) -> nnr_conformance.Report:
        nonlocal count
        count += 1
        return plain(*arguments, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(checking, "check_chain", counted)
    nnr_conformance.check(streams)
    return count


def test_a_stream_that_meets_no_reading_is_checked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    assert count_of_checks(monkeypatch, [PLAIN]) == 1


def test_each_other_choice_costs_one_more_check_however_often_it_is_met(monkeypatch: pytest.MonkeyPatch) -> None:
    units = [aggregate(raw(f"q{n}", GRID), raw(f"r{n}", GRID)) for n in range(5)]
    assert count_of_checks(monkeypatch, [start() + parameter_set() + b"".join(units)] * 2) == 2


def test_a_verdict_that_depends_on_a_stream_before_says_so() -> None:
    first = b"".join((start(), parameter_set(), aggregate(raw("q", GRID), raw("r", GRID))))
    report = nnr_conformance.check([first, PLAIN])
    assert [[one.reading for one in stream.consulted] for stream in report.streams] == [["aggregate-layout"], []]
    chain = nnr_conformance.check(STREAMS["history"]())
    assert [stream.depends_on != () for stream in chain.streams] == [False, False, True]


@pytest.mark.parametrize(
    "make",
    [
        lambda: topology(3, {"topology_data": b"\0"}),
        lambda: raw("s", np.zeros((2, 3, 4), np.float32)),
    ],
)
def test_what_every_choice_reads_alike_is_not_met(make: Callable[[], bytes]) -> None:
    stream = b"".join((start(), parameter_set(carriage=1), make(), raw("r", GRID)))
    assert nnr_conformance.check(stream).streams[0].consulted == ()


def test_rules_that_are_left_out_are_left_out_of_the_other_checks_too() -> None:
    (stream,) = check_chain(chain_decoder(STREAMS["split-index"]()), disabled=frozenset({"listed_id_repeated"})).streams
    assert [one.reading for one in stream.consulted] == ["split-index"]


def coding(shape: tuple[int, int], scan_order: int, *, dq: bool = False) -> TensorCoding:
    return TensorCoding(shape, 10, dq=dq, scan_order=scan_order, edition=2, qp_bits=8)


@pytest.mark.parametrize(
    ("width", "scan_order", "expected"), [(13, 1, True), (12, 1, False), (7, 1, False), (13, 0, False), (13, 2, False)]
)
def test_steps_over_a_skipped_row_differ_for_wide_rows_that_blocks_cut_out_of_step(
    width: int, scan_order: int, expected: bool
) -> None:
    assert state_depends(coding((20, width), scan_order, dq=True)) is expected
    assert not state_depends(coding((20, width), scan_order))


@pytest.mark.parametrize(
    ("skip", "last", "expected"),
    [
        ([0, 1, 0], [5, 0, 1], True),
        ([0, 1, 0], [0, 0, 1], False),
        ([1, 0, 0], [0, 5, 1], False),
        ([0, 0, 1], [5, 5, 0], False),
        ([0, 1, 1], [5, 0, 0], False),
        ([0, 1, 1, 0], [5, 0, 0, 1], True),
    ],
)
def test_the_neighbour_matters_where_a_weight_follows_a_skipped_row_that_follows_a_nonzero_one(
    skip: list[int], last: list[int], expected: bool
) -> None:
    levels = np.zeros((len(skip), 3), np.int32)
    levels[:, 2] = last
    assert neighbour_depends(coding((len(skip), 3), 0), np.array(skip, np.uint8), levels) is expected


def test_the_neighbour_starts_anew_at_each_block_row() -> None:
    skip = np.zeros(16, np.uint8)
    skip[8] = 1
    levels = np.ones((16, 8), np.int32)
    levels[8] = 0
    assert neighbour_depends(coding((16, 8), 0), skip, levels)
    assert not neighbour_depends(coding((16, 8), 1), skip, levels)
    wide = np.tile(levels, 2)
    assert neighbour_depends(coding((16, 16), 1), skip, wide)
