"""What the pipelines do to a network before it is encoded: pruning across layers, choice of step sizes, fine-tuning.

All of it is binary64 by `exact` and ends in a quantization. What numpy's own sums and logarithms could change are the
last digits of numbers that are compared with a limit: a step size, a rank, an importance.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnr_conformance.encoder.decomposition import Factors, can_decompose
from nnr_conformance.encoder.step_size import in_steps, step_size
from nnr_conformance.encoder.uniform import nearest_levels
from nnr_conformance.suite.cfp2019.exact import exponential, low_rank, product, solution, spectrum
from nnr_conformance.suite.cfp2019.networks import Floats, Images, Layer, Network, Tensors

TUNING_STEPS, TUNING_RATE, TUNING_DECAY = 60, 0.5, 1e-4


@dataclass(frozen=True, slots=True, eq=False)
class PrunedNetwork:
    """`tensors`: with their smaller shapes; `removed`: for each pruned layer's weight which outputs are gone; `ratio`:
    share of the parameters that went."""

    tensors: dict[str, NDArray[Any]]
    removed: dict[str, NDArray[np.bool_]]
    ratio: float


def importance(layer: Layer, tensors: Tensors) -> Floats:
    """How much each output of a layer matters: the length of its row in all gates, times the gain of a batch norm."""
    weight = tensors[layer.weight].astype(np.float64)
    outputs = len(weight) // layer.gates
    squares = np.square(weight.reshape(layer.gates, outputs, -1)).sum(axis=(0, 2))
    gain = np.abs(tensors[layer.batch_norm[1]].astype(np.float64)) if layer.batch_norm else 1.0
    found: Floats = np.sqrt(squares) * gain
    return found


def prune(network: Network, tensors: Tensors, share: float) -> PrunedNetwork:
    """Remove outputs whose importance is below `share` of the mean of their layer, and the inputs that they fed."""
    found = dict(tensors)
    removed = {}
    for layer in network.layers:
        if not layer.prunable:
            continue
        scores = importance(layer, tensors)
        keep = scores >= share * scores.mean()
        if keep.all():
            continue
        removed[layer.weight] = ~keep
        rows = np.tile(keep, layer.gates)
        for name in (layer.weight, *layer.vectors):
            found[name] = found[name][rows]
        columns = np.repeat(keep, layer.spread)
        for name in layer.followers:
            found[name] = found[name][:, columns]
    before, after = parameters(tensors), parameters(found)
    return PrunedNetwork(found, removed, 1 - after / before)


def parameters(tensors: Tensors) -> int:
    """Number of elements of all tensors."""
    return sum(values.size for values in tensors.values())


def factors_for(network: Network, tensors: Tensors, share: float) -> dict[str, Factors]:
    """For each weight but the last the factors of the smallest rank that keeps this share of its energy.

    Weights whose factors would not be smaller have none. Energy: the sum of the squares of the singular values.
    """
    found = {}
    for name, values in tensors.items():
        if values.ndim < 2 or name == network.last.weight:
            continue
        squares, _ = spectrum(values)
        rank = 1 + int(np.searchsorted(np.cumsum(squares) / squares.sum(), share))
        if can_decompose(values.shape, rank):
            found[name] = low_rank(values, rank)
    return found


def decomposed(tensors: Tensors, factors: Mapping[str, Factors]) -> dict[str, NDArray[Any]]:
    """The tensors with weights replaced by what their factors give."""
    return {
        name: product(factors[name].g, factors[name].h).reshape(values.shape).astype(np.float32)
        if name in factors
        else values
        for name, values in tensors.items()
    }


def qp_by_spread(values: NDArray[Any], density: int, fraction: float) -> int:
    """The quantization parameter whose step is the largest below a fraction of the weights' standard deviation."""
    wanted = float(values.astype(np.float64).std()) * fraction
    exponent = int(np.floor(np.log2(wanted)))
    part = int((wanted / 2.0**exponent - 1) * (1 << density))
    return (exponent << density) + part


def quantized_values(values: NDArray[Any], qp: int, density: int) -> NDArray[np.float32]:
    """Values at the nearest multiple of a step."""
    levels = nearest_levels(in_steps(values, qp, density))
    return (levels * step_size(qp, density)).astype(np.float32)


def choose_qps(
    network: Network,
    tensors: Tensors,
    names: Iterable[str],
    candidates: Iterable[int],
    density: int,
    loss: Callable[[Mapping[str, NDArray[Any]]], float],
    limit: float,
) -> dict[str, int]:
    """For each tensor the coarsest candidate with which the loss grows by no more than `limit`, one after the other.

    Tensors that were decided stay quantized while the next is tried. Candidates go from fine to coarse.
    """
    del network
    current = dict(tensors)
    chosen = {}
    ordered = tuple(candidates)
    for name in names:
        before = loss(current)
        chosen[name], kept = ordered[0], quantized_values(tensors[name], ordered[0], density)
        for qp in ordered[1:]:
            tried = quantized_values(tensors[name], qp, density)
            if loss({**current, name: tried}) > before + limit:
                break
            chosen[name], kept = qp, tried
        current[name] = kept
    return chosen


def labelled_loss(network: Network, tuning: Images) -> Callable[[Tensors], float]:
    """Cross entropy of the right digits, or the mean squared error of images."""

    def loss(tensors: Tensors) -> float:
        outputs = network.outputs(tensors, tuning.pixels)
        if not network.classifies:
            return float(np.square(outputs - tuning.pixels).mean())
        chances = _chances(outputs)
        return float(-np.log(chances[np.arange(len(outputs)), tuning.labels] + 1e-12).mean())

    return loss


def unlabelled_loss(network: Network, tensors: Tensors, tuning: Images) -> Callable[[Tensors], float]:
    """Mean squared change of the outputs from those of the network as it was, in units of their spread."""
    expected = network.outputs(tensors, tuning.pixels)
    spread = float(expected.var())

    def loss(changed: Tensors) -> float:
        return float(np.square(network.outputs(changed, tuning.pixels) - expected).mean()) / spread

    return loss


def tuned_last_layer(network: Network, tensors: Tensors, tuning: Images) -> dict[str, NDArray[np.float64]]:
    """Weight and bias of the last layer, trained for what the layers before it now give.

    Classifiers: some steps of gradient descent of the cross entropy; autoencoders: least squares. Both stay near where
    they began, and weights that are 0 stay so, lest a sparse layer fills up again.
    """
    features = network.features(tensors, tuning.pixels)
    seen = np.concatenate([features, np.ones((len(features), 1))], axis=1)
    weight, bias = (tensors[name].astype(np.float64) for name in (network.last.weight, network.last.bias))
    joined = np.concatenate([weight, bias[:, None]], axis=1)
    kept = np.concatenate([weight != 0, np.ones((len(bias), 1), bool)], axis=1)
    if network.classifies:
        start, wanted = joined.copy(), np.eye(len(bias))[tuning.labels]
        scale = TUNING_RATE / float(np.square(seen).sum(axis=1).mean())
        for _ in range(TUNING_STEPS):
            slope = product((_chances(product(seen, joined.T)) - wanted).T, seen) / len(seen)
            joined = joined - 4 * scale * kept * (slope + TUNING_DECAY * (joined - start))
    else:
        gram = product(seen.T, seen) / len(seen) + 1e-2 * np.eye(seen.shape[1])
        missing = product(seen.T, tuning.pixels - product(seen, joined.T)) / len(seen)
        for row, free in enumerate(kept):
            joined[row, free] += solution(gram[np.ix_(free, free)], missing[free, row : row + 1])[:, 0]
    return {network.last.weight: joined[:, :-1], network.last.bias: joined[:, -1]}


def _chances(scores: Floats) -> Floats:
    raised = exponential(scores - scores.max(axis=1, keepdims=True))
    found: Floats = raised / raised.sum(axis=1, keepdims=True)
    return found
