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


@dataclass(slots=True)
class Lineage:
    """A unit of the base network and what became of it. `nodes`: device and depth of each version, the last one last.

    `layer`: what the unit belongs to. `digest`: SHA-256 of the payload of the last version.
    """

    layer: str
    elements: Elements
    parameter: int
    nodes: list[tuple[int, int]] = field(default_factory=list)
    digest: str = ""


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
def updates(draw: st.DrawFn, line: Lineage, behind: Sequence[CorpusStream], history: dict[str, list[int]]) -> Elements:
    """An update of the last version of a unit."""
    found = copy.deepcopy(line.elements)
    device, depth = line.nodes[-1]
    found |= {"device_id": device, "parameter_id": line.parameter, "put_node_depth": depth + 1}
    if draw(st.booleans()):
        found |= {"parent_node_id_type": 0, "parent_device_id": device}
    else:
        found |= {"parent_node_id_type": 1, "parent_node_payload_sha256": int(line.digest, 16)}
    if "float32" in found:
        found["float32"] = draw(permuted(found["float32"]))
        return found
    found["tensors"] = [{**one, "levels": draw(permuted(one["levels"]))} for one in found["tensors"]]
    in_place = not found.get("first_tensor_dimension_shift") and "split_index" not in found
    if in_place and draw(st.booleans()):
        levels = dict(intended(behind[-1]).levels)
        if set(coded_names(found)) <= set(levels):
            found["temporal_context_modeling_flag"] = 1
            for name, tensor in zip(coded_names(found), found["tensors"], strict=True):
                tensor["base"] = levels[name].ravel().tolist()
    if in_place and draw(st.booleans()):
        for name, tensor in zip(coded_names(found), found["tensors"], strict=True):
            if has_row_flags(tensor, found):
                tensor["history"] = history.get(name, [0] * len(flat(tensor["levels"])))
    return found


def extended(stream: CorpusStream, lines: Sequence[Lineage], history: dict[str, list[int]]) -> None:
    """Note what a stream made of its units, in the order of `lines`."""
    built = stream.intended()
    payloads = [entry.value for entry in built.trace if entry.name in {"cabac_payload", "raw_float32_parameter"}]
    for line, payload in zip(lines, payloads, strict=True):
        line.digest = hashlib.sha256(payload).hexdigest()
    if stream.behind:
        for name, levels in intended(stream).levels:
            marks = history.setdefault(name, [0] * levels.size)
            history[name] = [
                int(mark or level != 0) for mark, level in zip(marks, levels.ravel().tolist(), strict=True)
            ]


@st.composite
def chains(draw: st.DrawFn) -> CorpusStream:
    """The last stream of a chain."""
    density = draw(st.integers(0, 7))
    scale = quantization("mps", density, draw(parameters(density)))
    lines: list[Lineage] = []
    for name in draw(st.sampled_from([["a"], ["a", "b"]])):
        for unit in draw(any_units(name, 1, density)):
            elements = {key: found for key, found in unit["NNR_NDU"].items() if key != "parts"}
            lines.append(Lineage(name, elements, parameter=3 + len(lines), nodes=[(0, 0)]))
    history: dict[str, list[int]] = {}
    units = [
        {"NNR_NDU": line.elements | {"device_id": 0, "parameter_id": line.parameter, "put_node_depth": 0}}
        for line in lines
    ]
    behind = [stream_of([{"NNR_STR": {}}, {"NNR_MPS": scale}, *units])]
    extended(behind[0], lines, history)
    for _ in range(draw(st.integers(1, 2))):
        unchanged = draw(st.sampled_from([None, lines[-1].layer]))
        chosen = [line for line in lines if line.layer != unchanged] or lines
        of_stream: list[Recipe] = []
        for line in chosen:
            of_stream.append({"NNR_NDU": draw(updates(line, behind, history))})
            line.nodes.append((0, line.nodes[-1][1] + 1))
        mps = scale | {"mps_parent_signalling_enabled_flag": 1}
        behind.append(stream_of([{"NNR_STR": {}}, {"NNR_MPS": mps}, *of_stream], behind))
        extended(behind[-1], chosen, history)
    return behind[-1]
