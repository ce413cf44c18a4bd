"""Three small networks as plain numpy functions of named tensors, and the images of digits that they were trained on.

Names and layouts of tensors are those of PyTorch. Shapes are taken from the tensors, so that a network whose filters
were pruned runs as it is. Everything is computed in binary64 by `exact`, with the same bits on every machine.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnr_conformance.data import data_path
from nnr_conformance.suite.cfp2019.exact import exponential, product

Tensors = Mapping[str, NDArray[Any]]
Floats = NDArray[np.float64]

FOLDER = "suite/cfp2019/trained"
"""Below the package: weights, images and the script that made them."""
SIDE = 8
BRIGHTEST = 16.0
EPSILON = 1e-5
"""What is added to the variance of a batch normalization."""


@dataclass(frozen=True, slots=True, eq=False)
class Images:
    """Digits of 8 × 8 pixels: `pixels`, float64 of 0 to 1, shape (number, 64); `labels`, their digits, int64."""

    pixels: Floats
    labels: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Layer:
    """A layer by the names of its tensors, and whose inputs its outputs are.

    `vectors`: those with a number for each output. `gates`: how many groups of rows the outputs have. `followers`:
    weights whose columns belong to the outputs, `spread` columns to each. `prunable`: outputs are not those of the
    network.
    """

    weight: str
    bias: str = ""
    batch_norm: tuple[str, ...] = ()
    vectors: tuple[str, ...] = ()
    gates: int = 1
    followers: tuple[str, ...] = ()
    spread: int = 1
    prunable: bool = True


@dataclass(frozen=True, slots=True)
class Network:
    """A network. `features`: what its last layer sees, of tensors and pixels; `outputs`: what that makes of it.

    `classifies`: outputs are scores of ten digits, else an image.
    """

    name: str
    layers: tuple[Layer, ...]
    features: Callable[[Tensors, Floats], Floats]
    classifies: bool

    @property
    def last(self) -> Layer:
        """The layer that gives the outputs."""
        return self.layers[-1]

    def outputs(self, tensors: Tensors, pixels: Floats) -> Floats:
        """Scores of digits, shape (images, 10), or images, shape (images, 64)."""
        return dense(tensors, self.last.weight, self.last.bias, self.features(tensors, pixels))


def weight_of(tensors: Tensors, name: str) -> Floats:
    """A weight, or the product of its factors where only these are there."""
    if name in tensors:
        return tensors[name].astype(np.float64)
    g, h = tensors[f"{name}_G"].astype(np.float64), tensors[f"{name}_H"].astype(np.float64)
    return product(g, h.reshape(h.shape[0], -1)).reshape(g.shape[0], *h.shape[1:])


def dense(tensors: Tensors, weight: str, bias: str, inputs: Floats) -> Floats:
    """A fully connected layer: a row of the weight for each output."""
    result: Floats = product(inputs, weight_of(tensors, weight).T) + tensors[bias].astype(np.float64)
    return result


def patches(images: Floats) -> Floats:
    """The 3 × 3 pixels around each, zeros outside: (images, channels, h, w) to (images, h, w, channels * 9)."""
    padded = np.pad(images, ((0, 0), (0, 0), (1, 1), (1, 1)))
    count, channels, height, width = images.shape
    shifted = [padded[:, :, down : down + height, right : right + width] for down in range(3) for right in range(3)]
    result: Floats = np.stack(shifted, axis=2).transpose(0, 3, 4, 1, 2).reshape(count, height, width, channels * 9)
    return result


def convolution(tensors: Tensors, name: str, images: Floats) -> Floats:
    """A 3 × 3 convolution that keeps the size of the images."""
    weight = weight_of(tensors, name)
    inputs = patches(images)
    found = product(inputs.reshape(-1, inputs.shape[-1]), weight.reshape(len(weight), -1).T)
    return found.reshape(*inputs.shape[:-1], len(weight)).transpose(0, 3, 1, 2)


def batch_norm(tensors: Tensors, name: str, images: Floats) -> Floats:
    """The normalization with stored mean and variance; with neither, the bias that it was folded to, of that name."""
    if f"{name}.running_var" not in tensors:
        return images + tensors[f"{name}.folded"].astype(np.float64)[:, None, None]
    gain = tensors[f"{name}.weight"].astype(np.float64) / np.sqrt(
        tensors[f"{name}.running_var"].astype(np.float64) + EPSILON
    )
    shift = tensors[f"{name}.bias"].astype(np.float64) - tensors[f"{name}.running_mean"].astype(np.float64) * gain
    result: Floats = images * gain[:, None, None] + shift[:, None, None]
    return result


def halved(images: Floats) -> Floats:
    """The largest of each 2 × 2 pixels."""
    count, channels, height, width = images.shape
    result: Floats = images.reshape(count, channels, height // 2, 2, width // 2, 2).max(axis=(3, 5))
    return result


def _convolutional(tensors: Tensors, pixels: Floats) -> Floats:
    found = pixels.reshape(-1, 1, SIDE, SIDE)
    for stage in ("1", "2"):
        found = convolution(tensors, f"conv{stage}.weight", found)
        found = halved(np.maximum(batch_norm(tensors, f"norm{stage}", found), 0))
    return np.maximum(dense(tensors, "hidden.weight", "hidden.bias", found.reshape(len(found), -1)), 0)


def _recurrent(tensors: Tensors, pixels: Floats) -> Floats:
    """A gated recurrent unit that reads a digit row by row; the state behind the last row."""
    from_input, from_state = weight_of(tensors, "gru.weight_ih_l0"), weight_of(tensors, "gru.weight_hh_l0")
    input_bias, state_bias = (tensors[f"gru.bias_{side}_l0"].astype(np.float64) for side in ("ih", "hh"))
    state = np.zeros((len(pixels), from_state.shape[1]))
    for row in pixels.reshape(-1, SIDE, SIDE).transpose(1, 0, 2):
        reset, update, new = np.split(product(row, from_input.T) + input_bias, 3, axis=1)
        own_reset, own_update, own_new = np.split(product(state, from_state.T) + state_bias, 3, axis=1)
        kept = sigmoid(update + own_update)
        candidate = 2 * sigmoid(2 * (new + sigmoid(reset + own_reset) * own_new)) - 1
        state = (1 - kept) * candidate + kept * state
    return state


def _autoencoder(tensors: Tensors, pixels: Floats) -> Floats:
    found = np.maximum(dense(tensors, "encoder.0.weight", "encoder.0.bias", pixels), 0)
    code = dense(tensors, "encoder.1.weight", "encoder.1.bias", found)
    return np.maximum(dense(tensors, "decoder.0.weight", "decoder.0.bias", code), 0)


def sigmoid(values: Floats) -> Floats:
    """1 / (1 + exp(-x)); a hyperbolic tangent is twice that of 2 x, less 1."""
    result: Floats = 1 / (1 + exponential(-values))
    return result


def _norm(name: str) -> tuple[str, ...]:
    return (f"{name}.bias", f"{name}.weight", f"{name}.running_mean", f"{name}.running_var")


CNN = Network(
    "cnn",
    (
        Layer("conv1.weight", batch_norm=_norm("norm1"), vectors=_norm("norm1"), followers=("conv2.weight",)),
        Layer(
            "conv2.weight", batch_norm=_norm("norm2"), vectors=_norm("norm2"), followers=("hidden.weight",), spread=4
        ),
        Layer("hidden.weight", "hidden.bias", vectors=("hidden.bias",), followers=("output.weight",)),
        Layer("output.weight", "output.bias", vectors=("output.bias",), prunable=False),
    ),
    _convolutional,
    classifies=True,
)
RECURRENT = Network(
    "recurrent",
    (
        Layer("gru.weight_ih_l0", "gru.bias_ih_l0", vectors=("gru.bias_ih_l0",), gates=3, prunable=False),
        Layer(
            "gru.weight_hh_l0",
            "gru.bias_hh_l0",
            vectors=("gru.bias_hh_l0", "gru.weight_ih_l0", "gru.bias_ih_l0"),
            gates=3,
            followers=("gru.weight_hh_l0", "output.weight"),
        ),
        Layer("output.weight", "output.bias", vectors=("output.bias",), prunable=False),
    ),
    _recurrent,
    classifies=True,
)
AUTOENCODER = Network(
    "autoencoder",
    (
        Layer("encoder.0.weight", "encoder.0.bias", vectors=("encoder.0.bias",), followers=("encoder.1.weight",)),
        Layer(
            "encoder.1.weight",
            "encoder.1.bias",
            vectors=("encoder.1.bias",),
            followers=("decoder.0.weight",),
            prunable=False,
        ),
        Layer("decoder.0.weight", "decoder.0.bias", vectors=("decoder.0.bias",), followers=("decoder.1.weight",)),
        Layer("decoder.1.weight", "decoder.1.bias", vectors=("decoder.1.bias",), prunable=False),
    ),
    _autoencoder,
    classifies=False,
)
NETWORKS = {network.name: network for network in (CNN, RECURRENT, AUTOENCODER)}


@cache
def trained(network: str) -> Tensors:
    """The trained float32 tensors of a network; callers do not change them."""
    with np.load(data_path(f"{FOLDER}/{network}.npz")) as stored:
        return {name: stored[name] for name in stored.files}


@cache
def images(part: str) -> Images:
    """The images of a part: "test", which no training has seen, or "tuning", some of the training images."""
    with np.load(data_path(f"{FOLDER}/digits.npz")) as stored:
        pixels, labels = stored[f"{part}_pixels"], stored[f"{part}_labels"]
    return Images(pixels.astype(np.float64) / BRIGHTEST, labels.astype(np.int64))
