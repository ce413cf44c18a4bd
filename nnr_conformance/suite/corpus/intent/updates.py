"""Nodes of the parameter update tree (clause 7): which tensors a unit makes, and which parent it is added to."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
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
    """What a unit made. `quantized`: as transmitted, by name; `values`: composed and added to the parent.

    `names`: of its tensors. `parent`: the node that the unit names, if it names one that is there.
    """

    names: frozenset[str] = frozenset()
    parent: Node | None = None
    quantized: dict[str, NDArray[np.int32]] = field(default_factory=dict)
    values: dict[str, NDArray[Any]] = field(default_factory=dict)


@dataclass(slots=True)
class Tree:
    """All nodes of a chain. `unnamed`: the node of each tensor that a unit without node id made, or the application.

    `marks`: by tensor, where an earlier update was not 0; `since_root`: since the last one that is no update.
    """

    readings: Readings
    nodes: dict[NodeId, Node] = field(default_factory=dict)
    digests: dict[bytes, list[Node]] = field(default_factory=dict)
    unnamed: dict[str, Node] = field(default_factory=dict)
    marks: dict[str, NDArray[np.bool_]] = field(default_factory=dict)
    since_root: dict[str, NDArray[np.bool_]] = field(default_factory=dict)

    def named_parent(self, unit: UnitIntent, names: Iterable[str]) -> Node | None:
        """The node that a unit names by ids or by the digest of a payload, if it is there.

        Tensors of equal numbers have equal payloads; then the last one that has the names of the unit is meant.
        """
        kind = unit.get("parent_node_id_type")
        if not unit.get("parent_node_id_present_flag"):
            return None
        if kind == ICNN_NDU_ID:
            depth = unit.get("put_node_depth") - 1
            return self.nodes.get((unit.get("parent_device_id"), unit.get("parameter_id"), depth))
        if kind not in (ICNN_NDU_PL_SHA256, ICNN_NDU_PL_SHA512):
            raise NoIntent(f"{unit.label}: there is no parent_node_id_type {kind}")
        number = 256 if kind == ICNN_NDU_PL_SHA256 else 512
        digest = int(unit.get(f"parent_node_payload_sha{number}")).to_bytes(number // 8, "big")
        nodes = self.digests.get(digest, [])
        return next(
            (node for node in reversed(nodes) if not node.names.isdisjoint(names)), nodes[-1] if nodes else None
        )

    def parent_of(self, unit: UnitIntent, named: Node | None, name: str) -> Node | None:
        """The parent of a tensor: the one that its unit names, or that of the same name which has no ids."""
        if not unit.get("parent_node_id_present_flag"):
            return None
        by_ids = unit.get("parent_node_id_type") == ICNN_NDU_ID
        found = named or (self.unnamed.get(name) if by_ids else None)
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
                named = self.named_parent(unit, [one.name for tensor in coded for one in tensor])
                levels = {one.name: self._levels_of_parent(unit, named, one) for one in elements}
                if _coded(elements, levels) != flat(said["base"]):
                    raise NoIntent(f"{unit.label}: is written for another parent of {elements[0].name}")
            if "history" in said:
                history = [int(one != 0) for one in flat(said["history"])]
                # Those before the root can be of other dimensions, and are not looked at before they must be.
                if history not in (_coded(elements, marks) for marks in (self.since_root, self.marks)):
                    raise NoIntent(f"{unit.label}: is written for another history of {elements[0].name}")

    def _levels_of_parent(self, unit: UnitIntent, named: Node | None, tensor: Transmitted) -> NDArray[np.int32]:
        parent = self.parent_of(unit, named, tensor.name)
        if parent is None or tensor.name not in parent.quantized:
            raise NoIntent(f"{unit.label}: the parent of {tensor.name} has no quantized parameters")
        return parent.quantized[tensor.name]

    def add(self, unit: UnitIntent, payload: bytes, tensors: Sequence[Transmitted]) -> Node:
        """The node of a unit, which has no values yet."""
        quantized = {one.name: one.quantized for one in tensors if one.quantized is not None}
        names = frozenset(one.name for one in tensors)
        node = Node(names, self.named_parent(unit, names), quantized)
        if unit.get("node_id_present_flag"):
            self.nodes[unit.get("device_id"), unit.get("parameter_id"), unit.get("put_node_depth")] = node
        for digest in (hashlib.sha256(payload).digest(), hashlib.sha512(payload).digest()):
            self.digests.setdefault(digest, []).append(node)
        is_update = unit.get("parent_node_id_present_flag")
        for name, levels in quantized.items():
            if not is_update:
                self.since_root.pop(name, None)
            if is_update or self.readings["history"] == "all":
                for known in (self.marks, self.since_root):
                    marks = known.get(name, np.zeros_like(levels, np.bool_))
                    known[name] = marks | (levels != 0) if marks.shape == levels.shape else levels != 0
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
