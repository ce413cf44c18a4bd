"""Composition, the last stage: from transmitted tensors to the usable model (clauses 7 and 8).

Local scaling is applied, factors G and H are multiplied, updates are added to their parents. Tensors leave as soon as
nothing that belongs to them can follow; what belongs together without a block is recognised by its name.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nnr_conformance.decoder.composition import (
    Member,
    add_update,
    apply_local_scaling,
    check_factors,
    check_scaling,
    check_update,
    compose,
)
from nnr_conformance.decoder.formats import convert
from nnr_conformance.decoder.tensors import CodedTensor, DecodedUnit
from nnr_conformance.decoder.update_tree import Node
from nnr_conformance.diagnostics import Findings, stop
from nnr_conformance.errors import BitstreamError
from nnr_conformance.limits import DEFAULT_LIMITS, Limits
from nnr_conformance.scope import joined

SCALING_SUFFIX = "_scaling"


class NamedTensor(NamedTuple):
    """A tensor of the model by name, as float32, int32 or the signalled format; `update` when it came as a difference.

    `parent`: the node that is updated, `node`: the one that the tensor belongs to, where they are known and kept.
    """

    name: str
    values: NDArray[Any]
    data_format: int | None
    update: bool
    label: str
    parent: Node | None = None
    node: Node | None = None


@dataclass(slots=True)
class _PendingFactor:
    unit: DecodedUnit
    tensor: CodedTensor


@dataclass(slots=True)
class Composer:
    """Composes the tensors of one stream. Parts that do not fit are reported and delivered as they are.

    `dry`: everything is checked and nothing is calculated; composed tensors have their shape, but hold zeros.
    """

    findings: Findings
    limits: Limits = DEFAULT_LIMITS
    dry: bool = False
    _scalings: dict[str, tuple[DecodedUnit, CodedTensor]] = field(default_factory=dict)
    _factor: _PendingFactor | None = None
    _model: object = None

    def add(self, unit: DecodedUnit) -> Iterator[NamedTensor]:
        """Take a unit; the tensors that are complete with it."""
        if unit.model is not self._model:
            yield from self.finish()
            self._model = unit.model
        if unit.tensors[0].member is not Member.H:
            yield from self._give_up_factor("the next unit does not hold H")
        if unit.block:
            yield from self._block(unit)
            return
        for tensor in unit.tensors:
            yield from self._single(unit, tensor)

    def finish(self) -> Iterator[NamedTensor]:
        """The model ends: parts whose counterparts never came, as they are."""
        yield from self._give_up_factor("the model ends before H")
        for unit, tensor in self._scalings.values():
            yield _named(unit, tensor.name, tensor.values)
        self._scalings.clear()

    def _single(self, unit: DecodedUnit, tensor: CodedTensor) -> Iterator[NamedTensor]:
        if tensor.member is Member.LOCAL_SCALING:
            self._scalings[tensor.name.removesuffix(SCALING_SUFFIX)] = (unit, tensor)
        elif tensor.member is Member.G:
            self._factor = _PendingFactor(unit, tensor)
        elif tensor.member is Member.H:
            if self._factor is None:
                message = f"{tensor.name!r} holds H, but the unit before it does not hold G"
                self.findings.report("decomposition_pair", message, bits=tensor.bits, path=unit.label)
                yield _named(unit, tensor.name, tensor.values)
                return
            g, self._factor = self._factor.tensor, None
            name = composed_name(g.name)
            yield from self._weight(unit, name, g, tensor, self._take_scaling(name))
        else:
            scaling = self._take_scaling(tensor.name)
            yield from self._weight(unit, tensor.name, tensor, None, scaling)

    def _block(self, unit: DecodedUnit) -> Iterator[NamedTensor]:
        members = {tensor.member: tensor for tensor in unit.tensors}
        scaling = members.pop(Member.LOCAL_SCALING, None)
        weight = members.pop(Member.WEIGHT, None) or members.pop(Member.G)
        h = members.pop(Member.H, None)
        for tensor in members.values():
            yield _named(unit, tensor.name, tensor.values)
        name = weight.name if h is None else composed_name(weight.name)
        yield from self._weight(unit, name, weight, h, scaling)

    def _take_scaling(self, name: str) -> CodedTensor | None:
        found = self._scalings.pop(name, None)
        return None if found is None else found[1]

    def _weight(
        self, unit: DecodedUnit, name: str, weight: CodedTensor, h: CodedTensor | None, scaling: CodedTensor | None
    ) -> Iterator[NamedTensor]:
        """The weight with its scaling and its factors; all parts as they are when they do not fit each other."""
        path = joined(unit.label, name)
        values = weight.values
        try:
            if scaling is not None:
                values = self._scaled(values, scaling, path)
            if h is not None:
                self._check_products(values.size, h.values.shape[1], path, h.bits)
                values = self._product(values, h, unit, path)
        except BitstreamError as fault:
            self.findings.add(fault.diagnostic)
            for part in (scaling, weight, h):
                if part is not None:
                    yield _named(unit, part.name, part.values)
            return
        yield _named(unit, name, values)

    def _scaled(self, values: NDArray[Any], scaling: CodedTensor, path: str) -> NDArray[Any]:
        if self.dry:
            check_scaling(values.shape, scaling.values.shape, path=path, bits=scaling.bits)
            return _shape_alone(values.shape) if values.dtype.kind == "i" else values
        return apply_local_scaling(values, scaling.values, path=path, bits=scaling.bits)

    def _product(self, values: NDArray[Any], h: CodedTensor, unit: DecodedUnit, path: str) -> NDArray[Any]:
        if self.dry:
            check_factors(values.shape, h.values.shape, unit.dimensions, path=path, bits=h.bits)
            return _shape_alone(unit.dimensions)
        return compose(values, h.values, unit.dimensions, path=path, bits=h.bits)

    def _check_products(self, left: int, columns: int, path: str, bits: tuple[int, int]) -> None:
        products = left * columns
        if products > self.limits.composition_products:
            message = (
                f"{products} multiplications, the limit composition_products is {self.limits.composition_products}"
            )
            stop("limit_composition", message, bits=bits, path=path)

    def _give_up_factor(self, why: str) -> Iterator[NamedTensor]:
        if self._factor is not None:
            unit, tensor = self._factor.unit, self._factor.tensor
            self._factor = None
            message = f"{tensor.name!r} holds G, but {why}"
            self.findings.report("decomposition_pair", message, bits=tensor.bits, path=unit.label)
            yield _named(unit, tensor.name, tensor.values)


def _shape_alone(shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Real numbers that nobody looks at, in the memory of one."""
    return np.broadcast_to(np.float32(), shape)


def composed_name(g_name: str) -> str:
    """The name of the weight that a factor G belongs to."""
    return g_name.removesuffix("_G")


def transmitted(unit: DecodedUnit, findings: Findings) -> Iterator[NamedTensor]:
    """The tensors of a unit just as they were transmitted and dequantized, in the signalled format."""
    for tensor in unit.tensors:
        yield in_format(_named(unit, tensor.name, tensor.values), findings)


def in_format(tensor: NamedTensor, findings: Findings) -> NamedTensor:
    """The tensor in its signalled format: float32 or int32 when none is signalled (R-NDU-19 to R-NDU-21)."""
    values = convert(tensor.values, tensor.data_format, findings=findings, path=joined(tensor.label, tensor.name))
    return tensor._replace(values=values)


@dataclass(slots=True)
class Parents:
    """The model so far, by name: a base, whose tensors are fetched when they are needed, and values that replace it.

    `left`: names of the base that are still wanted, in order. `tensors`: before they are brought into the format that
    their units signal, which is how they are delivered and not what updates are added to; with the findings of their
    stream. `versions`: by name all that a tensor was, by its node, since several updates can have one parent.
    """

    base: Mapping[str, NDArray[Any]]
    left: dict[str, None]
    tensors: dict[str, tuple[NamedTensor, Findings]] = field(default_factory=dict)
    versions: dict[str, dict[Node | None, NDArray[Any]]] = field(default_factory=dict)

    def keep(self, tensor: NamedTensor, findings: Findings) -> None:
        """Put a tensor in, as the last one of its name and as that of its node."""
        self.tensors[tensor.name] = tensor, findings
        self.versions.setdefault(tensor.name, {})[tensor.node] = tensor.values

    def parent_of(self, tensor: NamedTensor) -> NDArray[Any] | None:
        """The values of the node that a tensor updates, else those of its name; the latter are taken out (R-ED2-14)."""
        latest = self._pop(tensor.name)
        return self.versions.get(tensor.name, {}).get(tensor.parent, latest)

    def forget(self, name: str) -> None:
        """No update of this name comes any more."""
        self.versions.pop(name, None)

    def _pop(self, name: str) -> NDArray[Any] | None:
        if name in self.left:
            del self.left[name]
            return self.base[name]
        return self.tensors.pop(name)[0].values if name in self.tensors else None

    def rest(self) -> Iterator[NamedTensor]:
        """Take all tensors out, those of the base first, each in the format that its unit signals."""
        for name in [*self.left]:
            del self.left[name]
            yield NamedTensor(name, self.base[name], None, False, "")
        for name in [*self.tensors]:
            yield in_format(*self.tensors.pop(name))


def updated(tensor: NamedTensor, model: Parents, findings: Findings) -> NamedTensor:
    """A tensor after its update: added to its parent, which leaves `model`; a tensor that is no update replaces it.

    A difference without a parent, or with one of another shape (update_shape), is delivered as it is.
    """
    parent = model.parent_of(tensor)
    if not tensor.update or parent is None:
        return tensor
    try:
        values = add_update(parent, tensor.values, path=joined(tensor.label, tensor.name))
        return tensor._replace(values=values)
    except BitstreamError as fault:
        findings.add(fault.diagnostic)
        return tensor


@dataclass(slots=True)
class CompositionCheck:
    """Checks the composition of a chain of streams as decoding does, but calculates and keeps nothing but integers.

    `model`: each tensor of the streams so far; of real numbers only the dimensions. To be begun for each stream, with
    its findings.
    """

    limits: Limits = DEFAULT_LIMITS
    model: Parents = field(default_factory=lambda: Parents({}, {}))
    _composer: Composer | None = None

    def begin(self, findings: Findings) -> None:
        """A stream begins."""
        self._composer = Composer(findings, self.limits, dry=True)

    def add(self, unit: DecodedUnit) -> None:
        """Check a unit, the number format of its tensors included."""
        if self._composer is not None:
            for _ in transmitted(unit, self._composer.findings):
                """Only what is reported matters."""
            self._compare(self._composer.add(unit), self._composer.findings)

    def finish(self) -> None:
        """The stream ends."""
        if self._composer is not None:
            self._compare(self._composer.finish(), self._composer.findings)

    def _compare(self, tensors: Iterator[NamedTensor], findings: Findings) -> None:
        """Updates must have the dimensions of their parents, and sums of integers must fit."""
        for tensor in tensors:
            parent, values = self.model.parent_of(tensor), tensor.values
            if tensor.update and parent is not None:
                try:
                    check_update(parent.shape, parent.dtype, values, path=joined(tensor.label, tensor.name))
                    if values.dtype.kind == "i":
                        values = add_update(parent, values, path=joined(tensor.label, tensor.name))
                except BitstreamError as fault:
                    findings.add(fault.diagnostic)
            known = values if values.dtype.kind == "i" else _shape_alone(values.shape)
            self.model.keep(tensor._replace(values=known), findings)


def _named(unit: DecodedUnit, name: str, values: NDArray[Any]) -> NamedTensor:
    return NamedTensor(name, values, unit.data_format, unit.update, unit.label, unit.parent, unit.node)
