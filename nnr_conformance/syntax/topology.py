"""Payloads of topology and quantization units, with the pruning topology container (clauses 6 and 8).

No public codec implements the pruning container; where its dictionary is aligned is a reading (pruning-dictionary), and
so is whether containers can be compressed (container-compression).
"""

from __future__ import annotations

from construct import this

from nnr_conformance.descriptors import BitString, ByteAlignment, Must, bs, reserved_zero, st, u, ue, value
from nnr_conformance.expressions import either, reading
from nnr_conformance.syntax.declaration import For, If, Structure
from nnr_conformance.syntax.enumerations import DFL, TPL_PRUN, TPL_REFLIST, enumeration
from nnr_conformance.syntax.identifiers import topology_elements_ids_list

bit_mask = Structure(
    "bit_mask",
    "count_bits" / u(32, must=Must(value > 0, "bit_mask_empty")),
    "bit_mask_value" / BitString(this.count_bits),
    ByteAlignment(),
)

_element_id = If(
    this.mps_topology_indexed_reference_flag == 0,
    "element_id" / st(),
    otherwise=("element_id_index" / ue(7),),
)
_element_dims = ("count_dims" / ue(1), For("k", this.count_dims, "dim" / ue(7)))

pruning_dictionary = Structure(
    "pruning_dictionary",
    "count_ids" / u(8, must=Must(value > 0, "pruning_dictionary_empty")),
    If(
        reading("pruning-dictionary") == "grouped",
        For("j", this.count_ids, _element_id),
        ByteAlignment(),
        For("j", this.count_ids, *_element_dims),
        ByteAlignment(),
        otherwise=(
            For(
                "j",
                this.count_ids,
                _element_id,
                *_element_dims,
                If(reading("pruning-dictionary") == "per-entry", ByteAlignment()),
            ),
            If(reading("pruning-dictionary") == "once", ByteAlignment()),
        ),
    ),
)

nnr_pruning_topology_container = Structure(
    "nnr_pruning_topology_container",
    "nnr_rep_type" / u(2, enum=enumeration("nnr_rep_type"), must=Must(value <= 1, "rep_type_reserved")),
    "prune_flag" / u(1),
    "order_flag" / u(1, note=lambda flag: "row-major" if flag else "column-major"),
    "sparse_flag" / u(1),
    "nnr_reserved_zero_3bits" / reserved_zero(3, "container_reserved_not_zero"),
    If(
        this.prune_flag == 1,
        If(this.nnr_rep_type == 0, bit_mask()),
        If(this.nnr_rep_type == 1, pruning_dictionary()),
    ),
    If(this.sparse_flag == 1, "sparsity_bit_mask" / bit_mask()),
)

nnr_topology_unit_payload = Structure(
    "nnr_topology_unit_payload",
    If(
        (reading("container-compression") == "compressed")
        & (this.topology_compression_format == DFL)
        & either(this.topology_storage_format == TPL_PRUN, this.topology_storage_format == TPL_REFLIST),
        "topology_data" / bs(),
        otherwise=(
            If(
                this.topology_storage_format == TPL_PRUN,
                nnr_pruning_topology_container(),
                otherwise=(
                    If(
                        this.topology_storage_format == TPL_REFLIST,
                        topology_elements_ids_list(0),
                        otherwise=(
                            If(
                                reading("byte-string") == "bytes",
                                "topology_data" / bs(),
                                otherwise=("topology_data" / st(),),
                            ),
                        ),
                    ),
                ),
            ),
        ),
    ),
)

nnr_quantization_unit_payload = Structure(
    "nnr_quantization_unit_payload",
    If(
        reading("byte-string") == "bytes",
        "quantization_data" / bs(),
        otherwise=("quantization_data" / st(),),
    ),
)
