"""Performance maps with as many records and classes as their counts can say (clause 8)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from nnr_conformance.suite.corpus.recipes import Recipe

_SOURCE = __name__.replace(".", "/") + ".py"
_RECORDS = 254
"""Records of a map with the count 255."""
_CLASSES = 255
_POPULATION = "class_bitmask_population"
"""A mask of five bytes at most cannot have a bit for each of 255 classes."""
_WIDE_CLASSES = 300


def recipes() -> Iterator[Recipe]:
    """One recipe; each map has a stream of its own."""
    streams = [
        _stream(
            "The sparsification map.",
            _map("spm", "sparsification_threshold", {"non_zero_ratio": _falling()}),
            _POPULATION,
        ),
        _stream("The pruning map.", _map("ppm", "pruning_ratio", {}), _POPULATION),
        _stream("The unification map.", _map("upm", "unification_threshold", _DIMENSIONS)),
        _stream(
            "The decomposition map, whose classes have a count of 16 bits.",
            _decomposition(),
            "decomposition_map_unused",
        ),
    ]
    content = {
        "purpose": "Performance maps with 254 records and the largest numbers of classes.",
        "bug": "A decoder that counts records or classes in 8 bits with a sign, or classes of decompositions in 8.",
        "requirements": ["R-PM-05", "R-PM-11", "R-PM-17"],
        "streams": streams,
    }
    yield Recipe("extremes", "8-largest-maps", content, _SOURCE)


_DIMENSIONS: Mapping[str, Any] = {
    "reshaped_tensor_dimensions": [[16]] * _RECORDS,
    "super_block_dimensions": [[8]] * _RECORDS,
    "block_dimensions": [[8]] * _RECORDS,
}


def _stream(purpose: str, parameters: Mapping[str, Any], *diagnostics: str) -> dict[str, Any]:
    units = [{"NNR_STR": {}}, {"NNR_MPS": dict(parameters)}, {"NNR_NDU": {"topology_elem_id": "w", "float32": [0.5]}}]
    return {"purpose": purpose, "units": units, "diagnostics": list(diagnostics)}


def _rising() -> list[float]:
    return [number / 256 for number in range(_RECORDS)]


def _falling() -> list[float]:
    return [1 - number / 256 for number in range(_RECORDS)]


def _map(prefix: str, threshold: str, more: Mapping[str, Any]) -> dict[str, Any]:
    """A map whose last record has accuracies of 255 classes."""
    classes = [0] * (_RECORDS - 1) + [_CLASSES]
    return {
        threshold: _rising(),
        **more,
        f"{prefix}_nn_accuracy": _falling(),
        f"{prefix}_count_classes": classes,
        f"{prefix}_class_bitmask": classes,
        f"{prefix}_nn_class_accuracy": [[number / 255 for number in range(count)] for count in classes],
    }


def _decomposition() -> dict[str, Any]:
    classes = [0] * (_RECORDS - 1) + [_WIDE_CLASSES]
    return {
        "mse_threshold": _rising(),
        "dpm_nn_accuracy": _falling(),
        "nn_reduction_ratio": [0.5] * _RECORDS,
        "dpm_count_classes": classes,
        "dpm_nn_class_accuracy": [[(number & 1) / 2 for number in range(count)] for count in classes],
    }
