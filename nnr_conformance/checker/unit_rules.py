"""Rules on units, their order, and parameter sets (clause 6)."""

from __future__ import annotations

from collections.abc import Iterator

from nnr_conformance.checker.rules import PASSED, ModelSoFar, Outcome, RuleSet, SeenUnit, Violation, outcome
from nnr_conformance.syntax.enumerations import AGG, LPS, MPS, NDU, QNT, STR, TPL, TPL_PRUN, TPL_REFLIST

RULES = RuleSet()


@RULES.unit("partial_data_type", STR, MPS, LPS, AGG, TPL, QNT, NDU)
def only_some_payloads_travel_in_parts(seen: SeenUnit, model: ModelSoFar) -> Iterator[Outcome]:
    """R-UNIT-16: topology, quantization and compressed data are partitioned, nothing else."""
    if seen.get("partial_data_counter", 0) > 0:
        allowed = seen.unit.unit_type in (TPL, QNT, NDU)
        yield outcome(allowed, f"found {seen.get('partial_data_counter')}", "partial_data_counter")


@RULES.unit("independence_differs", NDU)
def parts_of_an_element_agree_on_independence(seen: SeenUnit, model: ModelSoFar) -> Iterator[Outcome]:
    """R-UNIT-09: all units of one topology element have the same independently_decodable_flag."""
    known = model.independence.get(seen.get("element_name", ""))
    if known is not None:
        same = known[1] == seen.get("independently_decodable_flag")
        yield outcome(same, f"{known[0]} of the same element has the other value", "independently_decodable_flag")


@RULES.unit("start_unit_form", STR)
def a_start_unit_stands_alone(seen: SeenUnit, model: ModelSoFar) -> Iterator[Outcome]:
    """R-STR-06: a start unit is independently decodable and has no partial data counter."""
    alone = seen.get("independently_decodable_flag") == 1 and not seen.get("partial_data_counter_present_flag")
    yield outcome(alone, "the start unit depends on others", "independently_decodable_flag")


@RULES.unit("unit_before_parameter_set", LPS, TPL, QNT)
def the_model_parameter_set_comes_first(seen: SeenUnit, model: ModelSoFar) -> Iterator[Outcome]:
    """R-ORD-13: a layer parameter set, topology or quantization unit follows the model parameter set."""
    yield outcome(model.parameter_set is not None, "no NNR_MPS came before")


@RULES.unit("description_after_data", TPL, QNT)
def descriptions_precede_what_they_describe(seen: SeenUnit, model: ModelSoFar) -> Iterator[Outcome]:
    """R-ORD-07, R-QNT-06: topology and quantization units precede the compressed data units."""
    yield outcome(not model.first_data, f"{model.first_data} came before")


@RULES.unit("topology_not_announced", TPL)
def topology_is_announced(seen: SeenUnit, model: ModelSoFar) -> Iterator[Outcome]:
    """R-ORD-09: with topology_carriage_flag 0 there is no topology unit but for pruning and references."""
    carried = seen.get("topology_storage_format") not in (TPL_PRUN, TPL_REFLIST)
    if carried and model.parameter_set is not None:
        announced = model.parameter_set.get("topology_carriage_flag") == 1
        yield outcome(announced, "topology_carriage_flag is 0", "topology_storage_format")


@RULES.unit("metric_without_map", MPS)
def a_metric_for_maps_needs_a_map(seen: SeenUnit, model: ModelSoFar) -> Iterator[Outcome]:
    """R-MPS-18: metric_type_performance_map_valid_flag 1 goes with at least one performance map."""
    if seen.get("metric_type_performance_map_valid_flag") == 1:
        flags = (
            "mps_sparsification_flag",
            "mps_pruning_flag",
            "mps_unification_flag",
            "mps_decomposition_performance_map_flag",
        )
        met = any(seen.get(flag) for flag in flags)
        yield outcome(met, "no performance map is present", "metric_type_performance_map_valid_flag")


@RULES.unit("base_model_id_empty", MPS)
def a_base_model_has_a_name(seen: SeenUnit, model: ModelSoFar) -> Iterator[Outcome]:
    """R-MPS-21: base_model_id is not empty."""
    if "base_model_id" in seen.unit.payload:
        yield outcome(bool(seen.unit.payload["base_model_id"]), "found an empty string", "base_model_id")


@RULES.unit("lps_without_quantization", LPS)
def a_layer_parameter_set_has_quantization(seen: SeenUnit, model: ModelSoFar) -> Iterator[Outcome]:
    """R-LPS-05: without NNR_QSU or NNR_QCB the quantization parameters of the MPS stay in force."""
    methods = seen.get("lps_quantization_method_flags")
    yield outcome(bool(methods & 3), f"found {methods}", "lps_quantization_method_flags")


@RULES.model("lps_unused")
def a_layer_parameter_set_is_used(model: ModelSoFar) -> Iterator[tuple[str, Outcome]]:
    """R-LPS-08: at least one compressed data unit follows a layer parameter set before the next one."""
    for label in model.used_layer_sets:
        yield label, PASSED
    for label in (*model.unused_layer_sets, *filter(None, (model.layer_set,))):
        yield label, Violation("no NNR_NDU follows before the next one or the end")


@RULES.unit("partition_across_layer_sets", LPS)
def a_partition_stays_under_one_layer_set(seen: SeenUnit, model: ModelSoFar) -> Iterator[Outcome]:
    """R-LPS-09: the parts of a payload are not separated by a layer parameter set."""
    yield outcome(not model.partition, f"the partition that {model.partition} began is not complete")


@RULES.unit("independent_part", TPL, QNT, NDU)
def parts_depend_on_each_other(seen: SeenUnit, model: ModelSoFar) -> Iterator[Outcome]:
    """R-UNIT-17: a counter above 0 in an independently decodable unit is allowed, but its meaning is open."""
    if seen.get("partial_data_counter", 0) > 0:
        dependent = seen.get("independently_decodable_flag") == 0
        yield outcome(dependent, "independently_decodable_flag is 1", "independently_decodable_flag")


@RULES.unit("start_unit_in_aggregate", STR)
def no_start_unit_is_enclosed(seen: SeenUnit, model: ModelSoFar) -> Iterator[Outcome]:
    """R-AGG-15: a start unit is not inside an aggregate unit."""
    yield outcome("." not in seen.unit.label, "the aggregate unit that encloses it ends the model it belongs to")
