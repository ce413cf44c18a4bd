"""Block rows by themselves: from true entry points the same levels, from others nothing at all."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nnr_conformance.entropy import EntropyFault, PayloadDecoder, TensorCoding, block_rows, payload

from . import vector_files as files

IN_BLOCKS = [
    name
    for name in files.VALID
    if len(files.load(name)["tensors"]) == 1 and files.expected_entry_points(files.load(name)["tensors"][0])
]
"""Payloads of one tensor with several block rows."""


def coding_of(name: str) -> TensorCoding:
    """With the entry points of the payload."""
    vector = files.load(name)
    (coding,) = files.codings(vector)
    return replace(coding, entry_points=files.expected_entry_points(vector["tensors"][0]))


def outcome(name: str, coding: TensorCoding, threads: int) -> dict[str, Any]:
    """All that decoding tells, or the fault that ends it."""
    vector = files.load(name)
    decoder = PayloadDecoder(files.payload(vector), files.rules(vector), compiled=True, threads=threads)
    try:
        result = decoder.decode_tensor(coding)
        end = decoder.finish()
    except EntropyFault as fault:
        return {"fault": (fault.code, fault.bit, fault.message)}
    return {
        "quantized": result.quantized.tolist(),
        "entry points": result.entry_points,
        "state": result.final_state,
        "bits": (result.first_bit, result.end_bit),
        "end": end,
        "notes": [(note.code, note.bit, note.message) for note in decoder.notes],
    }


@pytest.fixture(autouse=True)
def _small_tensors_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(payload, "ELEMENTS_FOR_THREADS", 0)


@pytest.mark.parametrize("threads", [2, 3, 64])
@pytest.mark.parametrize("name", IN_BLOCKS)
def test_threads_come_to_what_one_after_the_other_does(
    name: str, threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    used = []
    plain = block_rows.decode_in_parts

    def watched(*arguments: Any) -> Any:
        found = plain(*arguments)
        used.append(found is not None)
        return found

    monkeypatch.setattr(block_rows, "decode_in_parts", watched)
    coding = coding_of(name)
    assert outcome(name, coding, threads) == outcome(name, coding, 1)
    assert used == [coding.bound_size != 1]


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_a_false_entry_point_changes_nothing_but_the_way(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(IN_BLOCKS))
    coding = coding_of(name)
    points = list(coding.entry_points or ())
    number = data.draw(st.integers(0, len(points) - 1))
    field = data.draw(st.sampled_from(["value", "dq_state", "bit_offset"]))
    size = {"value": 256, "dq_state": 8, "bit_offset": 1 << 20}[field]
    points[number] = replace(points[number], **{field: data.draw(st.integers(0, size - 1))})
    false = replace(coding, entry_points=tuple(points))
    assert outcome(name, false, 3) == outcome(name, false, 1)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_rows_are_those_of_the_whole_tensor(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(IN_BLOCKS))
    vector, coding = files.load(name), coding_of(name)
    first = data.draw(st.integers(0, coding.height - 1))
    end = data.draw(st.integers(first + 1, coding.height))
    for compiled in (False, True):
        decoder = PayloadDecoder(files.payload(vector), files.rules(vector), compiled=compiled)
        found = block_rows.decode_rows(decoder, coding, first, end)
        if coding.bound_size == 1:
            assert found is None
            continue
        assert found is not None
        assert found.qp_coded == vector["tensors"][0]["qp_coded_value"]
        assert found.first <= first
        whole = np.array(vector["tensors"][0]["expected"]["quant_param"]).reshape(coding.shape)
        assert np.array_equal(found.quantized[first - found.first : end - found.first], whole[first:end])
        assert len(found.quantized) < coding.height or end - first > coding.height - 128


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_rows_are_the_right_ones_or_none_whatever_the_entry_points_say(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from([name for name in IN_BLOCKS if coding_of(name).bound_size != 1]))
    vector, coding = files.load(name), coding_of(name)
    points = list(coding.entry_points or ())
    number = data.draw(st.integers(0, len(points) - 1))
    change = data.draw(st.integers(1, 255))
    points[number] = replace(points[number], value=points[number].value ^ change)
    size = 4 << coding.scan_order
    decoder = PayloadDecoder(files.payload(vector), files.rules(vector), compiled=False)
    found = block_rows.decode_rows(
        decoder, replace(coding, entry_points=tuple(points)), number * size, (number + 1) * size
    )
    assert found is None  # decoding comes to its end with another offset


@pytest.mark.parametrize("points", [None, (), (None,)])
def test_without_as_many_entry_points_as_block_rows_need_there_are_no_parts(points: Any) -> None:
    name = next(name for name in IN_BLOCKS if len(coding_of(name).entry_points or ()) > 1)
    coding = coding_of(name)
    given_points = points if points is None or not points else (coding.entry_points or ())[:1]
    decoder = PayloadDecoder(files.payload(files.load(name)), files.rules(files.load(name)), compiled=False)
    assert block_rows.decode_rows(decoder, replace(coding, entry_points=given_points), 0, 1) is None
