"""Contexts that depend on earlier tensors: what the builder writes with them is what a chain of models decodes to."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

import nnr_conformance
from nnr_conformance.encoder.recipe import build_recipe

CODEBOOK = {
    "codebook_size": 8,
    "codebook_center_offset": -1,
    "codebook_zero_value": 5,
    "codebook_delta_left": [0, 1, 2],
    "codebook_delta_right": [3, 0, 0, 1],
}
LOWEST, HIGHEST = -3, 4
ALLOWED = {"single_block_row", "row_skip_nonminimal", "row_skip_zero_row", "scan_order_without_effect"}


def model(depth: int, tensor: dict[str, Any], **elements: Any) -> list[dict[str, Any]]:
    """A model of one tensor: a base for depth 0, else an update of the one before."""
    parent = {"parent_node_id_type": "ICNN_NDU_ID", "parent_device_id": 0} if depth else {}
    ids = {"device_id": 0, "parameter_id": 7, "put_node_depth": depth, **parent}
    parameters = {"mps_qp_density": 2, "mps_quantization_method_flags": 3}
    return [
        {"NNR_STR": {}},
        {"NNR_MPS": {**parameters, "mps_parent_signalling_enabled_flag": int(depth > 0)}},
        {"NNR_NDU": {"topology_elem_id": "w", "tensors": [tensor], **ids, **elements}},
    ]


def quantized(levels: np.ndarray, dq: int, scan_order: int, row_skip: list[int] | None) -> np.ndarray:
    """What the levels of the builder are quantized parameters of: doubled by a walk of its own through the trellis."""
    if not dq:
        return levels
    following = ((0, 2), (7, 5), (1, 3), (6, 4), (2, 0), (5, 7), (3, 1), (4, 6))
    height, width = levels.shape
    block = 4 << scan_order if scan_order and height > 1 and width > 1 else max(height, width)
    found, state = np.zeros_like(levels), 0
    for top in range(0, height, block):
        for left in range(0, width, block):
            for row in range(top, min(top + block, height)):
                if row_skip is not None and row_skip[row]:
                    for _ in range(width):
                        state = following[state][0]
                    continue
                for column in range(left, min(left + block, width)):
                    level = int(levels[row, column])
                    found[row, column] = 2 * level - int(np.sign(level)) * (state & 1)
                    state = following[state][level & 1]
    return found


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_temporal_and_history_contexts_are_those_that_a_chain_decodes_with(data: st.DataObject) -> None:
    height, width = data.draw(st.integers(1, 18)), data.draw(st.integers(1, 10))
    streams: list[bytes] = []
    before, history = np.zeros((height, width), np.int64), np.zeros((height, width), bool)
    for depth in range(3):
        bounded = data.draw(st.booleans())
        dq = 0 if bounded else data.draw(st.integers(0, 1))
        sizes = st.integers(LOWEST, HIGHEST) if bounded else st.one_of(st.integers(-2, 2), st.integers(-4000, 4000))
        drawn = data.draw(st.lists(st.one_of(st.just(0), sizes), min_size=height * width, max_size=height * width))
        levels = np.array(drawn, np.int64).reshape(height, width)
        tensor: dict[str, Any] = {}
        elements: dict[str, Any] = {"scan_order": data.draw(st.integers(0, 2)), "dq_flag": dq}
        elements |= CODEBOOK if bounded else {}
        elements["cabac_unary_length_minus1"] = data.draw(st.sampled_from([0, 1, 2, 9]))
        if height > 1 and width > 1 and data.draw(st.booleans()):
            tensor["row_skip"] = data.draw(st.lists(st.integers(0, 1), min_size=height, max_size=height))
            levels[np.array(tensor["row_skip"]) == 1] = 0
        if depth and data.draw(st.booleans()):
            elements["temporal_context_modeling_flag"] = 1
            tensor["base"] = before.tolist()
        if depth and height > 1 and width > 1 and data.draw(st.booleans()):
            tensor["history"] = history.astype(int).tolist()
        names = st.sampled_from(["sig 0", "sig base 1", "sig history 0", "sign base 1", "greater base 0", "prefix 1"])
        tensor["init_ids"] = data.draw(st.dictionaries(names, st.integers(0, 8)))
        streams.append(build_recipe(model(depth, {"levels": levels.tolist(), **tensor}, **elements)).data)
        before = quantized(levels, dq, elements["scan_order"], tensor.get("row_skip"))
        history |= (before != 0) & (depth > 0)
    assert nnr_conformance.decode(streams).levels["w"].tolist() == before.tolist()
    assert {found.code for found in nnr_conformance.check(streams).diagnostics} <= ALLOWED
