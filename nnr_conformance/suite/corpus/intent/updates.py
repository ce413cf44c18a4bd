"""Nodes of the parameter update tree (clause 7): which tensors a unit makes, and which parent it is added to."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnr_conformance.readings import Readings
from nnr_conformance.suite.corpus.intent.elements import UnitIntent
from nnr_conformance.suite.corpus.intent.exact import BINARY32, converted, total
from nnr_conformance.suite.corpus.intent.levels import flat
from nnr_conformance.suite.corpus.intent.refusal import NoIntent
from nnr_conformance.suite.corpus.intent.transmitted import Transmitted
from nnr_conformance.syntax.enumerations import ICNN_NDU_ID, ICNN_NDU_PL_SHA256, ICNN_NDU_PL_SHA512

NodeId = tuple[int, int, int]
"""device_id, parameter_id and put_node_depth."""


@dataclass(slots=True, eq=False)
class Node:
    """What a unit made. `quantized`: as transmitted, by name; `values`: composed and added to the parent."""

    quantized: dict[str, NDArray[np.int32]] = field(default_factory=dict)
    values: dict[str, NDArray[Any]] = field(default_factory=dict)


@dataclass(slots=True)
class Tree:
    """All nodes of a chain. `unnamed`: the node of each tensor that a unit without node id made, or the application.

    `marks`: by tensor, where an earlier update was not 0; `since_root`: since the last one that is no update.
    """

    readings: Readings
    nodes: dict[NodeId, Node] = field(default_factory=dict)
    digests: dict[bytes, Node] = field(default_factory=dict)
    unnamed: dict[str, Node] = field(default_factory=dict)
    marks: dict[str, NDArray[np.bool_]] = field(default_factory=dict)
    since_root: dict[str, NDArray[np.bool_]] = field(default_factory=dict)

    def parent_of(self, unit: UnitIntent, name: str) -> Node | None:
        """The parent of a unit that makes a tensor of this name; None without parent. Raises NoIntent."""
        if not unit.get("parent_node_id_present_flag"):
            return None
        kind = unit.get("parent_node_id_type")
        if kind == ICNN_NDU_ID:
            wanted = unit.get("parent_device_id"), unit.get("parameter_id"), unit.get("put_node_depth") - 1
            found = self.nodes.get(wanted) or self.unnamed.get(name)
        elif kind in (ICNN_NDU_PL_SHA256, ICNN_NDU_PL_SHA512):
            number = 256 if kind == ICNN_NDU_PL_SHA256 else 512
            digest = int(unit.get(f"parent_node_payload_sha{number}")).to_bytes(number // 8, "big")
            found = self.digests.get(digest)
        else:
            raise NoIntent(f"{unit.label}: there is no parent_node_id_type {kind}")
        if found is None:
            raise NoIntent(f"{unit.label}: the parent of {name} is not there")
        return found

    def check_contexts(self, unit: UnitIntent, coded: Sequence[Sequence[Transmitted]]) -> None:
        """Whether the payload is written for the parent and the history that a decoder has. Raises NoIntent.

        `coded`: for each coded tensor the topology elements that it holds.
        """
        for elements, said in zip(coded, unit.recipe.get("tensors", ()), strict=False):
            if bool(unit.get("temporal_context_modeling_flag")) != ("base" in said):
                raise NoIntent(f"{unit.label}: temporal contexts are announced and not used, or used unannounced")
            if "base" in said:
                levels = {one.name: self._levels_of_parent(unit, one) for one in elements}
                if _coded(elements, levels) != flat(said["base"]):
                    raise NoIntent(f"{unit.label}: is written for another parent of {elements[0].name}")
            if "history" in said:
                history = [int(one != 0) for one in flat(said["history"])]
                if history not in [_coded(elements, marks) for marks in (self.marks, self.since_root)]:
                    raise NoIntent(f"{unit.label}: is written for another history of {elements[0].name}")

    def _levels_of_parent(self, unit: UnitIntent, tensor: Transmitted) -> NDArray[np.int32]:
        parent = self.parent_of(unit, tensor.name)
        if parent is None or tensor.name not in parent.quantized:
            raise NoIntent(f"{unit.label}: the parent of {tensor.name} has no quantized parameters")
        return parent.quantized[tensor.name]

    def add(self, unit: UnitIntent, payload: bytes, tensors: Sequence[Transmitted]) -> Node:
        """The node of a unit, which has no values yet."""
        node = Node({one.name: one.quantized for one in tensors if one.quantized is not None})
        if unit.get("node_id_present_flag"):
            self.nodes[unit.get("device_id"), unit.get("parameter_id"), unit.get("put_node_depth")] = node
        self.digests[hashlib.sha256(payload).digest()] = node
        self.digests[hashlib.sha512(payload).digest()] = node
        is_update = unit.get("parent_node_id_present_flag")
        for name, quantized in node.quantized.items():
            if not is_update:
                self.since_root.pop(name, None)
            if is_update or self.readings["history"] == "all":
                for known in (self.marks, self.since_root):
                    marks = known.get(name, np.zeros_like(quantized, np.bool_))
                    known[name] = marks | (quantized != 0) if marks.shape == quantized.shape else quantized != 0
        return node


def _coded(elements: Sequence[Transmitted], arrays: Mapping[str, NDArray[Any]]) -> list[int]:
    """What is known of topology elements, in the order in which they are coded together; 0 where nothing is."""
    found = [0] * sum(one.positions.size for one in elements)
    for element in elements:
        array = arrays.get(element.name, np.zeros_like(element.positions))
        if array.shape != element.positions.shape:
            raise NoIntent(f"{element.name} has not the dimensions of its parent")
        for position, one in zip(element.positions.ravel().tolist(), array.ravel().tolist(), strict=True):
            found[position] = int(one)
    return found


def added(parent: NDArray[Any], update: NDArray[Any]) -> NDArray[Any]:
    """Parent plus update, element by element: binary32, or integers both."""
    if parent.shape != update.shape:
        raise NoIntent(f"an update {update.shape} does not fit its parent {parent.shape}")
    if parent.dtype == update.dtype == np.int32:
        sums = [left + right for left, right in zip(parent.ravel().tolist(), update.ravel().tolist(), strict=True)]
        if any(not -(1 << 31) <= one < 1 << 31 for one in sums):
            raise NoIntent("an updated integer does not fit 32 bits")
        return np.array(sums, np.int32).reshape(parent.shape)
    if np.int32 in (parent.dtype, update.dtype):
        raise NoIntent("parent and update are numbers of different kinds")
    sums = [
        total(converted(left, BINARY32), converted(right, BINARY32), BINARY32)
        for left, right in zip(parent.ravel().tolist(), update.ravel().tolist(), strict=True)
    ]
    return np.array(sums, np.float32).reshape(parent.shape)
