"""Annex B: ONNX models; identifiers are names of initializers, the topology is the model without their numbers.

The model is taken apart and put together on the wire format, so that everything but weights stays as it is, byte for
byte, and no library is needed. Weights are initializers and tensors of Constant nodes, in subgraphs too.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnr_conformance.encoder.layer_tools import EPSILON
from nnr_conformance.errors import UsageError
from nnr_conformance.frameworks.model import FrameworkModel, ReadExternal, Tensors
from nnr_conformance.frameworks.onnx_graph import (
    ATTRIBUTE_GRAPH,
    ATTRIBUTE_GRAPHS,
    ATTRIBUTE_TENSOR,
    DEEPEST,
    GRAPH_INITIALIZER,
    GRAPH_NODE,
    GRAPH_VALUE_INFO,
    MODEL_GRAPH,
    NODE_ATTRIBUTE,
    NODE_OP_TYPE,
    NODE_OUTPUT,
    nodes_of,
)
from nnr_conformance.frameworks.onnx_tensors import (
    Tensor,
    emptied,
    external_bytes,
    filled,
    inlined,
    numbers_of,
    parse_tensor,
    text_of,
)
from nnr_conformance.frameworks.protobuf import BYTES, Field, bytes_field, edited, fields
from nnr_conformance.syntax.enumerations import TPL_ONNX

_MODEL_FIELDS = frozenset({1, 2, 3, 4, 5, 6, 7, 8, 14, 20, 25, 26})
_SIZE_OPERATORS = ("Resize", "Upsample")
LARGEST_MODEL = (1 << 31) - 1
"""Bytes of a protocol buffer that its readers take."""
_NORM, _NORM_INPUTS = "BatchNormalization", 5
NOTHING_PRUNED: Mapping[str, tuple[int, ...]] = MappingProxyType({})

Visit = Callable[[str, Tensor], "bytes | memoryview | None"]


def split(data: bytes | memoryview, read_external: ReadExternal | None = None) -> FrameworkModel:
    """A serialized ModelProto as tensors and topology.

    Tensors: float16, float32, float64, bfloat16 (as float32), int8 and uint8, of at least one dimension and more than
    one element. Everything else stays in the topology as it is: constants of one element, what resizing operators take
    as sizes, other integers, texts. Numbers in files beside the model come into the topology. Raises UsageError for
    what is no ONNX model, and for tensors that do not fill their shapes.
    """
    message = memoryview(data).cast("B")
    sizes = set(_size_inputs(message))
    tensors: dict[str, NDArray[Any]] = {}

    def take_out(identifier: str, tensor: Tensor) -> bytes | memoryview | None:
        outside = external_bytes(tensor, read_external) if tensor.is_external else None
        if not _is_weight(tensor) or tensor.name in sizes or identifier in sizes or "\0" in identifier:
            return None if outside is None else inlined(tensor, outside)
        tensors[identifier] = numbers_of(tensor, outside)
        return emptied(tensor)

    return FrameworkModel(tensors, TPL_ONNX, bytes(_walk_model(message, take_out)))


def merge(
    topology: bytes | memoryview,
    tensors: Tensors,
    pruned: Mapping[str, tuple[int, ...]] = NOTHING_PRUNED,
    *,
    largest: int = LARGEST_MODEL,
) -> bytes:
    """The model, with numbers again.

    `pruned`: new dimensions of tensors, which the graph gets; it loses the shapes that it notes of what is between its
    nodes. A batch norm that was folded, none of whose vectors is there but perhaps beta, becomes one that changes
    nothing. Raises UsageError for a tensor that is missing or of another shape, and for a model of more than `largest`
    bytes.
    """
    missing: list[str] = []
    tensors = {**_unfolded_norms(memoryview(topology).cast("B"), tensors, pruned), **tensors}

    def put_back(identifier: str, tensor: Tensor) -> bytes | memoryview | None:
        if not tensor.is_out:
            return None
        if identifier not in tensors:
            missing.append(identifier)
            return None
        return filled(tensor, tensors[identifier], pruned.get(identifier))

    found = bytes(_walk_model(memoryview(topology).cast("B"), put_back, stale=bool(pruned)))
    if missing:
        raise UsageError(f"the model needs {len(missing)} tensors that the streams do not give, such as {missing[0]!r}")
    if len(found) > largest:
        raise UsageError(f"the model has {len(found)} bytes, more than {largest}; .npz has no such limit")
    return found


@dataclass(frozen=True, slots=True)
class Parameter:
    """A tensor of a graph. `is_out`: its numbers are not in the topology."""

    dims: tuple[int, ...]
    is_out: bool


def parameters(topology: bytes | memoryview) -> dict[str, Parameter]:
    """The tensors of a topology by identifier. Raises UsageError."""
    found: dict[str, Parameter] = {}

    def note(identifier: str, tensor: Tensor) -> None:
        found[identifier] = Parameter(tuple(tensor.dims), tensor.is_out)

    _walk_model(memoryview(topology).cast("B"), note)
    return found


def tensors_of_nodes(topology: bytes | memoryview, names: Iterable[str]) -> list[str]:
    """Identifiers of the tensors without numbers that nodes use.

    `names`: of nodes or of their outputs; one that ends in a slash stands for all nodes whose names begin with it.
    Raises UsageError for a name of no node.
    """
    outside = {name for name, one in parameters(topology).items() if one.is_out}
    nodes = list(nodes_of(memoryview(topology).cast("B")))
    found: dict[str, None] = {}
    for name in names:
        chosen = [one for one in nodes if name == one.name or name in one.outputs]
        if name.endswith("/"):
            chosen += [one for one in nodes if one.name.startswith(name)]
        if not chosen:
            raise UsageError(f"the graph has no node {name!r}")
        found |= dict.fromkeys(used for one in chosen for used in (*one.inputs, *one.outputs) if used in outside)
    return list(found)


def _is_weight(tensor: Tensor) -> bool:
    return bool(tensor.dims) and tensor.elements > 1 and tensor.can_go_out


@dataclass(slots=True)
class _Walker:
    """Goes through the tensors of a graph and of its subgraphs, and gives each an identifier of its own."""

    visit: Visit
    stale: bool = False
    used: set[str] = field(default_factory=set)
    numbers: dict[str, int] = field(default_factory=dict)

    def graph(self, message: memoryview, depth: int) -> bytes | memoryview:
        if depth > DEEPEST:
            raise UsageError("the subgraphs of the model are nested too deep")

        def edit(one: Field) -> bytes | None:
            if one.kind != BYTES:
                return None
            if one.number == GRAPH_INITIALIZER:
                return self._replaced(one, self.tensor(one.content, ""))
            if one.number == GRAPH_NODE:
                return self._replaced(one, self.node(one.content, depth))
            return b"" if self.stale and one.number == GRAPH_VALUE_INFO else None

        return edited(message, edit)

    def node(self, message: memoryview, depth: int) -> bytes | memoryview:
        inner = list(fields(message))
        if not any(one.number == NODE_ATTRIBUTE for one in inner):
            return message
        operator = next((text_of(one.content) for one in inner if one.number == NODE_OP_TYPE), "")
        output = next((text_of(one.content) for one in inner if one.number == NODE_OUTPUT), "")

        def edit(one: Field) -> bytes | None:
            if one.number != NODE_ATTRIBUTE or one.kind != BYTES:
                return None
            return self._replaced(one, self.attribute(one.content, output if operator == "Constant" else "", depth))

        return edited(message, edit)

    def attribute(self, message: memoryview, constant: str, depth: int) -> bytes | memoryview:
        def edit(one: Field) -> bytes | None:
            if one.kind != BYTES:
                return None
            if one.number in (ATTRIBUTE_GRAPH, ATTRIBUTE_GRAPHS):
                return self._replaced(one, self.graph(one.content, depth + 1))
            if one.number == ATTRIBUTE_TENSOR and constant:
                return self._replaced(one, self.tensor(one.content, constant))
            return None

        return edited(message, edit)

    def tensor(self, message: memoryview, name: str) -> bytes | memoryview:
        tensor = parse_tensor(message)
        identifier = whole = name or tensor.name
        # Subgraphs that are not inside each other may use the same name.
        while identifier in self.used:
            number = self.numbers[whole] = self.numbers.get(whole, 1) + 1
            identifier = f"{whole}#{number}"
        self.used.add(identifier)
        new = self.visit(identifier, tensor)
        return message if new is None else new

    @staticmethod
    def _replaced(one: Field, content: bytes | memoryview) -> bytes | None:
        return None if content is one.content else bytes_field(one.number, content)


def _walk_model(message: memoryview, visit: Visit, *, stale: bool = False) -> bytes | memoryview:
    """`stale`: leave out the shapes that a graph notes of what is between its nodes."""
    walker = _Walker(visit, stale)
    graphs = 0

    def edit(one: Field) -> bytes | None:
        nonlocal graphs
        if one.number not in _MODEL_FIELDS:
            raise UsageError(f"no ONNX model: it has a field {one.number}")
        if one.number != MODEL_GRAPH:
            return None
        graphs += 1
        if one.kind != BYTES or graphs > 1:
            raise UsageError("no ONNX model: it has several graphs")
        return _Walker._replaced(one, walker.graph(one.content, 0))

    found = edited(message, edit)
    if not graphs:
        raise UsageError("no ONNX model: it has no graph")
    return found


def _unfolded_norms(
    message: memoryview, tensors: Tensors, pruned: Mapping[str, tuple[int, ...]]
) -> dict[str, NDArray[Any]]:
    """Vectors of batch norms that were folded, by which they change nothing."""
    found: dict[str, NDArray[Any]] = {}
    known = parameters(message)
    # A batch norm has as many channels as the weight before it has rows.
    left = sum(one.size for one in tensors.values())
    for node in nodes_of(message):
        if node.operator != _NORM or len(node.inputs) != _NORM_INPUTS or not known.keys() >= set(node.inputs[1:]):
            continue
        gamma, beta, mean, variance = node.inputs[1:]
        if not {gamma, mean, variance}.isdisjoint(tensors) or not known[gamma].is_out:
            continue
        epsilon = np.float32(node.numbers.get("epsilon", EPSILON))
        dims = pruned.get(gamma, known[gamma].dims)
        left -= math.prod(dims)
        if left < 0:
            raise UsageError("the batch norms of the topology are larger than all tensors together")
        ones = np.ones(dims, np.float32)
        values = {gamma: ones * np.sqrt(1 + epsilon), beta: 0 * ones, mean: 0 * ones, variance: ones}
        found |= {name: one for name, one in values.items() if known[name].is_out}
    return found


def batch_norms(data: bytes | memoryview) -> tuple[tuple[str, ...], ...]:
    """gamma, beta, mean and variance of each batch normalization of the model, by name. Raises UsageError."""
    return tuple(
        tuple(node.inputs[1:])
        for node in nodes_of(memoryview(data).cast("B"))
        if node.operator == _NORM and len(node.inputs) == _NORM_INPUTS
    )


def _size_inputs(message: memoryview) -> Iterator[str]:
    """Names of what operators take as sizes: a quantized number there would change shapes."""
    for node in nodes_of(message):
        if node.operator in _SIZE_OPERATORS:
            yield from node.inputs[1:]
