"""Clause 8: channels of zeros found in an ONNX graph, and taken away, which changes nothing that the model computes.

A channel is traced from the layer that makes it, whose row and bias are zeros, to the layer that takes it. Between them
may be batch norms that leave zero, activations and pooling; all that is on the way must be used by the next node alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnr_conformance.frameworks.model import Tensors
from nnr_conformance.frameworks.onnx_graph import Node, graph_inputs, graph_outputs, nodes_of

_MOST_IDS = 255
_NORM_INPUTS = 5
_LEAVE_ZERO = frozenset({"Relu", "LeakyRelu", "Elu", "Selu", "Tanh", "Erf", "HardSwish", "Identity", "Dropout"}) | {
    "MaxPool",
    "AveragePool",
}
_GLOBAL = frozenset({"GlobalAveragePool", "GlobalMaxPool"})


@dataclass(frozen=True, slots=True, eq=False)
class Pruned:
    """A model without channels of zeros. `dims`: of tensors that became smaller. `share`: of the weights that went."""

    tensors: dict[str, NDArray[Any]]
    dims: Mapping[str, tuple[int, ...]]
    share: float


@dataclass(slots=True)
class _Trace:
    """A tensor's channels on their way: which are zeros, and the axes of tensors that they run along.

    `flat`: an item has one number for each channel.
    """

    zeros: NDArray[np.bool_]
    axes: list[tuple[str, int]] = field(default_factory=list)
    flat: bool = False


def prune(topology: bytes, tensors: Tensors) -> Pruned:
    """The tensors of a model without the channels that are zeros. Raises UsageError for what is no model."""
    message = memoryview(topology).cast("B")
    nodes = list(nodes_of(message))
    uses = Counter(name for node in nodes for name in node.inputs if name)
    uses.update(graph_outputs(message))
    # Where a graph declares its initializers as inputs, it says their shapes a second time.
    uses.update(graph_inputs(message))
    graph = _Graph({node.inputs[0]: node for node in nodes if node.inputs}, uses, dict(tensors))
    found = dict(tensors)
    for node in nodes:
        for name, axis, kept in graph.removable(node):
            found[name] = np.compress(kept, found[name], axis=axis)
    dims = {name: one.shape for name, one in found.items() if one.shape != tensors[name].shape}
    before, after = (sum(one.size for one in some.values()) for some in (tensors, found))
    return Pruned(found, dims, 1 - after / before if before else 0.0)


def units_of(pruned: Pruned) -> list[dict[str, Any]]:
    """The dictionary of what became smaller, as entries of a recipe: NNR_TPL units of the format NNR_TPL_PRUN."""
    names = list(pruned.dims)
    return [
        {
            "NNR_TPL": {
                "topology_storage_format": "NNR_TPL_PRUN",
                "nnr_rep_type": "NNR_TPL_DICT",
                "prune_flag": 1,
                "element_id": names[at : at + _MOST_IDS],
                "dim": [list(pruned.dims[name]) for name in names[at : at + _MOST_IDS]],
            }
        }
        for at in range(0, len(names), _MOST_IDS)
    ]


def parameter_set_of(pruned: Pruned) -> dict[str, Any]:
    """Elements of the NNR_MPS: a map of one record. What computes the same has all of its accuracy."""
    if not pruned.dims:
        return {}
    return {
        "mps_pruning_flag": 1,
        "ppm_count_pruning_ratios": 2,
        "pruning_ratio": [float(np.float32(pruned.share))],
        "ppm_nn_accuracy": [1.0],
        "ppm_count_classes": [0],
        "ppm_class_bitmask": [0],
    }


@dataclass(frozen=True, slots=True)
class _Graph:
    """`consumers`: by the name of their first input. `uses`: how often a name is used."""

    consumers: Mapping[str, Node]
    uses: Counter[str]
    tensors: Tensors

    def removable(self, producer: Node) -> list[tuple[str, int, NDArray[np.bool_]]]:
        """Tensors and axes along which channels of a layer can go, and which stay; empty when there are none."""
        trace = self._begin(producer)
        name = producer.outputs[0] if producer.outputs else ""
        while trace is not None and trace.zeros.any():
            consumer = self.consumers.get(name)
            if consumer is None or self.uses[name] != 1 or len(consumer.outputs) != 1:
                return []
            weight = self._end(consumer, trace)
            if weight is not None:
                kept = ~trace.zeros
                kept[0] |= not kept.any()
                return [] if kept.all() else [(one, axis, kept) for one, axis in [*trace.axes, weight]]
            trace = self._through(consumer, trace)
            name = consumer.outputs[0]
        return []

    def _begin(self, node: Node) -> _Trace | None:
        """The channels that a layer makes, from the zeros of its weight and bias."""
        if node.operator == "Conv":
            ordinary, axis = node.numbers.get("group", 1) == 1, 0
        elif node.operator == "Gemm":
            ordinary, axis = not node.numbers.get("transA"), 0 if node.numbers.get("transB") else 1
        else:
            return None
        if not ordinary or len(node.inputs) < 2 or not self._is_own(node.inputs[1]):
            return None
        weight = self.tensors[node.inputs[1]]
        if weight.ndim < 2:
            return None
        rows = np.moveaxis(weight, axis, 0).reshape(weight.shape[axis], -1)
        trace = _Trace(np.asarray(~rows.any(axis=1)), [(node.inputs[1], axis)], node.operator == "Gemm")
        if len(node.inputs) > 2 and node.inputs[2]:
            return self._vector(node.inputs[2], trace, ~self._values(node.inputs[2]).astype(bool))
        return trace

    def _through(self, node: Node, trace: _Trace) -> _Trace | None:
        """The channels behind a node that has a channel of zeros for a channel of zeros; None behind any other."""
        if node.operator == "BatchNormalization" and len(node.inputs) == _NORM_INPUTS:
            gamma, beta, mean, _ = map(self._values, node.inputs[1:])
            if not gamma.shape == beta.shape == mean.shape:
                return None
            stays = (beta == 0) & ((gamma == 0) | (mean == 0))
            found: _Trace | None = trace
            for name in node.inputs[1:]:
                found = None if found is None else self._vector(name, found, stays)
            return found
        if node.operator == "Flatten" and node.numbers.get("axis", 1) == 1 and trace.flat:
            return trace
        if node.operator in _GLOBAL:
            return _Trace(trace.zeros, trace.axes, flat=True)
        return trace if node.operator in _LEAVE_ZERO and len(node.inputs) == 1 else None

    def _end(self, node: Node, trace: _Trace) -> tuple[str, int] | None:
        """The weight of a layer that takes the channels, and the axis along which it does."""
        if len(node.inputs) < 2 or not self._is_own(node.inputs[1]):
            return None
        name, weight = node.inputs[1], self.tensors[node.inputs[1]]
        if node.operator == "Conv" and node.numbers.get("group", 1) == 1 and weight.ndim > 2:
            axis = 1
        elif node.operator == "Gemm" and trace.flat and weight.ndim == 2 and not node.numbers.get("transA"):
            axis = 1 if node.numbers.get("transB") else 0
        else:
            return None
        return (name, axis) if weight.shape[axis] == trace.zeros.size else None

    def _vector(self, name: str, trace: _Trace, zeros: NDArray[np.bool_]) -> _Trace | None:
        """The trace with a vector of a number for each channel along it; None for anything else."""
        if not self._is_own(name) or zeros.shape != trace.zeros.shape:
            return None
        return _Trace(trace.zeros & zeros, [*trace.axes, (name, 0)], trace.flat)

    def _values(self, name: str) -> NDArray[Any]:
        return np.asarray(self.tensors.get(name, np.zeros(0)))

    def _is_own(self, name: str) -> bool:
        return name in self.tensors and f"{name}#2" not in self.tensors and self.uses[name] == 1
