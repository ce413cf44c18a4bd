"""Clause 8: layers found in an ONNX graph, whose tensors travel in one NNR_PT_BLOCK.

A layer is a convolution, or a linear layer whose weight has a row for each output, with its bias and with the batch
norm behind it. Tensors that other nodes use as well stay out of blocks.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from nnr_conformance.encoder.layer_tools import EPSILON
from nnr_conformance.encoder.settings import BlockPlan
from nnr_conformance.frameworks.model import Tensors
from nnr_conformance.frameworks.onnx_graph import Node, graph_outputs, nodes_of

_CONVOLUTION, _LINEAR, _NORM = "Conv", "Gemm", "BatchNormalization"
_NORM_INPUTS = 5
FOLDED = "#folded"
"""Behind the name of a beta that folding takes away, while the bias that it makes has the name."""


@dataclass(frozen=True, slots=True, eq=False)
class FoundBlocks:
    """`plans`: one for each layer. `tensors`: those of the model, as `encode_model` takes them with these plans."""

    plans: tuple[BlockPlan, ...]
    tensors: Tensors


def find_blocks(topology: bytes, tensors: Tensors, *, fold: bool, local_scaling: bool) -> FoundBlocks:
    """The layers of a model. `fold`: fold batch norms; `local_scaling`: scale rows, also of layers of a weight alone.

    A layer without a bias has the bias that folding makes under the name of beta, which the model then needs as much
    as before. Raises UsageError for what is no model.
    """
    message = memoryview(topology).cast("B")
    nodes = list(nodes_of(message))
    uses = Counter(name for node in nodes for name in node.inputs if name)
    uses.update(graph_outputs(message))
    norms = {node.inputs[0]: node for node in nodes if node.operator == _NORM and len(node.inputs) == _NORM_INPUTS}
    plans: list[BlockPlan] = []
    found = dict(tensors)
    for node in nodes:
        plan = _layer(node, tensors, uses, norms, fold=fold, local_scaling=local_scaling)
        if plan is None:
            continue
        if plan.fold and not plan.bias:
            beta, *others = plan.batch_norm
            found[beta + FOLDED] = found.pop(beta)
            plan = _with_bias(plan, beta, (beta + FOLDED, *others))
        plans.append(plan)
    return FoundBlocks(tuple(plans), found)


def _layer(
    node: Node, tensors: Tensors, uses: Counter[str], norms: dict[str, Node], *, fold: bool, local_scaling: bool
) -> BlockPlan | None:
    if node.operator not in (_CONVOLUTION, _LINEAR) or len(node.inputs) < 2 or not node.outputs:
        return None
    if node.operator == _LINEAR and (
        not node.numbers.get("transB") or node.numbers.get("transA") or node.numbers.get("beta", 1) != 1
    ):
        return None
    weight = node.inputs[1]
    if not _is_own(weight, tensors, uses) or tensors[weight].ndim < 2:
        return None
    rows = tensors[weight].shape[:1]

    def is_vector(name: str) -> bool:
        return _is_own(name, tensors, uses) and tensors[name].shape == rows

    bias = node.inputs[2] if len(node.inputs) > 2 else ""
    held = bias if bias and is_vector(bias) else ""
    norm: tuple[str, ...] = ()
    behind = norms.get(node.outputs[0])
    if behind is not None and uses[node.outputs[0]] == 1 and all(map(is_vector, behind.inputs[1:])):
        gamma, beta, mean, variance = behind.inputs[1:]
        norm = (beta, gamma, mean, variance)
    # A bias that is elsewhere cannot be folded into.
    folding = fold and bool(norm) and held == bias
    if not (held or norm or local_scaling):
        return None
    epsilon = EPSILON if behind is None else behind.numbers.get("epsilon", EPSILON)
    return BlockPlan(weight, held, norm, folding, epsilon, local_scaling)


def _is_own(name: str, tensors: Tensors, uses: Counter[str]) -> bool:
    return name in tensors and f"{name}#2" not in tensors and uses[name] == 1 and tensors[name].dtype.kind == "f"


def _with_bias(plan: BlockPlan, bias: str, norm: tuple[str, ...]) -> BlockPlan:
    return BlockPlan(plan.weight, bias, norm, plan.fold, plan.epsilon, plan.local_scaling)
