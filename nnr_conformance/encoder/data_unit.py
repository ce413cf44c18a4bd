"""Clauses 6 and 7: compressed data units from quantized tensors, as entries of a recipe."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnr_conformance.encoder.init_ids import choose_ids
from nnr_conformance.encoder.payload import entry_point_elements
from nnr_conformance.encoder.payload_writer import TensorPlan, with_ids, write_payload
from nnr_conformance.encoder.quantized_tensor import QuantizedTensor
from nnr_conformance.encoder.settings import EncoderSettings
from nnr_conformance.errors import BuildError

Recipe = dict[str, dict[str, Any]]


@dataclass(frozen=True, slots=True, eq=False)
class Parent:
    """What an update knows of its parent: ids, and for each tensor name levels for contexts and history marks."""

    device_id: int
    parameter_id: int
    depth: int
    levels: NDArray[np.int32] | None = None
    history: NDArray[np.bool_] | None = None

    def elements(self) -> dict[str, Any]:
        """The header elements of an update."""
        return {
            "device_id": self.device_id,
            "parameter_id": self.parameter_id,
            "put_node_depth": self.depth,
            "parent_node_id_type": "ICNN_NDU_ID",
            "temporal_context_modeling_flag": int(self.levels is not None),
            "parent_device_id": self.device_id,
        }


def coded_unit(
    tensors: Sequence[QuantizedTensor],
    header: Mapping[str, Any],
    settings: EncoderSettings,
    scan_order: int,
    parent: Parent | None = None,
) -> Recipe:
    """A unit of quantized tensors, in coding order. `header`: elements that say what they are.

    Raises BuildError when a QP does not fit its field.
    """
    plans = [_plan(tensor, settings, scan_order, parent) for tensor in tensors]
    written = write_payload(plans, compiled=settings.compiled)
    elements: dict[str, Any] = {
        **header,
        **(parent.elements() if parent is not None else {}),
        # Said always, since decoders infer different numbers.
        "cabac_unary_length_minus1": settings.unary_length - 1,
        "cabac_payload": written.data,
        **entry_point_elements(written, list(zip(plans, written.marks, strict=True))),
    }
    if any(tensor.dq for tensor in tensors):
        elements["dq_flag"] = 1
    if scan_order and len(header["tensor_dimensions"]) > 1:
        elements["scan_order"] = scan_order
    books = [tensor.codebook for tensor in tensors if tensor.codebook is not None]
    for place, book in enumerate(books):
        elements |= {"codebook_dc": dict(book.elements())} if place else book.elements()
    return {"NNR_NDU": _in_parts(elements, len(written.data), settings)}


def raw_unit(name: str, values: NDArray[np.float32], settings: EncoderSettings) -> Recipe:
    """A unit of binary32 numbers as they are, NaN and infinities included."""
    elements: dict[str, Any] = {
        "nnr_compressed_data_unit_payload_type": "NNR_PT_RAW_FLOAT",
        "topology_elem_id": name,
        "tensor_dimensions": list(values.shape),
        "raw_float32_parameter": values.astype("<f4").tobytes(),
    }
    return {"NNR_NDU": _in_parts(elements, 4 * values.size, settings)}


def _plan(tensor: QuantizedTensor, settings: EncoderSettings, scan_order: int, parent: Parent | None) -> TensorPlan:
    shape = tensor.levels.shape
    height, width = shape[0], math.prod(shape[1:])
    levels = np.ascontiguousarray(tensor.levels.reshape(height, width))
    order = scan_order if len(shape) > 1 else 0
    flags = settings.profile == 1 and height > 1 and width > 1
    base = None if parent is None or parent.levels is None else parent.levels.reshape(height, width)
    history = None if parent is None or parent.history is None or not flags else parent.history.reshape(height, width)
    book = tensor.codebook
    plan = TensorPlan(
        levels=levels,
        edition=2 if settings.profile == 1 else 1,
        unary_length=settings.unary_length,
        dq=tensor.dq,
        scan_order=order,
        qp_value=None if tensor.qp is None else _qp_field(tensor, settings),
        qp_bits=0 if tensor.qp is None else 6 + settings.qp_density,
        parent_present=parent is not None,
        codebook_size=0 if book is None else len(book.entries),
        codebook_zero=0 if book is None else book.zero,
        row_skip=_skipped_rows(levels, settings, tensor.dq and order > 0) if flags else None,
        history=history,
        base=base,
    )
    if plan.most == (0, 0):
        # With a single entry there is nothing to code, neither flags nor levels.
        return plan
    return with_ids(plan, choose_ids(plan, compiled=settings.compiled)) if settings.init_ids else plan


def _skipped_rows(
    levels: NDArray[np.int32], settings: EncoderSettings, trellis_in_blocks: bool
) -> NDArray[np.uint8] | None:
    """Rows of zeros, None when there are none.

    In blocks, how far the trellis state moves over a skipped row is a reading (row-skip-state) unless the width is a
    multiple of 4; such tensors keep their rows.
    """
    if not settings.row_skip or (trellis_in_blocks and levels.shape[1] % 4):
        return None
    empty: NDArray[np.uint8] = np.asarray(~levels.any(axis=1), np.uint8)
    return empty if empty.any() else None


def _qp_field(tensor: QuantizedTensor, settings: EncoderSettings) -> int:
    difference = (tensor.qp or 0) - settings.qp
    reach = 1 << 5 + settings.qp_density
    if not -reach <= difference < reach:
        raise BuildError(
            f"{tensor.name!r} needs QP {tensor.qp}, which is {difference} from that of the model; with qp_density "
            f"{settings.qp_density} the difference is {-reach} to {reach - 1}"
        )
    return difference


def _in_parts(elements: dict[str, Any], payload_bytes: int, settings: EncoderSettings) -> dict[str, Any]:
    """The unit, cut where its payload is longer than a part may be."""
    size = settings.part_bytes
    if not size or payload_bytes <= size:
        return elements
    count = -(-payload_bytes // size)
    if count > 255:
        raise BuildError(f"a payload of {payload_bytes} bytes makes {count} parts of {size} bytes; 255 are possible")
    return {**elements, "parts": [size] * (count - 1)}
