"""A stream put together tensor by tensor, each with the tools that a pipeline chooses for it.

`encoder.model_encoder` gives all tensors of a model the same treatment; the pipelines mix.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnr_conformance.encoder.blocks import block_unit, factor_units
from nnr_conformance.encoder.data_unit import Parent, Recipe, coded_unit, raw_unit
from nnr_conformance.encoder.decomposition import Factors
from nnr_conformance.encoder.quantized_tensor import QuantizedTensor, integers, quantize, scan_order_of
from nnr_conformance.encoder.recipe import BuiltStream, build_recipe
from nnr_conformance.encoder.settings import BlockPlan, EncoderSettings
from nnr_conformance.entropy import compiled_available
from nnr_conformance.suite.cfp2019.networks import Tensors
from nnr_conformance.syntax.enumerations import enumeration

Node = Mapping[str, Any]


@dataclass(slots=True)
class Assembly:
    """The units of one stream so far.

    `settings`: what holds where nothing else is said. `expected`: the tensors that a decoder has to deliver. `levels`:
    int32 quantized parameters of the transmitted tensors. `factors`: transmitted factors of decomposed weights.
    """

    settings: EncoderSettings
    parameter_set: dict[str, Any] = field(default_factory=dict)
    units: list[Recipe] = field(default_factory=list)
    expected: dict[str, NDArray[Any]] = field(default_factory=dict)
    levels: dict[str, NDArray[np.int32]] = field(default_factory=dict)
    factors: dict[str, NDArray[Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        # Each tensor alone is too small for compiled code to pay for itself, all streams together are not.
        self.settings = replace(self.settings, compiled=True if compiled_available() else None)

    def unit(self, unit_type: str, **elements: Any) -> None:
        """A unit that carries no tensors."""
        self.units.append({unit_type: elements})

    def tensor(
        self, name: str, values: NDArray[Any], *, node: Node | None = None, parent: Parent | None = None, **changes: Any
    ) -> None:
        """A tensor of floats, quantized.

        `node`: header elements that number it, so that an update can name it; `parent`: of an update; `changes`:
        settings for it alone.
        """
        settings = replace(self.settings, **changes)
        scan_order = scan_order_of(settings.scan_order, values.shape)
        part = quantize(name, values, settings, scan_order=scan_order, codebook=values.ndim > 1)
        self._coded(part, "NNR_PT_FLOAT", settings, {}, parent)
        self.expected[name] = part.values.astype(np.float32)

    def whole_numbers(self, name: str, values: NDArray[Any]) -> None:
        """A tensor of integers as it is; decoders deliver 32 bits."""
        part = integers(name, values)
        self._coded(part, "NNR_PT_INT", self.settings, {})
        self.expected[name] = part.values

    def raw(self, name: str, values: NDArray[Any]) -> None:
        """A tensor of binary32 numbers as they are."""
        found = values.astype(np.float32)
        self.units.append(raw_unit(name, found, self.settings))
        self.expected[name] = found

    def layer(self, plan: BlockPlan, tensors: Tensors, **changes: Any) -> None:
        """A layer in one block."""
        unit, parts, composed = block_unit(plan, tensors, replace(self.settings, **changes))
        self.units.append(unit)
        self._keep(parts, plan.rank)
        self.expected |= composed

    def decomposed(self, name: str, values: NDArray[Any], factors: Factors, **changes: Any) -> None:
        """A weight as its factors in one block."""
        settings = replace(self.settings, rank=factors.rank, **changes)
        units, parts, composed = factor_units(name, values, settings, factors)
        self.units += units
        self._keep(parts, factors.rank)
        self.expected |= composed

    def joined(self, names: Sequence[str], tensors: Tensors, **changes: Any) -> None:
        """Tensors of one dimension in one payload, to be split again."""
        settings = replace(self.settings, **changes)
        pieces = [tensors[name] for name in names]
        part = quantize(names[0], np.concatenate(pieces), settings, scan_order=0, codebook=False)
        ends = np.cumsum([len(piece) for piece in pieces])
        header = {
            "nnr_compressed_data_unit_payload_type": "NNR_PT_FLOAT",
            "topology_elem_id_list": list(names),
            "tensor_dimensions": list(part.levels.shape),
            "concatenation_axis_index": 0,
            "split_index": [int(end) for end in ends[:-1]],
        }
        self.units.append(coded_unit([part], header, settings, 0))
        for name, values, levels in zip(
            names, np.split(part.values, ends[:-1]), np.split(part.quantized, ends[:-1]), strict=True
        ):
            self.expected[name], self.levels[name] = values.astype(np.float32), levels

    @contextmanager
    def aggregate(self) -> Iterator[None]:
        """Units that are added inside travel in an aggregate with entry points."""
        outside, self.units = self.units, []
        yield
        outside.append({"NNR_AGG": _aggregate(self.units)})
        self.units = outside

    def stream(self) -> BuiltStream:
        """The stream with its start and parameter set."""
        settings = self.settings
        mps = {
            "mps_qp_density": settings.qp_density,
            "mps_quantization_parameter": settings.qp,
            **self.parameter_set,
        }
        start = {"NNR_STR": {"general_profile_idc": settings.profile}}
        recipe = [start, {"NNR_MPS": mps}, *self.units]
        built = build_recipe(recipe)
        if not any("NNR_AGG" in unit for unit in self.units):
            return built
        return build_recipe([_with_entry_points(unit, number, built) for number, unit in enumerate(recipe)])

    def _coded(
        self,
        part: QuantizedTensor,
        payload_type: str,
        settings: EncoderSettings,
        further: Node,
        parent: Parent | None = None,
    ) -> None:
        header = {
            "nnr_compressed_data_unit_payload_type": payload_type,
            "topology_elem_id": part.name,
            "tensor_dimensions": list(part.levels.shape),
            **further,
        }
        scan_order = scan_order_of(settings.scan_order, part.levels.shape)
        self.units.append(coded_unit([part], header, settings, scan_order, parent))
        self.levels[part.name] = part.quantized

    def _keep(self, parts: Sequence[QuantizedTensor], rank: int) -> None:
        self.levels |= {part.name: part.quantized for part in parts}
        if rank:
            self.factors |= {part.name: part.values.astype(np.float32) for part in parts}


def _aggregate(units: list[Recipe]) -> dict[str, Any]:
    numbers = {name: number for number, name in enumeration("nnr_unit_type").values.items()}
    types = [numbers[next(iter(unit))] for unit in units]
    return {
        "independently_decodable_flag": 1,
        "nnr_aggregate_unit_type": "NNR_AGG_GEN",
        "enclosed_unit_type": types,
        "nnr_unit_entry_point": [0] * len(units),
        "units": units,
    }


def _with_entry_points(unit: Recipe, number: int, built: BuiltStream) -> Recipe:
    """The unit with the places that its enclosed units had when it was built without."""
    if "NNR_AGG" not in unit:
        return unit
    first = min(entry.first for entry in built.trace if entry.path.startswith(f"unit {number} ·"))
    count = len(unit["NNR_AGG"]["units"])
    starts = [
        min(entry.first for entry in built.trace if entry.path.startswith(f"unit {number}.{inner} ·"))
        for inner in range(count)
    ]
    return {"NNR_AGG": {**unit["NNR_AGG"], "nnr_unit_entry_point": [(start - first) >> 3 for start in starts]}}
