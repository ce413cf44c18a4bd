"""Pruning topology containers (clause 8) of as many entries and bits as their counts can say or decoders may keep."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from nnr_conformance.suite.corpus.recipes import Recipe

ENTRIES = 255
MASK_ROWS, MASK_COLUMNS = 257, 64
"""Together more bits than 14 can count."""

_PRUNED = {
    "topology_carriage_flag": 1,
    "ppm_count_pruning_ratios": 2,
    "pruning_ratio": [0.5],
    "ppm_nn_accuracy": [0.75],
}
_SPARSE = {
    "topology_carriage_flag": 1,
    "spm_count_thresholds": 2,
    "sparsification_threshold": [0.25],
    "non_zero_ratio": [0.5],
    "spm_nn_accuracy": [0.75],
}


def recipes() -> Iterator[Recipe]:
    """One recipe with a dictionary and a mask."""
    content = {
        "purpose": "Pruning containers with as many entries as their count can say, and with a mask of many bits.",
        "bug": "A decoder that counts entries in a signed byte, or bits of a mask in fewer than 15 bits.",
        "requirements": ["R-PRUN-08", "R-PRUN-10"],
        "streams": [_dictionary(), _mask()],
    }
    source = "nnr_conformance/suite/corpus/families/pruning_containers.py"
    yield Recipe("extremes", "6-large-pruning-containers", content, source)


def _dictionary() -> Mapping[str, Any]:
    names = [f"e{number}" for number in range(ENTRIES)]
    container = {
        "topology_storage_format": "NNR_TPL_PRUN",
        "nnr_rep_type": 1,
        "prune_flag": 1,
        "element_id": names,
        "dim": [[1 + number % 5] for number in range(ENTRIES)],
    }
    last = {"topology_elem_id": names[-1], "float32": [0.5] * (1 + (ENTRIES - 1) % 5)}
    return {"units": [{"NNR_STR": {}}, {"NNR_MPS": _PRUNED}, {"NNR_TPL": container}, {"NNR_NDU": last}]}


def _mask() -> Mapping[str, Any]:
    """A weight with its last element alone not 0, and the mask of the others."""
    count = MASK_ROWS * MASK_COLUMNS
    container = {
        "topology_storage_format": "NNR_TPL_PRUN",
        "order_flag": 1,
        "sparse_flag": 1,
        "count_bits": count,
        "bit_mask_value": "1" * (count - 1) + "0",
    }
    levels = [[0] * MASK_COLUMNS for _ in range(MASK_ROWS)]
    levels[-1][-1] = 3
    rows = [int(any(row)) for row in levels]
    tensor = {"topology_elem_id": "w", "tensors": [{"levels": levels, "row_skip": [1 - flag for flag in rows]}]}
    parameters = {"NNR_MPS": {"mps_qp_density": 2, **_SPARSE}}
    return {"units": [{"NNR_STR": {}}, parameters, {"NNR_TPL": container}, {"NNR_NDU": tensor}]}
