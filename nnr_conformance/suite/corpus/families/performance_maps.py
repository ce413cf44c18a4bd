"""Performance maps (clause 8): every field at the ends of its range, as many records and classes as counts allow."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from nnr_conformance.suite.corpus.recipes import Recipe

COUNT = 255
"""The largest count of 8 bits; it announces a record less."""

THRESHOLDS = {"spm": "sparsification_threshold", "ppm": "pruning_ratio", "upm": "unification_threshold"}
REQUIREMENTS = ["R-PM-05"]
BUG_OF_COUNTS = (
    "A decoder that keeps a fixed number of records, or counts in a signed byte, loses the rest of the unit."
)
BUG_OF_VALUES = "A decoder that takes a zero or negative number for an absent one, or has no sign, gives other figures."


def recipes() -> Iterator[Recipe]:
    """Counts, values, and maps of layers."""
    yield _recipe(
        "extremes",
        "8-performance-map-counts",
        "A performance map with as many records as its count of 8 bits can announce.",
        BUG_OF_COUNTS,
        [_stream(_records(name, COUNT - 1)) for name in ("spm", "ppm", "upm", "dpm")],
    )
    yield _recipe(
        "extremes",
        "8-performance-map-classes",
        "A record of a performance map with as many accuracies of classes as its count can announce, or with one.",
        BUG_OF_COUNTS,
        [
            _stream(_classes("spm", 255, (1 << 31) - 1), ["class_bitmask_population"]),
            _stream(_classes("ppm", 255, (1 << 31) - 1), ["class_bitmask_population"]),
            _stream(_classes("upm", 255, 255)),
            _stream(_decomposition([1, 300])),
            _stream(_decomposition([65535])),
            _stream(_classes("spm", 1, 1)),
            _stream(_classes("ppm", 1, 4)),
            _stream(_classes("upm", 0, 0)),
        ],
    )
    yield _recipe(
        "core",
        "8-performance-map-values",
        "Numbers of performance maps are binary32 of either sign, and may be zero.",
        BUG_OF_VALUES,
        [_stream(*_with_value(name, number)) for name in ("spm", "ppm", "upm") for number in (0.0, -0.5)]
        + [_stream(_decomposition([1], number), _complaints(number, "dpm")) for number in (0.0, -0.5)],
    )
    yield _recipe(
        "core",
        "8-unification-shapes",
        "A unification map has one dimension less than it counts of tensors, super blocks and blocks.",
        "A decoder that reads as many dimensions as are counted loses its place in the parameter set.",
        [_stream(_shapes(*found), codes) for found, codes in _UNIFICATION_SHAPES],
    )
    yield _recipe(
        "core",
        "8-performance-maps-of-layers",
        "A layer parameter set has maps of its own for the layers behind it.",
        "A decoder that knows maps of model parameter sets only.",
        [_of_layer(name) for name in ("spm", "ppm", "upm")],
    )


_UNIFICATION_SHAPES: tuple[tuple[tuple[list[int], list[int], list[int]], list[str]], ...] = (
    (([16, 8, 4], [8, 4], [2, 2]), []),
    (([0, 1], [255, 0], [255, 0]), []),
    (([3], [1] * 254, [1] * 254), []),
    (([2], [], []), []),
)


_COMPLAINTS = {
    "spm": ("map_accuracy_range", "map_ratio_range", "map_threshold_values"),
    "ppm": ("map_accuracy_range", "pruning_ratio_range"),
    "upm": ("map_accuracy_range", "map_threshold_values"),
    "dpm": ("map_accuracy_range", "map_threshold_values", "reduction_ratio_range"),
}


def _recipe(kind: str, name: str, purpose: str, bug: str, streams: Sequence[Mapping[str, Any]]) -> Recipe:
    content = {"purpose": purpose, "bug": bug, "requirements": REQUIREMENTS, "streams": streams}
    return Recipe(kind, name, content, "nnr_conformance/suite/corpus/families/performance_maps.py")


def _stream(parameters: Mapping[str, Any], codes: Sequence[str] = ()) -> Mapping[str, Any]:
    factors = {
        "nnr_compressed_data_unit_payload_type": "NNR_PT_BLOCK",
        "topology_elem_id_list": ["w_G", "w_H"],
        "compressed_parameter_types": 1,
        "decomposition_rank": 1,
        "g_number_of_rows": 3,
        "tensor_dimensions": [3, 3],
        "tensors": [{"levels": [[1], [2], [-1]]}, {"levels": [[2, 1, 0]]}],
    }
    tensor = factors if "dpm_count_thresholds" in parameters else {"topology_elem_id": "w", "float32": [0.0, 1.5]}
    units = [{"NNR_STR": {}}, {"NNR_MPS": {"mps_qp_density": 2, **parameters}}, {"NNR_NDU": tensor}]
    return {"units": units, "diagnostics": list(codes)}


def _records(name: str, number: int, value: float | None = None) -> dict[str, Any]:
    """A map of so many records, each threshold above the one before; `value`: of all numbers but the threshold."""
    if name == "dpm":
        return _decomposition([0] * number)
    growing = [(index + 1) / 256 for index in range(number)]
    falling = [1 - one if value is None else value for one in growing]
    found: dict[str, Any] = {
        ("ppm_count_pruning_ratios" if name == "ppm" else f"{name}_count_thresholds"): number + 1,
        THRESHOLDS[name]: growing if value is None else [value] * number,
        f"{name}_nn_accuracy": falling,
        f"{name}_count_classes": [0] * number,
        f"{name}_class_bitmask": [0] * number,
    }
    if name == "spm":
        found["non_zero_ratio"] = falling
    if name == "upm":
        found |= _dimensions(number, [8], [4], [2])
    return found


def _classes(name: str, number: int, bitmask: int) -> dict[str, Any]:
    accuracies = {f"{name}_nn_class_accuracy": [[(index % 8) / 8 for index in range(number)]]}
    own = {f"{name}_count_classes": [number], f"{name}_class_bitmask": [bitmask]}
    return _records(name, 1) | own | (accuracies if number else {})


def _with_value(name: str, number: float) -> tuple[dict[str, Any], list[str]]:
    classes = {
        f"{name}_count_classes": [1],
        f"{name}_class_bitmask": [1],
        f"{name}_nn_class_accuracy": [[number]],
    }
    return _records(name, 1, number) | classes, _complaints(number, name)


def _complaints(number: float, name: str) -> list[str]:
    """No threshold, ratio or accuracy is below 0, and no network is reduced to nothing."""
    if number < 0:
        return list(_COMPLAINTS[name])
    return ["reduction_ratio_range"] if name == "dpm" else []


def _decomposition(classes: Sequence[int], value: float | None = None) -> dict[str, Any]:
    growing = [(index + 1) / 256 if value is None else value for index in range(len(classes))]
    falling = [1 - one if value is None else value for one in growing]
    accuracies = [[(index % 8) / 8 if value is None else value for index in range(number)] for number in classes]
    found: dict[str, Any] = {
        "dpm_count_thresholds": len(classes) + 1,
        "mse_threshold": growing,
        "dpm_nn_accuracy": falling,
        "nn_reduction_ratio": falling,
        "dpm_count_classes": list(classes),
    }
    return found | ({"dpm_nn_class_accuracy": accuracies} if any(classes) else {})


def _dimensions(number: int, tensor: list[int], outer: list[int], inner: list[int]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for count, name, values in (
        ("count_reshaped_tensor_dimension", "reshaped_tensor_dimensions", tensor),
        ("count_super_block_dimension", "super_block_dimensions", outer),
        ("count_block_dimension", "block_dimensions", inner),
    ):
        found[count] = [len(values) + 1] * number
        found |= {name: [values] * number} if values else {}
    return found


def _shapes(tensor: list[int], outer: list[int], inner: list[int]) -> dict[str, Any]:
    record = {name: found for name, found in _records("upm", 1).items() if not name.endswith("dimensions")}
    return record | _dimensions(1, tensor, outer, inner)


def _of_layer(name: str) -> Mapping[str, Any]:
    units = [
        {"NNR_STR": {}},
        {"NNR_MPS": {"mps_qp_density": 2}},
        {"NNR_LPS": {"lps_qp_density": 2, **_records(name, 2)}},
        {"NNR_NDU": {"topology_elem_id": "w", "float32": [0.0, 1.5]}},
    ]
    return {"units": units}
