"""Topology and quantization data of a model as units of a stream (clause 6), and out of one again."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from nnr_conformance.decoder.topology import CarriedData
from nnr_conformance.frameworks.model import FrameworkModel
from nnr_conformance.syntax.enumerations import DFL, QNT, TPL

_MOST_PARTS = 255
_STRONGEST = 9


@dataclass(frozen=True, slots=True)
class CarriedModel:
    """What a stream says of a model beside its tensors: topology_storage_format, topology_data, quantization_data, and
    the dimensions of elements that were pruned, by identifier."""

    topology_format: int
    topology: bytes
    quantization: bytes = b""
    pruned: Mapping[str, tuple[int, ...]] = field(default_factory=dict)


def units_of(model: FrameworkModel, *, deflate: bool = True, part_bytes: int = 0) -> tuple[Mapping[str, Any], ...]:
    """The NNR_TPL of a model, and its NNR_QNT where it has quantization data, as entries of a recipe.

    `part_bytes`: largest part in which the data travels, 0 for one piece.
    """
    found = [_unit("topology", "NNR_TPL", model.topology_format, model.topology, deflate, part_bytes)]
    if model.quantization:
        # The formats of quantization data are numbered like those of topologies.
        found.append(_unit("quantization", "NNR_QNT", model.topology_format, model.quantization, deflate, part_bytes))
    return tuple(found)


def carried_model(
    carried: Iterable[CarriedData], wanted: int, pruned: Mapping[str, tuple[int, ...]] | None = None
) -> CarriedModel | None:
    """The last topology of a format among what streams carried, None for none. `pruned`: see `CarriedModel`."""
    topology: CarriedData | None = None
    quantization = b""
    for one in carried:
        if one.unit_type == TPL and one.storage_format == wanted:
            topology, quantization = one, b""
        elif one.unit_type == QNT and topology is not None and one.storage_format == topology.storage_format:
            quantization = one.data
    return None if topology is None else CarriedModel(wanted, topology.data, quantization, pruned or {})


def _unit(
    prefix: str, unit_type: str, storage_format: int, data: bytes, deflate: bool, part_bytes: int
) -> Mapping[str, Any]:
    # The strongest level: a topology is small beside the weights.
    content = zlib.compress(data, _STRONGEST) if deflate else data
    elements: dict[str, Any] = {
        f"{prefix}_storage_format": storage_format,
        f"{prefix}_compression_format": DFL if deflate else 0,
        f"{prefix}_data": content,
    }
    count = -(-len(content) // part_bytes) if part_bytes else 1
    if 1 < count <= _MOST_PARTS:
        elements["parts"] = [part_bytes] * (count - 1)
    return {unit_type: elements}
