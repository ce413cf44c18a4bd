"""Bins of payloads: where the decoder is after each tensor, by its own count, and which weight each one codes."""

from __future__ import annotations

import itertools

import pytest

from nnr_conformance.entropy.contexts import group_starts
from nnr_conformance.suite.diff.bins import (
    BYPASS,
    NO_WEIGHT,
    TERMINATE,
    bins_of,
    context_name,
    scan_position,
    scanned,
    traced,
)
from nnr_conformance.suite.runner.cases import golden_cases
from nnr_conformance.suite.runner.expected import chain_of, told
from nnr_conformance.suite.runner.model import Case
from tests.suite.runner.cases_for_tests import case_of

CODED = [case for case in golden_cases() if case.verdict == "conforming" and case.kind in ("tools", "readings")]
SEVERAL = case_of("core/10-entry-points-of-several-tensors-01")
BLOCKS = case_of("tools/10-block-scan-01")
PARTS = case_of("tools/7-partial-data-01")


@pytest.mark.parametrize("case", CODED, ids=lambda case: case.id)
def test_the_bins_of_a_tensor_end_at_the_bit_that_the_decoder_has_read(case: Case) -> None:
    payloads, _ = traced(chain_of(case, told(case)))
    for payload in payloads:
        for coded, result in zip(payload.coded(), payload.results, strict=True):
            assert not coded or coded[-1].bit == result.end_bit


@pytest.mark.parametrize("case", CODED, ids=lambda case: case.id)
def test_bits_never_go_back_and_the_last_bin_terminates(case: Case) -> None:
    bins = [*bins_of(chain_of(case, told(case)))]
    for one, following in itertools.pairwise(bins):
        assert following.unit > one.unit or following.bit >= one.bit
    assert not bins or (bins[-1].context, bins[-1].value) == (TERMINATE, 1)


def test_every_weight_has_bins_and_they_come_in_scan_order() -> None:
    (payload,), _ = traced(chain_of(BLOCKS, told(BLOCKS)))
    (coded,) = payload.coded()
    weights = [*dict.fromkeys(one.weight for one in coded if one.weight != NO_WEIGHT)]
    assert weights == [*scanned(payload.codings[0])]
    assert weights != sorted(weights)
    assert [scan_position(payload.codings[0], weight) for weight in weights] == [*range(len(weights))]


def test_tensors_of_one_payload_follow_each_other_under_their_names() -> None:
    payloads, tensors = traced(chain_of(SEVERAL, told(SEVERAL)))
    names = [*dict.fromkeys(one.tensor for one in bins_of(chain_of(SEVERAL, told(SEVERAL))))]
    assert names == [name for payload in payloads for name in payload.names]
    assert {*names} <= {*tensors}
    assert len(names) > 1


def test_a_bit_of_a_payload_in_parts_is_found_in_the_part_that_has_it() -> None:
    payload = traced(chain_of(PARTS, told(PARTS)))[0][0]
    assert len(payload.parts) > 1
    for start, place in payload.parts:
        assert payload.stream_bit(8 * start) == 8 * place
        assert payload.stream_bit(8 * start + 7) == 8 * place + 7


def test_contexts_have_the_names_of_the_layout() -> None:
    starts = group_starts(10)
    assert context_name(0, 10) == "sig_neighbour[0]"
    assert context_name(starts["greater_base"] + 3, 10) == "greater_base[3]"
    assert context_name(starts["row_skip"], 10) == "row_skip[0]"
    assert (context_name(BYPASS, 10), context_name(TERMINATE, 10)) == ("bypass", "terminate")
    assert {context_name(number, 10) for number in (starts["total"], 10**9, -3)} == {"unknown"}
