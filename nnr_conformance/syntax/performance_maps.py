"""Performance maps of parameter sets (clause 8): they describe operating points and do not influence decoding.

The number of records is a reading (map-count), and so is the number of class accuracies in the unification map
(class-accuracy-count).
"""

from __future__ import annotations

from construct import this

from nnr_conformance.descriptors import ByteAlignment, Must, flt, u, ue, value
from nnr_conformance.expressions import Expression, Function, reading
from nnr_conformance.syntax.declaration import For, If, Let, Structure


def _records(count: Expression) -> Function:
    return Function("Records", lambda chosen, n: max(0, n - (chosen == "minus-one")), reading("map-count"), count)


def _minus_one(count: Expression) -> Function:
    return Function("Max", max, 0, count - 1)


sparsification_performance_map = Structure(
    "sparsification_performance_map",
    "spm_count_thresholds" / u(8, must=Must(value > 0, "spm_count_zero")),
    For(
        "i",
        _records(this.spm_count_thresholds),
        "sparsification_threshold" / flt(32),
        "non_zero_ratio" / flt(32),
        "spm_nn_accuracy" / flt(32),
        "spm_count_classes" / u(8),
        "spm_class_bitmask" / ue(7),
        For("j", this.spm_count_classes, "spm_nn_class_accuracy" / flt(32)),
    ),
)

pruning_performance_map = Structure(
    "pruning_performance_map",
    "ppm_count_pruning_ratios" / u(8, must=Must(value > 0, "ppm_count_zero")),
    For(
        "i",
        _records(this.ppm_count_pruning_ratios),
        "pruning_ratio" / flt(32),
        "ppm_nn_accuracy" / flt(32),
        "ppm_count_classes" / u(8),
        "ppm_class_bitmask" / ue(7),
        For("j", this.ppm_count_classes, "ppm_nn_class_accuracy" / flt(32)),
    ),
)

unification_performance_map = Structure(
    "unification_performance_map",
    "upm_count_thresholds" / u(8, must=Must(value > 0, "upm_count_zero")),
    For(
        "i",
        _records(this.upm_count_thresholds),
        "count_reshaped_tensor_dimension" / ue(1, must=Must(value > 0, "map_dimension_count_zero")),
        For("j", _minus_one(this.count_reshaped_tensor_dimension), "reshaped_tensor_dimensions" / ue(7)),
        ByteAlignment(),
        "count_super_block_dimension" / u(8, must=Must(value > 0, "map_dimension_count_zero")),
        For("j", _minus_one(this.count_super_block_dimension), "super_block_dimensions" / u(8)),
        "count_block_dimension" / u(8, must=Must(value > 0, "map_dimension_count_zero")),
        For("j", _minus_one(this.count_block_dimension), "block_dimensions" / u(8)),
        "unification_threshold" / flt(32),
        "upm_nn_accuracy" / flt(32),
        "upm_count_classes" / u(8),
        "upm_class_bitmask"
        / ue(7, must=Must(this.upm_class_bitmask == this.upm_count_classes, "class_bitmask_differs", on_scope=True)),
        If(
            reading("class-accuracy-count") == "bitmask",
            Let("upm_accuracies", this.upm_class_bitmask),
            otherwise=(Let("upm_accuracies", this.upm_count_classes),),
        ),
        For("j", this.upm_accuracies, "upm_nn_class_accuracy" / flt(32)),
    ),
)

decomposition_performance_map = Structure(
    "decomposition_performance_map",
    "dpm_count_thresholds" / u(8, must=Must(value > 0, "dpm_count_zero")),
    For(
        "i",
        _records(this.dpm_count_thresholds),
        "mse_threshold" / flt(32),
        "dpm_nn_accuracy" / flt(32),
        "nn_reduction_ratio" / flt(32),
        "dpm_count_classes" / u(16),
        For("j", this.dpm_count_classes, "dpm_nn_class_accuracy" / flt(32)),
    ),
)
