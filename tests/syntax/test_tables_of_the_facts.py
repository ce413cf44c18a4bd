"""Elements, order and descriptors of each structure as the facts list them (standard facts C; high-level syntax 3).

Round trips cannot tell a wrong width from a right one; these lists can. They were written from the facts, not from the
declarations.
"""

from __future__ import annotations

import pytest

from nnr_conformance.syntax.describe import describe, structures

FACTS = {
    "nnr_unit_size": "nnr_unit_size_flag u(1), nnr_unit_size u(15 + 16 * nnr_unit_size_flag)",
    "nnr_unit_header": "nnr_unit_type u(6), independently_decodable_flag u(1), partial_data_counter_present_flag u(1), "
    "partial_data_counter u(8), nnr_start_unit_header, nnr_model_parameter_set_unit_header, "
    "nnr_layer_parameter_set_unit_header, nnr_topology_unit_header, nnr_quantization_unit_header, "
    "nnr_compressed_data_unit_header, nnr_aggregate_unit_header",
    "nnr_start_unit_header": "general_profile_idc u(8)",
    "nnr_start_unit_payload": "",
    "nnr_model_parameter_set_unit_header": "",
    "nnr_layer_parameter_set_unit_header": "lps_self_contained_flag u(1), nnr_reserved_zero_7bits u(7)",
    "nnr_topology_unit_header": "topology_storage_format u(8), topology_compression_format u(8)",
    "nnr_quantization_unit_header": "quantization_storage_format u(8), quantization_compression_format u(8)",
    "nnr_aggregate_unit_header": "nnr_aggregate_unit_type u(8), entry_points_present_flag u(1), "
    "nnr_reserved_zero_7bits u(7), num_of_nnr_units_minus2 u(16), enclosed_unit_type u(6), nnr_unit_entry_point u(34), "
    "quant_bitdepth u(5), ctu_scan_order u(1), nnr_reserved_zero_2bits u(2)",
    "nnr_aggregate_unit_payload": "nnr_units nnr_unit() ...",
    "nnr_model_parameter_set_unit_payload": "topology_carriage_flag u(1), mps_sparsification_flag u(1), "
    "mps_pruning_flag u(1), mps_unification_flag u(1), mps_decomposition_performance_map_flag u(1), "
    "mps_quantization_method_flags u(3), mps_topology_indexed_reference_flag u(1), base_model_id_present_flag u(1), "
    "validation_set_performance_present_flag u(1), metric_type_performance_map_valid_flag u(1), "
    "mps_parent_signalling_enabled_flag u(1), nnr_pre_flag u(1), nnr_reserved_zero_1bit u(1), "
    "nnr_reserved_zero_2bits u(2), nnr_reserved_zero_7bits u(7), base_model_id st(v), performance_metric_type st(v), "
    "mps_qp_density u(3), mps_quantization_parameter i(13), sparsification_performance_map, pruning_performance_map, "
    "unification_performance_map, decomposition_performance_map, validation_set_performance flt(32), byte_alignment( )",
    "nnr_layer_parameter_set_unit_payload": "nnr_reserved_zero_1_bits u(1), lps_sparsification_flag u(1), "
    "lps_pruning_flag u(1), lps_unification_flag u(1), lps_quantization_method_flags u(3), "
    "nnr_reserved_zero_1bit u(1), lps_qp_density u(3), lps_quantization_parameter i(13), "
    "sparsification_performance_map, pruning_performance_map, "
    "unification_performance_map, byte_alignment( )",
    "sparsification_performance_map": "spm_count_thresholds u(8), sparsification_threshold flt(32), "
    "non_zero_ratio flt(32), spm_nn_accuracy flt(32), spm_count_classes u(8), spm_class_bitmask ue(7), "
    "spm_nn_class_accuracy flt(32)",
    "pruning_performance_map": "ppm_count_pruning_ratios u(8), pruning_ratio flt(32), ppm_nn_accuracy flt(32), "
    "ppm_count_classes u(8), ppm_class_bitmask ue(7), ppm_nn_class_accuracy flt(32)",
    "unification_performance_map": "upm_count_thresholds u(8), count_reshaped_tensor_dimension ue(1), "
    "reshaped_tensor_dimensions ue(7), byte_alignment( ), count_super_block_dimension u(8), "
    "super_block_dimensions u(8), count_block_dimension u(8), block_dimensions u(8), "
    "unification_threshold flt(32), upm_nn_accuracy flt(32), "
    "upm_count_classes u(8), upm_class_bitmask ue(7), upm_nn_class_accuracy flt(32)",
    "decomposition_performance_map": "dpm_count_thresholds u(8), mse_threshold flt(32), dpm_nn_accuracy flt(32), "
    "nn_reduction_ratio flt(32), dpm_count_classes u(16), dpm_nn_class_accuracy flt(32)",
    "nnr_topology_unit_payload": "topology_data bs(v), nnr_pruning_topology_container, topology_elements_ids_list, "
    "topology_data bs(v), topology_data st(v)",
    "nnr_quantization_unit_payload": "quantization_data bs(v), quantization_data st(v)",
    "topology_elements_ids_list": "count_topology_elements_minus2 ue(7), byte_alignment( ), "
    "topology_elem_id_list st(v), topology_elem_id_index_list ue(7), byte_alignment( )",
    "nnr_pruning_topology_container": "nnr_rep_type u(2), prune_flag u(1), order_flag u(1), sparse_flag u(1), "
    "nnr_reserved_zero_3bits u(3), bit_mask, pruning_dictionary, bit_mask",
    "bit_mask": "count_bits u(32), bit_mask_value u(1), byte_alignment( )",
    "pruning_dictionary": "count_ids u(8), "
    "element_id st(v), element_id_index ue(7), byte_alignment( ), count_dims ue(1), dim ue(7), byte_alignment( ), "
    "element_id st(v), element_id_index ue(7), count_dims ue(1), dim ue(7), byte_alignment( ), byte_alignment( )",
    "nnr_compressed_data_unit_header": "nnr_compressed_data_unit_payload_type u(5), "
    "nnr_multiple_topology_elements_present_flag u(1), nnr_decompressed_data_format_present_flag u(1), "
    "input_parameters_present_flag u(1), topology_elements_ids_list, topology_elem_id st(v), "
    "topology_elem_id_index ue(7), node_id_present_flag u(1), device_id ue(1), parameter_id ue(5), "
    "put_node_depth ue(4), parent_node_id_present_flag u(1), parent_node_id_type u(2), "
    "temporal_context_modeling_flag u(1), "
    "parent_device_id ue(1), parameter_id ue(5), put_node_depth ue(4), parent_node_payload_sha256 u(256), "
    "parent_node_payload_sha512 u(512), codebook_present_flag u(1), codebook, dq_flag u(1), "
    "nnr_decompressed_data_format u(7), nnr_decompressed_data_format u(7), tensor_dimensions_flag u(1), "
    "cabac_unary_length_flag u(1), "
    "compressed_parameter_types u(4), decomposition_rank ue(3), g_number_of_rows ue(3), tensor_dimensions_list, "
    "topology_tensor_dimension_mapping, cabac_unary_length_minus1 u(8), codebook, first_tensor_dimension_shift ue(1), "
    "scan_order u(4), value u(8), dq_state u(3), bit_offset ue(11), bit_offset_delta ie(7), byte_alignment( )",
    "nnr_compressed_data_unit_payload": "raw_float32_parameter flt(32) ..., cabac_payload ae(v) ...",
    "codebook": "codebook_egk u(4), codebook_size ue(2), codebook_center_offset ie(2), codebook_zero_value ie(7), "
    "codebook_delta_left ue(codebook_egk), codebook_delta_right ue(codebook_egk)",
    "tensor_dimensions_list": "count_tensor_dimensions ue(1), count_tensor_dimensions ue(1), tensor_dimensions ue(7)",
    "topology_tensor_dimension_mapping": "concatenation_axis_index u(8), split_index ue(7), number_of_shifts ue(1), "
    "shift_index ue(7), shift_value ue(1)",
}


def test_the_facts_are_compared_for_every_structure() -> None:
    assert set(FACTS) == set(structures())


@pytest.mark.parametrize("name", FACTS)
def test_elements_and_descriptors_are_those_of_the_facts_in_their_order(name: str) -> None:
    rows = [row for row in describe(structures()[name]) if row.kind in ("element", "structure", "alignment")]
    found = [f"{row.name or row.text} {row.descriptor}".strip() for row in rows]
    assert ", ".join(found) == FACTS[name]
