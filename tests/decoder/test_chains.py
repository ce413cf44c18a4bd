"""Chains of streams: what updates leave alone, how integers are added, how far a layer parameter set reaches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest

import nnr_conformance
from nnr_conformance.encoder.recipe import build_recipe
from nnr_conformance.limits import Limits

CODEBOOK = {
    "codebook_egk": 1,
    "codebook_size": 3,
    "codebook_zero_value": 5,
    "codebook_delta_left": [3],
    "codebook_delta_right": [1],
}
UPDATES = {"mps_qp_density": 2, "mps_parent_signalling_enabled_flag": 1}
INTEGERS = {"nnr_compressed_data_unit_payload_type": "NNR_PT_INT"}


def stream(*units: Mapping[str, Any], model: Mapping[str, Any] | None = None) -> bytes:
    parameters = {"mps_qp_density": 2} if model is None else model
    return build_recipe([{"NNR_STR": {}}, {"NNR_MPS": parameters}, *units]).data


def root(name: str, number: int, levels: Any, **elements: Any) -> dict[str, Any]:
    own = {"topology_elem_id": name, "device_id": 0, "parameter_id": number, "tensors": [{"levels": levels}]}
    return {"NNR_NDU": own | elements}


def update(name: str, number: int, levels: Any, depth: int = 1, **elements: Any) -> dict[str, Any]:
    parent = {"put_node_depth": depth, "parent_node_id_type": "ICNN_NDU_ID", "parent_device_id": 0}
    return root(name, number, levels, **parent | elements)


def codes(streams: Sequence[bytes] | bytes) -> set[str]:
    return {found.code for found in nnr_conformance.check(streams).diagnostics}


def test_a_codebook_tensor_that_no_update_touches_is_delivered_in_binary32() -> None:
    announced = {"mps_qp_density": 2, "mps_quantization_method_flags": 3}
    base = stream(root("a", 1, [1, 0]), root("c", 2, [1, 0, -1], **CODEBOOK), model=announced)
    changed = stream(update("a", 1, [1, 1]), model=UPDATES)
    for found in (nnr_conformance.decode([base, changed]), nnr_conformance.decode(base + changed)):
        assert found.tensors["c"].dtype == np.float32
        assert found.tensors["c"].tobytes() == nnr_conformance.decode(base).tensors["c"].tobytes()


def test_a_tensor_that_no_update_touches_keeps_its_format_and_a_parent_is_not_rounded_to_it() -> None:
    small = {"nnr_decompressed_data_format": 8}
    base = stream(root("a", 1, [4097, 0], **small), root("b", 2, [4097, 0], **small))
    changed = stream(update("a", 1, [1, 1]), model=UPDATES)
    for found in (nnr_conformance.decode([base, changed]), nnr_conformance.decode(base + changed)):
        assert found.tensors["b"].dtype == np.float16
        assert found.tensors["a"].tolist() == [4098.0, 1.0]


def test_levels_and_quantization_parameters_of_several_models_in_one_buffer_are_returned() -> None:
    both = stream(root("a", 1, [1, 0]), root("b", 2, [5, 7])) + stream(update("a", 1, [0, 3]), model=UPDATES)
    found = nnr_conformance.decode(both)
    assert {name: levels.tolist() for name, levels in found.levels.items()} == {"a": [0, 3], "b": [5, 7]}
    assert found.qp == {"a": 0, "b": 0}


@pytest.mark.parametrize(("levels", "fits"), [([7, -8], True), ([8, 0], False), ([0, -9], False)])
def test_a_check_finds_integer_updates_that_leave_32_bits(levels: list[int], fits: bool) -> None:
    base = stream(root("w", 1, [2147483640, -2147483640], **INTEGERS))
    changed = stream(update("w", 1, levels, **INTEGERS), model=UPDATES)
    assert ("format_overflow" in codes([base, changed])) is not fits


def test_a_second_integer_update_is_checked_against_the_sum_of_what_came_before() -> None:
    base = stream(root("w", 1, [2147483640], **INTEGERS))
    first = stream(update("w", 1, [7], **INTEGERS), model=UPDATES)
    second = stream(update("w", 1, [1], depth=2, **INTEGERS), model=UPDATES)
    assert "format_overflow" not in codes([base, first])
    assert "format_overflow" in codes([base, first, second])


def test_updates_of_one_parent_by_two_devices_are_added_to_it_and_not_to_each_other() -> None:
    base = stream(root("w", 1, [1, 2]))
    first = stream(update("w", 1, [10, 0], device_id=1), model=UPDATES)
    second = stream(update("w", 1, [0, 30], device_id=2), model=UPDATES)
    third = stream(update("w", 1, [5, 5], depth=2, parent_device_id=1), model=UPDATES)
    assert nnr_conformance.decode([base, first, second]).tensors["w"].tolist() == [1.0, 32.0]
    assert nnr_conformance.decode([base, first, second, third]).tensors["w"].tolist() == [16.0, 7.0]
    assert nnr_conformance.decode(base + first + second + third).tensors["w"].tolist() == [16.0, 7.0]


def test_a_layer_parameter_set_stays_in_force_in_an_aggregate_unit_inside_of_its_own() -> None:
    own, inside = {"lps_qp_density": 2, "lps_quantization_parameter": 8}, {"tensors": [{"levels": [1]}]}
    nested = {"units": [{"NNR_NDU": {"topology_elem_id": name, **inside}} for name in ("a", "b")]}
    outer = {"units": [{"NNR_LPS": own}, {"NNR_AGG": nested}, {"NNR_NDU": {"topology_elem_id": "c", **inside}}]}
    built = stream({"NNR_AGG": outer}, {"NNR_NDU": {"topology_elem_id": "d", **inside}})
    limits = Limits(aggregate_depth=2)
    tensors = nnr_conformance.decode(built, limits=limits).tensors
    assert {name: float(values[0]) for name, values in tensors.items()} == {"a": 4.0, "b": 4.0, "c": 4.0, "d": 1.0}


def test_nodes_without_ids_have_no_parameter_in_common() -> None:
    base = build_recipe([{"NNR_STR": {}}, {"NNR_MPS": {}}, {"NNR_NDU": {"topology_elem_id": "w", "float32": [1.0]}}])
    digest = 0xE00E5EB9444182F352323374EF4E08EBCB784725FDD4FD612D7730540B3E0C8C  # of the bytes of 1.0
    other = {"topology_elem_id": "v", "parent_node_id_type": 1, "parent_node_payload_sha256": digest, "float32": [0.5]}
    assert codes([base.data, stream({"NNR_NDU": other}, model=UPDATES)]) == {"update_ids_differ"}
