"""Pairs of streams for rules on order, parts, identifiers and aggregates: one keeps to a rule, the other breaks it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from nnr_conformance.encoder.units import build_unit, state_for
from tests.decoder.stream_builder import (
    aggregate,
    coded,
    layer_set,
    parameter_set,
    raw,
    reference_list,
    start,
    topology,
)

GRID = np.arange(12, dtype=np.float32).reshape(3, 4)
DATA = raw("r", GRID)
OTHER = raw("s", GRID)
GRAPH = topology(1, {"topology_data": b"graph net(x) -> (y) { }"})
BYTES = GRID.astype("<f4").tobytes()


def flat(*units: bytes) -> bytes:
    return b"".join((start(), parameter_set(), *units))


def indexed(*units: bytes, lists: int = 1) -> bytes:
    head = (start(), parameter_set(indexed=1), *(reference_list("a", "b"),) * lists)
    return b"".join((*head, *units))


def index(number: int) -> bytes:
    return raw("", GRID, topology_elem_id_index=number)


def part(counter: int, name: str = "r", size: int = 16) -> bytes:
    return raw(name, GRID, part=counter, payload=bytes(size))


def quantization(data: bytes = b"\0", storage: int = 0) -> bytes:
    own = {"quantization_storage_format": storage, "quantization_compression_format": 0}
    header = {
        "nnr_unit_type": 4,
        "independently_decodable_flag": 1,
        "partial_data_counter_present_flag": 0,
        "nnr_quantization_unit_header": own,
    }
    return build_unit(header, {"quantization_data": data}, state_for(1))


def dependent(unit: bytes) -> bytes:
    """A unit that says that it is a part, without a counter."""
    data = bytearray(unit)
    data[2] &= ~2
    return bytes(data)


def bundle(*units: bytes, self_contained: int = 1, depths: list[int] | None = None) -> bytes:
    data = bytearray(aggregate(*units, kind=self_contained))
    for number, depth in enumerate(depths or []):
        data[3 + 4 + number] = depth << 3
    return bytes(data)


def layered(self_contained: int) -> bytes:
    """Scaling under one layer parameter set, its weight under another."""
    second = bytearray(layer_set((2, 0)))
    second[3] |= self_contained << 7
    layer = {"compressed_parameter_types": 2}
    scaling = raw("w_scaling", np.ones(3, np.float32), **layer)
    return flat(layer_set((2, 0)), scaling, bytes(second), raw("w", GRID, **layer))


def decomposition_map(*units: bytes) -> bytes:
    tree: dict[str, Any] = {
        "topology_carriage_flag": 0,
        "mps_sparsification_flag": 0,
        "mps_pruning_flag": 0,
        "mps_unification_flag": 0,
        "mps_decomposition_performance_map_flag": 1,
        "mps_quantization_method_flags": 0,
        "mps_topology_indexed_reference_flag": 0,
        "base_model_id_present_flag": 0,
        "validation_set_performance_present_flag": 0,
        "metric_type_performance_map_valid_flag": 0,
        "mps_parent_signalling_enabled_flag": 0,
        "decomposition_performance_map": {
            "dpm_count_thresholds": 2,
            "mse_threshold": [0.5],
            "dpm_nn_accuracy": [0.5],
            "nn_reduction_ratio": [0.5],
            "dpm_count_classes": [0],
            "dpm_nn_class_accuracy": [[]],
        },
    }
    header = {
        "nnr_unit_type": 1,
        "independently_decodable_flag": 1,
        "partial_data_counter_present_flag": 0,
        "nnr_model_parameter_set_unit_header": {},
    }
    return b"".join((start(), build_unit(header, tree, state_for(1)), *units))


def factors(types: int) -> list[bytes]:
    layer: dict[str, Any] = {"compressed_parameter_types": types, "dims": [4, 6]}
    if types & 1:
        layer |= {"decomposition_rank": 2, "g_number_of_rows": 4}
        g, h = np.ones((4, 2), np.float32), np.ones((2, 6), np.float32)
        return [raw("w_G", g, **layer), raw("w_H", h, **layer, state={"G_pending": 1})]
    return [raw("w", np.ones((4, 6), np.float32), **layer)]


Pair = tuple[Callable[[], bytes], Callable[[], bytes]]

PAIRS: dict[str, Pair] = {
    "start_unit_missing": (
        lambda: start(0) + parameter_set(0) + raw("r", GRID, 0),
        lambda: parameter_set(0) + raw("r", GRID, 0),
    ),
    "start_unit_repeated": (lambda: flat(DATA), lambda: flat(DATA) + flat(DATA)),
    "parameter_set_missing": (lambda: flat(DATA), lambda: start() + DATA),
    "parameter_set_repeated": (lambda: flat(DATA), lambda: flat(parameter_set(), DATA)),
    "parameter_set_late": (lambda: flat(parameter_set(), DATA), lambda: flat(DATA, parameter_set())),
    "no_compressed_data": (lambda: flat(DATA), flat),
    "quantization_after_data": (lambda: flat(quantization(), DATA), lambda: flat(DATA, quantization())),
    "topology_missing": (
        lambda: start() + parameter_set(carriage=1) + GRAPH + raw("x", GRID),
        lambda: start() + parameter_set(carriage=1) + raw("x", GRID),
    ),
    "decomposition_map_unused": (
        lambda: decomposition_map(*factors(1)),
        lambda: decomposition_map(*factors(0)),
    ),
    "element_repeated": (lambda: flat(DATA, OTHER), lambda: flat(DATA, DATA)),
    "element_index_repeated": (lambda: indexed(index(0), index(1)), lambda: indexed(index(0), index(0))),
    "reference_list_missing": (lambda: indexed(index(0)), lambda: indexed(index(0), lists=0)),
    "reference_list_repeated": (lambda: indexed(index(0)), lambda: indexed(index(0), lists=2)),
    "partial_data_ids": (lambda: flat(part(3), part(2), part(1)), lambda: flat(part(3), part(2, "s"), part(1, "s"))),
    "partial_data_sequence": (lambda: flat(part(3), part(2), part(1)), lambda: flat(part(3), part(1), part(1))),
    "partial_data_count": (lambda: flat(part(3), part(2), part(1)), lambda: flat(part(1), part(2), part(3))),
    "partial_data_incomplete": (lambda: flat(part(3), part(2), part(1)), lambda: flat(part(3), part(2))),
    "complete_unit_in_partition": (
        lambda: flat(part(2, size=24), OTHER, part(1, size=24)),
        lambda: flat(part(2, size=24), DATA, part(1, size=24)),
    ),
    "partial_data_counter_missing": (lambda: flat(DATA), lambda: flat(dependent(DATA))),
    "layer_not_self_contained": (lambda: layered(0), lambda: layered(1)),
    "aggregate_dependent": (
        lambda: start() + bundle(parameter_set(), part(2, size=24), part(1, size=24)),
        lambda: start() + bundle(parameter_set(), part(2, size=24)) + part(1, size=24),
    ),
    "aggregate_incomplete": (
        lambda: start() + bundle(parameter_set(), DATA),
        lambda: start() + parameter_set() + bundle(DATA, OTHER),
    ),
    "bit_depth_exceeded": (
        lambda: flat(bundle(coded("w", "e2-001-plain"), DATA, self_contained=0, depths=[20, 0])),
        lambda: flat(bundle(coded("w", "e2-001-plain"), DATA, self_contained=0, depths=[1, 0])),
    ),
    "record_without_data": (
        lambda: start() + bundle(parameter_set(), DATA, depths=[0, 3]),
        lambda: start() + bundle(parameter_set(), DATA, depths=[3, 3]),
    ),
}

COMPANIONS = {
    "parameter_set_late": {"parameter_set_repeated"},
    "partial_data_ids": {"partial_data_incomplete", "raw_length"},
    "partial_data_sequence": {"partial_data_incomplete", "raw_length", "element_repeated", "partial_data_count"},
    "partial_data_count": {"partial_data_incomplete", "raw_length", "element_repeated"},
    "complete_unit_in_partition": {"element_repeated", "independence_differs"},
    "topology_missing": set(),
}
