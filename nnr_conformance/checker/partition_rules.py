"""Rules on payloads that travel in parts (clause 6, R-UNIT-08 to R-UNIT-19, R-LPS-09)."""

from __future__ import annotations

from collections.abc import Iterator

from nnr_conformance.checker.rules import ModelSoFar, Outcome, RuleSet, SeenUnit, outcome
from nnr_conformance.decoder.order_machines import PARTITION
from nnr_conformance.machines import Event, Machine, broken, met, to
from nnr_conformance.syntax.enumerations import AGG, LPS, MPS, NDU, QNT, STR, TPL

RULES = RuleSet()
RULES.told_machine(PARTITION)


@RULES.unit("partial_data_counter_missing", MPS, LPS, TPL, QNT, NDU, AGG)
def a_dependent_unit_is_a_part(seen: SeenUnit, model: ModelSoFar) -> Iterator[Outcome]:
    """R-UNIT-10: a unit that is not independently decodable has a partial_data_counter above 0."""
    if seen.get("independently_decodable_flag") == 0:
        message = "independently_decodable_flag is 0 without a partial_data_counter"
        yield outcome(seen.get("partial_data_counter") > 0, message, "independently_decodable_flag")


@RULES.unit("partial_data_type", STR, MPS, LPS, AGG, TPL, QNT, NDU)
def only_some_payloads_travel_in_parts(seen: SeenUnit, model: ModelSoFar) -> Iterator[Outcome]:
    """R-UNIT-16: topology, quantization and compressed data are partitioned, nothing else."""
    if seen.get("partial_data_counter", 0) > 0:
        allowed = seen.unit.unit_type in (TPL, QNT, NDU)
        yield outcome(allowed, f"found {seen.get('partial_data_counter')}", "partial_data_counter")


@RULES.unit("independent_part", TPL, QNT, NDU)
def parts_depend_on_each_other(seen: SeenUnit, model: ModelSoFar) -> Iterator[Outcome]:
    """R-UNIT-17: a counter above 0 in an independently decodable unit is allowed, but its meaning is open."""
    if seen.get("partial_data_counter", 0) > 0:
        dependent = seen.get("independently_decodable_flag") == 0
        yield outcome(dependent, "independently_decodable_flag is 1", "independently_decodable_flag")


INDEPENDENCE = Machine(
    "R-UNIT-09: all units of one topology element have the same flag, one instance for each element.",
    start="new",
    table={
        ("new", "independent"): to("independent"),
        ("new", "dependent"): to("dependent"),
        ("independent", "independent"): to("independent", met("independence_differs")),
        ("independent", "dependent"): to(
            "independent", broken("independence_differs", "{origin} of the same element has the other value")
        ),
        ("dependent", "dependent"): to("dependent", met("independence_differs")),
        ("dependent", "independent"): to(
            "dependent", broken("independence_differs", "{origin} of the same element has the other value")
        ),
    },
)


@RULES.machine(INDEPENDENCE, NDU)
def independence_events(seen: SeenUnit, model: ModelSoFar) -> Iterator[Event]:
    """Compressed data units by the (first) element that they name."""
    if not seen.unit.broken and seen.get("element_name"):
        event = "independent" if seen.get("independently_decodable_flag") else "dependent"
        element, key = "independently_decodable_flag", seen.get("element_name")
        yield Event(event, seen.unit.label, element=element, key=key)


PARTS_AND_LAYERS = Machine(
    "R-LPS-09: no layer parameter set comes between the parts of a payload.",
    start="no partition",
    table={
        ("no partition", "part"): to("open"),
        ("no partition", "layer set"): to("no partition", met("partition_across_layer_sets")),
        ("open", "last part"): to("no partition"),
        ("open", "layer set"): to(
            "open",
            broken("partition_across_layer_sets", "the partition that {origin} began is not complete"),
        ),
    },
)


@RULES.machine(PARTS_AND_LAYERS, LPS, TPL, QNT, NDU)
def part_and_layer_events(seen: SeenUnit, model: ModelSoFar) -> Iterator[Event]:
    """Parts and layer parameter sets."""
    if seen.unit.is_part:
        yield Event("last part" if seen.get("partial_data_counter") == 1 else "part", seen.unit.label)
    elif seen.unit.unit_type == LPS and not seen.unit.broken:
        yield Event("layer set", seen.unit.label)
