"""Pairs of streams for the rules on peculiarities: decoders disagree about the second one of each."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nnr_conformance
from nnr_conformance.checker.peculiarity_rules import RULES, is_one_string
from nnr_conformance.diagnostics import Severity, catalogue
from nnr_conformance.encoder.units import build_unit, state_for
from nnr_conformance.entropy import TensorCoding, decode_payload
from tests.decoder.stream_builder import coded, parameter_set, raw, start, topology
from tests.entropy.reference_encoder import BinEncoder, TensorEncoder

GRID = np.arange(12, dtype=np.float32).reshape(3, 4)
EXAMPLES = Path(__file__).parents[2] / "bitstreams" / "examples"


class WithParameters(bytes):
    """A stream with the parameters that its application has besides."""

    out_of_band: dict[str, Any]


def given(stream: bytes, **parameters: Any) -> WithParameters:
    found = WithParameters(stream)
    found.out_of_band = {"r": parameters}
    return found


def flat(*units: bytes) -> bytes:
    return b"".join((start(), parameter_set(carriage=0), *units))


def graph(data: bytes) -> bytes:
    return start() + parameter_set(carriage=1) + topology(1, {"topology_data": data}) + raw("r", GRID)


def quantization(data: bytes) -> bytes:
    own = {"quantization_storage_format": 1, "quantization_compression_format": 0}
    header = {
        "nnr_unit_type": 4,
        "independently_decodable_flag": 1,
        "partial_data_counter_present_flag": 0,
        "nnr_quantization_unit_header": own,
    }
    return flat(build_unit(header, {"quantization_data": data}, state_for(1)), raw("r", GRID))


def pruning_map(count: int) -> bytes:
    records = count - 1
    tree: dict[str, Any] = dict.fromkeys(
        (
            "topology_carriage_flag",
            "mps_sparsification_flag",
            "mps_unification_flag",
            "mps_decomposition_performance_map_flag",
            "mps_quantization_method_flags",
            "mps_topology_indexed_reference_flag",
            "base_model_id_present_flag",
            "validation_set_performance_present_flag",
            "metric_type_performance_map_valid_flag",
            "mps_parent_signalling_enabled_flag",
        ),
        0,
    )
    tree["mps_pruning_flag"] = 1
    tree["pruning_performance_map"] = {
        "ppm_count_pruning_ratios": count,
        "pruning_ratio": [0.5] * records,
        "ppm_nn_accuracy": [0.5] * records,
        "ppm_count_classes": [0] * records,
        "ppm_class_bitmask": [0] * records,
        "ppm_nn_class_accuracy": [[]] * records,
    }
    header = {
        "nnr_unit_type": 1,
        "independently_decodable_flag": 1,
        "partial_data_counter_present_flag": 0,
        "nnr_model_parameter_set_unit_header": {},
    }
    return start() + build_unit(header, tree, state_for(1)) + raw("r", GRID)


def unary_length(present: int) -> bytes:
    """A row of integers with a unary length of 10, said or inferred."""
    encoder = BinEncoder()
    tensor = TensorEncoder(encoder, 10, dq=False)
    tensor.init_ids()
    tensor.levels([3, -1, 0, 2])
    changes = {"cabac_unary_length_flag": present, "cabac_unary_length_minus1": 9}
    return flat(coded("n", "e2-030-int", dims=(4,), payload=encoder.finish(), **changes))


def integer_scan(state: int) -> bytes:
    """Integers of two block rows whose one entry point carries a trellis state, as dq_flag 1 makes it do."""
    encoder = BinEncoder()
    tensor = TensorEncoder(encoder, 10, dq=False)
    encoder.bypass(0, 1)
    tensor.init_ids()
    for rows in (8, 1):
        tensor.block_row()
        tensor.levels([0] * (2 * rows))
    payload = encoder.finish()
    coding = TensorCoding((9, 2), 10, dq=False, scan_order=1, edition=2, qp_bits=0)
    (point,) = decode_payload(payload, [coding]).tensors[0].entry_points
    changes = {"dq_flag": 1, "scan_order": 1, "cabac_unary_length_minus1": 9}
    points = {"value": [point.value], "dq_state": [state], "bit_offset": [point.bit_offset], "bit_offset_delta": [0]}
    return flat(coded("n", "e2-030-int", dims=(9, 2), payload=payload, **changes | points))


def example(old: bytes, new: bytes) -> bytes:
    """The decomposed block of the examples with another name."""
    stream = (EXAMPLES / "ex5_ed1_decomposed_block.nnr").read_bytes()
    assert stream.count(old) == 1
    return stream.replace(old, new)


def decomposed() -> bytes:
    layer = {"compressed_parameter_types": 1, "decomposition_rank": 2, "g_number_of_rows": 4, "dims": [4, 6]}
    g, h = np.ones((4, 2), np.float32), np.ones((2, 6), np.float32)
    return flat(raw("w_G", g, **layer), raw("w_H", h, **layer, state={"G_pending": 1}))


def scaling(values: np.ndarray) -> bytes:
    return flat(raw("w_scaling", values, compressed_parameter_types=2))


def outside(types: int) -> bytes:
    parameters = {"tensor_dimensions": [3, 4], "compressed_parameter_types": types}
    unit = raw("r", GRID, input_parameters_present_flag=0, given=parameters)
    return given(flat(unit), **parameters)


CUBE = np.arange(24, dtype=np.float32).reshape(2, 3, 4)

PAIRS: dict[str, tuple[Callable[[], bytes], Callable[[], bytes]]] = {
    "topology_data_not_a_string": (lambda: graph(b"graph\0"), lambda: graph(b"graph")),
    "quantization_data_not_a_string": (lambda: quantization(b"q\0"), lambda: quantization(b"q")),
    "map_empty": (lambda: pruning_map(2), lambda: pruning_map(1)),
    "unary_length_inferred": (lambda: unary_length(1), lambda: unary_length(0)),
    "parameter_types_out_of_band": (lambda: outside(0), lambda: outside(2)),
    "out_of_band_conflict": (
        lambda: given(flat(raw("r", GRID)), tensor_dimensions=[3, 4]),
        lambda: given(flat(raw("r", GRID)), tensor_dimensions=[4, 3]),
    ),
    "dimension_shift_set": (
        lambda: flat(raw("r", CUBE, first_tensor_dimension_shift=0)),
        lambda: flat(raw("r", CUBE, first_tensor_dimension_shift=1)),
    ),
    "decompressed_data_format_extension": (
        lambda: flat(raw("r", GRID, nnr_decompressed_data_format=1)),
        lambda: flat(raw("r", GRID, nnr_decompressed_data_format=9)),
    ),
    "single_block_row": (
        lambda: start(0) + parameter_set(0) + coded("w", "e1-017-scan1-dq"),
        lambda: start(0) + parameter_set(0) + coded("w", "e1-021-scan1-single-block-row"),
    ),
    "dq_state_of_integers": (lambda: integer_scan(0), lambda: integer_scan(3)),
    "factor_name_without_decomposition": (lambda: flat(raw("r", GRID)), lambda: flat(raw("r_G", GRID))),
    "factor_names": (lambda: example(b"w_H\0", b"w_H\0"), lambda: example(b"w_H\0", b"v_H\0")),
    "factors_outside_block": (lambda: flat(raw("w", GRID)), decomposed),
    "scaling_name": (
        lambda: example(b"w_scaling\0", b"w_scaling\0"),
        lambda: example(b"w_scaling\0", b"v_scaling\0"),
    ),
    "scaling_dimensions": (lambda: scaling(GRID[0]), lambda: scaling(GRID)),
}
COMPANIONS: dict[str, set[str]] = {}

CODES = [rule.code for rule in RULES.rules]


@pytest.mark.parametrize("code", CODES)
def test_a_peculiarity_leaves_the_verdict_alone(code: str) -> None:
    assert catalogue()[code].severity is not Severity.ERROR
    stream = PAIRS[code][1]()
    report = nnr_conformance.check(stream, out_of_band=getattr(stream, "out_of_band", None))
    assert report.verdict is nnr_conformance.Verdict.CONFORMING


@pytest.mark.parametrize(
    ("data", "expected"),
    [(b"\0", True), (b"a\0", True), (b"", False), (b"a", False), (b"a\0b\0", False), (b"\xff\0", False), ("a", True)],
)
def test_one_string_is_utf_8_with_a_single_zero_at_its_end(data: bytes | str, expected: bool) -> None:
    assert is_one_string(data) is expected
