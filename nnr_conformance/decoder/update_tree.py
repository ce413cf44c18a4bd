"""The parameter update tree: decoded levels of earlier tensors, for parents, temporal contexts and history (clause 7).

A node is what one compressed data unit gave: the quantized parameters of its tensors. It is found by device, parameter
and depth, by the digest of its payload, or, for streams without node ids, by the name of the tensor (R-ED2-01 to
R-ED2-12).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Levels = NDArray[np.signedinteger[Any]]


class NodeIds(NamedTuple):
    """device_id, parameter_id and put_node_depth, by which a node is found."""

    device_id: int
    parameter_id: int
    depth: int


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """One decoded unit: its ids (None without node ids), the names of its tensors, their quantized parameters.

    A tensor of NNR_PT_RAW_FLOAT has no quantized parameters.
    """

    ids: NodeIds | None
    names: tuple[str, ...]
    levels: dict[str, Levels]


@dataclass(slots=True)
class UpdateTree:
    """All nodes decoded so far, over the streams of a chain.

    `depths`: for each device_id and parameter_id the last put_node_depth. `parameters`: all values of parameter_id.
    `history` holds for each tensor name a boolean array: where any update so far was not zero.
    """

    nodes: dict[tuple[int, int, int], Node] = field(default_factory=dict)
    latest: dict[str, Node] = field(default_factory=dict)
    digests: dict[bytes, list[Node]] = field(default_factory=dict)
    depths: dict[tuple[int, int], int] = field(default_factory=dict)
    parameters: set[int] = field(default_factory=set)
    history: dict[str, NDArray[np.bool_]] = field(default_factory=dict)

    def add(self, node: Node, payload: bytes | memoryview) -> None:
        """Remember a node; `payload` is that of its unit, by whose SHA-256 or SHA-512 it can be referred to."""
        if node.ids is not None:
            self.nodes[node.ids] = node
            self.depths[node.ids.device_id, node.ids.parameter_id] = node.ids.depth
            self.parameters.add(node.ids.parameter_id)
        for name in node.names:
            self.latest[name] = node
        for digest in (hashlib.sha256(payload).digest(), hashlib.sha512(payload).digest()):
            self.digests.setdefault(digest, []).append(node)

    def remember_history(self, node: Node) -> None:
        """Mark the positions at which the levels of this node are not zero."""
        for name, levels in node.levels.items():
            before = self.history.get(name)
            now = levels != 0
            self.history[name] = now if before is None or before.shape != now.shape else before | now

    def forget_history(self, node: Node) -> None:
        """A new root begins without history, whatever tensors of its names had before."""
        for name in node.names:
            self.history.pop(name, None)

    def by_ids(self, device_id: int, parameter_id: int, depth: int) -> Node | None:
        """The node of these ids."""
        return self.nodes.get((device_id, parameter_id, depth))

    def by_name(self, name: str) -> Node | None:
        """The last node with a tensor of this name."""
        return self.latest.get(name)

    def by_digest(self, digest: bytes, names: Iterable[str]) -> Node | None:
        """The node whose payload has this SHA-256 or SHA-512.

        Tensors of equal numbers have equal payloads: the last node that has one of the names is meant, else the last.
        """
        nodes = self.digests.get(digest, [])
        namesakes = [node for node in nodes if not set(names).isdisjoint(node.names)]
        return next(reversed(namesakes or nodes), None)


def compact(levels: NDArray[np.int32]) -> Levels:
    """The same integers in the narrowest type that holds them: nodes stay in memory for the whole chain."""
    if levels.size:
        smallest, largest = int(levels.min()), int(levels.max())
        for kind in (np.int8, np.int16):
            if np.iinfo(kind).min <= smallest and largest <= np.iinfo(kind).max:
                return levels.astype(kind)
    return levels
