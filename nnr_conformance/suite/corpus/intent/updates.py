"""Nodes of the parameter update tree (clause 7): which tensors a unit makes, and which parent it is added to."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnr_conformance.readings import Readings
from nnr_conformance.suite.corpus.intent.elements import UnitIntent
from nnr_conformance.suite.corpus.intent.exact import BINARY32, converted, total
from nnr_conformance.suite.corpus.intent.layout import Layout, as_coded
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

    `marks`: by tensor, where an earlier one was not 0.
    """

    readings: Readings
    nodes: dict[NodeId, Node] = field(default_factory=dict)
    digests: dict[bytes, Node] = field(default_factory=dict)
    unnamed: dict[str, Node] = field(default_factory=dict)
    marks: dict[str, NDArray[np.bool_]] = field(default_factory=dict)

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

    def check_contexts(self, unit: UnitIntent, layout: Layout, tensors: list[Transmitted]) -> None:
        """Whether the payload is written for the parent and the history that a decoder has. Raises NoIntent."""
        if len(layout.places) != len(tensors):
            history = any("history" in tensor for tensor in unit.recipe.get("tensors", ()))
            if history or unit.get("temporal_context_modeling_flag"):
                raise NoIntent(f"{unit.label}: contexts of a tensor of several elements")
            return
        for tensor, said in zip(tensors, unit.recipe.get("tensors", ()), strict=False):
            self._check_base(unit, layout, tensor, said)
            if "history" in said:
                marks = self.marks.get(tensor.name)
                known = [] if marks is None else _coded(marks, tensor, layout).ravel().tolist()
                given = [bool(mark) for mark in flat(said["history"])]
                if given != (known or [False] * len(given)):
                    raise NoIntent(f"{unit.label}: is written for another history of {tensor.name}")

    def _check_base(self, unit: UnitIntent, layout: Layout, tensor: Transmitted, said: Mapping[str, Any]) -> None:
        if bool(unit.get("temporal_context_modeling_flag")) != ("base" in said):
            raise NoIntent(f"{unit.label}: temporal contexts are announced and not used, or used and not announced")
        if "base" not in said:
            return
        parent = self.parent_of(unit, tensor.name)
        levels = None if parent is None else parent.quantized.get(tensor.name)
        if levels is None or flat(said["base"]) != _coded(levels, tensor, layout).ravel().tolist():
            raise NoIntent(f"{unit.label}: is written for another parent of {tensor.name}")

    def add(self, unit: UnitIntent, payload: bytes, tensors: list[Transmitted]) -> Node:
        """The node of a unit, which has no values yet."""
        node = Node({one.name: one.quantized for one in tensors if one.quantized is not None})
        if unit.get("node_id_present_flag"):
            self.nodes[unit.get("device_id"), unit.get("parameter_id"), unit.get("put_node_depth")] = node
        self.digests[hashlib.sha256(payload).digest()] = node
        self.digests[hashlib.sha512(payload).digest()] = node
        if unit.get("parent_node_id_present_flag") or self.readings["history"] == "all":
            for name, quantized in node.quantized.items():
                known = self.marks.get(name)
                marks = quantized != 0
                self.marks[name] = marks if known is None or known.shape != marks.shape else known | marks
        return node


def _coded(array: NDArray[Any], tensor: Transmitted, layout: Layout) -> NDArray[Any]:
    """An array of the parent in the form in which its child is coded."""
    if tensor.quantized is None or array.shape != tensor.quantized.shape:
        raise NoIntent(f"{tensor.name} has not the dimensions of its parent")
    return as_coded(array, layout) if array.ndim == len(layout.shape) else array


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
