"""Chains of models and updates: which parent an update is added to, and what is delivered of what did not change."""

from __future__ import annotations

import hashlib
from typing import Any

from nnr_conformance.api import decode
from nnr_conformance.encoder.recipe import build_recipe

Recipe = dict[str, dict[str, Any]]
MPS = {"mps_qp_density": 0, "mps_quantization_parameter": 0, "mps_quantization_method_flags": 3}
UPDATES = MPS | {"mps_parent_signalling_enabled_flag": 1}


def model(*units: dict[str, Any]) -> list[Recipe]:
    return [{"NNR_STR": {}}, {"NNR_MPS": MPS}, *({"NNR_NDU": unit} for unit in units)]


def update(*units: dict[str, Any]) -> list[Recipe]:
    return [{"NNR_STR": {}}, {"NNR_MPS": UPDATES}, *({"NNR_NDU": unit} for unit in units)]


def streams(*recipes: list[Recipe]) -> list[bytes]:
    return [build_recipe(recipe).data for recipe in recipes]


def node(depth: int, device: int = 0, parameter: int = 5) -> dict[str, int]:
    return {"device_id": device, "parameter_id": parameter, "put_node_depth": depth}


def by_ids(depth: int, device: int = 0) -> dict[str, int]:
    return node(depth, device) | {"parent_node_id_type": 0, "parent_device_id": 0}


HALF = {"nnr_decompressed_data_format": 8}
LONG = {"nnr_decompressed_data_format": 7, "nnr_compressed_data_unit_payload_type": "NNR_PT_INT"}


def test_what_an_update_does_not_change_is_delivered_in_its_own_format() -> None:
    base = model(
        {"topology_elem_id": "w", "float32": [2049.0], **HALF},
        {"topology_elem_id": "v", "tensors": [{"levels": [7]}], **LONG},
        {"topology_elem_id": "u", "float32": [1.0], **node(0)},
    )
    changes = update({"topology_elem_id": "u", "float32": [1.0], **by_ids(1)})
    for found in (decode(streams(base, changes)), decode(streams(base + changes))):
        assert {name: (one.dtype.name, one.tolist()) for name, one in found.tensors.items()} == {
            "w": ("float16", [2048.0]),
            "v": ("int64", [7]),
            "u": ("float32", [2.0]),
        }


def test_a_codebook_tensor_that_does_not_change_is_delivered_in_binary32() -> None:
    book = {"codebook_size": 1, "codebook_zero_value": 16777217}
    base = model({"topology_elem_id": "w", **book, "tensors": [{"levels": [0]}]})
    found = decode(streams(base, update())).tensors["w"]
    assert (found.dtype.name, found.tolist()) == ("float32", [16777216.0])


def test_an_update_is_added_to_values_that_no_format_has_rounded() -> None:
    base = model({"topology_elem_id": "w", "float32": [2049.0], **HALF, **node(0)})
    changes = update({"topology_elem_id": "w", "float32": [2.0], **by_ids(1)})
    for found in (decode(streams(base, changes)), decode(streams(base + changes))):
        assert found.tensors["w"].tolist() == [2051.0]


def test_of_equal_payloads_the_one_of_the_same_name_is_the_parent() -> None:
    levels: dict[str, Any] = {"tensors": [{"levels": [[1, 0], [0, 2]]}]}
    base = model({"topology_elem_id": "w", **levels}, {"topology_elem_id": "v", **levels})
    payload = next(one.value for one in build_recipe(base).trace if one.name == "cabac_payload")
    change: dict[str, Any] = {
        "topology_elem_id": "w",
        **node(1),
        "parent_node_id_type": 1,
        "parent_node_payload_sha256": int.from_bytes(hashlib.sha256(payload).digest(), "big"),
        "temporal_context_modeling_flag": 1,
        "tensors": [{"levels": [[1, 1], [1, 1]], "base": [[1, 0], [0, 2]]}],
    }
    found = decode(streams(base, update(change)))
    assert found.diagnostics == ()
    assert found.tensors["w"].tolist() == [[2, 1], [1, 3]]


def test_two_updates_of_one_parent_do_not_add_up() -> None:
    base = model({"topology_elem_id": "w", "float32": [1.0], **node(0)})
    of_device_0 = update({"topology_elem_id": "w", "float32": [0.5], **by_ids(1)})
    of_device_1 = update({"topology_elem_id": "w", "float32": [0.125], **by_ids(1, device=1)})
    assert decode(streams(base, of_device_0, of_device_1)).tensors["w"].tolist() == [1.125]
    assert decode(streams(base, of_device_1, of_device_0)).tensors["w"].tolist() == [1.5]
    assert decode(streams(base + of_device_0 + of_device_1)).tensors["w"].tolist() == [1.125]


def test_updates_of_a_branch_add_up_along_the_branch() -> None:
    base = model({"topology_elem_id": "w", "float32": [1.0], **node(0)})
    first = update({"topology_elem_id": "w", "float32": [0.5], **by_ids(1)})
    aside = update({"topology_elem_id": "w", "float32": [8.0], **by_ids(1, device=1)})
    second = update({"topology_elem_id": "w", "float32": [0.25], **by_ids(2)})
    assert decode(streams(base, first, aside, second)).tensors["w"].tolist() == [1.75]


def test_a_parent_of_a_composed_weight_is_the_composed_weight_of_its_node() -> None:
    block = {
        "nnr_compressed_data_unit_payload_type": "NNR_PT_BLOCK",
        "topology_elem_id_list": ["w_G", "w_H"],
        "compressed_parameter_types": 1,
        "decomposition_rank": 1,
        "g_number_of_rows": 2,
        "tensor_dimensions": [2, 1],
        "tensors": [{"levels": [[1], [2]]}, {"levels": [[3]]}],
    }
    base = model({**block, **node(0)})
    changes = [update({**block, **by_ids(1, device)}) for device in (0, 1)]
    assert decode(streams(base, *changes)).tensors["w"].tolist() == [[6.0], [12.0]]
