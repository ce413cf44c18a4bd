"""Enumerated values, from `spec/tables/enumerations.yaml`, and constants for declarations and decoder."""

from __future__ import annotations

from functools import cache

from nnr_conformance.data import load_yaml
from nnr_conformance.descriptors import Enumeration

STR, MPS, LPS, TPL, QNT, NDU, AGG = range(7)
"""nnr_unit_type: NNR_STR, NNR_MPS, NNR_LPS, NNR_TPL, NNR_QNT, NNR_NDU, NNR_AGG."""

TPL_NNEF, TPL_ONNX, TPL_PYT, TPL_TEF, TPL_PRUN, TPL_REFLIST = range(1, 7)
"""topology_storage_format: NNR_TPL_NNEF, NNR_TPL_ONNX, NNR_TPL_PYT, NNR_TPL_TEF, NNR_TPL_PRUN, NNR_TPL_REFLIST."""

QNT_NNEF = 1
"""quantization_storage_format: the format of NNEF."""

AGG_SLF = 1
"""nnr_aggregate_unit_type: NNR_AGG_SLF, self-contained."""

PT_INT, PT_FLOAT, PT_RAW_FLOAT, PT_BLOCK = range(4)
"""nnr_compressed_data_unit_payload_type: NNR_PT_INT, NNR_PT_FLOAT, NNR_PT_RAW_FLOAT, NNR_PT_BLOCK."""

CPT_DC, CPT_LS, CPT_BN, CPT_BI = 1, 2, 4, 8
"""Bits of compressed_parameter_types: decomposition, local scaling, batch norm, bias."""

ICNN_NDU_ID, ICNN_NDU_PL_SHA256, ICNN_NDU_PL_SHA512 = range(3)
"""parent_node_id_type."""

DFL = 1
"""topology_compression_format and quantization_compression_format: NNR_DFL, compressed with DEFLATE."""


@cache
def enumeration(name: str) -> Enumeration:
    """The enumeration of a syntax element."""
    return Enumeration(name, load_yaml("spec/tables/enumerations.yaml")[name]["values"])


def unit_type_name(unit_type: int) -> str:
    """The name of an nnr_unit_type, or its number when it has none."""
    return enumeration("nnr_unit_type").values.get(unit_type, f"type {unit_type}")
