"""For every reading a stream that tells its readings apart."""

from __future__ import annotations

import hashlib
import zlib
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
    reference_list,
    start,
    topology,
)
from tests.decoder.test_bitstreams import EXAMPLES, NNCODEC
from tests.entropy.reference_encoder import BinEncoder, TensorEncoder

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


COLUMN_MASK = {
    "nnr_pruning_topology_container": {
        "nnr_rep_type": 0,
        "prune_flag": 0,
        "order_flag": 0,
        "sparse_flag": 1,
        "sparsity_bit_mask": {"count_bits": 12, "bit_mask_value": bytes((0b01100100, 0b00000000))},
    }
}
"""Marks the three weights below the diagonal of a matrix of 3 rows and 4 columns, column by column."""
OUTSIDE = {"tensor_dimensions": [4], "compressed_parameter_types": 2}
"""What an application knows of a local scaling vector whose input parameters are not in the stream."""


def with_compression(unit: bytes) -> bytes:
    """A topology unit that says NNR_DFL of data that is stored as it is."""
    return unit[:4] + b"\x01" + unit[5:]


def integers_of_25_bits() -> bytes:
    """A level above 2^24 whose product with the step size 1.25 is rounded to another value in one step than in two."""
    encoder = BinEncoder()
    encoder.bypass(1, 8)
    tensor = TensorEncoder(encoder, 11, dq=False)
    tensor.init_ids()
    tensor.levels([(1 << 25) + 2, 1])
    return coded("w", "e2-001-plain", dims=(2,), payload=encoder.finish())


def column() -> bytes:
    """A column of integers in blocks: two block rows, and an entry point that nothing uses."""
    encoder = BinEncoder()
    tensor = TensorEncoder(encoder, 11, dq=False)
    tensor.init_ids()
    tensor.levels([1, 0, -1] * 3)
    points = {"scan_order": 1, "value": [0], "bit_offset": [0], "bit_offset_delta": [0]}
    return coded("n", "e2-030-int", dims=(9, 1), payload=encoder.finish(), **points)


def partitioned_parent() -> Streams:
    """A tensor in two parts, and an update that names it by the hash of both together."""
    payload = GRID.astype("<f4").tobytes()
    parts = raw("r", GRID, part=2, payload=payload[:8]) + raw("r", GRID, part=1, payload=payload[8:])
    update = raw(
        "r",
        GRID,
        updates=1,
        parent_node_id_present_flag=1,
        parent_node_id_type=1,
        temporal_context_modeling_flag=0,
        parent_node_payload_sha256=int.from_bytes(hashlib.sha256(payload).digest(), "big"),
    )
    return [start() + parameter_set() + parts, start() + parameter_set(updates=1) + update]


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
    "container-compression": lambda: [
        start() + parameter_set() + with_compression(reference_list("a", "b")) + raw("r", GRID)
    ],
    "deflate-wrapper": lambda: in_stream(
        topology(3, {"topology_data": zlib.compress(b"model")}, compression=1), raw("r", GRID)
    ),
    "level-rounding": lambda: in_stream(integers_of_25_bits()),
    "parent-hash": partitioned_parent,
    "decompressed-formats": lambda: in_stream(raw("r", GRID, nnr_decompressed_data_format=9)),
    "scalar-dimensions": lambda: in_stream(raw("r", np.float32(3).reshape(()))),
    "narrow-entry-points": lambda: in_stream(column()),
    "outside-types": lambda: in_stream(raw("r_scaling", GRID[0], input_parameters_present_flag=0, given=OUTSIDE)),
    "mask-order": lambda: [
        start() + map_unit(sparsification=SPARSIFICATION) + topology(5, COLUMN_MASK) + raw("r", np.triu(GRID + 1))
    ],
    "history": lambda: [(NNCODEC / f"s11_pnet_diff_tca_hdsp.s{step}.nnc").read_bytes() for step in range(3)],
}


OUT_OF_BAND = {"outside-types": {"r_scaling": OUTSIDE}}


def outcome(streams: Streams, reading: str, name: str) -> tuple[Any, ...]:
    """All that a reading can change: tensors bit by bit, levels, and what was found."""
    outside = OUT_OF_BAND.get(reading)
    decoded = nnr_conformance.decode(streams, transmitted=True, readings={reading: name}, out_of_band=outside)
    report = nnr_conformance.check(streams, readings={reading: name}, out_of_band=outside)
    return (
        {key: (values.shape, values.dtype, values.tobytes()) for key, values in decoded.tensors.items()},
        decoded.digests["syntax"],
        [(found.code, found.bits) for found in decoded.diagnostics],
        [(found.code, found.bits) for found in report.diagnostics],
    )


def test_every_reading_has_a_stream() -> None:
    assert set(STREAMS) == set(known_readings())


@pytest.mark.parametrize("reading", sorted(STREAMS))
def test_the_readings_of_a_stream_differ_and_the_default_is_what_nothing_chosen_means(reading: str) -> None:
    streams = STREAMS[reading]()
    row = known_readings()[reading]
    outcomes = {name: outcome(streams, reading, name) for name in row["readings"]}
    plain = nnr_conformance.decode(streams, transmitted=True, out_of_band=OUT_OF_BAND.get(reading))
    assert [(found.code, found.bits) for found in plain.diagnostics] == outcomes[row["default"]][2]
    others = [found for name, found in outcomes.items() if name != row["default"]]
    assert any(found != outcomes[row["default"]] for found in others)


@pytest.mark.parametrize("reading", sorted(set(STREAMS) - {"edition1-payload"}))
def test_the_stream_of_a_reading_has_no_error_under_its_default(reading: str) -> None:
    report = nnr_conformance.check(STREAMS[reading](), out_of_band=OUT_OF_BAND.get(reading))
    assert report.verdict is nnr_conformance.Verdict.CONFORMING


def test_levels_of_skipped_rows_follow_the_encoder_only_under_the_default_reading() -> None:
    vector = "e2-006-rowskip-scan1-dq-w13"
    expected = np.array(load(vector)["tensors"][0]["expected"]["quant_param"]).ravel()
    streams = STREAMS["row-skip-state"]()
    assert np.array_equal(nnr_conformance.decode(streams, transmitted=True).levels["w"].ravel(), expected)
    other = nnr_conformance.decode(streams, transmitted=True, readings=["row-skip-state=per-position"])
    assert "w" not in other.levels or not np.array_equal(other.levels["w"].ravel(), expected)
