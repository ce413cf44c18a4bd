"""For every reading a stream that tells its readings apart."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import nnr_conformance
from nnr_conformance.encoder.units import build_unit, state_for
from nnr_conformance.readings import known_readings
from tests.decoder.stream_builder import (
    aggregate,
    coded,
    layer_set,
    load,
    parameter_set,
    raw,
    start,
    topology,
)
from tests.decoder.test_bitstreams import EXAMPLES, NNCODEC

GRID = np.arange(12, dtype=np.float32).reshape(3, 4)
CUBE = np.arange(24, dtype=np.float32).reshape(2, 3, 4)

Streams = list[bytes]


def mapped(values: np.ndarray, names: list[str], **mapping: Any) -> bytes:
    return raw(names, values, topology_tensor_dimension_mapping={"concatenation_axis_index": 0, **mapping})


def map_unit(**maps: dict[str, Any]) -> bytes:
    """A model parameter set with performance maps, built under the default readings."""
    flags = {"sparsification": "mps_sparsification_flag", "unification": "mps_unification_flag"}
    tree = {
        "topology_carriage_flag": 0,
        "mps_sparsification_flag": 0,
        "mps_pruning_flag": 0,
        "mps_unification_flag": 0,
        "mps_decomposition_performance_map_flag": 0,
        "mps_quantization_method_flags": 0,
        "mps_topology_indexed_reference_flag": 0,
        "base_model_id_present_flag": 0,
        "validation_set_performance_present_flag": 0,
        "metric_type_performance_map_valid_flag": 0,
        "mps_parent_signalling_enabled_flag": 0,
    }
    for name, content in maps.items():
        tree[flags[name]] = 1
        tree[f"{name}_performance_map"] = content
    header = {
        "nnr_unit_type": 1,
        "independently_decodable_flag": 1,
        "partial_data_counter_present_flag": 0,
        "nnr_model_parameter_set_unit_header": {},
    }
    return build_unit(header, tree, state_for(1))


SPARSIFICATION = {
    "spm_count_thresholds": 2,
    "sparsification_threshold": [0.5],
    "non_zero_ratio": [0.25],
    "spm_nn_accuracy": [0.875],
    "spm_count_classes": [0],
    "spm_class_bitmask": [0],
    "spm_nn_class_accuracy": [[]],
}
UNIFICATION = {
    "upm_count_thresholds": 2,
    "count_reshaped_tensor_dimension": [1],
    "reshaped_tensor_dimensions": [[]],
    "count_super_block_dimension": [1],
    "super_block_dimensions": [[]],
    "count_block_dimension": [1],
    "block_dimensions": [[]],
    "unification_threshold": [0.5],
    "upm_nn_accuracy": [0.875],
    "upm_count_classes": [2],
    "upm_class_bitmask": [3],
    "upm_nn_class_accuracy": [[0.5, 0.25, 0.125]],
}
DICTIONARY = {
    "nnr_rep_type": 1,
    "prune_flag": 1,
    "order_flag": 1,
    "sparse_flag": 0,
    "pruning_dictionary": {
        "count_ids": 2,
        "element_id": ["a", "b"],
        "count_dims": [1, 2],
        "dim": [[3], [4, 5]],
    },
}


def in_stream(*units: bytes) -> Streams:
    return [b"".join((start(), parameter_set(), *units))]


STREAMS: dict[str, Callable[[], Streams]] = {
    "edition1-payload": lambda: [next(path for path in EXAMPLES if path.stem.startswith("ex1b")).read_bytes()],
    "row-skip-state": lambda: in_stream(coded("w", "e2-006-rowskip-scan1-dq-w13")),
    "skipped-row-neighbour": lambda: in_stream(coded("w", "e2-003-rowskip")),
    "aggregate-layout": lambda: in_stream(aggregate(raw("q", GRID), raw("r", GRID))),
    "pruning-dictionary": lambda: in_stream(
        topology(5, {"nnr_pruning_topology_container": DICTIONARY}), raw("r", GRID)
    ),
    "split-index": lambda: in_stream(mapped(GRID.T, ["a", "b", "c"], split_index=[1, 2], number_of_shifts=[0, 0, 0])),
    "axis-shift": lambda: in_stream(
        mapped(
            CUBE,
            ["a", "b"],
            split_index=[1],
            number_of_shifts=[0, 1],
            shift_index=[[], [2]],
            shift_value=[[], [1]],
        )
    ),
    "map-count": lambda: [start() + map_unit(sparsification=SPARSIFICATION) + raw("r", GRID)],
    "class-accuracy-count": lambda: [start() + map_unit(unification=UNIFICATION) + raw("r", GRID)],
    "byte-string": lambda: in_stream(topology(1, {"topology_data": b"graph"}), raw("r", GRID)),
    "dimension-shift": lambda: in_stream(raw("r", CUBE, first_tensor_dimension_shift=2)),
    "lps-scope": lambda: in_stream(aggregate(layer_set((2, 5)), raw("r", GRID)), coded("w", "e2-001-plain")),
    "history": lambda: [(NNCODEC / f"s11_pnet_diff_tca_hdsp.s{step}.nnc").read_bytes() for step in range(3)],
}


def outcome(streams: Streams, reading: str, name: str) -> tuple[Any, ...]:
    """All that a reading can change: tensors bit by bit, levels, and what was found."""
    decoded = nnr_conformance.decode(streams, transmitted=True, readings={reading: name})
    return (
        {key: (values.shape, values.dtype, values.tobytes()) for key, values in decoded.tensors.items()},
        decoded.digests["syntax"],
        [(found.code, found.bits) for found in decoded.diagnostics],
    )


def test_every_reading_has_a_stream() -> None:
    assert set(STREAMS) == set(known_readings())


@pytest.mark.parametrize("reading", sorted(STREAMS))
def test_the_readings_of_a_stream_differ_and_the_default_is_what_nothing_chosen_means(reading: str) -> None:
    streams = STREAMS[reading]()
    row = known_readings()[reading]
    outcomes = {name: outcome(streams, reading, name) for name in row["readings"]}
    plain = nnr_conformance.decode(streams, transmitted=True)
    assert [(found.code, found.bits) for found in plain.diagnostics] == outcomes[row["default"]][2]
    others = [found for name, found in outcomes.items() if name != row["default"]]
    assert any(found != outcomes[row["default"]] for found in others)


@pytest.mark.parametrize("reading", sorted(set(STREAMS) - {"edition1-payload"}))
def test_the_stream_of_a_reading_has_no_error_under_its_default(reading: str) -> None:
    report = nnr_conformance.check(STREAMS[reading]())
    assert report.verdict is nnr_conformance.Verdict.CONFORMING


def test_levels_of_skipped_rows_follow_the_encoder_only_under_the_default_reading() -> None:
    vector = "e2-006-rowskip-scan1-dq-w13"
    expected = np.array(load(vector)["tensors"][0]["expected"]["quant_param"]).ravel()
    streams = STREAMS["row-skip-state"]()
    assert np.array_equal(nnr_conformance.decode(streams, transmitted=True).levels["w"].ravel(), expected)
    other = nnr_conformance.decode(streams, transmitted=True, readings=["row-skip-state=per-position"])
    assert "w" not in other.levels or not np.array_equal(other.levels["w"].ravel(), expected)
