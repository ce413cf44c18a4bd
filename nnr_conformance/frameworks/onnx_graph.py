"""Nodes of an ONNX graph: operators, inputs, outputs, attributes; source: the public schema onnx.proto."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from nnr_conformance.errors import UsageError
from nnr_conformance.frameworks.onnx_tensors import text_of
from nnr_conformance.frameworks.protobuf import BYTES, FIXED32, VARINT, fields

MODEL_GRAPH, GRAPH_NODE, GRAPH_INITIALIZER, GRAPH_VALUE_INFO = 7, 1, 5, 13
GRAPH_INPUT, GRAPH_OUTPUT, _INFO_NAME = 11, 12, 1
NODE_INPUT, NODE_OUTPUT, NODE_NAME, NODE_OP_TYPE, NODE_ATTRIBUTE = 1, 2, 3, 4, 5
ATTRIBUTE_NAME, ATTRIBUTE_FLOAT, ATTRIBUTE_INT, ATTRIBUTE_TENSOR, ATTRIBUTE_GRAPH, ATTRIBUTE_GRAPHS = 1, 2, 3, 5, 6, 11
DEEPEST = 50
"""Graphs inside each other are walked by recursion."""


@dataclass(slots=True)
class Node:
    """A node: its operator, names, and attributes that are single numbers."""

    operator: str = ""
    name: str = ""
    inputs: list[str] = field(default_factory=list)
    outputs: list[str] = field(default_factory=list)
    numbers: dict[str, float] = field(default_factory=dict)


def nodes_of(model: memoryview) -> Iterator[Node]:
    """The nodes of a model in order, those of subgraphs before the node that has them. Raises UsageError."""
    for one in fields(model):
        if one.number == MODEL_GRAPH and one.kind == BYTES:
            yield from _nodes_of_graph(one.content, 0)


def graph_outputs(model: memoryview) -> Iterator[str]:
    """Names of what the model's graph gives. Raises UsageError."""
    return _declared(model, GRAPH_OUTPUT)


def graph_inputs(model: memoryview) -> Iterator[str]:
    """Names of what the model's graph takes, initializers among them in old models. Raises UsageError."""
    return _declared(model, GRAPH_INPUT)


def _declared(model: memoryview, number: int) -> Iterator[str]:
    for one in fields(model):
        if one.number == MODEL_GRAPH and one.kind == BYTES:
            for inner in fields(one.content):
                if inner.number == number and inner.kind == BYTES:
                    yield from (text_of(part.content) for part in fields(inner.content) if part.number == _INFO_NAME)


def _nodes_of_graph(message: memoryview, depth: int) -> Iterator[Node]:
    if depth > DEEPEST:
        raise UsageError("the subgraphs of the model are nested too deep")
    for one in fields(message):
        if one.number == GRAPH_NODE and one.kind == BYTES:
            node = Node()
            for part in fields(one.content):
                if part.kind != BYTES:
                    continue
                if part.number == NODE_ATTRIBUTE:
                    yield from _attribute(part.content, node, depth)
                elif part.number == NODE_OP_TYPE:
                    node.operator = text_of(part.content)
                elif part.number == NODE_NAME:
                    node.name = text_of(part.content)
                elif part.number == NODE_INPUT:
                    node.inputs.append(text_of(part.content))
                elif part.number == NODE_OUTPUT:
                    node.outputs.append(text_of(part.content))
            yield node


def _attribute(message: memoryview, node: Node, depth: int) -> Iterator[Node]:
    name = ""
    for one in fields(message):
        if one.number == ATTRIBUTE_NAME and one.kind == BYTES:
            name = text_of(one.content)
        elif one.number == ATTRIBUTE_FLOAT and one.kind == FIXED32:
            node.numbers[name] = float(np.frombuffer(one.content, "<f4")[0])
        elif one.number == ATTRIBUTE_INT and one.kind == VARINT:
            node.numbers[name] = one.number_value
        elif one.number in (ATTRIBUTE_GRAPH, ATTRIBUTE_GRAPHS) and one.kind == BYTES:
            yield from _nodes_of_graph(one.content, depth + 1)
