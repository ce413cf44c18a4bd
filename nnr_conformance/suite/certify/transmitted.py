"""What a chain of streams decodes to, and how each tensor was sent: by which step, raw, by a codebook, in parts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnr_conformance.adapters import Arrays
from nnr_conformance.api import chain_decoder
from nnr_conformance.decoder.dequantization import step_size
from nnr_conformance.decoder.model_state import ModelState
from nnr_conformance.decoder.tensors import CodedTensor, DecodedUnit
from nnr_conformance.readings import Readings
from nnr_conformance.scope import TraceEntry
from nnr_conformance.syntax.enumerations import LPS, MPS, STR
from nnr_conformance.syntax.unit_parser import Unit

_COMPOSED = frozenset({"decomposition", "local scaling"})
_PARTS = ("_G", "_H", "_scaling")


@dataclass(frozen=True, slots=True, eq=False)
class Sent:
    """How a tensor was sent. `step`: of its quantization parameter, None without one. `raw`: as binary32 numbers.

    `entries`: values that its codebook gave, None without one. `composed`: the tensor is made of several that were
    sent, so that no step bounds its error. `update`: as a difference.
    """

    step: float | None
    raw: bool
    entries: NDArray[Any] | None
    composed: bool
    update: bool


@dataclass(frozen=True, slots=True, eq=False)
class Received:
    """`tensors`: the model behind the last stream. `sent`: by name, how it was sent when it was sent last. `lately`:
    names of what the last stream itself has, parts of composed tensors by their own names."""

    tensors: Arrays
    sent: Mapping[str, Sent]
    lately: frozenset[str] = frozenset()

    def unsent(self) -> list[str]:
        """Tensors of the model of which the last stream has neither the whole nor a part."""
        wholes = {name.rpartition("_")[0] for name in self.lately if name.endswith(_PARTS)}
        return [name for name in self.tensors if name not in self.lately and name not in wholes]


@dataclass(slots=True)
class _Watch:
    """Follows the parameter sets of a chain, since the density of quantization parameters is in them only."""

    readings: Readings
    state: ModelState = field(default_factory=ModelState)
    sent: dict[str, Sent] = field(default_factory=dict)
    lately: dict[int, set[str]] = field(default_factory=dict)

    def unit(self, number: int, unit: Unit, trace: Sequence[TraceEntry]) -> None:
        self.state.leave_scopes(unit.label, self.readings)
        if unit.unit_type == STR:
            self.state = ModelState()
        elif unit.unit_type == MPS:
            self.state.start_parameter_set(unit)
        elif unit.unit_type == LPS:
            self.state.start_layer_set(unit)

    def decoded(self, number: int, unit: DecodedUnit) -> None:
        composed = not unit.tools.isdisjoint(_COMPOSED)
        for tensor in unit.tensors:
            self.sent[tensor.name] = self._sent(tensor, unit, composed)
            self.lately.setdefault(number, set()).add(tensor.name)

    def _sent(self, tensor: CodedTensor, unit: DecodedUnit, composed: bool) -> Sent:
        density = self.state.layer_quantization or self.state.quantization
        step = None if tensor.qp is None or density is None else float(step_size(tensor.qp, density.density))
        entries = np.unique(tensor.values) if tensor.codebook_size else None
        return Sent(step, tensor.quantized is None, entries, composed, unit.update)


def received(streams: Sequence[bytes], readings: Readings) -> Received:
    """The model behind the last of the streams. What is wrong with them is for the checker to say."""
    watch = _Watch(readings)
    chain = chain_decoder(streams, readings=readings)
    chain.on_unit, chain.on_decoded = watch.unit, watch.decoded
    tensors = {tensor.name: tensor.values for tensor in chain}
    return Received(tensors, watch.sent, frozenset(watch.lately.get(len(streams) - 1, ())))
