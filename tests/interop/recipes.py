"""Recipes of random models: small descriptions that Hypothesis can draw and shrink, and the arrays they stand for."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]
Arrays = dict[str, Array]

SCAN_BLOCK = {0: 1, 1: 8, 2: 16, 3: 32, 4: 64}
BATCH_NORM = ("beta", "gamma", "mean", "var")
INT32_MAX = 2**31 - 1


@dataclass(frozen=True)
class Values:
    """Where a tensor's values come from: a seed, the spread of its levels, and what is zero or repeated.

    `support` seeds the places of the zeros, so that updates can change the same weights again and again.
    """

    seed: int = 0
    spread: float = 2.0
    zeros: float = 0.0
    zero_rows: float = 0.0
    distinct: int = 0
    support: int = 0


@dataclass(frozen=True)
class Tensor:
    """A tensor that belongs to no layer."""

    name: str
    shape: tuple[int, ...]
    values: Values = Values()
    integer: bool = False
    scan_order: int = 0
    qp: int | None = None


@dataclass(frozen=True)
class Layer:
    """A weight with the tensors that a block unit can carry beside it."""

    name: str
    shape: tuple[int, ...]
    values: Values = Values()
    local_scaling: bool = False
    bias: bool = True
    batch_norm: bool = False
    fold: bool = False
    rank: int = 0
    factor_rows: int = 1
    scan_order: int = 0
    separate: bool = False


@dataclass(frozen=True)
class Options:
    """What NNCodec's encoder is told for one stream."""

    profile: int = 1
    qp: int = -20
    nonweight_qp: int = -30
    qp_density: int = 2
    dq: bool = False
    unary_minus1: int = 10
    param_opt: bool = False
    row_skipping: bool = False
    codebook_mode: int = 0
    rate_weight: float = 0.0
    bit_depth: int = 0
    topology: int = 0


@dataclass(frozen=True)
class Update:
    """One update of the chain: its own options and, for every tensor, which of its values change."""

    options: Options
    values: Values
    unchanged: frozenset[str] = frozenset()
    temporal_contexts: bool = False


@dataclass(frozen=True)
class Case:
    """A model and its updates.

    `history` lets updates use history-dependent significance; with `base_in_history` the base model counts as well,
    which is the reading history=all. `signal_parents_in_base` marks the base stream as part of a parameter update tree,
    `base_is_parent` makes its levels the temporal contexts of the first update.
    """

    options: Options
    tensors: tuple[Tensor, ...] = ()
    layers: tuple[Layer, ...] = ()
    updates: tuple[Update, ...] = ()
    device_id: int = 0
    history: bool = False
    base_in_history: bool = False
    signal_parents_in_base: bool = False
    base_is_parent: bool = False


def step_size(qp: int, density: int) -> float:
    """Distance of two uniform reconstruction points."""
    k = 1 << density
    return float((k + (qp & (k - 1))) * 2.0 ** ((qp >> density) - density))


def fill(shape: tuple[int, ...], values: Values, step: float) -> Array:
    """float32 values whose levels at `step` have about the wanted spread."""
    rng = np.random.default_rng(values.seed)
    drawn = rng.laplace(scale=values.spread * step, size=shape)
    if values.distinct:
        choices = rng.integers(-(values.distinct // 2), (values.distinct + 1) // 2 + 1, size=shape)
        drawn = choices * (5 * step)  # far apart, so that a codebook pays
    places = np.random.default_rng(values.support)
    drawn[places.random(shape) < values.zeros] = 0
    drawn[places.random(shape[0]) < values.zero_rows] = 0
    return np.ascontiguousarray(drawn, dtype=np.float32)


def fill_integers(shape: tuple[int, ...], values: Values) -> Array:
    """int32 values, up to the ends of the range when the spread is large."""
    drawn = np.rint(np.clip(fill(shape, values, 1.0).astype(np.float64), -INT32_MAX, INT32_MAX))
    return np.ascontiguousarray(drawn.astype(np.int64), dtype=np.int32)


@dataclass
class Model:
    """What NNCodec's functions take: parameters, block membership, and the scan order of each tensor."""

    shapes: Arrays = field(default_factory=dict)
    parameters: Arrays = field(default_factory=dict)
    block_of: dict[str, str] = field(default_factory=dict)
    type_of: dict[str, str] = field(default_factory=dict)
    scan_orders: dict[str, int] = field(default_factory=dict)
    qps: dict[str, int] = field(default_factory=dict)

    def add(self, name: str, array: Array, scan_order: int = 0) -> None:
        self.shapes[name] = self.parameters[name] = array
        if array.ndim > 1:
            self.scan_orders[name] = scan_order

    def add_tensor(self, tensor: Tensor, options: Options) -> None:
        step = step_size(options.qp if len(tensor.shape) > 1 else options.nonweight_qp, options.qp_density)
        array = (
            fill_integers(tensor.shape, tensor.values) if tensor.integer else fill(tensor.shape, tensor.values, step)
        )
        self.add(tensor.name, array, tensor.scan_order)
        if tensor.qp is not None and not tensor.integer:
            self.qps[tensor.name] = tensor.qp

    def add_layer(self, layer: Layer, options: Options) -> None:
        step = step_size(options.qp, options.qp_density)
        vector_step = step_size(options.nonweight_qp, options.qp_density)
        rng = np.random.default_rng(layer.values.seed + 1)

        def member(name: str, kind: str, array: Array) -> None:
            self.add(name, array, layer.scan_order)
            self.block_of[name] = layer.name
            self.type_of[name] = kind

        def vector(spread: float = 4.0) -> Array:
            return rng.normal(scale=spread * vector_step, size=layer.shape[0]).astype(np.float32)

        member(layer.name, "weight", fill(layer.shape, layer.values, step))
        if layer.local_scaling:
            member(layer.name + "_scaling", "weight.ls", 1 + vector())
        if layer.bias:
            member(layer.name + ".b", "bias", vector())
        if layer.batch_norm:
            for part in BATCH_NORM:
                array = vector() if part != "var" else (np.abs(vector()) + np.float32(0.5))
                member(f"{layer.name}.bn.{part}", f"bn.{part}", array)
        if layer.rank:
            rows, columns = layer.factor_rows, int(np.prod(layer.shape)) // layer.factor_rows
            del self.parameters[layer.name], self.scan_orders[layer.name]
            for suffix, shape in (("_G", (rows, layer.rank)), ("_H", (layer.rank, columns))):
                self.parameters[layer.name + suffix] = fill(shape, layer.values, step)
                self.scan_orders[layer.name + suffix] = layer.scan_order


def build_model(case: Case) -> Model:
    """The base model of a case."""
    model = Model()
    for tensor in case.tensors:
        model.add_tensor(tensor, case.options)
    for layer in case.layers:
        model.add_layer(layer, case.options)
    return model


def build_update(base: Model, update: Update) -> Model:
    """A model of differences; every tensor is free, because NNCodec's update streams cannot carry blocks."""
    model = Model()
    for index, (name, array) in enumerate(base.shapes.items()):
        zeros = 1.0 if name in update.unchanged else update.values.zeros
        values = replace(update.values, seed=update.values.seed + index, zeros=zeros)
        model.add_tensor(
            Tensor(name, array.shape, values, array.dtype == np.int32, base.scan_orders.get(name, 0)), update.options
        )
    return model
