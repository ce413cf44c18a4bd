"""What rules see of a stream: units with the places of their elements, and the model as far as it came."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nnr_conformance.checker.known_topology import KnownTopology, elements_of, known_topology
from nnr_conformance.checker.topology_formats import nnef_labels
from nnr_conformance.decoder.composition import Member
from nnr_conformance.decoder.tensors import DecodedUnit
from nnr_conformance.decoder.topology import CarriedData
from nnr_conformance.expressions import evaluate, reading
from nnr_conformance.scope import TraceEntry
from nnr_conformance.syntax.enumerations import AGG, CPT_DC, CPT_LS, LPS, MPS, NDU, PT_BLOCK, TPL, TPL_NNEF
from nnr_conformance.syntax.unit_parser import Unit


@dataclass(frozen=True, eq=False)
class SeenUnit:
    """A unit as rules see it: parsed, with its trace, which is there as long as the unit is looked at."""

    unit: Unit
    trace: Sequence[TraceEntry]

    @cached_property
    def _values(self) -> Mapping[str, Any]:
        return self.unit.names.flat()

    # Most units break no rule, and nobody asks where their elements are.
    @cached_property
    def _places(self) -> Mapping[str, tuple[int, int]]:
        return {entry.name: (entry.first, entry.first + entry.size) for entry in self.trace if not entry.inferred}

    @cached_property
    def _paths(self) -> Mapping[str, str]:
        return {entry.name: entry.path for entry in self.trace}

    def get(self, name: str, default: Any = None) -> Any:
        """Value of an element of this unit, or of the state before it."""
        return self._values.get(name, default)

    def place_of(self, element: str) -> tuple[int, int] | None:
        """The bits of an element, named with its subscript; None when it is not in the stream."""
        return self._places.get(element)

    def path_of(self, element: str, default: str) -> str:
        """The path of an element, named with its subscript."""
        return self._paths.get(element, default)


class Layer(NamedTuple):
    """A layer parameter set in force: its label, and lps_self_contained_flag."""

    label: str
    self_contained: bool


class SparsityMask(NamedTuple):
    """A bit mask of sparse_flag: the unit that has it, the bits as packed bytes, count_bits, and its order."""

    label: str
    bits: bytes
    count_bits: int
    row_major: bool

    def denies(self, values: NDArray[Any], first: int) -> bool:
        """True when a value is not 0 although its bit, from bit `first` on, says so."""
        end = min(first + values.size, self.count_bits)
        packed = np.frombuffer(self.bits, np.uint8)[first >> 3 : end + 7 >> 3]
        marked = np.unpackbits(packed)[first & 7 :][: max(0, end - first)].astype(bool)
        flat = values.ravel(order="C" if self.row_major else "F")
        return bool(np.any(flat[: marked.size][marked]))


@dataclass(slots=True)
class ModelSoFar:
    """What rules need to know of the units before, in constant time and little memory for each unit.

    `parameter_set`: the first MPS. `pruned`: by element name the label of the unit whose pruning dictionary has it, and
    its dimensions. `methods`: quantization method flags of all parameter sets. `aggregates`: those that enclose the
    present unit, the outermost first; `left`: those that ended just before it. `layer`: the layer parameter set in
    force; `layers_of_weights`: that of the first part of each weight that comes in parts. `references`: the reference
    list. `labels`: those of the variables of carried NNEF graphs. `topology`: the first one that is understood.
    `named`: identifiers of all elements that were decoded, where there is a topology. `mask`: the first sparsity mask.
    `elements`: how many elements the decoded tensors have together; `data_units`, `decoded_units`: how many compressed
    data units came and were decoded.
    `unmasked`: label of the unit and name of the first tensor that is not 0 although the mask says so.
    """

    started: bool = False
    parameter_set: SeenUnit | None = None
    pruned: dict[str, tuple[str, list[int]]] = field(default_factory=dict)
    methods: int = 0
    aggregates: list[SeenUnit] = field(default_factory=list)
    left: list[SeenUnit] = field(default_factory=list)
    layer: Layer | None = None
    layers_of_weights: dict[str, Layer] = field(default_factory=dict)
    references: tuple[str, ...] = ()
    labels: set[str] = field(default_factory=set)
    topology: KnownTopology | None = None
    named: set[str] = field(default_factory=set)
    mask: SparsityMask | None = None
    elements: int = 0
    data_units: int = 0
    decoded_units: int = 0
    unmasked: tuple[str, str] = ("", "")

    @property
    def complete(self) -> bool:
        """True when every compressed data unit so far was decoded."""
        return self.decoded_units == self.data_units

    def approach(self, seen: SeenUnit) -> None:
        """A unit comes: leave the aggregate units that it is not in, and their layer parameter sets (R-AGG-12)."""
        if self.left:
            self.left.clear()
        if not self.aggregates and self.layer is None:
            return
        parent = seen.unit.label.rpartition(".")[0]
        while self.aggregates and self.aggregates[-1].unit.label != parent:
            self.left.append(self.aggregates.pop())
        if self.layer is not None and self.layer.label.rpartition(".")[0] not in ("", parent):
            self.layer = None

    def add(self, seen: SeenUnit) -> None:
        """Remember a unit."""
        self.started = True
        unit_type, label = seen.unit.unit_type, seen.unit.label
        self.methods |= seen.unit.payload.get("mps_quantization_method_flags", 0)
        self.methods |= seen.unit.payload.get("lps_quantization_method_flags", 0)
        self.data_units += unit_type == NDU and not (seen.unit.is_part and seen.get("partial_data_counter") > 1)
        if seen.unit.broken:
            return
        if unit_type == MPS and self.parameter_set is None:
            self.parameter_set = seen
        elif unit_type == LPS:
            self.layer = Layer(label, seen.get("lps_self_contained_flag") == 1)
        elif unit_type == AGG:
            self.aggregates.append(seen)
        elif unit_type == NDU and (weight := part_of_weight(seen)):
            self.layers_of_weights.setdefault(weight, self.layer or Layer("", self_contained=False))
        elif unit_type == TPL:
            self._add_container(seen)

    def add_decoded(self, unit: DecodedUnit) -> None:
        """Remember that a unit was decoded, and compare its tensors with the sparsity mask."""
        self.decoded_units += 1
        if self.topology is not None:
            self.named.update(name for name, _ in elements_of(unit))
        for tensor in unit.tensors:
            if tensor.member in (Member.G, Member.H):
                # A mask speaks of the weight, which is not composed here.
                self.elements += math.prod(unit.dimensions) if tensor.member is Member.G else 0
                continue
            if self.mask is not None and not self.unmasked[0] and self.mask.denies(tensor.values, self.elements):
                self.unmasked = (unit.label, tensor.name)
            self.elements += tensor.values.size

    def add_carried(self, data: CarriedData) -> None:
        """Remember the names that the topology gives its tensors."""
        if data.unit_type == TPL and data.storage_format == TPL_NNEF:
            self.labels |= nnef_labels(data.data) or frozenset()
        if data.unit_type == TPL and self.topology is None:
            self.topology = known_topology(data)

    def _add_container(self, seen: SeenUnit) -> None:
        label, container = seen.unit.label, seen.unit.payload.get("nnr_pruning_topology_container", {})
        listed = seen.unit.payload.get("topology_elements_ids_list", {})
        self.references = self.references or tuple(listed.get("topology_elem_id_list", ()))
        tree = container.get("pruning_dictionary", {})
        names = tree.get("element_id") or map(self._referred, tree.get("element_id_index", ()))
        for name, dims in zip(names, tree.get("dim", ()), strict=False):
            if name is not None:
                self.pruned[name] = (label, dims)
        mask = container.get("sparsity_bit_mask")
        if mask is not None and self.mask is None:
            always = evaluate(reading("mask-order"), seen.unit.names) == "row-major"
            row_major = always or container["order_flag"] == 1
            self.mask = SparsityMask(label, mask["bit_mask_value"], mask["count_bits"], row_major)

    def _referred(self, index: int) -> str | None:
        return self.references[index] if index < len(self.references) else None


def part_of_weight(seen: SeenUnit) -> str:
    """The name of the weight that a unit has only a part of, a factor or the scaling; empty for all other units."""
    split = seen.get("compressed_parameter_types", 0) & (CPT_DC | CPT_LS)
    if not split or seen.get("nnr_compressed_data_unit_payload_type") == PT_BLOCK:
        return ""
    name: str = seen.get("element_name", "")
    return name.removesuffix("_G").removesuffix("_H").removesuffix("_scaling")
