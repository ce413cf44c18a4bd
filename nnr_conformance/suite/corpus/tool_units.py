"""A chain of small streams from the coding tools that its last one is to use in a compressed data unit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Unit = dict[str, Any]
Levels = list[Any]

_PATTERN = (0, 1, 0, -1, 14, 0, -3, 2)
"""Levels of which some are zeros and one has a remainder behind its greater-than flags."""
_BOUNDED = (0, 1, 0, -1, 2, 0, -2)
"""Levels that are indices of the codebook; with dependent quantization only those that stay so when doubled."""
_CODEBOOK = {
    "codebook_size": 5,
    "codebook_zero_value": 1,
    "codebook_delta_left": [0, 1],
    "codebook_delta_right": [2, 0],
}
_KEPT = frozenset(
    {
        "integer",
        "codebook",
        "raw float",
        "decomposition",
        "local scaling",
        "batch norm",
        "bias",
        "dimension mapping",
        "dimension shift",
    }
)
"""Tools that decide which tensors there are, so that the streams before have them too."""
_RANK = 2
_NORM = ("w.beta", "w.gamma", "w.mean", "w.var")


@dataclass(frozen=True, slots=True)
class _Tensor:
    name: str
    rows: int
    columns: int
    weight: bool

    @property
    def size(self) -> int:
        return self.rows * max(1, self.columns)


@dataclass(frozen=True, slots=True)
class ToolChain:
    """The streams of the chain; `tools` are those of the last one, `profile` its general_profile_idc."""

    tools: frozenset[str]
    profile: int = 1

    @property
    def length(self) -> int:
        """How many streams it takes: a network, an update to have a history of, and the update with the tools."""
        return 1 + ("update" in self.tools) + ("history contexts" in self.tools)

    def streams(self) -> list[list[Unit]]:
        """The units of each stream, the one with the tools last."""
        return [self._stream(depth) for depth in range(self.length)]

    def findings(self, depth: int) -> frozenset[str]:
        """Codes of what the checker says of a stream: places at which decoders are known to differ."""
        tools = self.tools if depth == self.length - 1 else self.tools & _KEPT
        single_row = "block scan" in tools and ("entry points" not in tools or "decomposition" in tools)
        found = {
            "single_block_row": single_row,
            "dimension_shift_set": "dimension shift" in tools,
            "factors_outside_block": "decomposition" in tools and not self._block,
            "codebook_with_dq": {"codebook", "dependent quantization"} <= tools,
        }
        return frozenset(code for code, given in found.items() if given)

    @property
    def _vector(self) -> bool:
        """Whether the unit with the tools holds a scaling vector alone."""
        return "local scaling" in self.tools and not self.tools.isdisjoint(
            {"integer", "raw float", "dimension mapping"}
        )

    @property
    def _block(self) -> bool:
        return not self._vector and not self.tools.isdisjoint({"local scaling", "batch norm", "bias"})

    @property
    def _shape(self) -> tuple[int, int]:
        """Rows and columns of the weight as it is coded."""
        return (10 if "entry points" in self.tools else 6), (9 if "block scan" in self.tools else 6)

    def _stream(self, depth: int) -> list[Unit]:
        methods = ("uniform" in self.tools or self._vector) | ("codebook" in self.tools) << 1
        head: list[Unit] = [
            {"NNR_STR": {"general_profile_idc": self.profile}},
            {
                "NNR_MPS": {
                    **({"mps_qp_density": 2, "mps_quantization_parameter": -8} if methods else {}),
                    "mps_quantization_method_flags": methods,
                    **({"mps_parent_signalling_enabled_flag": 1} if depth else {}),
                }
            },
        ]
        return [*head, *({"NNR_NDU": unit} for unit in self._units(depth))]

    def _units(self, depth: int) -> list[Unit]:
        tools = self.tools if depth == self.length - 1 else self.tools & _KEPT
        rows, columns = self._shape
        if self._vector:
            names = ["w_scaling", "v_scaling"] if "dimension mapping" in tools else ["w_scaling"]
            scaling = self._unit(tools, names, [_Tensor("w_scaling", rows, 0, True)], [rows], depth, 0)
            weights = [
                self._unit(frozenset(), [name[0]], [_Tensor(name[0], rows // len(names), 2, True)], None, depth, number)
                for number, name in enumerate(names, 1)
            ]
            return [{**scaling, "compressed_parameter_types": 2}, *weights]
        dims = [columns, rows] if "dimension shift" in tools else [rows, columns]
        if "decomposition" in tools:
            weights_held = [_Tensor("w_G", rows, _RANK, True), _Tensor("w_H", _RANK, columns, True)]
        else:
            weights_held = [_Tensor("w", rows, columns, True)]
        if self._block:
            return [self._block_unit(tools, weights_held, dims, depth)]
        if "decomposition" in tools:
            return [
                self._unit(tools, [one.name], [one], dims, depth, number) | self._factors(rows)
                for number, one in enumerate(weights_held)
            ]
        names = ["w", "v"] if "dimension mapping" in tools else ["w"]
        return [self._unit(tools, names, weights_held, dims, depth, 0)]

    def _block_unit(self, tools: frozenset[str], weights: list[_Tensor], dims: list[int], depth: int) -> Unit:
        listed = [one.name for one in weights]
        coded: list[_Tensor] = []
        types = 0
        vectors = (
            ("local scaling", 2, ("w_scaling",)),
            ("batch norm", 4, _NORM),
            ("bias", 8, ("w.bias",)),
        )
        for tool, bit, names in vectors:
            if tool in tools:
                types |= bit
                listed += names
        for tool, _, names in (vectors[0], vectors[2], vectors[1]):
            if tool in tools:
                coded += [_Tensor(name, dims[0], 0, False) for name in names]
        unit = self._unit(tools, listed, [*coded, *weights], dims, depth, 0)
        unit["nnr_compressed_data_unit_payload_type"] = "NNR_PT_BLOCK"
        if "decomposition" in tools:
            unit |= self._factors(self._shape[0])
            types |= 1
            if "codebook" in tools:
                unit["codebook_dc"] = dict(_CODEBOOK)
        return {**unit, "compressed_parameter_types": types}

    def _factors(self, rows: int) -> Unit:
        return {"compressed_parameter_types": 1, "decomposition_rank": _RANK, "g_number_of_rows": rows}

    def _unit(
        self,
        tools: frozenset[str],
        names: Sequence[str],
        held: Sequence[_Tensor],
        dims: list[int] | None,
        depth: int,
        number: int,
    ) -> Unit:
        unit: Unit = {"topology_elem_id": names[0]} if len(names) == 1 else {"topology_elem_id_list": list(names)}
        if dims is not None:
            unit["tensor_dimensions"] = dims
        if "update" in self.tools:
            unit |= {"device_id": 0, "parameter_id": 5 + number, "put_node_depth": depth}
        if depth:
            unit |= {"parent_node_id_type": "ICNN_NDU_ID", "parent_device_id": 0}
        unit |= self._header_of(tools, held[-1])
        if "raw float" in tools:
            unit["float32"] = [0.25 * value + depth for value in _values(_PATTERN, held[0].size, number)]
        else:
            unit["tensors"] = [self._tensor(tools, one, depth, number) for one in held]
        return unit

    def _header_of(self, tools: frozenset[str], weight: _Tensor) -> Unit:
        """The elements by which a header says that tools are used."""
        unit: Unit = {}
        if "integer" in tools:
            unit["nnr_compressed_data_unit_payload_type"] = "NNR_PT_INT"
        if "codebook" in tools:
            unit |= _CODEBOOK
        if "dependent quantization" in tools:
            unit["dq_flag"] = 1
        if "block scan" in tools:
            unit["scan_order"] = 1
        if "dimension shift" in tools:
            unit["first_tensor_dimension_shift"] = 1
        if "temporal contexts" in tools:
            unit["temporal_context_modeling_flag"] = 1
        if "dimension mapping" in tools:
            length = weight.columns if "dimension shift" in tools else weight.rows
            unit["split_index"] = [length // 2]
            if weight.columns:
                unit |= {"shift_index": [[], [1]], "shift_value": [[], [1]]}
        if "partial data" in tools:
            unit["parts"] = [3]
        return unit

    def _tensor(self, tools: frozenset[str], one: _Tensor, depth: int, number: int) -> Mapping[str, Any]:
        found: dict[str, Any] = {"levels": self._levels(tools, one, depth, number)}
        if "integer" not in tools:
            found["qp_value"] = -3
        before = self._levels(self.tools & _KEPT, one, depth - 1, number) if depth else None
        if "temporal contexts" in tools:
            found["base"] = before
        if one.weight and one.columns:
            if "row skip" in tools:
                found["row_skip"] = [int(not any(row)) for row in found["levels"]]
            if "history contexts" in tools:
                found["history"] = _marks(before)
        if one.weight and "initialization ids" in tools:
            found["init_ids"] = {"sig 0": 2, "sign 1": 5, "greater 1": 8}
        return found

    def _levels(self, tools: frozenset[str], one: _Tensor, depth: int, number: int) -> Levels:
        """Levels that differ from tensor to tensor and from stream to stream, zeros where rows are skipped."""
        bounded = "codebook" in tools and one.weight
        values = _values(_BOUNDED if bounded else _PATTERN, one.size, 3 * depth + number + len(one.name))
        if bounded and "dependent quantization" in tools:
            values = [max(-1, min(1, value)) for value in values]
        if not one.columns:
            return values
        rows = [values[first : first + one.columns] for first in range(0, one.size, one.columns)]
        skip = "row skip" in tools
        return [[0] * one.columns if skip and number % 3 == 1 else row for number, row in enumerate(rows)]


def _values(pattern: Sequence[int], count: int, seed: int) -> list[int]:
    return [pattern[(7919 * number + 104_729 * seed >> 3) % len(pattern)] for number in range(count)]


def _marks(levels: Levels | None) -> Levels:
    return [[int(level != 0) for level in row] for row in levels or ()]
