"""Clause 8, encoder side: sparsification by magnitude, and structured pruning of rows with its topology container."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnr_conformance.errors import BuildError

Tensors = Mapping[str, NDArray[Any]]


@dataclass(frozen=True, slots=True)
class OperatingPoint:
    """One record of a sparsification performance map: threshold, share of weights that are not zero, accuracy."""

    threshold: float
    non_zero_ratio: float
    accuracy: float = 0.0


def sparsify(tensors: Tensors, threshold: float, names: Iterable[str] | None = None) -> dict[str, NDArray[Any]]:
    """The tensors with all weights below the threshold in magnitude set to 0.

    `names`: of the tensors that are weights; None: all floats of two or more dimensions.
    """
    weights = _weights(tensors, names)
    return {
        name: np.where(np.abs(values) < threshold, values.dtype.type(0), values) if name in weights else values
        for name, values in tensors.items()
    }


def threshold_for(tensors: Tensors, zero_share: float, names: Iterable[str] | None = None) -> float:
    """The threshold below which this share of the weights lies."""
    if not 0 <= zero_share <= 1:
        raise BuildError(f"a share is 0 to 1, not {zero_share}")
    weights = [np.abs(tensors[name]).reshape(-1).astype(np.float64) for name in sorted(_weights(tensors, names))]
    return float(np.quantile(np.concatenate(weights), zero_share)) if weights else 0.0


def operating_point(
    tensors: Tensors, threshold: float, accuracy: float = 0.0, names: Iterable[str] | None = None
) -> OperatingPoint:
    """The record of these tensors, sparsified with a threshold."""
    weights = _weights(tensors, names)
    total = sum(tensors[name].size for name in weights)
    kept = sum(int(np.count_nonzero(np.abs(tensors[name]) >= threshold)) for name in weights)
    return OperatingPoint(threshold, kept / total if total else 1.0, accuracy)


def sparsification_elements(points: Sequence[OperatingPoint]) -> dict[str, Any]:
    """Elements of the model parameter set that carry the performance map."""
    return {
        "sparsification_threshold": [point.threshold for point in points],
        "non_zero_ratio": [point.non_zero_ratio for point in points],
        "spm_nn_accuracy": [point.accuracy for point in points],
    }


@dataclass(frozen=True, slots=True, eq=False)
class Pruned:
    """Tensors without the rows that were pruned. `kept`: for each name which rows are left; `ratio`: share removed."""

    tensors: dict[str, NDArray[Any]]
    kept: dict[str, NDArray[np.bool_]]
    ratio: float

    def dictionary_unit(self) -> dict[str, Any]:
        """A topology unit that names the pruned tensors with their new dimensions. Raises BuildError without any."""
        names = self._pruned_names()
        return {
            "NNR_TPL": {
                "topology_storage_format": "NNR_TPL_PRUN",
                "nnr_rep_type": 1,
                "prune_flag": 1,
                "element_id": names,
                "dim": [list(self.tensors[name].shape) for name in names],
            }
        }

    def bit_mask_unit(self) -> dict[str, Any]:
        """A topology unit with a bit for each row of the pruned tensors in order, 1 where it was pruned. Raises
        BuildError where no row was."""
        bits = "".join("01"[int(not row)] for name in self._pruned_names() for row in self.kept[name])
        return {
            "NNR_TPL": {
                "topology_storage_format": "NNR_TPL_PRUN",
                "nnr_rep_type": 0,
                "prune_flag": 1,
                "bit_mask_value": bits,
            }
        }

    def _pruned_names(self) -> list[str]:
        if not self.kept:
            raise BuildError("no row was pruned, there is nothing to say about it")
        return list(self.kept)

    def elements(self, accuracy: float = 0.0) -> dict[str, Any]:
        """Elements of the model parameter set that carry the performance map."""
        return {"pruning_ratio": [self.ratio], "ppm_nn_accuracy": [accuracy]}


def prune_rows(tensors: Tensors, followers: Mapping[str, Sequence[str]], threshold: float = 0.0) -> Pruned:
    """Remove the rows of weights whose largest magnitude is at most `threshold`; at least one row stays.

    `followers`: for each weight to prune the vectors of its layer (bias, batch norm), from which the same entries go.
    Inputs of a next layer are the caller's business, who knows how layers are connected. Raises BuildError where a
    vector has not one entry for each row.
    """
    found, kept = dict(tensors), {}
    before = sum(values.size for values in tensors.values())
    for name, vectors in followers.items():
        weight = tensors[name]
        rows = np.abs(weight.reshape(weight.shape[0], -1)).max(axis=1)
        keep = rows > threshold
        keep[np.argmax(rows)] = True
        if keep.all():
            continue
        for one in (name, *vectors):
            if tensors[one].shape[:1] != weight.shape[:1]:
                raise BuildError(f"{one!r} has not the {weight.shape[0]} rows of {name!r}")
            found[one] = tensors[one][keep]
            kept[one] = keep
    after = sum(values.size for values in found.values())
    return Pruned(found, kept, 1 - after / before if before else 0.0)


def _weights(tensors: Tensors, names: Iterable[str] | None) -> frozenset[str]:
    if names is not None:
        return frozenset(names)
    return frozenset(name for name, values in tensors.items() if values.dtype.kind == "f" and values.ndim > 1)
