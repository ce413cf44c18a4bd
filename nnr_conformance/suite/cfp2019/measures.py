"""How well a network does: right answers among the test images, or the mean squared error of images."""

from __future__ import annotations

import numpy as np

from nnr_conformance.suite.cfp2019.networks import Network, Tensors, images


def right_answers(network: Network, tensors: Tensors) -> int:
    """Number of test images whose digit has the highest score."""
    test = images("test")
    return int((network.outputs(tensors, test.pixels).argmax(axis=1) == test.labels).sum())


def squared_error(network: Network, tensors: Tensors) -> float:
    """Mean squared difference of the test images and what the network makes of them; pixels are 0 to 1."""
    test = images("test")
    return float(np.square(network.outputs(tensors, test.pixels) - test.pixels).mean())


def accuracy(network: Network, tensors: Tensors) -> float:
    """Share of right answers; for an autoencoder the squared error instead."""
    if network.classifies:
        return right_answers(network, tensors) / len(images("test").labels)
    return squared_error(network, tensors)
