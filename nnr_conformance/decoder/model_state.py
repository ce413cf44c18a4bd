"""What a decoder keeps from unit to unit inside one model: parameter sets in force, reference list."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from nnr_conformance.diagnostics import stop
from nnr_conformance.readings import Readings
from nnr_conformance.syntax.parameter_sets import QCB
from nnr_conformance.syntax.unit_parser import Unit


class Quantization(NamedTuple):
    """qp_density and quantization_parameter of a parameter set."""

    density: int
    parameter: int


def scope_of(label: str) -> str:
    """How the labels of all units begin that the aggregate unit around a unit encloses: ``unit 3.`` for ``unit 3.1``.

    Empty, as all labels begin, for a unit outside of aggregate units.
    """
    head, separator, _ = label.rpartition(".")
    return head + separator


@dataclass(slots=True)
class ModelState:
    """State between one start unit and the next (R-ORD-12)."""

    codebooks_announced: bool = False
    quantization: Quantization | None = None
    layer_quantization: Quantization | None = None
    layer_scope: str = ""
    reference_list: tuple[str, ...] | None = None

    def start_parameter_set(self, unit: Unit) -> None:
        """An NNR_MPS: its flags and quantization defaults."""
        self.codebooks_announced = unit.get("mps_quantization_method_flags") & QCB != 0
        self.quantization = _quantization(unit, "mps")

    def start_layer_set(self, unit: Unit) -> None:
        """An NNR_LPS: in force from here on (R-ORD-04, R-LPS-04, R-LPS-05)."""
        self.layer_scope = scope_of(unit.label)
        self.layer_quantization = _quantization(unit, "lps")
        self.codebooks_announced |= unit.get("lps_quantization_method_flags") & QCB != 0

    def leave_scopes(self, label: str, readings: Readings) -> None:
        """Before a unit of this label: end the layer parameter set of an aggregate that was left (R-AGG-12)."""
        if label.startswith(self.layer_scope):
            return
        if self.layer_quantization is not None:
            readings.mark("lps-scope")
        if readings["lps-scope"] == "aggregate":
            self.layer_quantization = None

    def quantization_in_force(self, path: str) -> Quantization:
        """Density and parameter for the next tensor: the LPS's if it has them, else the MPS's (R-MPS-10).

        Raises BitstreamError quantization_undefined.
        """
        found = self.layer_quantization or self.quantization
        if found is None:
            stop(
                "quantization_undefined", "neither the MPS nor an LPS in force has a quantization parameter", path=path
            )
        return found


def _quantization(unit: Unit, prefix: str) -> Quantization | None:
    payload = unit.payload
    if f"{prefix}_qp_density" not in payload:
        return None
    return Quantization(payload[f"{prefix}_qp_density"], payload[f"{prefix}_quantization_parameter"])
