"""Weights from what is transmitted of them (clause 8): local scaling, the product of factors."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnr_conformance.suite.corpus.intent.elements import UnitIntent
from nnr_conformance.suite.corpus.intent.exact import BINARY32, BINARY64, Exact, converted, exact, product, rounded
from nnr_conformance.suite.corpus.intent.layout import Layout, Role
from nnr_conformance.suite.corpus.intent.refusal import NoIntent
from nnr_conformance.suite.corpus.intent.transmitted import Transmitted
from nnr_conformance.syntax.enumerations import PT_BLOCK


@dataclass(frozen=True, slots=True, eq=False)
class Composed:
    """A tensor of the usable model, and the unit that completed it."""

    name: str
    values: NDArray[Any]
    unit: UnitIntent
    layout: Layout


def scaled(weight: NDArray[Any], scaling: NDArray[Any]) -> NDArray[Any]:
    """Each row times its factor: binary32, or binary64 where the weight comes from a codebook."""
    if scaling.shape != weight.shape[:1]:
        raise NoIntent(f"a vector {scaling.shape} does not scale the rows of {weight.shape}")
    form, kind = (BINARY64, np.float64) if weight.dtype == np.float64 else (BINARY32, np.float32)
    rows = [
        [product(converted(one, form), converted(factor, form), form) for one in row.ravel().tolist()]
        for row, factor in zip(weight, scaling.tolist(), strict=True)
    ]
    return np.array(rows, kind).reshape(weight.shape)


def factors_product(g: NDArray[Any], h: NDArray[Any], shape: Sequence[int]) -> NDArray[np.float32]:
    """G times H as a tensor of the weight's dimensions: exact sums, rounded once.

    No order of summation is normative. Raises NoIntent where one order in binary64 could give another number.
    """
    if g.shape[1:] != h.shape[:1] or g.shape[0] * h.shape[1] != math.prod(shape):
        raise NoIntent(f"factors {g.shape} and {h.shape} do not make {tuple(shape)}")
    if not (np.isfinite(g).all() and np.isfinite(h).all()):
        raise NoIntent("factors are not finite")
    left, of_left = _integers(g)
    right, of_right = _integers(h)
    exponent = of_left + of_right
    underflow = len(h) << max(0, BINARY64.least - exponent) if exponent < BINARY64.least else 0
    found: list[float] = []
    for one, terms in zip(np.dot(left, right).ravel(), np.dot(abs(left), abs(right)).ravel(), strict=True):
        # Each product and each sum in binary64 is off by 2^-53 of it at most, and exact below 2^53 units.
        slack = (len(h) + 1) * (terms >> BINARY64.precision) + int(terms >> BINARY64.precision > 0)
        slack += underflow if terms else 0
        around = [rounded(Exact(int(one) + error, exponent), BINARY32) for error in (-slack, 0, slack)]
        if len({value.hex() for value in around}) > 1:
            raise NoIntent("the order of summation matters")
        found.append(around[1])
    return np.array(found, np.float32).reshape(shape)


def _integers(array: NDArray[Any]) -> tuple[NDArray[Any], int]:
    """The elements as integers of any size, times one power of two."""
    numbers = [exact(one) for one in array.ravel().tolist()]
    least = min((one.exponent for one in numbers), default=0)
    found = np.empty(len(numbers), object)
    found[:] = [one.at(least) for one in numbers]
    return found.reshape(array.shape), least


@dataclass(slots=True)
class Composition:
    """Composes unit after unit of one model. Outside of blocks, scaling comes before its weight and G before H."""

    _scaling: dict[str, tuple[Transmitted, UnitIntent, Layout]] = field(default_factory=dict)
    _g: tuple[Transmitted, UnitIntent] | None = None

    def add(self, unit: UnitIntent, layout: Layout, tensors: Sequence[Transmitted]) -> Iterator[Composed]:
        """The tensors that a unit completes."""
        if self._g is not None and tensors[0].role is not Role.H:
            raise NoIntent(f"{unit.label}: another unit comes between G and H")
        if unit.get("nnr_compressed_data_unit_payload_type") == PT_BLOCK:
            yield from _of_block(unit, layout, tensors)
            return
        for tensor in tensors:
            yield from self._single(unit, layout, tensor)

    def finish(self) -> Iterator[Composed]:
        """Scaling vectors without a weight."""
        if self._g is not None:
            raise NoIntent("G has no H")
        for tensor, unit, layout in self._scaling.values():
            yield Composed(tensor.name, tensor.values, unit, layout)
        self._scaling = {}

    def _single(self, unit: UnitIntent, layout: Layout, tensor: Transmitted) -> Iterator[Composed]:
        if tensor.role is Role.SCALING:
            self._scaling[tensor.name.removesuffix("_scaling")] = tensor, unit, layout
            return
        if tensor.role is Role.G:
            self._g = tensor, unit
            return
        name, values = tensor.name, tensor.values
        if tensor.role is Role.H:
            if self._g is None:
                raise NoIntent(f"{unit.label}: H has no G")
            name = _composed_name(self._g[0], tensor)
            values = factors_product(self._scaled(name, self._g[0].values), tensor.values, layout.shape)
            self._g = None
        else:
            values = self._scaled(name, values)
        yield Composed(name, values, unit, layout)

    def _scaled(self, name: str, values: NDArray[Any]) -> NDArray[Any]:
        if name not in self._scaling:
            return values
        return scaled(values, self._scaling.pop(name)[0].values)


def _of_block(unit: UnitIntent, layout: Layout, tensors: Sequence[Transmitted]) -> Iterator[Composed]:
    """The tensors of a block without its scaling vector, in coding order."""
    scaling = [tensor for tensor in tensors if tensor.role is Role.SCALING]
    weights = [tensor for tensor in tensors if tensor.role in (Role.WEIGHT, Role.G, Role.H)]
    for tensor in tensors:
        if tensor.role is Role.OTHER:
            yield Composed(tensor.name, tensor.values, unit, layout)
    values = scaled(weights[0].values, scaling[0].values) if scaling else weights[0].values
    name = weights[0].name
    if weights[0].role is Role.G:
        name = _composed_name(weights[0], weights[1])
        if scaling and layout.rows != layout.shape[0]:
            raise NoIntent(f"{name}: the rows of G are not those that are scaled")
        values = factors_product(values, weights[1].values, layout.shape)
    if scaling and scaling[0].name != f"{name}_scaling":
        raise NoIntent(f"{scaling[0].name} is not the name of the scaling of {name}")
    yield Composed(name, values, unit, layout)


def _composed_name(g: Transmitted, h: Transmitted) -> str:
    name = g.name.removesuffix("_G")
    if (g.name, h.name) != (f"{name}_G", f"{name}_H"):
        raise NoIntent(f"{g.name} and {h.name} are not names of factors")
    return name
