"""The trained networks do on the digits what they were trained for, and the table of tools is that of the call."""

from __future__ import annotations

import numpy as np
import pytest

from nnr_conformance.data import load_yaml
from nnr_conformance.suite.cfp2019.measures import right_answers, squared_error
from nnr_conformance.suite.cfp2019.networks import NETWORKS, Network, images, trained

CLASSIFIERS = [network for network in NETWORKS.values() if network.classifies]
PROPOSALS = {f"P{number}" for number in range(1, 10)}


@pytest.mark.parametrize("network", CLASSIFIERS, ids=lambda network: network.name)
def test_a_classifier_knows_most_digits_and_a_wiped_one_does_not(network: Network) -> None:
    tensors = dict(trained(network.name))
    most = len(images("test").labels)
    assert right_answers(network, tensors) > 0.95 * most
    wiped = tensors | {network.last.weight: np.zeros_like(tensors[network.last.weight])}
    assert right_answers(network, wiped) < 0.3 * most


def test_the_autoencoder_keeps_more_of_an_image_than_its_mean() -> None:
    (network,) = [one for one in NETWORKS.values() if not one.classifies]
    pixels = images("test").pixels
    assert squared_error(network, trained(network.name)) < 0.5 * np.square(pixels - pixels.mean(axis=0)).mean()


def test_every_proposal_of_the_call_has_tools_and_every_tool_a_proposal() -> None:
    rows = load_yaml("spec/tools.yaml")
    assert set().union(*(row["proposals"] for row in rows)) == PROPOSALS
    assert all(row["proposals"] for row in rows)
    assert len({row["id"] for row in rows}) == len(rows) == 21
