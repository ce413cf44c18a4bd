"""The battery: every model that an encoder has to go through, in a fixed order, the same on every machine."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from nnr_conformance.suite.certify.chains import chain_inputs
from nnr_conformance.suite.certify.inputs import BatteryInput, Models
from nnr_conformance.suite.certify.kinds import kind_inputs
from nnr_conformance.suite.certify.names import name_inputs
from nnr_conformance.suite.certify.scale import WEIGHTS, scale_inputs
from nnr_conformance.suite.certify.shapes import shape_inputs
from nnr_conformance.suite.certify.values import value_inputs
from nnr_conformance.suite.cfp2019.networks import NETWORKS, trained

VERSION = 2
"""Of the battery: it changes when an input does."""


def battery(weights: int = WEIGHTS) -> tuple[BatteryInput, ...]:
    """All inputs; `weights`: about how many the large tensor has."""
    return (
        *shape_inputs(),
        *value_inputs(),
        *kind_inputs(),
        *name_inputs(),
        *chain_inputs(),
        *network_inputs(),
        *scale_inputs(weights),
    )


def network_inputs() -> Iterator[BatteryInput]:
    """Small trained networks."""
    for name in NETWORKS:
        yield BatteryInput(
            f"networks/{name}",
            f"The trained {name} network of the corpus.",
            "Treats biases or batch norms as weights; loses or reorders tensors.",
            partial(_network, name),
        )


def _network(name: str) -> Models:
    return (trained(name),)
