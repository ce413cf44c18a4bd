"""Rules on pruning containers, and on tensors that are pruned or sparse (clause 8, R-PRUN, R-DIM-09)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from nnr_conformance.checker.identifier_rules import each_once
from nnr_conformance.checker.rules import PASSED, ModelSoFar, Outcome, RuleSet, SeenUnit, Violation, outcome
from nnr_conformance.decoder.tensors import DecodedUnit
from nnr_conformance.syntax.enumerations import NDU, PT_BLOCK, TPL

RULES = RuleSet()

_CONTAINER = "nnr_pruning_topology_container"


@RULES.unit("pruning_container_empty", TPL)
def a_pruning_container_says_something(seen: SeenUnit, model: ModelSoFar) -> Iterator[Outcome]:
    """R-PRUN-06: prune_flag or sparse_flag is 1."""
    tree = seen.unit.payload.get(_CONTAINER)
    if tree is not None:
        yield outcome(bool(tree["prune_flag"] or tree["sparse_flag"]), "both flags are 0", "prune_flag")


@RULES.unit("pruned_dimension_zero", TPL)
def pruned_dimensions_are_positive(seen: SeenUnit, model: ModelSoFar) -> Iterator[Outcome]:
    """R-PRUN-12: each dimension of the dictionary is at least 1."""
    for number, dims in enumerate(_dictionary(seen).get("dim", [])):
        for axis, size in enumerate(dims):
            yield outcome(size > 0, "found 0", f"dim[{number}][{axis}]")


@RULES.unit("pruned_element_repeated", TPL)
def elements_of_the_dictionary_are_unique(seen: SeenUnit, model: ModelSoFar) -> Iterator[Outcome]:
    """R-PRUN-14: the dictionary names each element once."""
    for name in ("element_id", "element_id_index"):
        yield from each_once(_dictionary(seen).get(name, []), name)


@RULES.unit("pruned_dimension_count", NDU)
def tensors_have_as_many_dimensions_as_pruned(seen: SeenUnit, model: ModelSoFar) -> Iterator[Outcome]:
    """R-PRUN-13: count_dims of the dictionary is the number of dimensions of the element."""
    known, dims = _pruned(seen, model)
    if known is not None:
        message = f"{len(dims)} dimensions, but the pruning dictionary of {known[0]} says {len(known[1])}"
        yield outcome(len(dims) == len(known[1]), message, "tensor_dimensions[0]")


@RULES.unit("pruned_dimensions_differ", NDU)
def tensors_have_their_pruned_dimensions(seen: SeenUnit, model: ModelSoFar) -> Iterator[Outcome]:
    """R-PRUN-15: tensor_dimensions agree with the dictionary."""
    known, dims = _pruned(seen, model)
    if known is not None and len(dims) == len(known[1]):
        message = f"{dims}, but the pruning dictionary of {known[0]} says {known[1]}"
        yield outcome(dims == known[1], message, "tensor_dimensions[0]")


@RULES.decoded("piece_shape")
def pieces_have_the_shapes_of_their_elements(unit: DecodedUnit, model: ModelSoFar) -> Iterator[Outcome]:
    """R-DIM-09: the pieces of a mapped tensor have the shapes that the dictionary gives their elements."""
    if not unit.block and len(unit.tensors) > 1:
        for tensor in unit.tensors:
            known = model.pruned.get(tensor.name)
            if known is not None:
                shape = list(tensor.values.shape)
                message = f"{shape}, but the pruning dictionary of {known[0]} says {known[1]}"
                yield outcome(shape == known[1], message, tensor.name)


@RULES.unit("pruning_not_announced", TPL)
def a_container_is_announced(seen: SeenUnit, model: ModelSoFar) -> Iterator[Outcome]:
    """R-PRUN-18: a pruning container goes with mps_pruning_flag or mps_sparsification_flag."""
    pruning, sparsification = _announced(model)
    if _CONTAINER in seen.unit.payload and model.parameter_set is not None:
        message = "neither mps_pruning_flag nor mps_sparsification_flag is 1"
        yield outcome(pruning or sparsification, message, "prune_flag")


@RULES.unit("prune_flag_not_announced", TPL)
def pruning_is_announced(seen: SeenUnit, model: ModelSoFar) -> Iterator[Outcome]:
    """R-PRUN-02: prune_flag says what mps_pruning_flag says, that the network was pruned."""
    pruning, sparsification = _announced(model)
    if seen.unit.payload.get(_CONTAINER, {}).get("prune_flag") and (pruning or sparsification):
        yield outcome(pruning, "mps_pruning_flag is 0", "prune_flag")


@RULES.unit("sparse_flag_not_announced", TPL)
def sparsity_is_announced(seen: SeenUnit, model: ModelSoFar) -> Iterator[Outcome]:
    """R-PRUN-03: sparse_flag says what mps_sparsification_flag says, that the network was sparsified."""
    pruning, sparsification = _announced(model)
    if seen.unit.payload.get(_CONTAINER, {}).get("sparse_flag") and (pruning or sparsification):
        yield outcome(sparsification, "mps_sparsification_flag is 0", "sparse_flag")


@RULES.model("sparsity_mask_size")
def a_sparsity_mask_covers_the_model(model: ModelSoFar) -> Iterator[tuple[str, Outcome]]:
    """R-PRUN-08: count_bits of a sparsity mask is the number of elements of the model, where all were decoded."""
    if model.mask is not None and model.complete:
        found = PASSED
        if model.mask.count_bits != model.elements:
            found = Violation(f"{model.mask.count_bits} bits for {model.elements} elements", "count_bits")
        yield model.mask.label, found


@RULES.model("masked_weight_not_zero")
def masked_weights_are_zero(model: ModelSoFar) -> Iterator[tuple[str, Outcome]]:
    """R-PRUN-16: weights that the sparsity mask marks are 0; elements in the order in which they come."""
    if model.mask is not None and model.complete and model.mask.count_bits == model.elements:
        label, name = model.unmasked
        message = f"a weight of {name!r} is not 0, although {model.mask.label} says so"
        yield label or model.mask.label, Violation(message) if label else PASSED


def _announced(model: ModelSoFar) -> tuple[bool, bool]:
    """mps_pruning_flag and mps_sparsification_flag."""
    if model.parameter_set is None:
        return False, False
    get = model.parameter_set.get
    return bool(get("mps_pruning_flag")), bool(get("mps_sparsification_flag"))


def _dictionary(seen: SeenUnit) -> Mapping[str, list[Any]]:
    found: Mapping[str, list[Any]] = seen.unit.payload.get(_CONTAINER, {}).get("pruning_dictionary", {})
    return found


def _pruned(seen: SeenUnit, model: ModelSoFar) -> tuple[tuple[str, list[int]] | None, list[int]]:
    """What the dictionary says of the element of a unit, and the unit's dimensions; pieces have shapes of their own."""
    dims = list(seen.get("tensor_dimensions", []))
    block = seen.get("nnr_compressed_data_unit_payload_type") == PT_BLOCK
    several = seen.get("nnr_multiple_topology_elements_present_flag") and not block
    return (None if several or not dims else model.pruned.get(seen.get("element_name", ""))), dims
