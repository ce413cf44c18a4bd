"""Checking a stream says of its composition what decoding says, without doing it."""

from __future__ import annotations

from typing import Any

import pytest

import nnr_conformance
from nnr_conformance.encoder.recipe import build_recipe
from nnr_conformance.limits import Limits

START: list[dict[str, Any]] = [{"NNR_STR": {}}, {"NNR_MPS": {"mps_parent_signalling_enabled_flag": 1}}]
FACTOR = {"compressed_parameter_types": 1, "decomposition_rank": 1, "g_number_of_rows": 2, "tensor_dimensions": [2, 2]}
BY_NAME = {"parent_node_id_type": "ICNN_NDU_ID", "parent_device_id": 0, "parameter_id": 0, "put_node_depth": 1}


def raw(name: str, values: Any, **elements: Any) -> dict[str, Any]:
    return {"NNR_NDU": {"topology_elem_id": name, "float32": values, **elements}}


def integers(name: str, levels: Any, **elements: Any) -> dict[str, Any]:
    kind = {"nnr_compressed_data_unit_payload_type": "NNR_PT_INT"}
    return {"NNR_NDU": {"topology_elem_id": name, "tensors": [{"levels": levels}], **kind, **elements}}


G, H = raw("w_G", [1.0, 2.0], **FACTOR), raw("w_H", [3.0, 4.0], **FACTOR)
SCALING = {"compressed_parameter_types": 2}
STREAMS: dict[str, tuple[list[dict[str, Any]], list[str]]] = {
    "both factors": ([*START, G, H], []),
    "G is last": ([*START, G], ["decomposition_pair"]),
    "H alone": ([*START, H], ["decomposition_pair"]),
    "something between": ([*START, G, raw("v", [1.0]), H], ["decomposition_pair", "decomposition_pair"]),
    "ranks differ": (
        [*START, G, raw("w_H", [3.0] * 4, **FACTOR | {"decomposition_rank": 2})],
        ["decomposition_pair"],
    ),
    "scaling that fits": ([*START, raw("w_scaling", [1.0, 2.0], **SCALING), raw("w", [[1.0], [2.0]])], []),
    "scaling too short": ([*START, raw("w_scaling", [1.0], **SCALING), raw("w", [[1.0], [2.0]])], ["ls_shape"]),
    "update that fits": ([*START, G, H, *START, raw("w", [[1.0, 2.0], [3.0, 4.0]], **BY_NAME)], []),
    "update of another shape": ([*START, G, H, *START, raw("w", [1.0] * 4, **BY_NAME)], ["update_shape"]),
    "update of another kind": (
        [*START, raw("w", [1.0]), *START, integers("w", [1], **BY_NAME)],
        ["update_shape"],
    ),
    "update of an update": (
        [*START, raw("w", [1.0]), *START, raw("w", [2.0], **BY_NAME), *START, raw("w", [1.0, 2.0], **BY_NAME)],
        ["update_shape"],
    ),
}
CODES = {"decomposition_pair", "ls_shape", "update_shape", "limit_composition"}


@pytest.mark.parametrize("name", STREAMS)
def test_checking_and_decoding_say_the_same_of_composition(name: str) -> None:
    units, expected = STREAMS[name]
    stream = build_recipe(units).data
    checked = [found.code for found in nnr_conformance.check(stream).diagnostics if found.code in CODES]
    decoded = [found.code for found in nnr_conformance.decode(stream).diagnostics if found.code in CODES]
    assert checked == decoded == expected


def test_a_product_beyond_the_limit_is_found_by_checking_too() -> None:
    stream = build_recipe([*START, G, H]).data
    report = nnr_conformance.check(stream, limits=Limits(composition_products=3))
    assert "limit_composition" in {found.code for found in report.diagnostics}
