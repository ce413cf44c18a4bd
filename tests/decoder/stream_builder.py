"""Streams built for tests: headers from trees, payloads that NNCodec's encoder wrote or that need no entropy coding."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np

from nnr_conformance.encoder.units import build_unit, state_for

VECTORS = Path(__file__).parents[1] / "entropy" / "vectors"


def start(profile: int = 1) -> bytes:
    return build_unit(_header(0, nnr_start_unit_header={"general_profile_idc": profile}), state=state_for(profile))


def parameter_set(
    profile: int = 1,
    *,
    quantization: tuple[int, int] | None = (2, 0),
    indexed: int = 0,
    updates: int = 0,
    carriage: int = 0,
    **header: int,
) -> bytes:
    tree: dict[str, Any] = {
        "topology_carriage_flag": carriage,
        "mps_sparsification_flag": 0,
        "mps_pruning_flag": 0,
        "mps_unification_flag": 0,
        "mps_decomposition_performance_map_flag": 0,
        "mps_quantization_method_flags": 0 if quantization is None else 3,
        "mps_topology_indexed_reference_flag": indexed,
        "base_model_id_present_flag": 0,
        "validation_set_performance_present_flag": 0,
        "metric_type_performance_map_valid_flag": 0,
        "mps_parent_signalling_enabled_flag": updates,
        "nnr_pre_flag": 0,
    }
    if quantization is not None:
        tree["mps_qp_density"], tree["mps_quantization_parameter"] = quantization
    return build_unit(_header(1, nnr_model_parameter_set_unit_header={}, **header), tree, state_for(profile))


def layer_set(quantization: tuple[int, int] | None, profile: int = 1) -> bytes:
    tree: dict[str, Any] = {
        "lps_sparsification_flag": 0,
        "lps_pruning_flag": 0,
        "lps_unification_flag": 0,
        "lps_quantization_method_flags": 0 if quantization is None else 1,
    }
    if quantization is not None:
        tree["lps_qp_density"], tree["lps_quantization_parameter"] = quantization
    own = {"lps_self_contained_flag": 0}
    return build_unit(_header(2, nnr_layer_parameter_set_unit_header=own), tree, state_for(profile))


def topology(storage: int, tree: dict[str, Any], compression: int = 0, **header: int) -> bytes:
    own = {"topology_storage_format": storage, "topology_compression_format": compression}
    return build_unit(_header(3, nnr_topology_unit_header=own, **header), tree, state_for(1))


def reference_list(*names: str) -> bytes:
    listed = {"count_topology_elements_minus2": len(names) - 2, "topology_elem_id_list": list(names)}
    return topology(6, {"topology_elements_ids_list": listed})


def aggregate(
    *units: bytes, records: bool = True, entries: list[tuple[int, int]] | None = None, kind: int = 0
) -> bytes:
    own: dict[str, Any] = {
        "nnr_aggregate_unit_type": kind,
        "entry_points_present_flag": int(entries is not None),
        "num_of_nnr_units_minus2": len(units) - 2,
        "quant_bitdepth": [0] * len(units),
        "ctu_scan_order": [0] * len(units),
        "nnr_reserved_zero_2bits": [0] * len(units),
    }
    if entries is not None:
        own["enclosed_unit_type"] = [unit_type for unit_type, _ in entries]
        own["nnr_unit_entry_point"] = [entry for _, entry in entries]
    state = state_for(1, **({} if records else {"reading aggregate-layout": "no-records"}))
    return build_unit(_header(6, nnr_aggregate_unit_header=own), {"nnr_units": b"".join(units)}, state)


def raw(name: str | list[str], values: np.ndarray, profile: int = 1, *, part: int = 0, **changes: Any) -> bytes:
    """A unit of uncompressed floats; `part` and `payload` make it one part of several."""
    payload = changes.pop("payload", values.astype("<f4").tobytes())
    tree = _data_header(name, 2, values.shape, profile, changes)
    body = {"part": payload} if part else {"raw_float32_parameter": payload}
    return _data_unit(tree, body, profile, part)


def coded(name: str | list[str], vector: str, *, profile: int | None = None, part: int = 0, **changes: Any) -> bytes:
    """A unit around a payload of the vectors, with the parameters of its first tensor unless changed."""
    source = load(vector)
    tensor = source["tensors"][0]
    edition = tensor["general_profile_idc"] if profile is None else profile
    payload = changes.pop("payload", bytes.fromhex(source["payload_hex"]))
    kind = 0 if tensor["qp_coded_bits"] is None else 1
    own = {
        "dq_flag": tensor["dq_flag"],
        "scan_order": tensor["scan_order"],
        "cabac_unary_length_minus1": tensor["cabac_unary_length_minus1"],
        "codebook_present_flag": 0,
    }
    if tensor["expected"]["entry_points"] or tensor["scan_order"]:
        own |= entry_point_elements(tensor["expected"]["entry_points"])
    tree = _data_header(name, changes.pop("payload_type", kind), tuple(tensor["shape"]), edition, own | changes)
    return _data_unit(tree, {"part": payload} if part else {"cabac_payload": payload}, edition, part)


def entry_point_elements(points: list[dict[str, int]]) -> dict[str, list[int]]:
    offsets = [point["bit_offset"] for point in points]
    return {
        "value": [point["value"] for point in points],
        "dq_state": [point["dq_state"] or 0 for point in points],
        "bit_offset": offsets[:1] + [0] * (len(offsets) - 1),
        "bit_offset_delta": [0] * bool(offsets) + [b - a for a, b in itertools.pairwise(offsets)],
    }


def load(vector: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((VECTORS / f"{vector}.json").read_text())
    return found


def levels_of(vector: str) -> np.ndarray:
    tensor = load(vector)["tensors"][0]
    return np.array(tensor["expected"]["quant_param"], np.int32).reshape(tensor["shape"])


def values_of(vector: str) -> np.ndarray:
    tensor = load(vector)["tensors"][0]
    patterns = [int(text, 16) for text in tensor["expected"]["values_f32_hex"]]
    return np.array(patterns, np.uint32).view(np.float32).reshape(tensor["shape"])


def _header(unit_type: int, part: int = 0, independent: int | None = None, **specific: Any) -> dict[str, Any]:
    return {
        "nnr_unit_type": unit_type,
        "independently_decodable_flag": int(part == 0) if independent is None else independent,
        "partial_data_counter_present_flag": int(part > 0),
        "partial_data_counter": part,
        **specific,
    }


def _data_header(
    name: str | list[str], payload_type: int, shape: tuple[int, ...], profile: int, changes: dict[str, Any]
) -> dict[str, Any]:
    several = isinstance(name, list)
    dims = list(changes.pop("dims", shape))
    tree: dict[str, Any] = {
        "nnr_compressed_data_unit_payload_type": payload_type,
        "nnr_multiple_topology_elements_present_flag": int(several),
        "nnr_decompressed_data_format_present_flag": int("nnr_decompressed_data_format" in changes),
        "input_parameters_present_flag": 1,
        "node_id_present_flag": 0,
        "parent_node_id_present_flag": 0,
        "codebook_present_flag": 0,
        "dq_flag": 0,
        "tensor_dimensions_flag": 1,
        "cabac_unary_length_flag": 1,
        "compressed_parameter_types": 0,
        "tensor_dimensions_list": {"count_tensor_dimensions": len(dims), "tensor_dimensions": dims},
        "cabac_unary_length_minus1": 10,
        "first_tensor_dimension_shift": 0,
        "scan_order": 0,
        **changes,
    }
    if several:
        tree["topology_elements_ids_list"] = {
            "count_topology_elements_minus2": len(name) - 2,
            "topology_elem_id_list": name,
        }
    elif "topology_elem_id_index" not in changes:
        tree["topology_elem_id"] = name
    return tree


def _data_unit(tree: dict[str, Any], payload: dict[str, Any], profile: int, part: int) -> bytes:
    state = state_for(
        profile,
        mps_topology_indexed_reference_flag=int("topology_elem_id_index" in tree),
        mps_parent_signalling_enabled_flag=int(tree.pop("updates", 0)),
        **tree.pop("state", {}),
    )
    header = _header(5, part, nnr_compressed_data_unit_header=tree)
    return build_unit(header, payload, state, out_of_band=tree.pop("given", {}))
