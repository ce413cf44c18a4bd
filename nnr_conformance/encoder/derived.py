"""What a recipe need not say: elements that follow from others (clause 6), and defaults that are not 0."""

from __future__ import annotations

from collections.abc import Mapping

LISTS: Mapping[str, tuple[tuple[tuple[str, ...], int], ...]] = {
    "count_tensor_dimensions": ((("tensor_dimensions",), 0),),
    "count_topology_elements_minus2": ((("topology_elem_id_list", "topology_elem_id_index_list"), -2),),
    "count_ids": ((("element_id", "element_id_index"), 0),),
    "count_dims": ((("dim",), 0),),
    "count_bits": ((("bit_mask_value",), 0),),
    "number_of_shifts": ((("shift_index", "shift_value"), 0),),
    "codebook_size": ((("codebook_entries",), 0),),
    "num_of_nnr_units_minus2": ((("units",), -2),),
    "spm_count_thresholds": ((("sparsification_threshold",), 1),),
    "spm_count_classes": ((("spm_nn_class_accuracy",), 0),),
    "ppm_count_pruning_ratios": ((("pruning_ratio",), 1),),
    "ppm_count_classes": ((("ppm_nn_class_accuracy",), 0),),
    "upm_count_thresholds": ((("unification_threshold",), 1),),
    "upm_count_classes": ((("upm_nn_class_accuracy",), 0),),
    "count_reshaped_tensor_dimension": ((("reshaped_tensor_dimensions",), 1),),
    "count_super_block_dimension": ((("super_block_dimensions",), 1),),
    "count_block_dimension": ((("block_dimensions",), 1),),
    "dpm_count_thresholds": ((("mse_threshold",), 1),),
    "dpm_count_classes": ((("dpm_nn_class_accuracy",), 0),),
}
"""Counts, with the lists of which the first that is there is counted, and the difference to its length."""

_SPARSIFICATION = ("spm_count_thresholds", "sparsification_threshold")
_PRUNING = ("ppm_count_pruning_ratios", "pruning_ratio")
_UNIFICATION = ("upm_count_thresholds", "unification_threshold")
_DECOMPOSITION = ("dpm_count_thresholds", "mse_threshold")

PRESENCE: Mapping[str, tuple[str, ...]] = {
    "partial_data_counter_present_flag": ("partial_data_counter",),
    "mps_sparsification_flag": _SPARSIFICATION,
    "mps_pruning_flag": _PRUNING,
    "mps_unification_flag": _UNIFICATION,
    "mps_decomposition_performance_map_flag": _DECOMPOSITION,
    "lps_sparsification_flag": _SPARSIFICATION,
    "lps_pruning_flag": _PRUNING,
    "lps_unification_flag": _UNIFICATION,
    "mps_quantization_method_flags": ("mps_qp_density", "mps_quantization_parameter"),
    "lps_quantization_method_flags": ("lps_qp_density", "lps_quantization_parameter"),
    "base_model_id_present_flag": ("base_model_id",),
    "validation_set_performance_present_flag": ("validation_set_performance",),
    "nnr_multiple_topology_elements_present_flag": ("topology_elem_id_list", "topology_elem_id_index_list"),
    "nnr_decompressed_data_format_present_flag": ("nnr_decompressed_data_format",),
    "node_id_present_flag": ("device_id",),
    "parent_node_id_present_flag": ("parent_node_id_type",),
    "codebook_present_flag": ("codebook_zero_value",),
    "cabac_unary_length_flag": ("cabac_unary_length_minus1",),
    "entry_points_present_flag": ("nnr_unit_entry_point",),
}
"""Flags, with the elements of which one in the recipe makes the flag 1."""

DEFAULTS: Mapping[str, int] = {
    "general_profile_idc": 1,
    "independently_decodable_flag": 1,
    "input_parameters_present_flag": 1,
    "tensor_dimensions_flag": 1,
    "order_flag": 1,
}
"""Elements that are not 0 when nothing else is said."""
