"""Networks with the shapes of real ones and weights made by arithmetic, which compress about as real ones do.

Weights have a Laplace distribution whose scale falls with the number of inputs; every convolution has a batch norm of
four vectors. The same name gives the same numbers.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Tensors = dict[str, NDArray[np.float32]]


@dataclass(slots=True)
class _Builder:
    """Tensors in the order of the layers."""

    rng: np.random.Generator
    tensors: Tensors = field(default_factory=dict)

    def convolution(self, name: str, outputs: int, inputs: int, size: int = 1) -> None:
        """A convolution without bias and its batch norm."""
        self._weight(f"{name}.conv.weight", (outputs, inputs, size, size))
        for part, middle, spread in (
            ("weight", 1.0, 0.2),
            ("bias", 0.0, 0.1),
            ("running_mean", 0.0, 0.3),
        ):
            self.tensors[f"{name}.norm.{part}"] = self.rng.normal(middle, spread, outputs).astype(np.float32)
        self.tensors[f"{name}.norm.running_var"] = self.rng.gamma(2.0, 0.3, outputs).astype(np.float32)

    def linear(self, name: str, outputs: int, inputs: int) -> None:
        """A layer with a bias."""
        self._weight(f"{name}.weight", (outputs, inputs))
        self.bias(name, outputs)

    def biased_convolution(self, name: str, outputs: int, inputs: int) -> None:
        """A convolution of one position with a bias and no batch norm."""
        self._weight(f"{name}.weight", (outputs, inputs, 1, 1))
        self.bias(name, outputs)

    def bias(self, name: str, outputs: int) -> None:
        """The bias of a layer."""
        self.tensors[f"{name}.bias"] = self.rng.normal(0.0, 0.05, outputs).astype(np.float32)

    def _weight(self, name: str, shape: tuple[int, ...]) -> None:
        inputs = int(np.prod(shape[1:]))
        self.tensors[name] = self.rng.laplace(0.0, 0.5 / np.sqrt(inputs), shape).astype(np.float32)


def _tiny(network: _Builder) -> None:
    network.convolution("stem", 8, 3, 3)
    network.convolution("body", 16, 8, 3)
    network.linear("classifier", 10, 16)


def _resnet20(network: _Builder) -> None:
    """Of CIFAR-10: three stages of three blocks of two convolutions."""
    network.convolution("stem", 16, 3, 3)
    inputs = 16
    for stage, outputs in enumerate((16, 32, 64)):
        for block in range(3):
            network.convolution(f"stage{stage}.{block}.first", outputs, inputs, 3)
            network.convolution(f"stage{stage}.{block}.second", outputs, outputs, 3)
            inputs = outputs
    network.linear("classifier", 10, inputs)


def _efficientnet(network: _Builder) -> None:
    """As EfficientNet-B0: inverted bottlenecks with separable convolutions and squeeze and excitation."""
    network.convolution("stem", 32, 3, 3)
    inputs = 32
    stages = (
        (1, 16, 1, 3),
        (6, 24, 2, 3),
        (6, 40, 2, 5),
        (6, 80, 3, 3),
        (6, 112, 3, 5),
        (6, 192, 4, 5),
        (6, 320, 1, 3),
    )
    for stage, (expansion, outputs, blocks, size) in enumerate(stages):
        for block in range(blocks):
            name, wide = f"stage{stage}.{block}", expansion * inputs
            if expansion > 1:
                network.convolution(f"{name}.expand", wide, inputs)
            network.convolution(f"{name}.depthwise", wide, 1, size)
            network.biased_convolution(f"{name}.squeeze", inputs // 4, wide)
            network.biased_convolution(f"{name}.excite", wide, inputs // 4)
            network.convolution(f"{name}.project", outputs, wide)
            inputs = outputs
    network.convolution("head", 1280, inputs)
    network.linear("classifier", 1000, 1280)


def _resnet50(network: _Builder) -> None:
    """As ResNet-50 with one block less and ten classes: bottlenecks in four stages."""
    network.convolution("stem", 64, 3, 7)
    inputs = 64
    for stage, (blocks, width) in enumerate(zip((3, 4, 5, 3), (64, 128, 256, 512), strict=True)):
        for block in range(blocks):
            name = f"stage{stage}.{block}"
            network.convolution(f"{name}.reduce", width, inputs)
            network.convolution(f"{name}.middle", width, width, 3)
            network.convolution(f"{name}.expand", 4 * width, width)
            if block == 0:
                network.convolution(f"{name}.shortcut", 4 * width, inputs)
            inputs = 4 * width
    network.linear("classifier", 10, inputs)


_LAYERS: dict[str, Callable[[_Builder], None]] = {
    "tiny": _tiny,
    "ResNet-20": _resnet20,
    "EfficientNet-B0": _efficientnet,
    "ResNet-50": _resnet50,
}


def network(name: str) -> Tensors:
    """The float32 tensors of a network: "tiny" for tests, "ResNet-20", "EfficientNet-B0" and "ResNet-50"."""
    builder = _Builder(np.random.default_rng(zlib.crc32(name.encode())))
    _LAYERS[name](builder)
    return builder.tensors


def weights_of(tensors: Tensors) -> int:
    """Elements of all tensors."""
    return sum(tensor.size for tensor in tensors.values())
