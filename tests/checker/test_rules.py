"""Every rule has a pair of streams, alike but for what the rule is about: one keeps to it, one breaks it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import nnr_conformance
from nnr_conformance.api import chain_decoder
from nnr_conformance.checker.all_rules import ALL_RULES
from nnr_conformance.checker.check import check_chain
from nnr_conformance.diagnostics import catalogue
from nnr_conformance.encoder.units import build_unit, state_for
from tests.checker import pairs_of_content, pairs_of_order
from tests.checker import test_peculiarity_rules as peculiarities
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

FLAGS = {
    "sparsification_performance_map": "mps_sparsification_flag",
    "pruning_performance_map": "mps_pruning_flag",
    "unification_performance_map": "mps_unification_flag",
    "decomposition_performance_map": "mps_decomposition_performance_map_flag",
}


def flat(*units: bytes) -> bytes:
    return b"".join((start(), parameter_set(), *units))


def with_parameters(*units: bytes, **changes: Any) -> bytes:
    """A stream whose model parameter set has changed elements or performance maps."""
    tree: dict[str, Any] = {
        "topology_carriage_flag": 0,
        **dict.fromkeys(FLAGS.values(), 0),
        "mps_quantization_method_flags": 0,
        "mps_topology_indexed_reference_flag": 0,
        "base_model_id_present_flag": 0,
        "validation_set_performance_present_flag": 0,
        "metric_type_performance_map_valid_flag": 0,
        "mps_parent_signalling_enabled_flag": 0,
    }
    tree |= changes | {FLAGS[name]: 1 for name in changes if name in FLAGS}
    header = {
        "nnr_unit_type": 1,
        "independently_decodable_flag": 1,
        "partial_data_counter_present_flag": 0,
        "nnr_model_parameter_set_unit_header": {},
    }
    return b"".join((start(), build_unit(header, tree, state_for(1)), *(units or (DATA,))))


def sparsification(**changes: Any) -> bytes:
    tree = {
        "spm_count_thresholds": 3,
        "sparsification_threshold": [0.25, 0.5],
        "non_zero_ratio": [0.5, 0.25],
        "spm_nn_accuracy": [0.75, 0.5],
        "spm_count_classes": [2, 0],
        "spm_class_bitmask": [3, 0],
        "spm_nn_class_accuracy": [[0.5, 0.25], []],
    }
    return with_parameters(sparsification_performance_map=tree | changes)


def pruning(ratio: float) -> bytes:
    tree = {
        "ppm_count_pruning_ratios": 2,
        "pruning_ratio": [ratio],
        "ppm_nn_accuracy": [0.5],
        "ppm_count_classes": [0],
        "ppm_class_bitmask": [0],
        "ppm_nn_class_accuracy": [[]],
    }
    return with_parameters(pruning_performance_map=tree)


def unification(block: int) -> bytes:
    tree = {
        "upm_count_thresholds": 2,
        "count_reshaped_tensor_dimension": [1],
        "reshaped_tensor_dimensions": [[]],
        "count_super_block_dimension": [2],
        "super_block_dimensions": [[8]],
        "count_block_dimension": [2],
        "block_dimensions": [[block]],
        "unification_threshold": [0.5],
        "upm_nn_accuracy": [0.5],
        "upm_count_classes": [0],
        "upm_class_bitmask": [0],
        "upm_nn_class_accuracy": [[]],
    }
    return with_parameters(unification_performance_map=tree)


def decomposition(ratio: float) -> bytes:
    tree = {
        "dpm_count_thresholds": 2,
        "mse_threshold": [0.5],
        "dpm_nn_accuracy": [0.5],
        "nn_reduction_ratio": [ratio],
        "dpm_count_classes": [0],
        "dpm_nn_class_accuracy": [[]],
    }
    return with_parameters(decomposition_performance_map=tree)


def pruned(dims: list[list[int]] | None = None, ids: list[str] | None = None, **changes: int) -> bytes:
    dims = [[3, 4], [5]] if dims is None else dims
    dictionary = {
        "count_ids": 2,
        "element_id": ["r", "s"] if ids is None else ids,
        "count_dims": [len(one) for one in dims],
        "dim": dims,
    }
    tree = {"nnr_rep_type": 1, "prune_flag": 1, "order_flag": 1, "sparse_flag": 0} | changes
    return topology(5, {"nnr_pruning_topology_container": tree | {"pruning_dictionary": dictionary}})


def pruning_stream(unit: bytes, data: bytes = DATA, announced: int = 1) -> bytes:
    maps = {"ppm_count_pruning_ratios": 1, "pruning_ratio": []}
    changes: dict[str, Any] = {"pruning_performance_map": maps} if announced else {}
    return with_parameters(unit, data, **changes)


def entry_points(entry: int) -> bytes:
    units = [raw("q", GRID), raw("r", GRID)]
    first = len(aggregate(*units, entries=[(5, 0), (5, 0)])) - sum(map(len, units))
    return flat(aggregate(*units, entries=[(5, first), (5, entry or first + len(units[0]))]))


def scan_orders(order: int) -> bytes:
    data = bytearray(aggregate(raw("q", GRID), raw("r", GRID)))
    data[3 + 4] |= order << 2
    return flat(bytes(data))


def decomposed(rank: int) -> bytes:
    layer = {"compressed_parameter_types": 1, "decomposition_rank": rank, "g_number_of_rows": 4, "dims": [4, 6]}
    g, h = np.ones((4, rank), np.float32), np.ones((rank, 6), np.float32)
    return flat(raw("w_G", g, **layer), raw("w_H", h, **layer, state={"G_pending": 1}))


def metric(present: int) -> bytes:
    changes: dict[str, Any] = {"metric_type_performance_map_valid_flag": 1, "performance_metric_type": "top1"}
    if present:
        changes["pruning_performance_map"] = {"ppm_count_pruning_ratios": 1, "pruning_ratio": []}
    return with_parameters(**changes)


def start_with(byte: int) -> bytes:
    unit = bytearray(start())
    unit[2] = byte
    return bytes(unit) + parameter_set() + DATA


def listed(name: str) -> bytes:
    mapping = {"concatenation_axis_index": 0, "split_index": [1], "number_of_shifts": [0, 0]}
    return flat(raw(["a", name], GRID, topology_tensor_dimension_mapping=mapping))


def parts(second: int) -> bytes:
    data = GRID.astype("<f4").tobytes()
    units = [raw("r", GRID, part=2, payload=data[:8]), bytearray(raw("r", GRID, part=1, payload=data[8:]))]
    units[1][2] |= second << 1
    return flat(*map(bytes, units))


QUANTIZATION = {"mps_qp_density": 2, "mps_quantization_parameter": 0}


def node(name: str, parameter_id: int) -> bytes:
    return raw(name, GRID, node_id_present_flag=1, device_id=0, parameter_id=parameter_id, put_node_depth=0)


def halves() -> list[bytes]:
    data = GRID.astype("<f4").tobytes()
    return [raw("r", GRID, part=2, payload=data[:8]), raw("r", GRID, part=1, payload=data[8:])]


def independent_part() -> bytes:
    unit = bytearray(raw("r", GRID, part=1))
    unit[2] |= 2
    return bytes(unit)


GRAPH = topology(1, {"topology_data": b"graph"})
ROW = raw("r", GRID.reshape(1, 12))

PAIRS: dict[str, tuple[Callable[[], bytes], Callable[[], bytes]]] = {
    "partial_data_type": (
        lambda: flat(raw("r", GRID, part=1)),
        lambda: start() + parameter_set(part=1) + DATA,
    ),
    "independence_differs": (lambda: parts(0), lambda: parts(1)),
    "start_unit_form": (lambda: start_with(0x02), lambda: start_with(0x00)),
    "unit_before_parameter_set": (
        lambda: start() + parameter_set(carriage=1) + GRAPH + DATA,
        lambda: start() + GRAPH + parameter_set(carriage=1) + DATA,
    ),
    "description_after_data": (
        lambda: start() + parameter_set(carriage=1) + GRAPH + DATA,
        lambda: start() + parameter_set(carriage=1) + DATA + GRAPH,
    ),
    "topology_not_announced": (
        lambda: start() + parameter_set(carriage=1) + GRAPH + DATA,
        lambda: start() + parameter_set(carriage=0) + GRAPH + DATA,
    ),
    "metric_without_map": (lambda: metric(1), lambda: metric(0)),
    "base_model_id_empty": (
        lambda: with_parameters(base_model_id_present_flag=1, base_model_id="b"),
        lambda: with_parameters(base_model_id_present_flag=1, base_model_id=""),
    ),
    "lps_without_quantization": (lambda: flat(layer_set((2, 0)), DATA), lambda: flat(layer_set(None), DATA)),
    "lps_unused": (lambda: flat(layer_set((2, 0)), DATA), lambda: flat(DATA, layer_set((2, 0)))),
    "start_unit_in_aggregate": (
        lambda: flat(aggregate(DATA, raw("s", GRID))),
        lambda: flat(aggregate(start(), parameter_set(), DATA)),
    ),
    "float_not_finite": (lambda: pruning(0.5), lambda: pruning(float("nan"))),
    "map_ratio_range": (sparsification, lambda: sparsification(non_zero_ratio=[0.25, 0.5])),
    "map_threshold_values": (sparsification, lambda: sparsification(sparsification_threshold=[0.5, 0.5])),
    "pruning_ratio_range": (lambda: pruning(1.0), lambda: pruning(1.5)),
    "map_accuracy_range": (sparsification, lambda: sparsification(spm_nn_accuracy=[0.75, 75.0])),
    "class_bitmask_population": (sparsification, lambda: sparsification(spm_class_bitmask=[2, 0])),
    "block_exceeds_super_block": (lambda: unification(8), lambda: unification(9)),
    "reduction_ratio_range": (lambda: decomposition(0.5), lambda: decomposition(0.0)),
    "container_compressed": (
        lambda: start() + parameter_set(indexed=1) + reference_list("a", "b") + raw("", GRID, topology_elem_id_index=0),
        lambda: (
            start()
            + parameter_set(indexed=1)
            + reference_list("a", "b")[:4]
            + b"\x01"
            + reference_list("a", "b")[5:]
            + raw("", GRID, topology_elem_id_index=0)
        ),
    ),
    "reference_repeated": (
        lambda: start() + parameter_set(indexed=1) + reference_list("a", "b") + raw("", GRID, topology_elem_id_index=0),
        lambda: start() + parameter_set(indexed=1) + reference_list("a", "a") + raw("", GRID, topology_elem_id_index=0),
    ),
    "listed_id_repeated": (lambda: listed("b"), lambda: listed("a")),
    "pruning_container_empty": (
        lambda: pruning_stream(pruned()),
        lambda: pruning_stream(pruned(prune_flag=0)),
    ),
    "pruned_dimension_zero": (lambda: pruning_stream(pruned()), lambda: pruning_stream(pruned([[3, 4], [0]]))),
    "pruned_element_repeated": (
        lambda: pruning_stream(pruned(ids=["s", "t"])),
        lambda: pruning_stream(pruned(ids=["s", "s"])),
    ),
    "pruned_dimensions_differ": (
        lambda: pruning_stream(pruned([[3, 4], [5]])),
        lambda: pruning_stream(pruned([[3, 5], [5]])),
    ),
    "pruning_not_announced": (
        lambda: pruning_stream(pruned()),
        lambda: pruning_stream(pruned(), announced=0),
    ),
    "aggregate_entry_point_range": (lambda: entry_points(0), lambda: entry_points(1 << 20)),
    "ctu_scan_order_set": (lambda: scan_orders(0), lambda: scan_orders(1)),
    "decomposition_no_reduction": (lambda: decomposed(4), lambda: decomposed(5)),
    "scan_order_without_effect": (
        lambda: flat(raw("r", GRID, scan_order=0)),
        lambda: flat(raw("r", GRID.reshape(1, 12), scan_order=1, value=[], bit_offset=[], bit_offset_delta=[])),
    ),
    "integer_with_dq": (
        lambda: flat(coded("n", "e2-030-int", dq_flag=0)),
        lambda: flat(coded("n", "e2-030-int", dq_flag=1)),
    ),
}
PAIRS |= {
    "uniform_not_announced": (
        lambda: with_parameters(coded("w", "e2-001-plain"), mps_quantization_method_flags=1, **QUANTIZATION),
        lambda: with_parameters(coded("w", "e2-001-plain"), mps_quantization_method_flags=2, **QUANTIZATION),
    ),
    "node_repeated": (lambda: flat(node("a", 0), node("b", 1)), lambda: flat(node("a", 0), node("b", 0))),
    "partition_across_layer_sets": (
        lambda: flat(layer_set((2, 0)), *halves()),
        lambda: flat(halves()[0], layer_set((2, 0)), halves()[1]),
    ),
    "independent_part": (lambda: flat(raw("r", GRID, part=1)), lambda: flat(independent_part())),
}
COMPANIONS = {
    "start_unit_form": {"partial_data_counter_missing"},
    "start_unit_in_aggregate": {"start_unit_repeated", "no_compressed_data"},
    "float_not_finite": {"pruning_ratio_range"},
    "partial_data_type": {"partial_data_counter_missing"},
    "aggregate_entry_point_range": {"aggregate_entry_point"},
    "scan_order_without_effect": {"raw_scan_order"},
    "independence_differs": {
        "partial_data_incomplete",
        "complete_unit_in_partition",
        "element_repeated",
        "raw_length",
        "independent_part",
    },
}
"""Findings that come with the broken stream of a pair because the same bits are wrong in two ways."""
PAIRS |= pairs_of_order.PAIRS | pairs_of_content.PAIRS | peculiarities.PAIRS
COMPANIONS |= pairs_of_order.COMPANIONS | pairs_of_content.COMPANIONS | peculiarities.COMPANIONS

CODES = [rule.code for rule in ALL_RULES]


def report_of(stream: bytes, disabled: frozenset[str] = frozenset()) -> nnr_conformance.Report:
    chain = chain_decoder(stream, out_of_band=getattr(stream, "out_of_band", None))
    return check_chain(chain, disabled=disabled)


def found(stream: bytes, disabled: frozenset[str] = frozenset()) -> set[str]:
    report = report_of(stream, disabled)
    return {diagnostic.code for diagnostic in report.diagnostics}


def test_every_rule_has_a_pair_of_streams() -> None:
    assert len(set(CODES)) == len(CODES)
    assert set(PAIRS) == set(CODES)
    assert set(COMPANIONS) <= set(PAIRS)


@pytest.mark.parametrize("code", CODES)
def test_the_broken_stream_of_a_pair_fires_its_rule_and_little_else(code: str) -> None:
    keeps, breaks = (make() for make in PAIRS[code])
    before, after = found(keeps), found(breaks)
    assert code not in before
    assert code in after
    assert after - before <= {code} | COMPANIONS.get(code, set())


@pytest.mark.parametrize("code", CODES)
def test_without_its_rule_the_broken_stream_is_not_caught(code: str) -> None:
    assert code not in found(PAIRS[code][1](), frozenset({code}))


@pytest.mark.parametrize("code", CODES)
def test_a_rule_counts_what_it_looked_at(code: str) -> None:
    keeps = report_of(PAIRS[code][0]()).streams[0].rules[code]
    breaks = report_of(PAIRS[code][1]()).streams[0].rules[code]
    assert keeps[1] == 0
    assert breaks[1] > 0


@pytest.mark.parametrize("code", CODES)
def test_a_violation_is_placed_inside_its_unit(code: str) -> None:
    report = report_of(PAIRS[code][1]())
    for diagnostic in report.diagnostics:
        if diagnostic.code == code:
            assert diagnostic.path.startswith("unit ")
            if diagnostic.bits is not None:
                label = diagnostic.path.partition(" · ")[0]
                unit = next(one for one in report.streams[0].units if one.label == label)
                assert 8 * unit.first <= diagnostic.bits[0] < diagnostic.bits[1] <= 8 * (unit.first + unit.size)


@pytest.mark.parametrize("rule", ALL_RULES, ids=lambda rule: rule.code)
def test_a_rule_names_its_requirement_in_its_first_line(rule: Any) -> None:
    assert catalogue()[rule.code].requirement in rule.description.partition("\n")[0]
