"""Rules of the annexes: a topology in the stream and its tensors belong together (R-TPL, R-PRUN, R-QNT)."""

from __future__ import annotations

from collections.abc import Iterator

from nnr_conformance.checker.known_topology import Shape, elements_of
from nnr_conformance.checker.rules import PASSED, ModelSoFar, Outcome, RuleSet, Violation, outcome
from nnr_conformance.decoder.tensors import DecodedUnit
from nnr_conformance.decoder.topology import CarriedData
from nnr_conformance.syntax.enumerations import QNT, QNT_NNEF, TPL_NNEF, TPL_ONNX, TPL_PYT, TPL_TEF

RULES = RuleSet()


@RULES.decoded("element_not_in_onnx")
def elements_are_tensors_of_the_onnx_graph(unit: DecodedUnit, model: ModelSoFar) -> Iterator[Outcome]:
    """R-TPL-08: with an ONNX topology every topology_elem_id is the name of a tensor of the graph."""
    yield from _known(unit, model, (TPL_ONNX,), "the name of a tensor of the graph")


@RULES.decoded("element_not_described")
def elements_are_arrays_of_the_description(unit: DecodedUnit, model: ModelSoFar) -> Iterator[Outcome]:
    """R-TPL-11: where PyTorch or TensorFlow topology describes arrays, every topology_elem_id is the name of one."""
    yield from _known(unit, model, (TPL_PYT, TPL_TEF), "an array of the topology")


@RULES.decoded("topology_shape_differs")
def tensors_have_the_shapes_of_the_topology(unit: DecodedUnit, model: ModelSoFar) -> Iterator[Outcome]:
    """R-TPL-12: tensors that were not pruned have the shapes that the topology gives their elements."""
    if model.topology is None:
        return
    for name, shape in elements_of(unit):
        known = model.topology.shapes.get(name)
        if known is not None and name not in model.pruned:
            message = f"{list(shape)}, but the topology of {model.topology.label} says {list(known)}"
            yield outcome(_same(shape, known, model.topology.storage_format), message, name)


@RULES.model("topology_parameter_missing")
def the_stream_has_all_parameters(model: ModelSoFar) -> Iterator[tuple[str, Outcome]]:
    """R-TPL-13: each parameter whose numbers the topology lacks is in the stream, unless that is an update."""
    topology, parameters = model.topology, model.parameter_set
    if topology is None or not topology.outside or not model.data_units or not model.complete:
        return
    if parameters is not None and (
        parameters.get("mps_parent_signalling_enabled_flag") or parameters.get("base_model_id_present_flag")
    ):
        return
    missing = topology.missing(frozenset(model.named))
    message = f"{len(missing)} parameters of the topology are not in the stream, such as {missing[:1]}"
    yield topology.label, Violation(message, "topology_data") if missing else PASSED


@RULES.model("pruned_element_unknown")
def the_dictionary_names_elements_of_the_topology(model: ModelSoFar) -> Iterator[tuple[str, Outcome]]:
    """R-PRUN-14: an entry of the pruning dictionary names an element of the topology, where the stream has one."""
    if model.topology is not None:
        for name, (label, _) in model.pruned.items():
            met = name in model.topology.shapes
            yield label, outcome(met, f"{name!r} is not in the topology of {model.topology.label}", "element_id")


@RULES.model("pruned_dimension_larger")
def pruning_enlarges_nothing(model: ModelSoFar) -> Iterator[tuple[str, Outcome]]:
    """R-PRUN-12: dimensions after pruning are no larger than those of the topology, where the stream has one."""
    if model.topology is not None:
        for name, (label, dims) in model.pruned.items():
            known = model.topology.shapes.get(name)
            if known is not None and len(known) == len(dims):
                met = all(new <= old for new, old in zip(dims, known, strict=True))
                yield label, outcome(met, f"{name!r} is {dims} after pruning, {list(known)} before", "dim")


@RULES.carried("quantization_label_unknown", QNT)
def quantization_is_of_tensors_of_the_graph(data: CarriedData, model: ModelSoFar) -> Iterator[Outcome]:
    """R-QNT-05: labels of NNEF's description of quantization are those of the graph that came before."""
    topology = model.topology
    if data.storage_format != QNT_NNEF or topology is None or topology.storage_format != TPL_NNEF:
        return
    from nnr_conformance.frameworks import nnef  # noqa: PLC0415 - few streams have it, and checks of others start sooner

    for name in nnef.quantized_labels(data.data.decode("utf-8", "replace")):
        met = name in topology.shapes or name in topology.nodes
        yield outcome(met, f"{name!r} is no label of the topology of {topology.label}", "quantization_data")


def _same(shape: Shape, known: Shape, storage_format: int) -> bool:
    """Whether a tensor can be the element: one without dimensions travels as one of one element."""
    if storage_format == TPL_NNEF:
        from nnr_conformance.frameworks.nnef import without_leading_ones  # noqa: PLC0415 - as above

        # NNEF has vectors as rows of matrices.
        return without_leading_ones(shape) == without_leading_ones(known)
    return shape == (known or (1,))


def _known(unit: DecodedUnit, model: ModelSoFar, formats: tuple[int, ...], what: str) -> Iterator[Outcome]:
    if model.topology is not None and model.topology.storage_format in formats:
        for name, _ in elements_of(unit):
            yield outcome(name in model.topology.shapes, f"{name!r} is not {what}", "topology_elem_id")
