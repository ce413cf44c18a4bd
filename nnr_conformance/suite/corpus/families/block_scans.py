"""Block scans (clause 10): sizes of blocks, borders, and entry points of several tensors in one payload."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from nnr_conformance.suite.corpus.families.initialization_ids import scattered
from nnr_conformance.suite.corpus.recipes import Recipe

_SOURCE = __name__.replace(".", "/") + ".py"

_FACTORS = (
    (17, 9, 9, 0, ()),
    (17, 9, 9, 1, ()),
    (8, 9, 17, 0, ("decomposition_no_reduction", "single_block_row")),
    (20, 25, 10, 1, ("decomposition_no_reduction",)),
    (9, 1, 9, 0, ("single_block_row",)),
    (1, 9, 2, 0, ("decomposition_no_reduction", "single_block_row")),
)
"""Rows of G, rank, columns of H, dq_flag, and what is odd about them."""


def recipes() -> Iterator[Recipe]:
    """Recipes on the size of blocks and on payloads of several tensors."""
    yield _sizes()
    yield _several_tensors()


def _sizes() -> Recipe:
    streams: list[dict[str, Any]] = []
    for scan_order in range(1, 5):
        block = 4 << scan_order
        for height, width, dq in ((block + 1, block + 3, 1), (2 * block, 5, 0)):
            unit = {"topology_elem_id": "w", "scan_order": scan_order, "dq_flag": dq}
            streams.append({"units": _units(unit | {"tensors": [{"levels": sparse(block, height, width)}]})})
    streams.append(
        {
            "purpose": "The height is a multiple of the block, and so is the width.",
            "units": _units({"topology_elem_id": "w", "scan_order": 1, "tensors": [{"levels": sparse(3, 24, 16)}]}),
        }
    )
    content = {
        "purpose": "Blocks of each size, in tensors one row higher than a block and in those of two whole block rows.",
        "bug": "A decoder that pads the blocks at the border, or counts one block row too few.",
        "requirements": ["R-NDU-27", "R-EP-01", "R-EP-05"],
        "streams": streams,
    }
    return Recipe("core", "10-block-sizes", content, _SOURCE)


def _several_tensors() -> Recipe:
    streams: list[dict[str, Any]] = []
    for height, rank, columns, dq, findings in _FACTORS:
        tensors = [{"levels": sparse(height, height, rank)}, {"levels": sparse(columns, rank, columns)}]
        unit = {
            "nnr_compressed_data_unit_payload_type": "NNR_PT_BLOCK",
            "topology_elem_id_list": ["w_G", "w_H"],
            "compressed_parameter_types": 1,
            "decomposition_rank": rank,
            "g_number_of_rows": height,
            "tensor_dimensions": [height, columns],
            "scan_order": 1,
            "dq_flag": dq,
            "tensors": tensors,
        }
        purpose = f"G is {height}×{rank}, H {rank}×{columns}."
        streams.append({"purpose": purpose, "units": _units(unit), "diagnostics": list(findings)})
    for height, dq in ((9, 0), (25, 1)):
        vector = [number - 2 for number in scattered(height, height, 5)]
        unit = {
            "nnr_compressed_data_unit_payload_type": "NNR_PT_BLOCK",
            "topology_elem_id_list": ["w", "w_scaling", "w_bias"],
            "compressed_parameter_types": 10,
            "scan_order": 1,
            "dq_flag": dq,
            "tensors": [{"levels": vector}, {"levels": vector[::-1]}, {"levels": sparse(height, height, 9)}],
        }
        streams.append(
            {"purpose": "Vectors as long as the weight is high, which have no block rows.", "units": _units(unit)}
        )
    content = {
        "purpose": "The entry points of all tensors of a payload are one list.",
        "bug": "A decoder that gives entry points to a vector, or those of the second factor to the first.",
        "requirements": ["R-EP-01", "R-EP-05"],
        "streams": streams,
    }
    return Recipe("core", "10-entry-points-of-several-tensors", content, _SOURCE)


def sparse(seed: int, height: int, width: int) -> list[list[int]]:
    """A matrix of small levels, most of them 0."""
    numbers = [max(0, number - 14) - max(0, 3 - number) for number in scattered(seed, height * width, 18)]
    return [numbers[row * width : (row + 1) * width] for row in range(height)]


def _units(unit: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"NNR_STR": {}}, {"NNR_MPS": {"mps_qp_density": 2}}, {"NNR_NDU": unit}]
