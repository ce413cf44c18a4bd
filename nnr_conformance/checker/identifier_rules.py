"""Rules on identifiers: what names a topology element, a layer or an entry (clause 6, R-ORD, R-REF, R-LPS-01)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from nnr_conformance.checker.model_so_far import part_of_weight
from nnr_conformance.checker.rules import ModelSoFar, Outcome, RuleSet, SeenUnit, outcome
from nnr_conformance.decoder.order_machines import ELEMENT, REFERENCE_LIST
from nnr_conformance.syntax.enumerations import NDU, TPL

RULES = RuleSet()
RULES.told_machine(ELEMENT)
RULES.told_machine(REFERENCE_LIST)


@RULES.unit("reference_repeated", TPL)
def ids_of_a_reference_list_are_unique(seen: SeenUnit, model: ModelSoFar) -> Iterator[Outcome]:
    """R-REF-02: a reference list names each element once."""
    listed = seen.unit.payload.get("topology_elements_ids_list", {}).get("topology_elem_id_list", [])
    yield from each_once(listed, "topology_elem_id_list")


@RULES.unit("listed_id_repeated", NDU)
def ids_of_a_unit_are_unique(seen: SeenUnit, model: ModelSoFar) -> Iterator[Outcome]:
    """R-REF-05: the id list of a compressed data unit names each element once."""
    header = seen.unit.header.get("nnr_compressed_data_unit_header", {})
    listed = header.get("topology_elements_ids_list", {})
    for name in ("topology_elem_id_list", "topology_elem_id_index_list"):
        yield from each_once(listed.get(name, []), name)


def each_once(items: list[Any], name: str) -> Iterator[Outcome]:
    """For each item of a list whether it is the first of its kind; `name`: the element that the items are."""
    known: dict[Any, int] = {}
    for number, item in enumerate(items):
        first = known.setdefault(item, number)
        yield outcome(first == number, f"{item!r} is entry {first} too", f"{name}[{number}]")


@RULES.unit("layer_not_self_contained", NDU)
def a_self_contained_layer_has_whole_elements(seen: SeenUnit, model: ModelSoFar) -> Iterator[Outcome]:
    """R-LPS-01: with lps_self_contained_flag 1 factors and scaling of one weight are under one layer parameter set."""
    name = part_of_weight(seen)
    known = model.layers_of_weights.get(name)
    if known is not None and (known.self_contained or (model.layer is not None and model.layer.self_contained)):
        here = "none" if model.layer is None else model.layer.label
        message = f"under {here}, but another part of {name!r} is under {known.label or 'none'}"
        yield outcome(known.label == ("" if model.layer is None else model.layer.label), message, "element_name")
