"""Large streams with one fault come down to what the fault needs."""

from __future__ import annotations

from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nnr_conformance.checker.check import check
from nnr_conformance.data import data_path
from nnr_conformance.encoder.recipe import build_recipe
from nnr_conformance.errors import UsageError
from nnr_conformance.suite.requirement_pairs import load_pairs
from nnr_conformance.suite.shrink.agreed import Agreed
from nnr_conformance.suite.shrink.delta import fewest
from nnr_conformance.suite.shrink.keeping import Finding, finding_in
from nnr_conformance.suite.shrink.pieces import pieces_of, written
from nnr_conformance.suite.shrink.search import Budget
from nnr_conformance.suite.shrink.shrinker import shrink

AGREED = Agreed()
CODES = (
    "aggregate_count",
    "alignment_nonzero",
    "codebook_empty",
    "dimension_zero",
    "payload_type_reserved",
    "scan_order_reserved",
    "unit_underrun",
    "unit_exceeds_stream",
)


@cache
def network() -> bytes:
    """A network of 44 kB that NNCodec coded."""
    return data_path("bitstreams/interop/nncodec/s02_rnet_qp27_nodq.nnc").read_bytes()


def faulty(code: str) -> bytes:
    """The network with the units behind or before it that break a rule."""
    broken = next(pair for pair in load_pairs() if pair.code == code and not pair.check).build(True).data
    for stream in (broken + network(), network() + broken):
        found = {one.code for one in check(stream).diagnostics}
        if code in found:
            return stream
    raise AssertionError(f"{code} does not show beside another model")


@pytest.mark.parametrize("code", CODES)
def test_a_fault_in_a_network_comes_down_to_less_than_100_bytes_that_show_it_alone(code: str) -> None:
    stream = faulty(code)
    finding = finding_in([stream], code, AGREED)

    found = shrink([stream], finding.shown_by)

    assert not found.exhausted
    assert len(found.streams[0]) < 100
    report = check(found.streams[0]).streams[0]
    assert code in {one.code for one in report.diagnostics}
    assert report.verdict is finding.verdict
    assert not found.names


@pytest.mark.parametrize("code", CODES[:3])
def test_what_is_reduced_stays_as_it_is_when_it_is_reduced_again(code: str) -> None:
    stream = faulty(code)
    finding = finding_in([stream], code, AGREED)
    once = shrink([stream], finding.shown_by)
    again = shrink(once.streams, finding.shown_by)
    assert again.streams == once.streams
    assert again.done == {}


def test_a_network_from_the_call_for_proposals_comes_down_with_its_payload_coded_again() -> None:
    path = "bitstreams/cfp2019/p2-autoencoder-01.nnr"
    stream = data_path(path).read_bytes()

    def has_a_level_beyond_seven(streams: object) -> bool:
        decoded = AGREED.chain(streams)  # type: ignore[arg-type]
        return check(streams[-1]).streams[0].verdict.value == "conforming" and any(  # type: ignore[index]
            tensor.quantized is not None and (abs(tensor.quantized) > 7).any()
            for _, unit in decoded.units()
            for tensor in unit.tensors
        )

    assert has_a_level_beyond_seven([stream])
    found = shrink([stream], has_a_level_beyond_seven)
    assert len(found.streams[0]) < 60
    assert found.done["rows and columns left out"] > 0


def test_names_are_replaced_and_streams_that_are_updated_are_reduced_too() -> None:
    def unit(name: str, **more: object) -> dict[str, object]:
        return {"NNR_NDU": {"topology_elem_id": name, "float32": [1.5, 2.5], **more}}

    base = build_recipe([{"NNR_STR": {}}, {"NNR_MPS": {}}, unit("secret.weight"), unit("secret.bias")]).data
    update = build_recipe([{"NNR_STR": {}}, {"NNR_MPS": {}}, unit("secret.weight"), unit("secret.weight")]).data
    codes = {one.code for one in check([base, update]).streams[-1].diagnostics}
    assert codes
    code = min(codes)
    finding = finding_in([base, update], code, AGREED)

    found = shrink([base, update], finding.shown_by)

    assert not any(b"secret" in stream for stream in found.streams)
    assert sum(map(len, found.streams)) < len(update)
    assert finding.shown_by(found.streams)


def test_names_stay_when_they_are_not_to_be_replaced() -> None:
    unit = {"NNR_NDU": {"topology_elem_id": "conv1", "float32": [1.5]}}
    stream = build_recipe([{"NNR_STR": {}}, {"NNR_MPS": {}}, unit, unit]).data
    code = min(one.code for one in check(stream).diagnostics)
    finding = finding_in([stream], code, AGREED)
    found = shrink([stream], finding.shown_by, anonymize=False)
    assert b"conv1" in found.streams[0]
    assert found.names == ("conv1",)


def test_a_budget_of_steps_ends_the_reduction_with_what_is_there() -> None:
    stream = faulty("codebook_empty")
    finding = finding_in([stream], "codebook_empty", AGREED)
    found = shrink([stream], finding.shown_by, budget=Budget(steps=5))
    assert found.exhausted
    assert found.steps == 5
    assert finding.shown_by(found.streams)


def test_a_finding_that_is_not_there_is_refused_with_those_that_are() -> None:
    with pytest.raises(UsageError, match="does not show codebook_empty"):
        finding_in([network()], "codebook_empty", AGREED)
    with pytest.raises(UsageError, match="no diagnostic code"):
        finding_in([network()], "codebook_emtpy", AGREED)


def test_a_requirement_stands_for_its_first_code() -> None:
    stream = faulty("codebook_empty")
    finding = finding_in([stream], "codebook_empty", AGREED)
    requirement = next(pair.requirement for pair in load_pairs() if pair.code == "codebook_empty")
    assert finding_in([stream], requirement, AGREED) == finding


def test_another_error_is_no_way_to_keep_a_finding() -> None:
    stream = faulty("codebook_empty")
    finding = finding_in([stream], "codebook_empty", AGREED)
    assert isinstance(finding, Finding)
    assert not finding.shown_by([stream + b"\0"])


@settings(deadline=None, max_examples=40)
@given(st.data())
def test_every_stream_is_written_again_byte_for_byte_however_it_is_damaged(data: st.DataObject) -> None:
    pair = data.draw(st.sampled_from(load_pairs()))
    stream = bytearray(pair.build(data.draw(st.booleans())).data)
    if stream:
        for _ in range(data.draw(st.integers(0, 3))):
            stream[data.draw(st.integers(0, len(stream) - 1))] = data.draw(st.integers(0, 255))
    assert written(pieces_of(bytes(stream), AGREED), AGREED) == bytes(stream)


@settings(deadline=None, max_examples=15)
@given(st.binary(min_size=1, max_size=40))
def test_hostile_bytes_are_reduced_without_an_exception(stream: bytes) -> None:
    report = check(stream).streams[0]
    for one in report.diagnostics[:1]:
        finding = finding_in([stream], one.code, AGREED)
        found = shrink([stream], finding.shown_by, budget=Budget(steps=300))
        assert finding.shown_by(found.streams)


@given(st.sets(st.integers(0, 200)), st.integers(1, 200))
def test_delta_debugging_leaves_what_is_needed_and_nothing_else(needed: set[int], size: int) -> None:
    needed = {one for one in needed if one < size}
    asked = []

    def holds(items: object) -> bool:
        asked.append(items)
        return needed <= set(items)  # type: ignore[call-overload, no-any-return]

    assert set(fewest(tuple(range(size)), holds)) == needed
    assert len(asked) <= 4 * size + 20
