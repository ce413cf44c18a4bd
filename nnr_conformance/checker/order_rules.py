"""Rules on the order and composition of units, as state machines (clause 6, R-ORD)."""

from __future__ import annotations

from collections.abc import Iterator

from nnr_conformance.checker.rules import ModelSoFar, RuleSet, SeenUnit
from nnr_conformance.machines import END, Event, Machine, anew, broken, left_open, met, to
from nnr_conformance.syntax.enumerations import (
    CPT_DC,
    LPS,
    MPS,
    NDU,
    QNT,
    STR,
    TPL,
    TPL_PRUN,
    TPL_REFLIST,
    unit_type_name,
)

RULES = RuleSet()

_KINDS = {MPS: "parameter set", NDU: "data"}
_BEFORE_DATA = {MPS: "parameter set", TPL: "topology", QNT: "quantization"}

START = Machine(
    "R-ORD-01, R-ORD-12: a stream begins with a start unit, and a later one begins another model.",
    start="nothing",
    table={
        ("nothing", "start unit"): to("begun", met("start_unit_missing"), met("start_unit_repeated")),
        ("nothing", "other unit"): to("begun", broken("start_unit_missing", "the first unit is {found}")),
        ("begun", "start unit"): to("begun", broken("start_unit_repeated", "another model begins")),
    },
)


@RULES.machine(START, whole_stream=True)
def start_events(seen: SeenUnit, model: ModelSoFar) -> Iterator[Event]:
    """Start units and others, those that cannot be read included."""
    unit_type = seen.unit.unit_type
    yield Event("start unit" if unit_type == STR else "other unit", seen.unit.label, unit_type_name(unit_type))


PARAMETER_SET = Machine(
    "R-ORD-02, R-ORD-03, R-ORD-13: one model parameter set, before everything that it describes.",
    start="none",
    table={
        ("none", "parameter set"): to("one", met("parameter_set_repeated")),
        ("none", "description"): to("none", broken("unit_before_parameter_set", "no NNR_MPS came before")),
        ("none", "data"): to("none", broken("parameter_set_missing", "no NNR_MPS came before")),
        ("one", "parameter set"): to("one", broken("parameter_set_repeated", "the first one is {origin}")),
        ("one", "description"): to("one", met("unit_before_parameter_set")),
        ("one", "data"): to("one", met("parameter_set_missing")),
    },
)


@RULES.machine(PARAMETER_SET, MPS, LPS, TPL, QNT, NDU)
def parameter_set_events(seen: SeenUnit, model: ModelSoFar) -> Iterator[Event]:
    """Model parameter sets, those that cannot be read included, and the units that need one."""
    if seen.unit.unit_type == MPS or not seen.unit.broken:
        yield Event(_KINDS.get(seen.unit.unit_type, "description"), seen.unit.label)


DATA = Machine(
    "R-ORD-03, R-ORD-07, R-ORD-15, R-QNT-06: there are compressed data units, behind what describes them.",
    start="before data",
    table={
        ("before data", "parameter set"): to("before data", met("parameter_set_late")),
        ("before data", "topology"): to("before data", met("description_after_data")),
        ("before data", "quantization"): to("before data", met("quantization_after_data")),
        ("before data", "data"): to("data", met("no_compressed_data")),
        ("before data", END): to("before data", left_open("no_compressed_data", "there is no NNR_NDU")),
        ("data", "parameter set"): to("data", broken("parameter_set_late", "{origin} came before")),
        ("data", "topology"): to("data", broken("description_after_data", "{origin} came before")),
        ("data", "quantization"): to("data", broken("quantization_after_data", "{origin} came before")),
    },
)


@RULES.machine(DATA)
def data_events(seen: SeenUnit, model: ModelSoFar) -> Iterator[Event]:
    """Compressed data units, those that cannot be read included, and the units that precede them."""
    if seen.unit.unit_type == NDU:
        yield Event("data", seen.unit.label)
    elif not seen.unit.broken:
        yield Event(_BEFORE_DATA.get(seen.unit.unit_type, "other unit"), seen.unit.label)


TOPOLOGY = Machine(
    "R-ORD-08, R-ORD-09: a topology unit goes with topology_carriage_flag 1.",
    start="no parameter set",
    table={
        ("no parameter set", "announcement"): to("announced"),
        ("no parameter set", "no announcement"): to("not announced"),
        ("no parameter set", "topology"): to("early"),
        ("no parameter set", "container"): to("early"),
        ("early", "announcement"): to("carried", met("topology_missing")),
        ("early", "no announcement"): to("not announced"),
        ("announced", "topology"): to("carried", met("topology_missing"), met("topology_not_announced")),
        ("announced", "container"): to("carried", met("topology_missing")),
        ("announced", END): to(
            "announced", left_open("topology_missing", "topology_carriage_flag is 1, but there is no NNR_TPL")
        ),
        ("carried", "topology"): to("carried", met("topology_not_announced")),
        ("not announced", "topology"): to(
            "not announced", broken("topology_not_announced", "topology_carriage_flag is 0")
        ),
    },
)


@RULES.machine(TOPOLOGY, MPS, TPL)
def topology_events(seen: SeenUnit, model: ModelSoFar) -> Iterator[Event]:
    """Announcements by the model parameter set, topology units; pruning containers and reference lists apart."""
    if seen.unit.broken:
        return
    if seen.unit.unit_type == MPS:
        announced = seen.get("topology_carriage_flag") == 1
        yield Event("announcement" if announced else "no announcement", seen.unit.label)
    elif seen.unit.unit_type == TPL:
        container = seen.get("topology_storage_format") in (TPL_PRUN, TPL_REFLIST)
        element = "topology_storage_format"
        yield Event("container" if container else "topology", seen.unit.label, element=element)


LAYER_SET = Machine(
    "R-LPS-08: at least one compressed data unit follows a layer parameter set before the next one.",
    start="none",
    table={
        ("none", "layer set"): to("waiting"),
        ("waiting", "data"): to("used", met("lps_unused")),
        ("waiting", "layer set"): anew("waiting", left_open("lps_unused", "no NNR_NDU follows before the next one")),
        ("waiting", END): to("none", left_open("lps_unused", "no NNR_NDU follows")),
        ("used", "layer set"): to("waiting"),
    },
)


@RULES.machine(LAYER_SET, LPS, NDU)
def layer_set_events(seen: SeenUnit, model: ModelSoFar) -> Iterator[Event]:
    """Layer parameter sets and compressed data units, those that cannot be read included."""
    if seen.unit.unit_type == LPS:
        yield Event("layer set", seen.unit.label)
    elif seen.unit.unit_type == NDU:
        yield Event("data", seen.unit.label)


DECOMPOSITION = Machine(
    "R-MPS-05: mps_decomposition_performance_map_flag 1 says that a tensor was decomposed.",
    start="no map",
    table={
        ("no map", "map"): to("announced"),
        ("announced", "decomposed tensor"): to("decomposed", met("decomposition_map_unused")),
        ("announced", END): to("no map", left_open("decomposition_map_unused", "no tensor is decomposed")),
    },
)


@RULES.machine(DECOMPOSITION, MPS, NDU)
def decomposition_events(seen: SeenUnit, model: ModelSoFar) -> Iterator[Event]:
    """Decomposition performance maps and decomposed tensors."""
    if seen.unit.broken:
        return
    if seen.unit.unit_type == MPS and seen.get("mps_decomposition_performance_map_flag"):
        yield Event("map", seen.unit.label)
    elif seen.unit.unit_type == NDU and seen.get("compressed_parameter_types", 0) & CPT_DC:
        yield Event("decomposed tensor", seen.unit.label)
