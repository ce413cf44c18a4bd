"""Rules on aggregate units: records of enclosed units, and aggregates that contain all that they need (R-AGG)."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from nnr_conformance.checker.rules import ModelSoFar, Outcome, RuleSet, SeenUnit, outcome
from nnr_conformance.decoder.tensors import DecodedUnit
from nnr_conformance.machines import END, Event, Machine, broken, left_open, met, to
from nnr_conformance.syntax.enumerations import AGG, AGG_SLF, LPS, MPS, NDU, QNT, STR, TPL, TPL_REFLIST

RULES = RuleSet()
_DEFINITIONS = {MPS: "parameter set", TPL: "reference list"}


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


@RULES.unit("start_unit_in_aggregate", STR)
def no_start_unit_is_enclosed(seen: SeenUnit, model: ModelSoFar) -> Iterator[Outcome]:
    """R-AGG-15: a start unit is not inside an aggregate unit."""
    yield outcome("." not in seen.unit.label, "the aggregate unit that encloses it ends the model it belongs to")


@RULES.unit("record_without_data", STR, MPS, LPS, TPL, QNT, AGG)
def records_of_other_units_are_zero(seen: SeenUnit, model: ModelSoFar) -> Iterator[Outcome]:
    """R-AGG-10: quant_bitdepth and ctu_scan_order are 0 for enclosed units other than compressed data units."""
    for name in ("quant_bitdepth", "ctu_scan_order"):
        found = _record(seen.unit.label, name, model)
        if found is not None:
            yield outcome(found == 0, f"{name} in the record of this unit is {found}")


@RULES.decoded("bit_depth_exceeded")
def levels_fit_their_bit_depth(unit: DecodedUnit, model: ModelSoFar) -> Iterator[Outcome]:
    """R-AGG-09: quantized parameters fit the quant_bitdepth of their unit; 0 is taken to say nothing."""
    depth = _record(unit.label, "quant_bitdepth", model)
    quantized = [tensor.quantized for tensor in unit.tensors if tensor.quantized is not None]
    if depth and quantized:
        needed = max((_bits_needed(levels) for levels in quantized), default=0)
        yield outcome(needed <= depth, f"levels of {needed} bits, but quant_bitdepth is {depth}")


def _bits_needed(levels: NDArray[np.int32]) -> int:
    """Bits of the largest magnitude, without a sign."""
    if not levels.size:
        return 0
    return max(int(levels.max()), -int(levels.min())).bit_length()


def _record(label: str, name: str, model: ModelSoFar) -> int | None:
    """An element of the record that the enclosing aggregate unit has for a unit, None without one."""
    parent, _, number = label.rpartition(".")
    if not parent or not model.aggregates or model.aggregates[-1].unit.label != parent:
        return None
    records = model.aggregates[-1].get(name, [])
    return records[int(number)] if int(number) < len(records) else None


def _self_contained(model: ModelSoFar) -> bool:
    """True when the present unit is inside an aggregate unit of type NNR_AGG_SLF."""
    return any(one.get("nnr_aggregate_unit_type") == AGG_SLF for one in model.aggregates)


def _ended(model: ModelSoFar) -> bool:
    """True when such an aggregate unit ended just before the present unit."""
    return any(one.get("nnr_aggregate_unit_type") == AGG_SLF for one in model.left)


def _begins(seen: SeenUnit) -> bool:
    own = seen.unit.unit_type == AGG and not seen.unit.broken
    return own and seen.get("nnr_aggregate_unit_type") == AGG_SLF


SETS_INSIDE = Machine(
    "R-AGG-08: a self-contained aggregate has the parameter set and the reference list that its data uses.",
    start="outside",
    table={
        ("outside", "aggregate"): to("inside"),
        ("inside", "left"): to("outside"),
        ("inside", "definition"): to("complete"),
        ("inside", "use"): to("inside", broken("aggregate_incomplete", "the {found} is not inside {origin}")),
        ("complete", "left"): to("outside"),
        ("complete", "use"): to("complete", met("aggregate_incomplete")),
    },
)


@RULES.machine(SETS_INSIDE)
def definition_events(seen: SeenUnit, model: ModelSoFar) -> Iterator[Event]:
    """Definitions and uses of the model parameter set and of the reference list, each in an instance of its own."""
    label, unit_type = seen.unit.label, seen.unit.unit_type
    ended, begins = _ended(model), _begins(seen)
    for kind in _DEFINITIONS.values() if ended or begins else ():
        if ended:
            yield Event("left", label, key=kind)
        if begins:
            yield Event("aggregate", label, key=kind)
    if seen.unit.broken or not _self_contained(model):
        return
    if unit_type == MPS or (unit_type == TPL and seen.get("topology_storage_format") == TPL_REFLIST):
        yield Event("definition", label, key=_DEFINITIONS[unit_type])
    elif unit_type == NDU:
        yield Event("use", label, _DEFINITIONS[MPS], key=_DEFINITIONS[MPS])
        if seen.get("mps_topology_indexed_reference_flag"):
            yield Event("use", label, _DEFINITIONS[TPL], key=_DEFINITIONS[TPL])


DATA_INSIDE = Machine(
    "R-AGG-07: a self-contained aggregate gives a whole or partial network without anything else.",
    start="outside",
    table={
        ("outside", "aggregate"): to("empty"),
        ("empty", "data"): to("data"),
        ("empty", "part"): to("partition"),
        ("empty", "update"): to("data", broken("aggregate_dependent", "an update needs its parent")),
        ("empty", "left"): to("outside", left_open("aggregate_dependent", "it encloses no NNR_NDU")),
        ("empty", END): to("outside", left_open("aggregate_dependent", "it encloses no NNR_NDU")),
        ("data", "part"): to("partition"),
        ("data", "update"): to("data", broken("aggregate_dependent", "an update needs its parent")),
        ("data", "left"): to("outside", met("aggregate_dependent")),
        ("data", END): to("outside", met("aggregate_dependent")),
        ("partition", "data"): to("data"),
        ("partition", "update"): to("data", broken("aggregate_dependent", "an update needs its parent")),
        ("partition", "left"): to("outside", left_open("aggregate_dependent", "its last part is outside")),
        ("partition", END): to("outside", left_open("aggregate_dependent", "its last part is missing")),
    },
)


@RULES.machine(DATA_INSIDE)
def enclosed_data_events(seen: SeenUnit, model: ModelSoFar) -> Iterator[Event]:
    """Data of self-contained aggregates; a unit that is a part, but not the last, leaves a partition open."""
    label = seen.unit.label
    if _ended(model):
        yield Event("left", label)
    if _self_contained(model) and seen.unit.unit_type == NDU and not seen.unit.broken:
        if seen.get("parent_node_id_present_flag"):
            yield Event("update", label, element="parent_node_id_present_flag")
        part = seen.unit.is_part and seen.get("partial_data_counter") > 1
        yield Event("part" if part else "data", label)
    if _begins(seen):
        yield Event("aggregate", label)
