"""Rules on what compressed data units hold (clauses 6 to 10)."""

from __future__ import annotations

import math
from collections.abc import Iterator

from nnr_conformance.checker.rules import ModelSoFar, Outcome, RuleSet, SeenUnit, outcome
from nnr_conformance.syntax.enumerations import CPT_DC, NDU, PT_BLOCK, PT_FLOAT, PT_INT
from nnr_conformance.syntax.parameter_sets import QCB, QSU

RULES = RuleSet()


@RULES.unit("decomposition_no_reduction", NDU)
def a_decomposition_reduces(seen: SeenUnit, model: ModelSoFar) -> Iterator[Outcome]:
    """R-NDU-15: decomposition_rank is at most the number of rows and of columns."""
    rank, rows = seen.get("decomposition_rank", 0), seen.get("g_number_of_rows", 0)
    elements = math.prod(seen.get("tensor_dimensions", []))
    if seen.get("compressed_parameter_types", 0) & CPT_DC and rank and rows and elements % rows == 0:
        most = min(rows, elements // rows)
        yield outcome(rank <= most, f"rank {rank} for {rows} rows and {elements // rows} columns", "decomposition_rank")


@RULES.unit("scan_order_without_effect", NDU)
def block_scans_are_for_matrices(seen: SeenUnit, model: ModelSoFar) -> Iterator[Outcome]:
    """R-NDU-30: a block scan of a single row or column has no effect."""
    dims = seen.get("tensor_dimensions", [])
    if seen.get("scan_order", 0) and dims and not seen.get("compressed_parameter_types", 0) & CPT_DC:
        single = dims[0] == 1 or math.prod(dims[1:]) == 1
        yield outcome(not single, f"dimensions {list(dims)}", "scan_order")


@RULES.unit("integer_with_dq", NDU)
def integers_are_not_dependently_quantized(seen: SeenUnit, model: ModelSoFar) -> Iterator[Outcome]:
    """R-NDU-25: dq_flag has no effect on integer payloads."""
    if seen.get("nnr_compressed_data_unit_payload_type") == PT_INT:
        yield outcome(seen.get("dq_flag") == 0, "dq_flag is 1", "dq_flag")


@RULES.unit("uniform_not_announced", NDU)
def uniform_quantization_is_announced(seen: SeenUnit, model: ModelSoFar) -> Iterator[Outcome]:
    """R-MPS-06: scalar uniform quantization is used only where NNR_QSU is set."""
    quantized = seen.get("nnr_compressed_data_unit_payload_type") in (PT_FLOAT, PT_BLOCK)
    if quantized and not seen.get("codebook_present_flag") and model.methods & (QSU | QCB):
        yield outcome(
            bool(model.methods & QSU), "NNR_QSU is not set, and there is no codebook", "codebook_present_flag"
        )
