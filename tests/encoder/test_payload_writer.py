"""Fast encoding writes the bytes of the form of the specification, and those of NNCodec."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nnr_conformance.encoder import payload
from nnr_conformance.encoder.arithmetic import ArithmeticEncoder, Ending
from nnr_conformance.encoder.context_numbers import context_count
from nnr_conformance.encoder.payload_writer import PayloadWriter, TensorPlan, Written, write_payload
from nnr_conformance.encoder.recipe import build_recipe
from nnr_conformance.encoder.tensor_data import TensorData, TensorEncoder
from nnr_conformance.entropy import TensorCoding, decode_payload
from nnr_conformance.errors import BuildError
from tests.encoder.tensor_strategies import tensors
from tests.entropy import vector_files as files

ENDINGS = [Ending(), Ending(terminate=0), Ending(stop_bit=0), Ending(alignment=255), Ending(trailing=b"\1\2")]


def written(datas: list[TensorData], compiled: bool, ending: Ending | None = None) -> Written:
    writer = PayloadWriter(compiled=compiled)
    for data in datas:
        writer.write(TensorPlan.of(data))
    return writer.finish(ending)


def plan_of_vector(tensor: dict[str, Any], coding: TensorCoding, variant: str | None) -> TensorPlan:
    shape = coding.height, coding.width
    expected = tensor["expected"]
    ids = np.zeros(context_count(coding.unary_length), np.uint8)
    for context, init_id in expected["init_ids"]:
        ids[context] = init_id
    history = np.zeros(shape, np.int8) if coding.history is None else coding.history.reshape(shape)
    return TensorPlan(
        levels=np.array(expected["levels"], np.int32).reshape(shape),
        edition=coding.edition,
        unary_length=coding.unary_length,
        dq=coding.dq,
        scan_order=coding.scan_order,
        qp_value=tensor["qp_coded_value"],
        qp_bits=coding.qp_bits,
        parent_present=coding.parent_present,
        codebook_size=coding.codebook_size,
        codebook_zero=coding.codebook_zero,
        row_skip=None if expected["row_skip_list"] is None else np.array(expected["row_skip_list"], np.uint8),
        history=history if expected["hist_dep_sig_prob_enabled_flag"] else None,
        base=None if coding.base is None else coding.base.reshape(shape),
        init_ids=ids,
        restart_single_block_row=variant == "nnc1.0",
        prefix_ids=32 if variant == "nnc1.0" else 31,
    )


@pytest.mark.parametrize("name", files.VALID)
def test_the_levels_and_ids_of_a_vector_give_its_payload(name: str, compiled: bool) -> None:
    vector = files.load(name)
    variant = vector.get("syntax_variant")
    codings = files.codings(vector)
    plans = [plan_of_vector(*pair, variant) for pair in zip(vector["tensors"], codings, strict=True)]
    found = write_payload(plans, compiled=compiled)
    assert found.data.hex() == files.payload(vector).hex()
    for tensor, marks in zip(vector["tensors"], found.marks, strict=True):
        points = files.expected_entry_points(tensor)
        if points:
            pairs = list(itertools.pairwise(marks))
            assert [point.bit_offset for point in points] == [after.bits - before.bits for before, after in pairs]
            assert [point.value for point in points] == [found.offset_at(mark.bits, mark.low) for mark in marks[1:]]
            assert [point.dq_state for point in points] == [mark.state for mark in marks[1:]]


@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(tensors(), min_size=1, max_size=3), st.sampled_from(ENDINGS))
def test_bytes_and_entry_points_are_those_of_the_form_of_the_specification(
    compiled: bool, datas: list[TensorData], ending: Ending
) -> None:
    encoder = ArithmeticEncoder()
    try:
        rows = [TensorEncoder(encoder, data).write() for data in datas]
    except BuildError:
        with pytest.raises(BuildError):
            written(datas, compiled)
        return
    codeword, found = encoder.finish(ending), written(datas, compiled, ending)
    assert found.data.hex() == codeword.data.hex()
    for expected, marks in zip(rows, found.marks, strict=True):
        assert [(row.bits, row.state) for row in expected] == [(mark.bits, mark.state) for mark in marks]
        if not ending.trailing and len(expected) > 1:
            for row, mark in zip(expected, marks, strict=True):
                offset = codeword.offset_at(row.bits, row.low)
                assert found.offset_at(mark.bits, mark.low) == offset & 511


def test_a_unary_part_of_256_flags_is_written(compiled: bool) -> None:
    data = TensorData([0, 1, -255, 256, -257, 258, 700, 2**31 - 1], 2, 4, unary_length=256)
    encoder = ArithmeticEncoder()
    TensorEncoder(encoder, data).write()
    assert written([data], compiled).data == encoder.finish(Ending()).data


def test_a_carry_runs_back_through_bytes_that_are_written(compiled: bool) -> None:
    # Saturated contexts and then the opposite bin, many times: some of these codewords carry far.
    rng = np.random.default_rng(5)
    for _ in range(12):
        levels = np.where(rng.random((30, 40)) < 0.004, rng.integers(-(2**20), 2**20, (30, 40)), 0)
        data = TensorData(levels.reshape(-1).tolist(), 30, 40)
        encoder = ArithmeticEncoder()
        TensorEncoder(encoder, data).write()
        assert written([data], compiled).data == encoder.finish(Ending()).data


def test_both_lives_write_the_same_large_tensor_and_the_decoder_reads_it() -> None:
    rng = np.random.default_rng(1)
    levels = np.round(rng.laplace(0, 3, (300, 301))).astype(np.int32)
    plan = TensorPlan(levels, scan_order=2, qp_value=-5, qp_bits=8)
    interpreted, compiled = (write_payload([plan], compiled=choice).data for choice in (False, True))
    assert interpreted == compiled
    decoded = decode_payload(compiled, [TensorCoding(levels.shape, 10, False, 2, 2, 8)])
    assert np.array_equal(decoded.tensors[0].quantized, levels)


def test_a_large_recipe_is_encoded_fast_with_the_same_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(2)
    levels = np.round(rng.laplace(0, 2, (40, 30))).astype(int).tolist()
    tensor = {"levels": levels, "init_ids": {"sig 0": 3}, "row_skip": [0, 1] * 20}
    unit = {"topology_elem_id": "w", "scan_order": 1, "dq_flag": 1, "tensors": [tensor]}
    recipe: list[dict[str, Any]] = [{"NNR_STR": {}}, {"NNR_MPS": {"mps_qp_density": 2}}, {"NNR_NDU": unit}]
    slow = build_recipe(recipe).data
    monkeypatch.setattr(payload, "FAST_FROM", 1)
    assert build_recipe(recipe).data == slow


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"qp_value": 128, "qp_bits": 8}, "does not fit 8 bits"),
        ({"codebook_size": 3, "codebook_zero": 1}, "not in the codebook"),
        ({"row_skip": np.zeros(3, np.uint8)}, "row-skip flags"),
        ({"base": np.zeros((3, 3), np.int32)}, "base or history"),
        ({"levels": np.zeros((2, 2, 2), np.int32)}, "matrix"),
        ({"levels": np.zeros((2, 2))}, "matrix"),
    ],
)
def test_a_tensor_that_cannot_be_written_is_refused(change: dict[str, Any], text: str) -> None:
    plan = TensorPlan(np.full((2, 2), 2, np.int32))
    with pytest.raises(BuildError, match=text):
        write_payload([replace(plan, **change)])
