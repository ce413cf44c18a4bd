"""The header of a compressed data unit as the decoder sees it: names, dimensions, the tensors it holds (clause 6)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn

from numpy.typing import NDArray

from nnr_conformance.decoder.composition import Member, block_members, factor_shapes, member_shape
from nnr_conformance.decoder.how import UnitDecoder
from nnr_conformance.decoder.mapping import shifted_dims, undo_dimension_shift
from nnr_conformance.diagnostics import stop
from nnr_conformance.limits import Limits
from nnr_conformance.scope import TraceEntry, joined
from nnr_conformance.syntax.compressed_data import holds_h, parameter_types
from nnr_conformance.syntax.enumerations import CPT_DC, CPT_LS, PT_BLOCK
from nnr_conformance.syntax.unit_parser import Unit

HEADER = "nnr_compressed_data_unit_header"
LARGEST_ELEMENTS = (1 << 31) - 1


@dataclass(slots=True)
class UnitHeader:
    """The header of one unit as the decoder sees it, with the places of its elements."""

    unit: Unit
    names: tuple[str, ...]
    trace: Sequence[TraceEntry]
    dims: tuple[int, ...] = ()
    tools: set[str] = field(default_factory=set)
    _places: dict[str, tuple[int, int]] | None = None

    def place(self, element: str) -> tuple[int, int] | None:
        """First and end bit of an element; only what is wrong has to be shown."""
        if self._places is None:
            self._places = places_of(self.trace)
        return self._places.get(element)

    def path(self, element: str = "") -> str:
        here = joined(self.unit.label, HEADER)
        return joined(here, element) if element else here

    def get(self, element: str, default: Any = None) -> Any:
        return self.unit.get(element, default)


@dataclass(frozen=True, slots=True)
class HeldTensor:
    """A tensor that the unit holds: its name, what it is, its shape."""

    name: str
    member: Member
    shape: tuple[int, ...]

    @property
    def scanned(self) -> bool:
        """Whether block scans apply to it (R-NDU-28)."""
        return self.member in (Member.WEIGHT, Member.G, Member.H)


def places_of(trace: Sequence[TraceEntry]) -> dict[str, tuple[int, int]]:
    """First and end bit of each element of a unit by name, with its subscript."""
    return {entry.name: (entry.first, entry.first + entry.size) for entry in trace}


def element_indices(unit: Unit) -> list[int] | None:
    """The indices by which a unit names its topology elements, None when it names them by string."""
    header = unit.header[HEADER]
    if unit.get("nnr_multiple_topology_elements_present_flag"):
        found: list[int] | None = header["topology_elements_ids_list"].get("topology_elem_id_index_list")
        return found
    return None if "topology_elem_id" in header else [header["topology_elem_id_index"]]


def id_place(unit: Unit, places: Mapping[str, tuple[int, int]], number: int = 0) -> tuple[tuple[int, int] | None, str]:
    """Bits and path of id `number` of those, strings or indices, by which a unit names its topology elements."""
    name = "topology_elem_id" if element_indices(unit) is None else "topology_elem_id_index"
    if unit.get("nnr_multiple_topology_elements_present_flag"):
        name = f"{name}_list[{number}]"
    return places.get(name), joined(joined(unit.label, HEADER), name)


def element_names(
    unit: Unit, reference_list: tuple[str, ...] | None, trace: Sequence[TraceEntry]
) -> tuple[str, ...] | None:
    """The ids of a unit's topology elements, indices resolved by the reference list (R-REF-03, R-REF-04).

    None when there are indices but no reference list. Raises BitstreamError reference_index_range.
    """
    indices = element_indices(unit)
    if indices is None:
        header = unit.header[HEADER]
        if unit.get("nnr_multiple_topology_elements_present_flag"):
            return tuple(header["topology_elements_ids_list"]["topology_elem_id_list"])
        return (header["topology_elem_id"],)
    if reference_list is None:
        return None
    for number, index in enumerate(indices):
        if index >= len(reference_list):
            bits, path = id_place(unit, places_of(trace), number)
            message = f"index {index}, but the reference list has {len(reference_list)} ids"
            stop("reference_index_range", message, bits=bits, path=path)
    return tuple(reference_list[index] for index in indices)


def dimensions(header: UnitHeader, limits: Limits) -> tuple[int, ...]:
    dims = tuple(int(size) for size in header.get("tensor_dimensions", ()))
    if len(dims) > limits.dimensions:
        message = f"{len(dims)} dimensions, the limit dimensions is {limits.dimensions}"
        _stop_at_dimensions("limit_dimensions", message, header)
    if any(size < 1 for size in dims):
        _stop_at_dimensions("dims_invalid", f"dimensions {list(dims)}; each is at least 1", header)
    elements = math.prod(dims)
    if elements > LARGEST_ELEMENTS:
        message = f"{elements} elements; at most {LARGEST_ELEMENTS} are allowed"
        _stop_at_dimensions("elements_overflow", message, header)
    if elements > limits.tensor_elements:
        message = f"{elements} elements, the limit tensor_elements is {limits.tensor_elements}"
        _stop_at_dimensions("limit_elements", message, header)
    return dims


def _stop_at_dimensions(code: str, message: str, header: UnitHeader) -> NoReturn:
    stop(code, message, bits=header.place("tensor_dimensions[0]"), path=header.path("tensor_dimensions"))


def held_tensors(header: UnitHeader, payload_type: int) -> list[HeldTensor]:
    """The tensors of the unit in coding order (R-NDU-02 to R-NDU-06)."""
    types = header.get("compressed_parameter_types")
    rank, rows = header.get("decomposition_rank"), header.get("g_number_of_rows")
    if payload_type != PT_BLOCK:
        return [_single(header, types, rank, rows)]
    if not header.get("nnr_multiple_topology_elements_present_flag"):
        element = "nnr_multiple_topology_elements_present_flag"
        stop("block_without_list", "a block has a list of ids", bits=header.place(element), path=header.path(element))
    path = header.path("compressed_parameter_types")
    if types == 0 and not header.get("input_parameters_present_flag"):
        stop("parameter_types_missing", "compressed_parameter_types of a block was not given", path=path)
    if types == 0:
        bits = header.place("compressed_parameter_types")
        stop("block_without_members", "a block holds more than the weight", bits=bits, path=path)
    layout = block_members(types)
    if len(layout.listed) != len(header.names):
        message = f"{parameter_types(types)} makes {len(layout.listed)} tensors, but {len(header.names)} ids are listed"
        bits, path = header.place("count_topology_elements_minus2"), header.path("topology_elements_ids_list")
        stop("block_id_count", message, bits=bits, path=path)
    header.tools.update({"block", *(_TOOL_OF_TYPE[bit] for bit in _TOOL_OF_TYPE if types & bit)})
    tensors = []
    for member, position in zip(layout.coded, layout.id_positions, strict=True):
        # A vector is as long as the first dimension, a factor depends on g_number_of_rows.
        element = "g_number_of_rows" if member in (Member.G, Member.H) else "count_tensor_dimensions"
        bits, path = header.place(element), header.path(element)
        shape = member_shape(member, header.dims, rank, rows, path=path, bits=bits)
        tensors.append(HeldTensor(header.names[position], member, shape))
    return tensors


_TOOL_OF_TYPE = {1: "decomposition", 2: "local scaling", 4: "batch norm", 8: "bias"}


def _single(header: UnitHeader, types: int, rank: int, rows: int) -> HeldTensor:
    name = header.names[0]
    if types & CPT_DC and len(header.dims) > 1:
        header.tools.add("decomposition")
        shapes = factor_shapes(
            header.dims, rank, rows, path=header.path("g_number_of_rows"), bits=header.place("g_number_of_rows")
        )
        if holds_h(header.get("element_name", ""), header.get("G_pending")):
            return HeldTensor(name, Member.H, shapes[1])
        return HeldTensor(name, Member.G, shapes[0])
    if types & CPT_LS and len(header.dims) == 1 and name.endswith("_scaling"):
        header.tools.add("local scaling")
        return HeldTensor(name, Member.LOCAL_SCALING, header.dims)
    return HeldTensor(name, Member.WEIGHT, header.dims)


def coded_shape(header: UnitHeader, tensor: HeldTensor, how: UnitDecoder) -> tuple[int, ...]:
    """The shape in which the tensor is coded: a scalar as one element, a shifted dimension first (R-ED2-27)."""
    shift = header.get("first_tensor_dimension_shift")
    if shift and tensor.member is Member.WEIGHT:
        header.tools.add("dimension shift")
        element = "first_tensor_dimension_shift"
        return shifted_dims(
            tensor.shape, shift, readings=how.readings, path=header.path(element), bits=header.place(element)
        )
    return tensor.shape or (1,)


def as_transmitted(header: UnitHeader, tensor: HeldTensor, array: NDArray[Any], how: UnitDecoder) -> NDArray[Any]:
    shift = header.get("first_tensor_dimension_shift")
    if shift and tensor.member is Member.WEIGHT:
        array = undo_dimension_shift(array, shift, readings=how.readings)
    return array.reshape(tensor.shape)
