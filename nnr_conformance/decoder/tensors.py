"""What decoding a compressed data unit gives: its tensors, still apart from each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnr_conformance.decoder.composition import Member
from nnr_conformance.decoder.update_tree import Node


@dataclass(frozen=True, slots=True, eq=False)
class CodedTensor:
    """One tensor as it was transmitted and dequantized.

    `values`: float32; float64, which holds the exact products, for a codebook tensor; int32 for NNR_PT_INT.
    `quantized`: int32 integers before dequantization (None for NNR_PT_RAW_FLOAT, and where nobody wants them), `qp` its
    quantization parameter (None without one). `bits`: first and end bit of its data in the stream. `codebook_size`: 0
    without a codebook.
    """

    name: str
    member: Member
    values: NDArray[Any]
    quantized: NDArray[np.int32] | None
    qp: int | None
    bits: tuple[int, int]
    codebook_size: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class DecodedUnit:
    """The tensors of one compressed data unit in coding order.

    `dimensions`: those of the (composed) weight. `update`: the unit is an update of a parent. `data_format`:
    nnr_decompressed_data_format or None. `block`: the tensors are one NNR_PT_BLOCK. `tools`: names of what was used.
    `model`: the same object for all units of one model of the stream. `parent`: the node that is updated,
    `node`: the one that the unit makes, both where they are known and kept.
    """

    label: str
    tensors: tuple[CodedTensor, ...]
    dimensions: tuple[int, ...]
    update: bool
    data_format: int | None
    block: bool
    tools: frozenset[str]
    model: object
    parent: Node | None = None
    node: Node | None = None
