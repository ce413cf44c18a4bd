"""Clauses 7 and 8, encoder side: tensors of a layer in one NNR_PT_BLOCK, and factors of a decomposed weight."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnr_conformance.encoder.data_unit import Recipe, coded_unit
from nnr_conformance.encoder.decomposition import Factors, decompose
from nnr_conformance.encoder.layer_tools import BatchNorm, divided_rows, fold_batch_norm, row_scaling
from nnr_conformance.encoder.quantized_tensor import QuantizedTensor, quantize, scan_order_of
from nnr_conformance.encoder.settings import BlockPlan, EncoderSettings
from nnr_conformance.errors import BuildError

Tensors = Mapping[str, NDArray[Any]]
Values = dict[str, NDArray[Any]]

CPT_DC, CPT_LS, CPT_BN, CPT_BI = 1, 2, 4, 8
NORM_VECTORS = 4
SCALING_SUFFIX, G_SUFFIX, H_SUFFIX = "_scaling", "_G", "_H"


def block_unit(
    plan: BlockPlan, tensors: Tensors, settings: EncoderSettings
) -> tuple[Recipe, list[QuantizedTensor], Values]:
    """A unit with the tensors of a layer, the tensors as transmitted, and the model's tensors as a decoder has them.

    Raises BuildError for tensors that are missing or of shapes that do not belong together.
    """
    weight = _floats(plan.weight, tensors)
    if weight.ndim < 2:
        raise BuildError(f"the weight {plan.weight!r} of a block has two or more dimensions, not {weight.ndim}")
    bias = _floats(plan.bias, tensors) if plan.bias in tensors else None
    norm = [_floats(name, tensors) for name in plan.batch_norm]
    if len(norm) not in (0, NORM_VECTORS) or (plan.fold and not (norm and plan.bias)):
        raise BuildError(f"a batch norm has {NORM_VECTORS} vectors, and folding it needs the name of a bias")
    _check_vectors(plan, weight, [vector for vector in (bias, *norm) if vector is not None])
    if plan.bias and bias is None and not plan.fold:
        raise BuildError(f"there is no tensor {plan.bias!r} for a block")

    scaling = row_scaling(weight) if plan.local_scaling else None
    sent = weight if scaling is None else divided_rows(weight, scaling)
    if plan.fold:
        folded = fold_batch_norm(BatchNorm(*norm), bias, plan.epsilon)
        bias, norm = folded.bias, []
        scaling = folded.scaling if scaling is None else (scaling * folded.scaling).astype(np.float32)
    types = (
        CPT_DC * bool(plan.rank) | CPT_LS * (scaling is not None) | CPT_BN * bool(norm) | CPT_BI * (bias is not None)
    )
    if not types:
        raise BuildError(f"a block of {plan.weight!r} alone is no block")

    vectors = [(plan.weight + SCALING_SUFFIX, scaling)] if scaling is not None else []
    vectors += [(plan.bias, bias)] if bias is not None else []
    vectors += list(zip(plan.batch_norm, norm, strict=True)) if norm else []
    parts = [quantize(name, vector, settings, scan_order=0, codebook=False) for name, vector in vectors]
    scan_order = _scan_order(weight.shape, plan.rank, settings)
    weights = _weight_parts(plan.weight, sent, plan.rank, scan_order, settings)
    listed = [part.name for part in weights]
    listed += [plan.weight + SCALING_SUFFIX] if scaling is not None else []
    listed += list(plan.batch_norm) if norm else []
    listed += [plan.bias] if bias is not None else []
    header = _header(listed, types, weight.shape, plan.rank)
    unit = coded_unit([*parts, *weights], header, settings, scan_order)
    values = {part.name: part.values for part in parts}
    scale = values.pop(plan.weight + SCALING_SUFFIX, None)
    return unit, [*parts, *weights], {**values, plan.weight: composed_weight(weights, weight.shape, scale)}


def factor_units(
    name: str, weight: NDArray[Any], settings: EncoderSettings, factors: Factors | None = None
) -> tuple[list[Recipe], list[QuantizedTensor], Values]:
    """The factors of a weight, in a block or in two units, as `block_unit` returns them.

    `factors`: where they were found in another way than `decompose` would do it, of the rank of the settings.
    """
    scan_order = _scan_order(weight.shape, settings.rank, settings)
    parts = _factor_parts(name, factors or decompose(weight, settings.rank), scan_order, settings)
    header = _header([part.name for part in parts], CPT_DC, weight.shape, settings.rank)
    if settings.blocked_factors:
        units = [coded_unit(parts, header, settings, scan_order)]
    else:
        del header["topology_elem_id_list"]
        header["nnr_compressed_data_unit_payload_type"] = "NNR_PT_FLOAT"
        units = [coded_unit([part], {**header, "topology_elem_id": part.name}, settings, scan_order) for part in parts]
    return units, parts, {name: composed_weight(parts, weight.shape, None)}


def composed_weight(
    weights: list[QuantizedTensor], shape: tuple[int, ...], scaling: NDArray[np.float32] | None
) -> NDArray[np.float32]:
    """The weight, float32: first its rows or those of G scaled, then the factors multiplied.

    Each element of the product is summed in the order of the rank, in binary64.
    """
    values = weights[0].values
    if scaling is not None:
        values = values * scaling.astype(values.dtype).reshape(-1, *[1] * (values.ndim - 1))
    if len(weights) == 1:
        return values.astype(np.float32)
    g, h = values.astype(np.float64), weights[1].values.astype(np.float64)
    total = np.zeros((g.shape[0], h.shape[1]))
    for column, row in zip(g.T, h, strict=True):
        total += np.outer(column, row)
    return total.astype(np.float32).reshape(shape)


def _weight_parts(
    name: str, weight: NDArray[Any], rank: int, scan_order: int, settings: EncoderSettings
) -> list[QuantizedTensor]:
    if not rank:
        return [quantize(name, weight, settings, scan_order=scan_order, codebook=True)]
    return _factor_parts(name, decompose(weight, rank), scan_order, settings)


def _factor_parts(name: str, factors: Factors, scan_order: int, settings: EncoderSettings) -> list[QuantizedTensor]:
    return [
        quantize(name + suffix, factor, settings, scan_order=scan_order, codebook=True)
        for suffix, factor in ((G_SUFFIX, factors.g), (H_SUFFIX, factors.h))
    ]


def _header(names: list[str], types: int, shape: tuple[int, ...], rank: int) -> dict[str, Any]:
    decomposition = {"decomposition_rank": rank, "g_number_of_rows": shape[0]} if rank else {}
    return {
        "nnr_compressed_data_unit_payload_type": "NNR_PT_BLOCK",
        "topology_elem_id_list": names,
        "compressed_parameter_types": types,
        "tensor_dimensions": list(shape),
        **decomposition,
    }


def _scan_order(shape: tuple[int, ...], rank: int, settings: EncoderSettings) -> int:
    factors = ((shape[0], rank), (rank, math.prod(shape[1:]))) if rank else (shape,)
    return scan_order_of(settings.scan_order, *factors)


def _check_vectors(plan: BlockPlan, weight: NDArray[Any], vectors: list[NDArray[Any]]) -> None:
    for vector in vectors:
        if vector.shape != weight.shape[:1]:
            raise BuildError(
                f"the block of {plan.weight!r} has {weight.shape[0]} rows, a vector of it is {list(vector.shape)}"
            )


def _floats(name: str, tensors: Tensors) -> NDArray[Any]:
    found = tensors.get(name)
    if found is None or found.dtype.kind != "f":
        raise BuildError(f"a block needs the tensor {name!r} of floats")
    return found
