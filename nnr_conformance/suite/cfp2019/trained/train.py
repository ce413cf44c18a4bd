"""Trains the three networks on the digits of scikit-learn and writes weights and images beside this file.

    python -m nnr_conformance.suite.cfp2019.trained.train

Needs the dependency group "training". Gradients are written out by hand. Rows of weights are drawn to zero while they
are trained (group lasso), so that some can be pruned; this is the "data-dependent preprocessing" of the call. The same
machine gives the same weights, another one may differ in the last digits; the stored weights are what counts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnr_conformance.suite.cfp2019.networks import (
    BRIGHTEST,
    EPSILON,
    NETWORKS,
    SIDE,
    Layer,
    Network,
    halved,
    patches,
    sigmoid,
)

Floats = NDArray[np.float64]
Parameters = dict[str, Floats]

SEED = 20190325
TEST_IMAGES, TUNING_IMAGES = 500, 400
SHRINKING = 0.6
"""Share of the training in which rows shrink."""
BATCH, RATE, MOMENTUM = 32, 2e-3, 0.9
EPOCHS = {"cnn": 40, "recurrent": 150, "autoencoder": 120}
SHRINKAGE = {"cnn": 1.0, "recurrent": 1.5, "autoencoder": 0.5}
"""How fast rows of weights shrink, for each step and unit of the learning rate."""


def main() -> None:
    """Train and write everything."""
    folder = Path(__file__).parent
    digits = import_module("sklearn.datasets").load_digits()
    order = np.random.default_rng(SEED).permutation(len(digits.data))
    pixels, labels = digits.data[order], digits.target[order]
    parts = {"test": slice(0, TEST_IMAGES), "tuning": slice(TEST_IMAGES, TEST_IMAGES + TUNING_IMAGES)}
    stored = {f"{name}_pixels": pixels[part].astype(np.uint8) for name, part in parts.items()}
    stored |= {f"{name}_labels": labels[part].astype(np.uint8) for name, part in parts.items()}
    np.savez_compressed(folder / "digits.npz", **stored)
    for name, network in NETWORKS.items():
        parameters = train(network, pixels[TEST_IMAGES:] / BRIGHTEST, labels[TEST_IMAGES:])
        weights32: dict[str, Any] = {key: found.astype(np.float32) for key, found in parameters.items()}
        np.savez_compressed(folder / f"{name}.npz", **weights32)
        test = network.outputs(parameters, pixels[:TEST_IMAGES] / BRIGHTEST)
        right = int((test.argmax(axis=1) == labels[:TEST_IMAGES]).sum())
        error = float(np.square(test - pixels[:TEST_IMAGES] / BRIGHTEST).mean()) if not network.classifies else 0.0
        weights = sum(found.size for found in parameters.values())
        reached = f"{right} of {TEST_IMAGES} right" if network.classifies else f"squared error {error:.5f}"
        print(f"{name}: {weights} weights, {reached}")


def train(network: Network, pixels: Floats, labels: NDArray[Any]) -> Parameters:
    """Adam with a decaying rate; in the first part of the training rows that can be pruned shrink."""
    random = np.random.default_rng(SEED)
    parameters = _start(network.name, random)
    gradients = _GRADIENTS[network.name]
    first = {name: np.zeros_like(found) for name, found in parameters.items()}
    second = {name: np.zeros_like(found) for name, found in parameters.items()}
    step, steps = 0, EPOCHS[network.name] * (len(pixels) // BATCH)
    for _ in range(EPOCHS[network.name]):
        for batch in _batches(len(pixels), random):
            step += 1
            rate = RATE * min(1.0, 1.5 * (1 - step / (steps + 1)))
            alive = _alive(network, parameters)
            for name, gradient in gradients(parameters, pixels[batch], labels[batch]).items():
                first[name] = MOMENTUM * first[name] + (1 - MOMENTUM) * gradient
                second[name] = 0.999 * second[name] + 0.001 * gradient * gradient
                scaled = first[name] / (1 - MOMENTUM**step)
                change = rate * scaled / (np.sqrt(second[name] / (1 - 0.999**step)) + 1e-8)
                parameters[name] -= change * alive.get(name, 1.0)
            if step < SHRINKING * steps:
                _shrink(network, parameters, rate * SHRINKAGE[network.name])
    return parameters


def _batches(count: int, random: np.random.Generator) -> Iterator[NDArray[np.int64]]:
    order = random.permutation(count)
    for start in range(0, count - BATCH + 1, BATCH):
        yield order[start : start + BATCH]


def _groups(network: Network) -> Iterator[tuple[Layer, tuple[str, ...]]]:
    """Layers whose rows can be pruned, with the tensors of which each row goes as a whole.

    Behind a convolution it is gain and shift of the normalization, which undoes any other shrinking.
    """
    for layer in network.layers:
        if layer.prunable:
            yield layer, layer.batch_norm[:2] or (layer.weight, *layer.vectors)


def _lengths(layer: Layer, names: tuple[str, ...], parameters: Parameters) -> Floats:
    outputs = len(parameters[layer.weight]) // layer.gates
    rows = [parameters[name].reshape(layer.gates, outputs, -1).swapaxes(0, 1).reshape(outputs, -1) for name in names]
    result: Floats = np.sqrt(np.square(np.concatenate(rows, axis=1)).sum(axis=1))
    return result


def _alive(network: Network, parameters: Parameters) -> dict[str, Floats]:
    """1 for rows that are there and 0 for those that are gone, which stay away."""
    found: dict[str, Floats] = {}
    for layer, names in _groups(network):
        alive = np.tile((_lengths(layer, names, parameters) > 0).astype(np.float64), layer.gates)
        found |= {name: alive.reshape(-1, *[1] * (parameters[name].ndim - 1)) for name in names}
    return found


def _shrink(network: Network, parameters: Parameters, amount: float) -> None:
    """One proximal step of the group lasso."""
    for layer, names in _groups(network):
        factor = np.maximum(0, 1 - amount / np.maximum(_lengths(layer, names, parameters), 1e-12))
        for name in names:
            found = parameters[name]
            parameters[name] = found * np.tile(factor, layer.gates).reshape(-1, *[1] * (found.ndim - 1))


def _start(name: str, random: np.random.Generator) -> Parameters:
    def matrix(*shape: int, gain: float = 2.0) -> Floats:
        return random.normal(0, np.sqrt(gain / np.prod(shape[1:])), shape)

    if name == "cnn":
        return {
            "conv1.weight": matrix(16, 1, 3, 3),
            "norm1.weight": np.ones(16),
            "norm1.bias": np.zeros(16),
            "norm1.running_mean": np.zeros(16),
            "norm1.running_var": np.ones(16),
            "conv2.weight": matrix(32, 16, 3, 3),
            "norm2.weight": np.ones(32),
            "norm2.bias": np.zeros(32),
            "norm2.running_mean": np.zeros(32),
            "norm2.running_var": np.ones(32),
            "hidden.weight": matrix(48, 128),
            "hidden.bias": np.zeros(48),
            "output.weight": matrix(10, 48, gain=1.0),
            "output.bias": np.zeros(10),
        }
    if name == "recurrent":
        return {
            "gru.weight_ih_l0": matrix(144, 8, gain=1.0),
            "gru.weight_hh_l0": matrix(144, 48, gain=1.0),
            "gru.bias_ih_l0": np.zeros(144),
            "gru.bias_hh_l0": np.zeros(144),
            "output.weight": matrix(10, 48, gain=1.0),
            "output.bias": np.zeros(10),
        }
    return {
        "encoder.0.weight": matrix(80, 64),
        "encoder.0.bias": np.zeros(80),
        "encoder.1.weight": matrix(16, 80, gain=1.0),
        "encoder.1.bias": np.zeros(16),
        "decoder.0.weight": matrix(80, 16),
        "decoder.0.bias": np.zeros(80),
        "decoder.1.weight": matrix(64, 80, gain=1.0),
        "decoder.1.bias": np.zeros(64),
    }


def _softmax_gradient(scores: Floats, labels: NDArray[Any]) -> Floats:
    chances = np.exp(scores - scores.max(axis=1, keepdims=True))
    chances /= chances.sum(axis=1, keepdims=True)
    chances[np.arange(len(labels)), labels] -= 1
    result: Floats = chances / len(labels)
    return result


class _Dense:
    """A fully connected layer that remembers its inputs."""

    def __init__(self, parameters: Parameters, name: str, inputs: Floats) -> None:
        self.weight, self.name, self.inputs = parameters[f"{name}.weight"], name, inputs
        self.outputs = inputs @ self.weight.T + parameters[f"{name}.bias"]

    def back(self, gradient: Floats, found: Parameters) -> Floats:
        found[f"{self.name}.weight"] = gradient.T @ self.inputs
        found[f"{self.name}.bias"] = gradient.sum(axis=0)
        return gradient @ self.weight


class _Convolution:
    """Convolution, batch normalization (running statistics kept), rectifier, and halving."""

    def __init__(self, parameters: Parameters, stage: str, inputs: Floats) -> None:
        self.stage, self.parameters, self.shape = stage, parameters, inputs.shape
        weight = parameters[f"conv{stage}.weight"]
        self.patches = patches(inputs)
        raw = self.patches @ weight.reshape(len(weight), -1).T
        mean, variance = raw.mean(axis=(0, 1, 2)), raw.var(axis=(0, 1, 2))
        for key, now in (("running_mean", mean), ("running_var", variance)):
            parameters[f"norm{stage}.{key}"] = 0.95 * parameters[f"norm{stage}.{key}"] + 0.05 * now
        self.deviation = np.sqrt(variance + EPSILON)
        self.normal = (raw - mean) / self.deviation
        shifted = self.normal * parameters[f"norm{stage}.weight"] + parameters[f"norm{stage}.bias"]
        self.positive = np.maximum(shifted, 0).transpose(0, 3, 1, 2)
        self.outputs = halved(self.positive)

    def back(self, gradient: Floats, found: Parameters) -> Floats:
        wide = gradient.repeat(2, axis=2).repeat(2, axis=3)
        largest = self.outputs.repeat(2, axis=2).repeat(2, axis=3)
        wide = np.where((self.positive == largest) & (self.positive > 0), wide, 0).transpose(0, 2, 3, 1)
        found[f"norm{self.stage}.weight"] = (wide * self.normal).sum(axis=(0, 1, 2))
        found[f"norm{self.stage}.bias"] = wide.sum(axis=(0, 1, 2))
        wide = wide * self.parameters[f"norm{self.stage}.weight"]
        centred = wide - wide.mean(axis=(0, 1, 2)) - self.normal * (wide * self.normal).mean(axis=(0, 1, 2))
        raw = centred / self.deviation
        weight = self.parameters[f"conv{self.stage}.weight"]
        flat = raw.reshape(-1, len(weight))
        found[f"conv{self.stage}.weight"] = (flat.T @ self.patches.reshape(len(flat), -1)).reshape(weight.shape)
        count, channels, height, width = self.shape
        spread = (flat @ weight.reshape(len(weight), -1)).reshape(count, height, width, channels, 3, 3)
        padded = np.zeros((count, channels, height + 2, width + 2))
        for down in range(3):
            for right in range(3):
                piece = spread[..., down, right].transpose(0, 3, 1, 2)
                padded[:, :, down : down + height, right : right + width] += piece
        return padded[:, :, 1:-1, 1:-1]


def _cnn_gradients(parameters: Parameters, pixels: Floats, labels: NDArray[Any]) -> Parameters:
    found: Parameters = {}
    first = _Convolution(parameters, "1", pixels.reshape(-1, 1, SIDE, SIDE))
    second = _Convolution(parameters, "2", first.outputs)
    hidden = _Dense(parameters, "hidden", second.outputs.reshape(len(pixels), -1))
    output = _Dense(parameters, "output", np.maximum(hidden.outputs, 0))
    gradient = output.back(_softmax_gradient(output.outputs, labels), found)
    gradient = hidden.back(np.where(hidden.outputs > 0, gradient, 0), found)
    first.back(second.back(gradient.reshape(second.outputs.shape), found), found)
    return found


def _recurrent_gradients(parameters: Parameters, pixels: Floats, labels: NDArray[Any]) -> Parameters:
    names = ("gru.weight_ih_l0", "gru.weight_hh_l0", "gru.bias_ih_l0", "gru.bias_hh_l0")
    from_input, from_state, input_bias, state_bias = (parameters[name] for name in names)
    state = np.zeros((len(pixels), from_state.shape[1]))
    steps = []
    for row in pixels.reshape(-1, SIDE, SIDE).transpose(1, 0, 2):
        reset_in, kept_in, new_in = np.split(row @ from_input.T + input_bias, 3, axis=1)
        reset_own, kept_own, new_own = np.split(state @ from_state.T + state_bias, 3, axis=1)
        reset, kept = sigmoid(reset_in + reset_own), sigmoid(kept_in + kept_own)
        new = np.tanh(new_in + reset * new_own)
        steps.append((row, state, reset, kept, new, new_own))
        state = (1 - kept) * new + kept * state
    found = {name: np.zeros_like(parameters[name]) for name in names}
    output = _Dense(parameters, "output", state)
    gradient = output.back(_softmax_gradient(output.outputs, labels), found)
    for row, before, reset, kept, new, new_own in reversed(steps):
        of_new = gradient * (1 - kept) * (1 - new * new)
        of_kept = gradient * (before - new) * kept * (1 - kept)
        of_reset = of_new * new_own * reset * (1 - reset)
        inner = np.concatenate([of_reset, of_kept, of_new], axis=1)
        own = np.concatenate([of_reset, of_kept, of_new * reset], axis=1)
        found[names[0]] += inner.T @ row
        found[names[1]] += own.T @ before
        found[names[2]] += inner.sum(axis=0)
        found[names[3]] += own.sum(axis=0)
        gradient = gradient * kept + own @ from_state
    return found


def _autoencoder_gradients(parameters: Parameters, pixels: Floats, labels: NDArray[Any]) -> Parameters:
    del labels
    found: Parameters = {}
    first = _Dense(parameters, "encoder.0", pixels)
    code = _Dense(parameters, "encoder.1", np.maximum(first.outputs, 0))
    third = _Dense(parameters, "decoder.0", code.outputs)
    last = _Dense(parameters, "decoder.1", np.maximum(third.outputs, 0))
    gradient = last.back(2 * (last.outputs - pixels) / len(pixels), found)
    gradient = code.back(third.back(np.where(third.outputs > 0, gradient, 0), found), found)
    first.back(np.where(first.outputs > 0, gradient, 0), found)
    return found


_GRADIENTS: dict[str, Callable[[Parameters, Floats, NDArray[Any]], Parameters]] = {
    "cnn": _cnn_gradients,
    "recurrent": _recurrent_gradients,
    "autoencoder": _autoencoder_gradients,
}

if __name__ == "__main__":
    main()
