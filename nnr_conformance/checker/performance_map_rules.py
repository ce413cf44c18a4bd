"""Rules on performance maps (clause 8, R-PM-07 to R-PM-15, R-GEN-10): what they say must make sense as numbers."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping
from typing import Any

from nnr_conformance.checker.rules import ModelSoFar, Outcome, RuleSet, SeenUnit, outcome
from nnr_conformance.syntax.enumerations import LPS, MPS

RULES = RuleSet()

_ACCURACIES = {
    "sparsification_performance_map": ("spm_nn_accuracy", "spm_nn_class_accuracy"),
    "pruning_performance_map": ("ppm_nn_accuracy", "ppm_nn_class_accuracy"),
    "unification_performance_map": ("upm_nn_accuracy", "upm_nn_class_accuracy"),
    "decomposition_performance_map": ("dpm_nn_accuracy", "dpm_nn_class_accuracy"),
}
_BITMASKS = {
    "sparsification_performance_map": ("spm_class_bitmask", "spm_count_classes"),
    "pruning_performance_map": ("ppm_class_bitmask", "ppm_count_classes"),
}
_THRESHOLDS = {
    "sparsification_performance_map": "sparsification_threshold",
    "unification_performance_map": "unification_threshold",
    "decomposition_performance_map": "mse_threshold",
}


def _maps(seen: SeenUnit) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for name in _ACCURACIES:
        tree = seen.unit.payload.get(name)
        if tree is not None:
            yield name, tree


def _floats(items: Any, name: str) -> Iterator[tuple[str, float]]:
    if isinstance(items, list):
        for number, item in enumerate(items):
            yield from _floats(item, f"{name}[{number}]")
    elif isinstance(items, float):
        yield name, items


@RULES.unit("float_not_finite", MPS, LPS)
def floats_are_finite(seen: SeenUnit, model: ModelSoFar) -> Iterator[Outcome]:
    """R-GEN-10: floats of performance maps and the validation performance are finite."""
    trees = [tree for _, tree in _maps(seen)]
    if "validation_set_performance" in seen.unit.payload:
        trees.append({"validation_set_performance": seen.unit.payload["validation_set_performance"]})
    for tree in trees:
        for name, items in tree.items():
            for element, number in _floats(items, name):
                yield outcome(math.isfinite(number), f"found {float(number)}", element)


@RULES.unit("map_ratio_range", MPS, LPS)
def ratios_of_non_zero_weights_are_ratios(seen: SeenUnit, model: ModelSoFar) -> Iterator[Outcome]:
    """R-PM-07: non_zero_ratio lies in 0..1, and does not grow with the threshold."""
    tree = seen.unit.payload.get("sparsification_performance_map")
    if tree is None:
        return
    ratios = tree["non_zero_ratio"]
    for number, ratio in enumerate(ratios):
        yield outcome(0 <= ratio <= 1, f"found {float(ratio)}, a ratio lies in 0..1", f"non_zero_ratio[{number}]")
    order = sorted(range(len(ratios)), key=lambda number: tree["sparsification_threshold"][number])
    for low, high in itertools.pairwise(order):
        message = f"{float(ratios[high])} for a larger threshold than that of {float(ratios[low])}"
        yield outcome(not ratios[high] > ratios[low], message, f"non_zero_ratio[{high}]")


@RULES.unit("map_threshold_values", MPS, LPS)
def thresholds_are_positive_and_distinct(seen: SeenUnit, model: ModelSoFar) -> Iterator[Outcome]:
    """R-PM-08, R-PM-15: thresholds are not negative and each occurs once."""
    for name, tree in _maps(seen):
        thresholds = tree.get(_THRESHOLDS.get(name, ""), [])
        for number, threshold in enumerate(thresholds):
            element = f"{_THRESHOLDS[name]}[{number}]"
            repeated = float(threshold) in map(float, thresholds[:number])
            yield outcome(not threshold < 0 and not repeated, f"found {float(threshold)}", element)


@RULES.unit("pruning_ratio_range", MPS, LPS)
def pruning_ratios_are_ratios(seen: SeenUnit, model: ModelSoFar) -> Iterator[Outcome]:
    """R-PM-09: pruning_ratio lies in 0..1."""
    for number, ratio in enumerate(seen.unit.payload.get("pruning_performance_map", {}).get("pruning_ratio", [])):
        yield outcome(0 <= ratio <= 1, f"found {float(ratio)}, a ratio lies in 0..1", f"pruning_ratio[{number}]")


@RULES.unit("map_accuracy_range", MPS, LPS)
def accuracies_are_ratios_unless_a_metric_is_named(seen: SeenUnit, model: ModelSoFar) -> Iterator[Outcome]:
    """R-PM-10: accuracies lie in 0..1 unless performance_metric_type names another metric."""
    if seen.get("metric_type_performance_map_valid_flag"):
        return
    for name, tree in _maps(seen):
        for field in _ACCURACIES[name]:
            for element, number in _floats(tree.get(field, []), field):
                yield outcome(0 <= number <= 1, f"found {float(number)}, an accuracy lies in 0..1", element)


@RULES.unit("class_bitmask_population", MPS, LPS)
def a_bitmask_has_a_bit_for_each_class(seen: SeenUnit, model: ModelSoFar) -> Iterator[Outcome]:
    """R-PM-12: the number of bits set in a class bitmask is the number of classes."""
    for name, tree in _maps(seen):
        mask_name, count_name = _BITMASKS.get(name, ("", ""))
        for number, (mask, count) in enumerate(zip(tree.get(mask_name, []), tree.get(count_name, []), strict=True)):
            message = f"{mask:#b} has {mask.bit_count()} bits set for {count} classes"
            yield outcome(mask.bit_count() == count, message, f"{mask_name}[{number}]")


@RULES.unit("block_exceeds_super_block", MPS, LPS)
def blocks_fit_their_super_blocks(seen: SeenUnit, model: ModelSoFar) -> Iterator[Outcome]:
    """R-PM-14: block dimensions do not exceed those of the super block."""
    tree = seen.unit.payload.get("unification_performance_map")
    for number, blocks in enumerate([] if tree is None else tree["block_dimensions"]):
        supers = tree["super_block_dimensions"][number]
        for axis, (block, whole) in enumerate(zip(blocks, supers, strict=False)):
            message = f"{block} in a super block of {whole}"
            yield outcome(block <= whole, message, f"block_dimensions[{number}][{axis}]")


@RULES.unit("reduction_ratio_range", MPS, LPS)
def reduction_ratios_are_positive(seen: SeenUnit, model: ModelSoFar) -> Iterator[Outcome]:
    """R-PM-15: nn_reduction_ratio is positive."""
    tree = seen.unit.payload.get("decomposition_performance_map", {})
    for number, ratio in enumerate(tree.get("nn_reduction_ratio", [])):
        yield outcome(ratio > 0, f"found {float(ratio)}", f"nn_reduction_ratio[{number}]")
