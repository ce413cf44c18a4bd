"""Chains of streams: a base network and updates of some of its parameters, for properties."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st

from nnr_conformance.suite.corpus.intent import intended
from nnr_conformance.suite.corpus.intent.levels import flat, nested_shape
from nnr_conformance.suite.corpus.recipes import CorpusStream
from tests.suite.corpus.recipe_strategies import (
    Elements,
    Recipe,
    any_units,
    nested,
    parameters,
    quantization,
    stream_of,
)


@dataclass(frozen=True, slots=True)
class Version:
    """A node: its ids, the SHA-256 of its payload, and its quantized parameters by name."""

    device: int
    depth: int
    digest: str
    levels: dict[str, list[int]]


@dataclass(slots=True)
class Lineage:
    """A unit of the base network and what became of it. `layer`: what the unit belongs to."""

    layer: str
    elements: Elements
    parameter: int
    versions: list[Version] = field(default_factory=list)

    def ids(self, device: int, depth: int) -> Elements:
        """The elements that name a node."""
        return {"device_id": device, "parameter_id": self.parameter, "put_node_depth": depth}


@st.composite
def permuted(draw: st.DrawFn, values: Any) -> Any:
    """The same numbers in another order."""
    return nested(draw(st.permutations(flat(values))), nested_shape(values))


def coded_names(elements: Elements) -> list[str]:
    """The names of the tensors of a unit in coding order."""
    if "topology_elem_id_list" not in elements:
        return [elements["topology_elem_id"]]
    ids, types = elements["topology_elem_id_list"], elements["compressed_parameter_types"]
    weights = 1 + (types & 1)
    scaling = weights + bool(types & 2)
    bias = len(ids) - bool(types & 8)
    return [*ids[weights:scaling], *ids[bias:], *ids[scaling:bias], *ids[:weights]]


def has_row_flags(tensor: Elements, elements: Elements) -> bool:
    """Whether the payload of edition 2 says if there is a history."""
    shape = nested_shape(tensor["levels"])
    several = len(shape) > 1 and shape[0] > 1 and len(flat(tensor["levels"])) > shape[0]
    return several and elements.get("codebook_size") != 1 and elements.get("codebook_dc", {}).get("codebook_size") != 1


@st.composite
def updates(draw: st.DrawFn, line: Lineage, parent: Version, device: int, history: dict[str, list[int]]) -> Elements:
    """An update of one of the versions of a unit."""
    found = copy.deepcopy(line.elements) | line.ids(device, parent.depth + 1)
    same_payload = [one for one in line.versions if one.digest == parent.digest]
    if len(same_payload) > 1 or draw(st.booleans()):
        found |= {"parent_node_id_type": 0, "parent_device_id": parent.device}
    else:
        found |= {"parent_node_id_type": 1, "parent_node_payload_sha256": int(parent.digest, 16)}
    if "float32" in found:
        found["float32"] = draw(permuted(found["float32"]))
        return found
    found["tensors"] = [{**one, "levels": draw(permuted(one["levels"]))} for one in found["tensors"]]
    if found.get("first_tensor_dimension_shift") or "split_index" in found:
        return found
    if draw(st.booleans()):
        found["temporal_context_modeling_flag"] = 1
        for name, tensor in zip(coded_names(found), found["tensors"], strict=True):
            tensor["base"] = parent.levels[name]
    if draw(st.booleans()):
        for name, tensor in zip(coded_names(found), found["tensors"], strict=True):
            if has_row_flags(tensor, found):
                tensor["history"] = history.get(name, [0] * len(flat(tensor["levels"])))
    return found


def extend(stream: CorpusStream, nodes: Sequence[tuple[Lineage, int, int]], history: dict[str, list[int]]) -> None:
    """Note what a stream made: for each unit the line that it belongs to, its device and its depth."""
    built = stream.intended()
    payloads = [entry.value for entry in built.trace if entry.name in {"cabac_payload", "raw_float32_parameter"}]
    levels = {name: found.ravel().tolist() for name, found in intended(stream).levels}
    for (line, device, depth), payload in zip(nodes, payloads, strict=True):
        line.versions.append(Version(device, depth, hashlib.sha256(payload).hexdigest(), levels))
    if stream.behind:
        for name, found in levels.items():
            marks = history.setdefault(name, [0] * len(found))
            history[name] = [int(mark or level != 0) for mark, level in zip(marks, found, strict=True)]


@st.composite
def chains(draw: st.DrawFn) -> CorpusStream:
    """The last stream of a chain. Updates of another device have any version of a unit as their parent."""
    density = draw(st.integers(0, 7))
    scale = quantization("mps", density, draw(parameters(density)))
    lines: list[Lineage] = []
    for name in draw(st.sampled_from([["a"], ["a", "b"]])):
        for unit in draw(any_units(name, 1, density)):
            elements = {key: found for key, found in unit["NNR_NDU"].items() if key != "parts"}
            lines.append(Lineage(name, elements, parameter=3 + len(lines)))
    history: dict[str, list[int]] = {}
    units = [{"NNR_NDU": line.elements | line.ids(0, 0)} for line in lines]
    behind = [stream_of([{"NNR_STR": {}}, {"NNR_MPS": scale}, *units])]
    extend(behind[0], [(line, 0, 0) for line in lines], history)
    for number in range(1, draw(st.integers(2, 4))):
        unchanged = draw(st.sampled_from([None, lines[-1].layer]))
        # Units of one layer have a parent of the same age.
        place = draw(st.sampled_from([None, *range(number)]))
        nodes, of_stream = [], list[Recipe]()
        for line in [line for line in lines if line.layer != unchanged] or lines:
            aside = place is not None and place < len(line.versions)
            parent = line.versions[place if place is not None and aside else -1]
            device = number if aside else parent.device
            of_stream.append({"NNR_NDU": draw(updates(line, parent, device, history))})
            nodes.append((line, device, parent.depth + 1))
        mps = scale | {"mps_parent_signalling_enabled_flag": 1}
        behind.append(stream_of([{"NNR_STR": {}}, {"NNR_MPS": mps}, *of_stream], behind))
        extend(behind[-1], nodes, history)
    return behind[-1]
