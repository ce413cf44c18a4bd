"""Model and layer parameter sets (clause 6): tools used, quantization defaults, performance maps."""

from __future__ import annotations

from construct import this

from nnr_conformance.descriptors import ByteAlignment, Descriptor, Must, flt, i, reserved_zero, st, u, value
from nnr_conformance.expressions import either
from nnr_conformance.syntax.declaration import If, Structure
from nnr_conformance.syntax.performance_maps import (
    decomposition_performance_map,
    pruning_performance_map,
    sparsification_performance_map,
    unification_performance_map,
)

QSU, QCB = 1, 2
"""Bits of the quantization method flags: NNR_QSU scalar uniform, NNR_QCB codebook."""


def _method_flags(code: str) -> Descriptor:
    def methods(flags: int) -> str:
        return " and ".join(name for bit, name in ((QSU, "NNR_QSU"), (QCB, "NNR_QCB")) if flags & bit) or "none"

    return u(3, must=Must(value < 4, code), note=methods)


def _density() -> Descriptor:
    return u(3, note=lambda density: f"qp_value has {6 + density} bits in the payload")


nnr_model_parameter_set_unit_payload = Structure(
    "nnr_model_parameter_set_unit_payload",
    "topology_carriage_flag" / u(1),
    "mps_sparsification_flag" / u(1),
    "mps_pruning_flag" / u(1),
    "mps_unification_flag" / u(1),
    "mps_decomposition_performance_map_flag" / u(1),
    "mps_quantization_method_flags" / _method_flags("quantization_method_reserved"),
    "mps_topology_indexed_reference_flag" / u(1),
    If(
        this.general_profile_idc == 1,
        "base_model_id_present_flag" / u(1, infer=0),
        "validation_set_performance_present_flag" / u(1, infer=0),
        "metric_type_performance_map_valid_flag" / u(1, infer=0),
        "mps_parent_signalling_enabled_flag" / u(1, infer=0),
        If(
            this.mps_parent_signalling_enabled_flag == 1,
            "nnr_pre_flag" / u(1, infer=0),
            otherwise=("nnr_reserved_zero_1bit" / reserved_zero(1, "pre_flag_bit_not_zero"),),
        ),
        "nnr_reserved_zero_2bits" / reserved_zero(2),
        otherwise=("nnr_reserved_zero_7bits" / reserved_zero(7, "profile_0_bits_not_zero"),),
    ),
    If(this.base_model_id_present_flag == 1, "base_model_id" / st()),
    If(
        either(
            this.validation_set_performance_present_flag == 1,
            this.metric_type_performance_map_valid_flag == 1,
        ),
        "performance_metric_type" / st(),
    ),
    If(
        (this.mps_quantization_method_flags & (QSU | QCB)) != 0,
        "mps_qp_density" / _density(),
        "mps_quantization_parameter" / i(13),
    ),
    If(this.mps_sparsification_flag == 1, sparsification_performance_map()),
    If(this.mps_pruning_flag == 1, pruning_performance_map()),
    If(this.mps_unification_flag == 1, unification_performance_map()),
    If(this.mps_decomposition_performance_map_flag == 1, decomposition_performance_map()),
    If(this.validation_set_performance_present_flag == 1, "validation_set_performance" / flt(32)),
    ByteAlignment(),
)

nnr_layer_parameter_set_unit_payload = Structure(
    "nnr_layer_parameter_set_unit_payload",
    "nnr_reserved_zero_1_bits" / reserved_zero(1, "lps_reserved_not_zero"),
    "lps_sparsification_flag" / u(1),
    "lps_pruning_flag" / u(1),
    "lps_unification_flag" / u(1),
    "lps_quantization_method_flags" / _method_flags("lps_quantization_method_reserved"),
    "nnr_reserved_zero_1bit" / reserved_zero(1, "lps_reserved_not_zero"),
    If(
        (this.lps_quantization_method_flags & (QSU | QCB)) != 0,
        "lps_qp_density" / _density(),
        "lps_quantization_parameter" / i(13),
    ),
    If(this.lps_sparsification_flag == 1, sparsification_performance_map()),
    If(this.lps_pruning_flag == 1, pruning_performance_map()),
    If(this.lps_unification_flag == 1, unification_performance_map()),
    ByteAlignment(),
)
