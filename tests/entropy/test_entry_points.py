"""Entry points: what sequential decoding finds, and how the header's are compared with it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from nnr_conformance.entropy import EntryPoint, Note, PayloadDecoder, rows
from nnr_conformance.entropy import engine as ac
from nnr_conformance.entropy.entry_points import header_count

from . import vector_files as files

VECTOR = files.load("e1-018-scan2-dq")
POINTS = files.expected_entry_points(VECTOR["tensors"][0])


def notes_for(points: tuple[EntryPoint, ...] | None, compiled: bool, name: str = "e1-018-scan2-dq") -> list[Note]:
    vector = files.load(name)
    decoder = PayloadDecoder(files.payload(vector), compiled=compiled)
    for coding in files.codings(vector):
        decoder.decode_tensor(replace(coding, entry_points=points))
    decoder.finish()
    return decoder.notes


def test_the_right_entry_points_need_no_note(compiled: bool) -> None:
    assert len(POINTS) >= 2
    assert notes_for(POINTS, compiled) == []
    assert notes_for(None, compiled) == []


@pytest.mark.parametrize("field", ["value", "dq_state", "bit_offset"])
def test_a_wrong_field_is_a_mismatch_that_names_it(field: str, compiled: bool) -> None:
    wrong = replace(POINTS[1], **{field: getattr(POINTS[1], field) ^ 1})
    (note,) = notes_for((POINTS[0], wrong, *POINTS[2:]), compiled)
    codes = {"dq_state": "entry_point_state_mismatch", "bit_offset": "entry_point_bit_offset"}
    assert (note.code, note.tensor) == (codes.get(field, "entry_point_mismatch"), 0)
    assert f"entry point 2: {field} is {getattr(wrong, field)}" in note.message
    assert note.bit > POINTS[0].bit_offset + POINTS[1].bit_offset


def test_a_state_in_the_header_says_nothing_without_dependent_quantization(compiled: bool) -> None:
    points = files.expected_entry_points(files.load("e1-014-scan2")["tensors"][0])
    stated = tuple(replace(point, dq_state=5) for point in points)
    assert points
    assert notes_for(stated, compiled, "e1-014-scan2") == []


@pytest.mark.parametrize("points", [(), POINTS[:-1], (*POINTS, POINTS[0])])
def test_a_list_of_another_length_is_noted(points: tuple[EntryPoint, ...], compiled: bool) -> None:
    assert [note.code for note in notes_for(points, compiled)] == ["entry_point_count"]


def test_a_single_column_has_entry_points_in_the_header_that_decoding_does_not_use(compiled: bool) -> None:
    coding = files.codings(files.load("e1-023-scan1-width1"))[0]
    count = header_count(coding.height, coding.scan_order)
    assert count >= 1
    assert notes_for((EntryPoint(0, 0, 0),) * count, compiled, "e1-023-scan1-width1") == []
    assert [note.code for note in notes_for((), compiled, "e1-023-scan1-width1")] == ["entry_point_count"]


@pytest.mark.parametrize(("offset", "fault"), [(255, 0), (256, rows.RESTART_OFFSET)])
def test_a_block_row_starts_with_an_offset_below_256(offset: int, fault: int) -> None:
    engine = ac.start(bytes(8))
    engine[ac.VALUE], engine[ac.AHEAD], engine[ac.NEIGHBOUR] = (offset << 3) + 7, 3, 2
    counters = [1, 2], [3, 4]
    rows.start_block_row(engine, *counters, [5, 6], [7, 8])
    assert (engine[ac.FAULT], engine[ac.RANGE], engine[ac.NEIGHBOUR]) == (fault, 256, 0)
    assert counters == ([5, 6], [7, 8])


@pytest.mark.parametrize(("height", "count"), [(1, 0), (8, 0), (9, 1), (16, 1), (17, 2)])
def test_the_header_counts_block_rows_but_the_first(height: int, count: int) -> None:
    assert header_count(height, 1) == count
    assert header_count(height, 0) == 0


def test_skipping_no_row_and_coding_rows_of_zeros_is_noted(compiled: bool) -> None:
    assert [note.code for note in notes_for(None, compiled, "e2-008-rowskip-none")] == ["row_skip_nonminimal"]
    assert notes_for(None, compiled, "e2-003-rowskip") == []
