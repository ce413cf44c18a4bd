"""Tensors larger than what a decoder does at one time: more than 65536 elements, wide products (clauses 7 to 9).

Nearly all rows are skipped, so that streams stay small and are decoded fast; what is not 0 stands where pieces of a
power of two would begin and end, and in the first and last row.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from nnr_conformance.suite.corpus.recipes import Recipe

ROWS, COLUMNS = 43691, 3
"""Twice 65536 and 1 elements; element 65536 is the middle one of its row, element 131072 the last of all."""

ROW_OF_BORDER = 65536 // COLUMNS

BUG = (
    "A decoder that works in pieces leaves out an element between two of them, or one that is alone in the last piece."
)


def recipes() -> Iterator[Recipe]:
    """One recipe for each thing that is done element by element, and one for products."""
    yield _recipe(
        "extremes",
        "9-large-tensors",
        "A tensor of 131073 elements is dequantized to its last element.",
        ["R-QP-04", "R-CB-05"],
        [_levels("once", ["precision_loss"]), _levels("before", ["precision_loss"]), _codebook()],
    )
    yield _recipe(
        "extremes",
        "7-large-tensors",
        "One element of 131073 does not fit the number format, and is found wherever it is.",
        ["R-NDU-19"],
        [_misfit(index) for index in (0, 65535, 65536, 131072)],
    )
    yield _recipe(
        "extremes",
        "8-large-products",
        "A product of factors with more than 32768 elements in a row, or in a few rows.",
        ["R-NDU-14"],
        [_product(2, 32769), _product(5, 8193)],
    )


def _recipe(
    kind: str, name: str, purpose: str, requirements: Sequence[str], streams: Sequence[Mapping[str, Any]]
) -> Recipe:
    content = {"purpose": purpose, "bug": BUG, "requirements": list(requirements), "streams": list(streams)}
    return Recipe(kind, name, content, __name__.replace(".", "/") + ".py")


def _stream(tensor: Mapping[str, Any], parameter_set: Mapping[str, Any], **keys: Any) -> dict[str, Any]:
    return {"units": [{"NNR_STR": {}}, {"NNR_MPS": parameter_set}, {"NNR_NDU": tensor}], **keys}


def _tensor(rows: Mapping[int, Sequence[int]]) -> dict[str, Any]:
    """A tensor with these rows; all others are 0 and skipped."""
    levels = np.zeros((ROWS, COLUMNS), np.int64)
    for row, values in rows.items():
        levels[row] = values
    return {"levels": levels.tolist(), "row_skip": (levels == 0).all(axis=1).astype(int).tolist()}


def _levels(reading: str, diagnostics: Sequence[str]) -> dict[str, Any]:
    """Levels above 2^24 with a step of 3: the readings of their rounding give different numbers."""
    rows = {
        0: [16777217, -16777219, 1],
        ROW_OF_BORDER - 1: [5, 16777225, -7],
        ROW_OF_BORDER: [33554435, -16777217, 16777221],
        ROWS - 1: [2, 16777223, -16777233],
    }
    return _stream(
        {"topology_elem_id": "w", "tensors": [_tensor(rows)]},
        {"mps_qp_density": 1, "mps_quantization_parameter": 1},
        check={"readings": {"level-rounding": reading}},
        diagnostics=list(diagnostics),
    )


def _codebook() -> dict[str, Any]:
    rows = {0: [1, -1, 2], ROW_OF_BORDER - 1: [-2, 1, 2], ROW_OF_BORDER: [1, 2, -1], ROWS - 1: [-1, 1, -2]}
    codebook = {
        "codebook_size": 5,
        "codebook_zero_value": 3,
        "codebook_delta_left": [0, 4],
        "codebook_delta_right": [1, 7],
    }
    return _stream(
        {"topology_elem_id": "w", **codebook, "tensors": [_tensor(rows)]},
        {"mps_qp_density": 2, "mps_quantization_method_flags": 3},
    )


def _misfit(index: int) -> dict[str, Any]:
    """Only the element of this index is too large for binary16."""
    row, column = divmod(index, COLUMNS)
    values = [1, -2, 3]
    values[column] = 65520
    return _stream(
        {"topology_elem_id": "w", "nnr_decompressed_data_format": 8, "tensors": [_tensor({row: values})]},
        {"mps_qp_density": 2},
        diagnostics=["decompressed_data_format_extension", "format_overflow"],
        purpose=f"The misfit is element {index}.",
    )


def _product(rows: int, columns: int) -> dict[str, Any]:
    h = np.zeros(columns, np.int64)
    h[[0, 1, 32767 % columns, -2, -1]] = [3, -1, 5, -7, 2]
    block = {
        "nnr_compressed_data_unit_payload_type": "NNR_PT_BLOCK",
        "topology_elem_id_list": ["w_G", "w_H"],
        "compressed_parameter_types": 1,
        "decomposition_rank": 1,
        "g_number_of_rows": rows,
        "tensor_dimensions": [rows, columns],
    }
    tensors = [{"levels": [[row + 2] for row in range(rows)]}, {"levels": [h.tolist()]}]
    return _stream(
        {**block, "tensors": tensors}, {"mps_qp_density": 2}, purpose=f"A product of {rows} rows of {columns} numbers."
    )
