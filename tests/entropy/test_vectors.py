"""Every vector, exactly, in both lives."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from nnr_conformance.diagnostics import catalogue
from nnr_conformance.entropy import EntropyFault, PayloadResult, PayloadRules, decode_payload, trellis_states
from nnr_conformance.entropy.binarization import count_bins

from . import vector_files as files

WITHOUT_CODEBOOK = [
    name for name in files.VALID if not any(tensor["codebook"] for tensor in files.load(name)["tensors"])
]


def decode(vector: dict[str, Any], compiled: bool) -> PayloadResult:
    return decode_payload(files.payload(vector), files.codings(vector), files.rules(vector), compiled)


@pytest.mark.parametrize("name", files.VALID)
def test_a_valid_vector_decodes_to_its_parameters(name: str, compiled: bool) -> None:
    vector = files.load(name)
    result = decode(vector, compiled)
    for tensor, found in zip(vector["tensors"], result.tensors, strict=True):
        expected = tensor["expected"]
        assert found.quantized.dtype == np.int32
        assert found.quantized.shape == tuple(tensor["shape"])
        assert found.quantized.reshape(-1).tolist() == expected["quant_param"]
        assert found.qp_coded == tensor["qp_coded_value"]
        assert found.history_flag == bool(expected["hist_dep_sig_prob_enabled_flag"])
        assert (None if found.row_skip is None else found.row_skip.tolist()) == expected["row_skip_list"]
        assert found.entry_points == files.expected_entry_points(tensor)
        assert found.final_state == expected["final_state"]


@pytest.mark.parametrize("name", files.VALID)
def test_a_valid_vector_ends_where_its_engine_ended(name: str, compiled: bool) -> None:
    vector = files.load(name)
    end, expected = decode(vector, compiled).end, vector["engine_at_terminate"]
    assert end.consumed_bytes == vector["payload_bytes"]
    assert (end.range, end.offset, end.bits) == (
        expected["range_after_minus2"],
        expected["offset"],
        expected["bit_pointer"],
    )


@pytest.mark.parametrize("name", files.VALID)
def test_a_valid_vector_codes_the_listed_initialization_ids_in_order(name: str) -> None:
    vector = files.load(name)
    for tensor, found in zip(vector["tensors"], decode(vector, False).tensors, strict=True):
        # The vectors also list contexts that a codebook leaves out; these have id 0.
        visited = [tuple(pair) for pair in tensor["expected"]["init_ids"]]
        coded = {context for context, _ in found.init_ids}
        assert [pair for pair in visited if pair[0] in coded] == list(found.init_ids)
        assert not any(init_id for context, init_id in visited if context not in coded)


@pytest.mark.parametrize("name", [name for name in files.VALID if "dq" in name or "multi" in name])
def test_the_trellis_of_a_vector_is_retraced_weight_by_weight(name: str, compiled: bool) -> None:
    vector = files.load(name)
    retraced = 0
    for tensor, found in zip(vector["tensors"], decode(vector, compiled).tensors, strict=True):
        if tensor["dq_flag"]:
            trellis = trellis_states(found.quantized, tensor["scan_order"], found.row_skip, compiled=compiled)
            assert trellis.states.reshape(-1).tolist() == tensor["expected"]["dq_states"]
            assert trellis.levels.reshape(-1).tolist() == tensor["expected"]["levels"]
            assert trellis.final_state == found.final_state
            retraced += 1
    assert retraced or "dq" not in name


@pytest.mark.parametrize("name", WITHOUT_CODEBOOK)
def test_the_bins_of_a_vector_are_counted_from_its_levels(name: str) -> None:
    vector = files.load(name)
    bins = 0
    for tensor, found in zip(vector["tensors"], decode(vector, False).tensors, strict=True):
        skip = np.zeros(tensor["shape"][0], np.uint8) if found.row_skip is None else found.row_skip
        levels = np.array(tensor["expected"]["levels"], np.int32).reshape(skip.size, -1)[skip == 0]
        two_dimensional = tensor["general_profile_idc"] and levels.shape[1] > 1 and skip.size > 1
        bins += tensor["qp_coded_bits"] or 0
        bins += bool(two_dimensional) * (1 + tensor["parent_node_id_present_flag"])
        bins += 0 if found.row_skip is None else skip.size
        bins += sum(4 if init_id else 1 for _, init_id in found.init_ids)
        bins += count_bins(levels, tensor["cabac_unary_length_minus1"] + 1)
    assert bins == vector["engine_at_terminate"]["bins_decoded_before_terminate"]


@pytest.mark.parametrize("name", ["e1-003-2d", "e1-006-2d-dq-paramopt"])
def test_a_base_is_of_no_account_in_edition_1(name: str, compiled: bool) -> None:
    vector = files.load(name)
    (coding,) = files.codings(vector)
    based = replace(coding, base=np.ones(coding.shape, np.int32))
    result = decode_payload(files.payload(vector), [based], compiled=compiled)
    assert result.tensors[0].quantized.reshape(-1).tolist() == vector["tensors"][0]["expected"]["quant_param"]


@pytest.mark.parametrize("name", files.INVALID)
def test_an_invalid_vector_stops_with_its_fault(name: str, compiled: bool) -> None:
    vector = files.load(name)
    with pytest.raises(EntropyFault) as caught:
        decode(vector, compiled)
    assert caught.value.code in files.allowed_codes(vector)
    assert caught.value.code in catalogue()
    assert 0 <= caught.value.bit <= 8 * len(files.payload(vector))


@pytest.mark.parametrize("name", [name for name in files.VALID if name.startswith("nnc1")])
def test_with_the_rules_of_31_ids_a_payload_by_nncodec_1_stops_or_decodes_the_same(name: str, compiled: bool) -> None:
    # In a short payload the one bin of difference can be so cheap that both readings agree.
    vector = files.load(name)
    try:
        result = decode_payload(files.payload(vector), files.codings(vector), compiled=compiled)
    except EntropyFault:
        return
    for tensor, found in zip(vector["tensors"], result.tensors, strict=True):
        assert found.quantized.reshape(-1).tolist() == tensor["expected"]["quant_param"]


def test_a_single_block_row_by_nncodec_1_needs_the_rule_that_restarts_it(compiled: bool) -> None:
    vector = files.load("nnc1-scan1-singlerow")
    with pytest.raises(EntropyFault):
        decode_payload(files.payload(vector), files.codings(vector), PayloadRules(prefix_ids=32), compiled)
