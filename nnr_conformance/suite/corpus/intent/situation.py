"""What earlier units say of a later one: profile, quantization parameters, reference list (clauses 6 and 9)."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field, replace

from nnr_conformance.encoder.elements import as_bytes
from nnr_conformance.readings import Readings
from nnr_conformance.suite.corpus.intent.elements import UnitIntent
from nnr_conformance.suite.corpus.intent.refusal import NoIntent
from nnr_conformance.syntax.enumerations import DFL, LPS, MPS, STR, TPL, TPL_REFLIST

QUANTIZED = 3
"""Bits of the quantization method flags that say that there are quantization parameters."""


@dataclass(frozen=True, slots=True)
class Quantization:
    """qp_density and quantization_parameter of a parameter set."""

    density: int
    parameter: int


@dataclass(frozen=True, slots=True)
class LayerSet:
    """A layer parameter set: the label of the aggregate unit around it, and what it says of quantization."""

    aggregate: str
    quantization: Quantization | None


@dataclass(frozen=True, slots=True)
class Situation:
    """What is in force where a unit stands. `layers`: all layer parameter sets since the start unit."""

    readings: Readings
    profile: int = 0
    indexed: bool = False
    of_model: Quantization | None = None
    layers: tuple[LayerSet, ...] = ()
    references: tuple[str, ...] = field(default=())

    def behind(self, unit: UnitIntent) -> Situation:
        """The situation after a unit."""
        if unit.unit_type == STR:
            return Situation(self.readings, profile=int(unit.get("general_profile_idc")))
        if unit.unit_type == MPS:
            indexed = bool(unit.get("mps_topology_indexed_reference_flag"))
            return replace(self, of_model=quantization(unit, "mps"), indexed=indexed, layers=())
        if unit.unit_type == LPS:
            return replace(self, layers=(*self.layers, LayerSet(unit.aggregate, quantization(unit, "lps"))))
        if unit.unit_type == TPL and unit.get("topology_storage_format") == TPL_REFLIST:
            return replace(self, references=references_of(unit, self.readings))
        return self

    def quantization_for(self, unit: UnitIntent) -> Quantization:
        """Density and parameter for the tensors of a unit. Raises NoIntent when there are none."""
        last = self.layers[-1] if self.layers else None
        if last is not None and self.readings["lps-scope"] == "aggregate" and not _inside(unit, last.aggregate):
            # It ended the one before it, and ended itself with its aggregate unit.
            last = None
        found = self.of_model if last is None or last.quantization is None else last.quantization
        if found is None:
            raise NoIntent(f"{unit.label}: no parameter set has quantization parameters")
        if unit.recipe.get("qp_density", found.density) != found.density:
            raise NoIntent(f"{unit.label}: is written for another qp_density than the one in force")
        return found


def _inside(unit: UnitIntent, aggregate: str) -> bool:
    return not aggregate or unit.aggregate == aggregate or unit.aggregate.startswith(f"{aggregate}.")


def references_of(unit: UnitIntent, readings: Readings) -> tuple[str, ...]:
    """The ids of a reference list, which a compressed container has in bytes."""
    if readings["container-compression"] != "compressed" or unit.get("topology_compression_format") != DFL:
        return tuple(unit.recipe.get("topology_elem_id_list", ()))
    data = as_bytes(unit.recipe["topology_data"], unit.label)
    try:
        plain = zlib.decompress(data, -zlib.MAX_WBITS if readings["deflate-wrapper"] == "raw" else zlib.MAX_WBITS)
    except zlib.error as fault:
        raise NoIntent(f"{unit.label}: {fault}") from fault
    # The count of ids is an Exp-Golomb code of order 7, as many zeros before its 1 as it has bits more; then alignment.
    zeros = 8 * len(plain) - int.from_bytes(plain, "big").bit_length()
    ids = plain[(2 * zeros + 8) // 8 + 1 :]
    return tuple(one.decode("utf-8") for one in ids.split(b"\0")[:-1])


def quantization(unit: UnitIntent, prefix: str) -> Quantization | None:
    """What a parameter set says of quantization, None when its method flags name no method."""
    if not unit.get(f"{prefix}_quantization_method_flags") & QUANTIZED:
        return None
    return Quantization(int(unit.get(f"{prefix}_qp_density")), int(unit.get(f"{prefix}_quantization_parameter")))
