"""Rules on what units hold: topology, pruning, references, aggregates, compressed data (clauses 6, 8 and 10)."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from nnr_conformance.checker.rules import ModelSoFar, Outcome, RuleSet, SeenUnit, node_of, outcome
from nnr_conformance.syntax.enumerations import (
    AGG,
    CPT_DC,
    DFL,
    NDU,
    PT_BLOCK,
    PT_FLOAT,
    PT_INT,
    TPL,
    TPL_PRUN,
    TPL_REFLIST,
)
from nnr_conformance.syntax.parameter_sets import QCB, QSU

RULES = RuleSet()

_CONTAINER = "nnr_pruning_topology_container"


@RULES.unit("container_compressed", TPL)
def containers_are_not_compressed(seen: SeenUnit, model: ModelSoFar) -> Iterator[Outcome]:
    """R-TPL-04: pruning containers and reference lists are stored as they are."""
    if seen.get("topology_storage_format") in (TPL_PRUN, TPL_REFLIST):
        compression = seen.get("topology_compression_format")
        yield outcome(compression != DFL, "NNR_DFL for a container", "topology_compression_format")


@RULES.unit("reference_repeated", TPL)
def ids_of_a_reference_list_are_unique(seen: SeenUnit, model: ModelSoFar) -> Iterator[Outcome]:
    """R-REF-02: a reference list names each element once."""
    listed = seen.unit.payload.get("topology_elements_ids_list", {}).get("topology_elem_id_list", [])
    yield from _unique(listed, "topology_elem_id_list")


@RULES.unit("listed_id_repeated", NDU)
def ids_of_a_unit_are_unique(seen: SeenUnit, model: ModelSoFar) -> Iterator[Outcome]:
    """R-REF-05: the id list of a compressed data unit names each element once."""
    header = seen.unit.header.get("nnr_compressed_data_unit_header", {})
    listed = header.get("topology_elements_ids_list", {})
    for name in ("topology_elem_id_list", "topology_elem_id_index_list"):
        yield from _unique(listed.get(name, []), name)


def _unique(items: list[Any], name: str) -> Iterator[Outcome]:
    known: dict[Any, int] = {}
    for number, item in enumerate(items):
        first = known.setdefault(item, number)
        yield outcome(first == number, f"{item!r} is entry {first} too", f"{name}[{number}]")


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
        yield from _unique(_dictionary(seen).get(name, []), name)


@RULES.unit("pruned_dimensions_differ", NDU)
def tensors_have_their_pruned_dimensions(seen: SeenUnit, model: ModelSoFar) -> Iterator[Outcome]:
    """R-PRUN-13, R-PRUN-15: tensor_dimensions agree with the dictionary."""
    known, dims = model.pruned.get(seen.get("element_name", "")), list(seen.get("tensor_dimensions", []))
    if known is not None and dims:
        message = f"{dims}, but the pruning dictionary of {known[0]} says {known[1]}"
        yield outcome(dims == known[1], message, "tensor_dimensions[0]")


@RULES.unit("pruning_not_announced", TPL)
def pruning_is_announced(seen: SeenUnit, model: ModelSoFar) -> Iterator[Outcome]:
    """R-PRUN-18: a pruning container goes with mps_pruning_flag or mps_sparsification_flag."""
    parameter_set = model.parameter_set
    if seen.unit.payload.get(_CONTAINER) is not None and parameter_set is not None:
        announced = parameter_set.get("mps_pruning_flag") or parameter_set.get("mps_sparsification_flag")
        yield outcome(bool(announced), "neither mps_pruning_flag nor mps_sparsification_flag is 1", "prune_flag")


def _dictionary(seen: SeenUnit) -> Mapping[str, list[Any]]:
    found: Mapping[str, list[Any]] = seen.unit.payload.get(_CONTAINER, {}).get("pruning_dictionary", {})
    return found


@RULES.unit("aggregate_entry_point_range", AGG)
def entry_points_stay_inside_the_aggregate(seen: SeenUnit, model: ModelSoFar) -> Iterator[Outcome]:
    """R-AGG-05: an entry point is below the size of the aggregate unit."""
    size = seen.unit.end - seen.unit.first
    for number, entry in enumerate(seen.get("nnr_unit_entry_point", [])):
        yield outcome(entry < size, f"{entry} in a unit of {size} bytes", f"nnr_unit_entry_point[{number}]")


@RULES.unit("ctu_scan_order_set", AGG)
def the_unused_scan_order_is_zero(seen: SeenUnit, model: ModelSoFar) -> Iterator[Outcome]:
    """R-AGG-11: ctu_scan_order has no effect without the tool that it belonged to, and is written as 0."""
    for number, order in enumerate(seen.get("ctu_scan_order", [])):
        yield outcome(order == 0, f"found {order}", f"ctu_scan_order[{number}]")


@RULES.unit("decomposition_no_reduction", NDU)
def a_decomposition_reduces(seen: SeenUnit, model: ModelSoFar) -> Iterator[Outcome]:
    """R-NDU-15: decomposition_rank is at most the number of rows and of columns."""
    rank, rows = seen.get("decomposition_rank", 0), seen.get("g_number_of_rows", 0)
    elements = math.prod(seen.get("tensor_dimensions", []))
    if seen.get("compressed_parameter_types", 0) & CPT_DC and rank and rows and elements % rows == 0:
        most = min(rows, elements // rows)
        yield outcome(rank <= most, f"rank {rank} for {rows} rows and {elements // rows} columns", "decomposition_rank")


@RULES.unit("scan_order_without_effect", NDU)
def block_scans_are_for_matrices(seen: SeenUnit, model: ModelSoFar) -> Iterator[Outcome]:
    """R-NDU-30: a block scan of a single row or column has no effect."""
    dims = seen.get("tensor_dimensions", [])
    if seen.get("scan_order", 0) and dims and not seen.get("compressed_parameter_types", 0) & CPT_DC:
        single = dims[0] == 1 or math.prod(dims[1:]) == 1
        yield outcome(not single, f"dimensions {list(dims)}", "scan_order")


@RULES.unit("integer_with_dq", NDU)
def integers_are_not_dependently_quantized(seen: SeenUnit, model: ModelSoFar) -> Iterator[Outcome]:
    """R-NDU-25: dq_flag has no effect on integer payloads."""
    if seen.get("nnr_compressed_data_unit_payload_type") == PT_INT:
        yield outcome(seen.get("dq_flag") == 0, "dq_flag is 1", "dq_flag")


@RULES.unit("uniform_not_announced", NDU)
def uniform_quantization_is_announced(seen: SeenUnit, model: ModelSoFar) -> Iterator[Outcome]:
    """R-MPS-06: scalar uniform quantization is used only where NNR_QSU is set."""
    quantized = seen.get("nnr_compressed_data_unit_payload_type") in (PT_FLOAT, PT_BLOCK)
    if quantized and not seen.get("codebook_present_flag") and model.methods & (QSU | QCB):
        yield outcome(
            bool(model.methods & QSU), "NNR_QSU is not set, and there is no codebook", "codebook_present_flag"
        )


@RULES.unit("node_repeated", NDU)
def node_ids_are_unique(seen: SeenUnit, model: ModelSoFar) -> Iterator[Outcome]:
    """R-ED2-04: device_id, parameter_id and put_node_depth together occur once in a model."""
    if seen.get("node_id_present_flag") and not seen.unit.is_part:
        first = model.nodes.get(node_of(seen))
        yield outcome(first is None, f"{first} has the same node ids", "parameter_id")
