"""Rules on the data of topology and quantization units (clause 6, R-TPL, R-QNT)."""

from __future__ import annotations

from collections.abc import Iterator

from nnr_conformance.checker.rules import ModelSoFar, Outcome, RuleSet, SeenUnit, outcome
from nnr_conformance.checker.topology_formats import is_nnef_quantization, nnef_labels, onnx_initializers
from nnr_conformance.decoder.topology import CarriedData
from nnr_conformance.syntax.enumerations import (
    DFL,
    NDU,
    QNT,
    QNT_NNEF,
    TPL,
    TPL_NNEF,
    TPL_ONNX,
    TPL_PRUN,
    TPL_REFLIST,
)

RULES = RuleSet()


@RULES.unit("container_compressed", TPL)
def containers_are_not_compressed(seen: SeenUnit, model: ModelSoFar) -> Iterator[Outcome]:
    """R-TPL-04: pruning containers and reference lists are stored as they are."""
    if seen.get("topology_storage_format") in (TPL_PRUN, TPL_REFLIST):
        compression = seen.get("topology_compression_format")
        yield outcome(compression != DFL, "NNR_DFL for a container", "topology_compression_format")


@RULES.carried("topology_not_nnef", TPL)
def nnef_topology_is_a_graph(data: CarriedData, model: ModelSoFar) -> Iterator[Outcome]:
    """R-TPL-07: data of the format NNR_TPL_NNEF is an NNEF graph."""
    if data.storage_format == TPL_NNEF:
        yield outcome(nnef_labels(data.data) is not None, "the data is not text that declares a graph", "topology_data")


@RULES.carried("topology_not_onnx", TPL)
def onnx_topology_is_a_model_or_graph(data: CarriedData, model: ModelSoFar) -> Iterator[Outcome]:
    """R-TPL-08: data of the format NNR_TPL_ONNX is a serialized ONNX model or graph."""
    if data.storage_format == TPL_ONNX:
        met = onnx_initializers(data.data) is not None
        yield outcome(met, "the data is neither an ONNX model nor a graph", "topology_data")


@RULES.unit("element_not_in_topology", NDU)
def elements_are_named_as_in_the_topology(seen: SeenUnit, model: ModelSoFar) -> Iterator[Outcome]:
    """R-TPL-07: with an NNEF graph topology_elem_id is the label of one of its variables."""
    name = seen.get("element_name", "")
    if model.labels and name:
        whole = name.removesuffix("_G").removesuffix("_H").removesuffix("_scaling")
        message = f"{name!r} is not the label of a variable of the topology"
        yield outcome(not model.labels.isdisjoint((name, whole)), message, "topology_elem_id")


@RULES.carried("quantization_not_nnef", QNT)
def nnef_quantization_names_tensors(data: CarriedData, model: ModelSoFar) -> Iterator[Outcome]:
    """R-QNT-05: data of the format of NNEF is NNEF's description of quantization."""
    if data.storage_format == QNT_NNEF:
        message = "the data is not lines of a tensor label and an operation"
        yield outcome(is_nnef_quantization(data.data), message, "quantization_data")
