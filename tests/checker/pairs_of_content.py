"""Pairs of streams for rules on updates, topology data and pruning: one keeps to the rule, the other breaks it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

from nnr_conformance.encoder.units import build_unit, state_for
from tests.checker.pairs_of_order import DATA, GRID, flat, quantization
from tests.decoder.stream_builder import parameter_set, raw, start, topology

WHOLE = {"dims": [3, 4]}


def base(name: str = "r", *, ids: bool = True, depth: int = 0) -> bytes:
    node = {"device_id": 0, "parameter_id": 5, "put_node_depth": depth} if ids else {}
    return flat(raw(name, GRID, node_id_present_flag=int(ids), **node))


def update(name: str = "r", *, present: int = 1, parent: int = 1, **changes: Any) -> bytes:
    """A model with an update of parameter 5 of device 0."""
    ids: dict[str, Any] = {"node_id_present_flag": present}
    if present or (parent and changes.get("parent_node_id_type", 0) == 0):
        ids |= {"parameter_id": 5, "put_node_depth": 1}
    if present:
        ids["device_id"] = 0
    if parent:
        ids |= {
            "parent_node_id_present_flag": 1,
            "parent_node_id_type": 0,
            "temporal_context_modeling_flag": 0,
            "parent_device_id": 0,
        }
    return start() + parameter_set(updates=1) + raw(name, GRID, updates=1, **ids | changes)


def by_digest(payload: bytes, name: str = "r", *, present: int = 0) -> bytes:
    digest = int.from_bytes(hashlib.sha256(payload).digest(), "big")
    return update(name, present=present, parent_node_id_type=1, parent_node_payload_sha256=digest)


def nested(number: int, content: bytes) -> bytes:
    """A field of a protocol buffer with up to 127 bytes."""
    return bytes([number << 3 | 2, len(content)]) + content


ONNX = bytes([1 << 3, 8]) + nested(7, nested(5, nested(8, b"r")) + nested(2, b"net"))


def nnef(label: str) -> bytes:
    text = f"version 1.0;\ngraph net(x) -> (y) {{ w = variable(shape = [3,4], label = '{label}'); }}"
    return topology(1, {"topology_data": text.encode()})


def carrying(unit: bytes) -> bytes:
    return start() + parameter_set(carriage=1) + unit + DATA


def container(data: list[bytes], *, maps: tuple[str, ...] = ("pruning",), **tree: Any) -> bytes:
    flags = {"mps_sparsification_flag": int("sparsification" in maps), "mps_pruning_flag": int("pruning" in maps)}
    parameters: dict[str, Any] = {
        "topology_carriage_flag": 0,
        **flags,
        "mps_unification_flag": 0,
        "mps_decomposition_performance_map_flag": 0,
        "mps_quantization_method_flags": 0,
        "mps_topology_indexed_reference_flag": 0,
        "base_model_id_present_flag": 0,
        "validation_set_performance_present_flag": 0,
        "metric_type_performance_map_valid_flag": 0,
        "mps_parent_signalling_enabled_flag": 0,
        "sparsification_performance_map": {"spm_count_thresholds": 2}
        | {
            "sparsification_threshold": [0.5],
            "non_zero_ratio": [0.5],
            "spm_nn_accuracy": [0.5],
            "spm_count_classes": [0],
            "spm_class_bitmask": [0],
            "spm_nn_class_accuracy": [[]],
        },
        "pruning_performance_map": {
            "ppm_count_pruning_ratios": 2,
            "pruning_ratio": [0.5],
            "ppm_nn_accuracy": [0.5],
            "ppm_count_classes": [0],
            "ppm_class_bitmask": [0],
            "ppm_nn_class_accuracy": [[]],
        },
    }
    header = {
        "nnr_unit_type": 1,
        "independently_decodable_flag": 1,
        "partial_data_counter_present_flag": 0,
        "nnr_model_parameter_set_unit_header": {},
    }
    own = {"nnr_rep_type": 1, "prune_flag": 0, "order_flag": 1, "sparse_flag": 0, **tree}
    unit = topology(5, {"nnr_pruning_topology_container": own})
    return b"".join((start(), build_unit(header, parameters, state_for(1)), unit, *data))


def dictionary(dims: list[list[int]], names: tuple[str, str] = ("r", "s"), **tree: Any) -> dict[str, Any]:
    listed = {"count_ids": 2, "element_id": list(names), "count_dims": [len(one) for one in dims], "dim": dims}
    return {"prune_flag": 1, "pruning_dictionary": listed, **tree}


def sparse(mask: bytes, count: int, data: list[bytes] | None = None, order: int = 1) -> bytes:
    tree = {"sparse_flag": 1, "order_flag": order, "sparsity_bit_mask": {"count_bits": count, "bit_mask_value": mask}}
    return container(data or [DATA], maps=("sparsification",), **tree)


def pieces(dims: list[int]) -> bytes:
    mapping = {"concatenation_axis_index": 0, "split_index": [1], "number_of_shifts": [0, 0]}
    unit = raw(["r", "s"], GRID, topology_tensor_dimension_mapping=mapping)
    return container([unit], **dictionary([[1, 4], dims]))


Pair = tuple[Callable[[], bytes], Callable[[], bytes]]

PAIRS: dict[str, Pair] = {
    "missing_parent": (lambda: base() + update(), update),
    "parent_parameter_unknown": (lambda: base() + update(), lambda: base() + update("t", parameter_id=6)),
    "parent_device_unknown": (lambda: base() + update(), lambda: base() + update(parent_device_id=1)),
    "depth_mismatch": (lambda: base() + update(), lambda: base() + update(put_node_depth=2)),
    "parent_digest_unknown": (
        lambda: base() + by_digest(GRID.tobytes()),
        lambda: base() + by_digest(b"else"),
    ),
    "update_ids_differ": (
        lambda: base() + by_digest(GRID.tobytes()),
        lambda: base() + by_digest(GRID.tobytes(), "t"),
    ),
    "update_in_base_network": (base, lambda: base(depth=1)),
    "root_with_parent": (lambda: base() + update(), lambda: base() + update(put_node_depth=0)),
    "update_without_parent": (lambda: base() + update(), lambda: base() + update(parent=0)),
    "temporal_contexts_across_devices": (
        lambda: base() + update(temporal_context_modeling_flag=1),
        lambda: base() + update(temporal_context_modeling_flag=1, device_id=1),
    ),
    "topology_not_nnef": (lambda: carrying(nnef("r")), lambda: carrying(topology(1, {"topology_data": b"\xff"}))),
    "element_not_in_topology": (lambda: carrying(nnef("r")), lambda: carrying(nnef("other"))),
    "topology_not_onnx": (
        lambda: carrying(topology(2, {"topology_data": ONNX})),
        lambda: carrying(topology(2, {"topology_data": ONNX[:-1]})),
    ),
    "quantization_not_nnef": (
        lambda: flat(quantization(b'"r": linear_quantize(min = 0.0, max = 1.0, bits = 8);\n', 1), DATA),
        lambda: flat(quantization(b"r: linear_quantize(min = 0.0, max = 1.0, bits = 8);\n", 1), DATA),
    ),
    "pruned_dimension_count": (
        lambda: container([DATA], **dictionary([[3, 4], [5]])),
        lambda: container([DATA], **dictionary([[3], [5]])),
    ),
    "piece_shape": (lambda: pieces([2, 4]), lambda: pieces([4, 2])),
    "prune_flag_not_announced": (
        lambda: container([DATA], **dictionary([[3, 4], [5]])),
        lambda: container([DATA], maps=("sparsification",), **dictionary([[3, 4], [5]])),
    ),
    "sparse_flag_not_announced": (
        lambda: sparse(b"\x80\x00", 12),
        lambda: container([DATA], sparse_flag=1, sparsity_bit_mask={"count_bits": 12, "bit_mask_value": b"\x80\x00"}),
    ),
    "sparsity_mask_size": (lambda: sparse(b"\x80\x00", 12), lambda: sparse(b"\x80\x00", 11)),
    "masked_weight_not_zero": (lambda: sparse(b"\x80\x00", 12), lambda: sparse(b"\xc0\x00", 12)),
}

COMPANIONS = {
    "parent_parameter_unknown": {"missing_parent"},
    "parent_device_unknown": {"missing_parent"},
    "depth_mismatch": {"missing_parent"},
    "parent_digest_unknown": {"missing_parent"},
    "root_with_parent": {"missing_parent"},
}
