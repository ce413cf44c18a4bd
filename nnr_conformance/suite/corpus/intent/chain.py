"""The whole of a stream behind those that it updates: transmitted tensors, and the model at the end."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnr_conformance.readings import Readings
from nnr_conformance.suite.corpus.intent.composition import Composed, Composition
from nnr_conformance.suite.corpus.intent.delivery import delivered
from nnr_conformance.suite.corpus.intent.elements import NOT_MEANT, UnitIntent
from nnr_conformance.suite.corpus.intent.layout import Given, Role, layout_of, names_of
from nnr_conformance.suite.corpus.intent.refusal import NoIntent
from nnr_conformance.suite.corpus.intent.situation import Situation
from nnr_conformance.suite.corpus.intent.transmitted import Transmitted, transmitted
from nnr_conformance.suite.corpus.intent.updates import Node, Tree, added
from nnr_conformance.syntax.enumerations import AGG, NDU, PT_BLOCK, STR


@dataclass(frozen=True, slots=True)
class Whole:
    """A unit, its parts joined. `payload`: its bytes, for the digest by which children name it."""

    unit: UnitIntent
    payload: bytes
    digested: bytes


def joined(units: Sequence[UnitIntent], readings: Readings) -> Iterator[Whole]:
    """Units with their parts joined (clause 6). Raises NoIntent for parts that do not go together."""
    waiting: list[UnitIntent] = []
    for unit in units:
        piece = _payload_piece(unit)
        if not unit.left:
            yield Whole(unit, piece, piece)
            continue
        if waiting and (waiting[-1].left - 1 != unit.left or waiting[-1].unit_type != unit.unit_type):
            raise NoIntent(f"{unit.label}: is not the part that comes next")
        waiting.append(unit)
        if unit.left == 1:
            whole = b"".join(_payload_piece(part) for part in waiting)
            yield Whole(waiting[0], whole, whole if readings["parent-hash"] == "joined" else piece)
            waiting = []
    if waiting:
        raise NoIntent(f"{waiting[0].label}: parts are missing")


def _payload_piece(unit: UnitIntent) -> bytes:
    for name in ("part", "cabac_payload", "raw_float32_parameter"):
        if name in unit.written:
            return bytes(unit.written[name])
    return b""


@dataclass(slots=True)
class Chain:
    """Goes through streams. `given`: what is known of tensors out of band.

    `found`: transmitted tensors of the last stream. `refusal`: why the model is not known, where it is not.
    """

    readings: Readings
    given: Given
    base: Mapping[str, NDArray[np.float32]]
    tree: Tree = field(init=False)
    model: dict[str, tuple[NDArray[Any], UnitIntent | None]] = field(init=False)
    found: list[Transmitted] = field(default_factory=list)
    refusal: NoIntent | None = None

    def __post_init__(self) -> None:
        self.tree = Tree(self.readings, unnamed={name: Node(values={name: one}) for name, one in self.base.items()})
        self.model = {name: (values, None) for name, values in self.base.items()}

    def stream(self, units: Sequence[UnitIntent]) -> None:
        """The next stream of the chain. Raises NoIntent when its transmitted tensors are not known."""
        self.found = []
        situation = Situation(self.readings)
        composition = Composition()
        nodes: dict[str, Node] = {}
        behind_g = False
        for whole in joined(units, self.readings):
            unit = whole.unit
            if unit.unit_type == STR:
                self._take(composition.finish(), nodes)
            if unit.unit_type == NDU:
                layout = layout_of(unit, situation, self.given, behind_g=behind_g)
                _as_announced(unit, situation, self.given)
                coded = transmitted(unit, layout, situation, whole.payload)
                self.tree.check_contexts(unit, coded)
                tensors = [element for elements in coded for element in elements]
                self.found += tensors
                nodes[unit.label] = self.tree.add(unit, whole.digested, tensors)
                self._take(composition.add(unit, layout, tensors), nodes)
                behind_g = (
                    unit.get("nnr_compressed_data_unit_payload_type") != PT_BLOCK and layout.places[0].role is Role.G
                )
            elif unit.unit_type != AGG:
                behind_g = False
            situation = situation.behind(unit)
        self._take(composition.finish(), nodes)

    def _take(self, composed: Iterator[Composed], nodes: Mapping[str, Node]) -> None:
        """Put composed tensors into the model; when it cannot be done, the model remains unknown."""
        try:
            self._compose(composed, nodes)
        except NoIntent as refusal:
            self.refusal = self.refusal or refusal

    def _compose(self, composed: Iterator[Composed], nodes: Mapping[str, Node]) -> None:
        """Add composed tensors to their parents and put them into the model."""
        for tensor in composed:
            node, values = nodes[tensor.unit.label], tensor.values
            parent = self.tree.parent_of(tensor.unit, node.parent, tensor.name)
            if parent is not None:
                if tensor.name not in parent.values:
                    raise NoIntent(f"{tensor.unit.label}: the parent has no tensor {tensor.name}")
                values = added(parent.values[tensor.name], values)
            node.values[tensor.name] = values
            self.model[tensor.name] = values, tensor.unit
            self.tree.unnamed.pop(tensor.name, None)
            if not tensor.unit.get("node_id_present_flag"):
                self.tree.unnamed[tensor.name] = node

    def tensors(self) -> dict[str, NDArray[Any]]:
        """The model in the formats of its units. Raises NoIntent."""
        if self.refusal is not None:
            raise self.refusal
        return {name: delivered(values, unit, self.readings) for name, (values, unit) in self.model.items()}


def _as_announced(unit: UnitIntent, situation: Situation, given: Given) -> None:
    """Whether the unit is built for the stream in which it is. Raises NoIntent."""
    if any(name in unit.recipe for name in NOT_MEANT):
        raise NoIntent(f"{unit.label}: is built for another stream")
    outside = given.get(names_of(unit, situation)[0], {})
    length = unit.get("cabac_unary_length_minus1", outside.get("cabac_unary_length_minus1", 9))
    if "tensors" in unit.recipe and length != unit.recipe.get("cabac_unary_length_minus1", 9):
        raise NoIntent(f"{unit.label}: is written with another cabac_unary_length_minus1")
