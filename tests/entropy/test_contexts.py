"""Layout of the contexts and order of the initialization ids."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from nnr_conformance.entropy import PayloadRules, TensorCoding, contexts
from nnr_conformance.entropy.parameters import DEFAULT_RULES

PLAIN = TensorCoding(shape=(4, 5), unary_length=3, dq=False, scan_order=0, edition=2, qp_bits=8)


@pytest.mark.parametrize("unary_length", [1, 2, 11, 256])
def test_the_layout_has_the_documented_size_and_starts(unary_length: int) -> None:
    starts = contexts.group_starts(unary_length)
    assert starts["total"] == 53 + 4 * unary_length + 37
    assert starts["sig_base"] == contexts.SIG_BASE
    assert starts["sig_history"] == contexts.SIG_HISTORY
    assert starts["sign_neighbour"] == contexts.SIGN_NEIGHBOUR
    assert starts["sign_base"] == contexts.SIGN_BASE
    assert starts["greater_neighbour"] == contexts.GREATER
    assert starts["greater_base"] == 53 + 2 * unary_length
    assert starts["remainder_prefix"] == 53 + 4 * unary_length
    assert starts["id_present"] == 53 + 4 * unary_length + 34
    assert starts["row_skip"] == 53 + 4 * unary_length + 36


def coded(coding: TensorCoding, history_flag: bool = False, rules: PayloadRules = DEFAULT_RULES) -> list[int]:
    return list(contexts.coded_contexts(coding, history_flag, rules))


def test_a_plain_tensor_sends_ids_of_three_significance_contexts() -> None:
    assert coded(PLAIN) == [0, 1, 2, 48, 49, 50, *range(53, 59), *range(65, 96)]


def test_dependent_quantization_sends_ids_for_all_eight_states() -> None:
    assert coded(replace(PLAIN, dq=True), True)[:36] == [*range(24), *range(40, 48), 48, 49, 50, 53]


def test_temporal_contexts_add_their_groups_in_place() -> None:
    temporal = replace(PLAIN, base=np.zeros((4, 5), np.int32))
    assert coded(temporal)[:8] == [0, 1, 2, 24, 25, 48, 49, 50]
    assert coded(temporal)[8:22] == [51, 52, *range(53, 65)]


def test_the_rules_of_nncodec_1_send_a_32nd_prefix_id() -> None:
    assert coded(PLAIN, rules=PayloadRules(prefix_ids=32)) == [*coded(PLAIN), 96]


def test_a_codebook_of_one_entry_sends_no_id() -> None:
    assert coded(replace(PLAIN, codebook_size=1)) == []


@pytest.mark.parametrize(("size", "zero"), [(2, 0), (2, 1), (300, 0), (300, 299)])
def test_a_codebook_with_zero_at_an_end_sends_no_sign_id(size: int, zero: int) -> None:
    sent = coded(replace(PLAIN, codebook_size=size, codebook_zero=zero))
    assert not {48, 49, 50} & set(sent)


def test_a_codebook_bounds_the_greater_flags_and_the_prefix() -> None:
    assert [index for index in coded(replace(PLAIN, codebook_size=5, codebook_zero=2)) if index >= 53] == [
        *range(53, 57)
    ]
    # U = 3: prefix bin a is coded when 3 - 2 + 2^(a+1) is below the largest magnitude, here 9.
    assert coded(replace(PLAIN, codebook_size=19, codebook_zero=9))[-2:] == [65, 66]


def test_a_codebook_has_no_influence_in_edition_1() -> None:
    assert coded(replace(PLAIN, edition=1, codebook_size=5, codebook_zero=2)) == coded(PLAIN)
