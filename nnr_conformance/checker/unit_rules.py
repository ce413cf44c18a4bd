"""Rules on start units and parameter sets (clause 6, R-STR, R-MPS, R-LPS)."""

from __future__ import annotations

from collections.abc import Iterator

from nnr_conformance.checker.rules import ModelSoFar, Outcome, RuleSet, SeenUnit, outcome
from nnr_conformance.syntax.enumerations import LPS, MPS, STR

RULES = RuleSet()


@RULES.unit("start_unit_form", STR)
def a_start_unit_stands_alone(seen: SeenUnit, model: ModelSoFar) -> Iterator[Outcome]:
    """R-STR-06: a start unit is independently decodable and has no partial data counter."""
    for name, alone in (("independently_decodable_flag", 1), ("partial_data_counter_present_flag", 0)):
        yield outcome(seen.get(name) == alone, f"found {seen.get(name)}", name)


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
