"""What a topology in the stream says of its elements, whichever framework it comes from (annexes A to D)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from nnr_conformance.decoder.composition import Member
from nnr_conformance.decoder.tensors import DecodedUnit
from nnr_conformance.decoder.topology import CarriedData
from nnr_conformance.errors import UsageError
from nnr_conformance.syntax.enumerations import TPL_NNEF, TPL_ONNX, TPL_PYT, TPL_TEF

Shape = tuple[int, ...]
_SUFFIXES = {Member.G: "_G", Member.H: "_H"}


@dataclass(frozen=True, slots=True)
class KnownTopology:
    """`storage_format`: of the unit `label`. `shapes`: of all elements by identifier, None where it is not said.

    `outside`: those whose numbers the topology has not. `nodes`: names that its text gives to elements beside their
    identifiers. `norms`: mean, variance and gamma of each batch norm, which folding takes away together, and beta.
    """

    label: str
    storage_format: int
    shapes: Mapping[str, Shape | None]
    outside: frozenset[str]
    nodes: frozenset[str] = field(default=frozenset())
    norms: tuple[tuple[str, ...], ...] = ()

    def missing(self, named: frozenset[str]) -> list[str]:
        """Elements without numbers in a stream that names these; those of batch norms that were folded are not."""
        folded: set[str] = set()
        for gamma, beta, mean, variance in self.norms:
            if named.isdisjoint((gamma, mean, variance)):
                folded |= {gamma, beta, mean, variance}
        return sorted(self.outside - named - folded)


def known_topology(data: CarriedData) -> KnownTopology | None:
    """What the data of a topology unit says; None when it is of no format that is understood, or damaged."""
    # Few streams have a topology, and checks of the others start sooner.
    from nnr_conformance.frameworks import description, nnef, onnx  # noqa: PLC0415
    from nnr_conformance.frameworks.kinds import KINDS  # noqa: PLC0415

    try:
        if data.storage_format == TPL_ONNX:
            found = onnx.parameters(data.data)
            shapes = {name: one.dims for name, one in found.items()}
            outside = frozenset(name for name, one in found.items() if one.is_out)
            return KnownTopology(data.label, TPL_ONNX, shapes, outside, norms=onnx.batch_norms(data.data))
        if data.storage_format == TPL_NNEF:
            text = data.data.decode("utf-8")
            known = nnef.variable_shapes(text)
            return KnownTopology(data.label, TPL_NNEF, known, frozenset(known), nnef.identifiers(text))
        if data.storage_format in (TPL_PYT, TPL_TEF) and data.data:
            arrays = description.from_json(KINDS[data.storage_format], data.data).arrays
            sizes = {one.name: one.shape for one in arrays if one.same_as is None}
            travelling = frozenset(one.name for one in arrays if one.travels)
            return KnownTopology(data.label, data.storage_format, sizes, travelling)
    except (UsageError, UnicodeDecodeError):
        return None
    return None


def elements_of(unit: DecodedUnit) -> Iterator[tuple[str, Shape]]:
    """Identifiers and shapes of what a unit holds: a decomposed weight as one, no local scaling."""
    for tensor in unit.tensors:
        if tensor.member in _SUFFIXES:
            yield tensor.name.removesuffix(_SUFFIXES[tensor.member]), unit.dimensions
        elif tensor.member is not Member.LOCAL_SCALING:
            yield tensor.name, tensor.values.shape
