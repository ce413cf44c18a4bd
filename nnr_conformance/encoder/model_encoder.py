"""A model of named tensors to a stream, or to an update of a model that was sent before.

The streams are made by `recipe.build_recipe`; every choice is in `settings.EncoderSettings`. The same tensors and
settings give the same bytes, interpreted and compiled; only decompositions depend on the linear algebra of the machine.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnr_conformance.encoder.ahead import Work, finished
from nnr_conformance.encoder.binding import choose_all_compiled
from nnr_conformance.encoder.blocks import block_unit, factor_units
from nnr_conformance.encoder.data_unit import Parent, Recipe, coded_unit, raw_unit
from nnr_conformance.encoder.decomposition import can_decompose
from nnr_conformance.encoder.indexed_ids import indexed
from nnr_conformance.encoder.number_formats import format_of
from nnr_conformance.encoder.quantized_tensor import QuantizedTensor, integers, quantize, scan_order_of
from nnr_conformance.encoder.recipe import build_recipe
from nnr_conformance.encoder.settings import BlockPlan, EncoderSettings
from nnr_conformance.encoder.update_chain import DEVICE, ChainState, NodeIds
from nnr_conformance.encoder.work import loops_of
from nnr_conformance.errors import BuildError

Tensors = Mapping[str, NDArray[Any]]
OnProgress = Callable[[int], None]

DEFAULT_SETTINGS = EncoderSettings()
FEWEST_AGGREGATED = 2


@dataclass(frozen=True, slots=True, eq=False)
class EncodedModel:
    """A stream. `tensors`: the model as a decoder composes it. `levels`: int32 quantized parameters of the transmitted
    tensors. `state`: for updates that follow. `weights`, `bytes_before`: elements and size of what was encoded.
    `bytes_by_name`: size of the stream whose units have identifiers instead of indices."""

    data: bytes
    tensors: dict[str, NDArray[Any]]
    levels: dict[str, NDArray[np.int32]]
    state: ChainState
    weights: int
    bytes_before: int
    bytes_by_name: int


def encode_model(
    tensors: Tensors,
    settings: EncoderSettings = DEFAULT_SETTINGS,
    on_progress: OnProgress | None = None,
    threads: int = 1,
) -> EncodedModel:
    """Encode a model.

    `tensors`: float16, float32 or float64, which are quantized; integers and booleans, which are sent as they are and
    have to fit 32 bits. A tensor without dimensions is sent with one dimension of 1. `on_progress`: called with the
    number of elements that are done. `threads`: how many tensors are encoded at a time, where loops are compiled; the
    bytes are the same. Raises BuildError for settings that exclude each other, an empty tensor, a dtype
    that is not one of these, NaN or infinities outside of raw tensors, and names that no stream can carry.
    """
    checked = _checked(tensors)
    work = _Encoding(checked, _with_execution(settings.checked(), checked, {}), on_progress, threads=threads)
    units = list(work.units())
    return _finished(work, units, ChainState({}), {})


def encode_update(
    tensors: Tensors,
    chain: ChainState,
    settings: EncoderSettings = DEFAULT_SETTINGS,
    on_progress: OnProgress | None = None,
    threads: int = 1,
) -> EncodedModel:
    """Encode what changed since the streams of a chain, as differences to what decoders have.

    Tensors without a change beyond half a step are left out, but for the smallest when no other is left. Tensors that
    the chain has not, or in another shape or kind, and raw ones are sent whole. Raises BuildError as `encode_model`,
    and in edition 1, which has no updates.
    """
    if settings.profile != 1 or settings.blocks or settings.rank:
        raise BuildError("updates are of edition 2 (profile 1) and take no blocks and no decomposition")
    checked = _checked(tensors)
    work = _Encoding(checked, _with_execution(settings.checked(), checked, chain.values), on_progress, chain, threads)
    units = list(work.units()) or list(work.least_unit())
    return _finished(work, units, chain, {"mps_parent_signalling_enabled_flag": 1})


@dataclass(slots=True)
class _Encoding:
    """The units of one stream, one after the other; what decoders will have gathers on the way.

    `values`: as 32 bits, to which updates are added; `delivered`: those that leave a decoder in another format.
    """

    tensors: Tensors
    settings: EncoderSettings
    on_progress: OnProgress | None
    chain: ChainState | None = None
    threads: int = 1
    values: dict[str, NDArray[Any]] = field(default_factory=dict)
    delivered: dict[str, NDArray[Any]] = field(default_factory=dict)
    levels: dict[str, NDArray[np.int32]] = field(default_factory=dict)
    parents: dict[str, Parent] = field(default_factory=dict)
    roots: dict[str, NodeIds] = field(default_factory=dict)
    done: int = 0
    zeros: bool = False

    def units(self) -> Iterator[Recipe]:
        blocks = {plan.weight: plan for plan in self.settings.blocks}
        taken = {name for plan in self.settings.blocks for name in plan.names()} - set(blocks)
        missing = [name for name in blocks if name not in self.tensors]
        if missing:
            raise BuildError(f"there is no tensor {missing[0]!r} for a block")
        works = (
            self._work(name, tensor, blocks.get(name))
            for name, tensor in self.tensors.items()
            if name in blocks or name not in taken
        )
        # Interpreted, threads would only wait for each other.
        for units in finished(works, self.threads if self.settings.compiled else 1):
            yield from units

    def least_unit(self) -> Iterator[Recipe]:
        """The smallest tensor, even if its update is zero: a stream without any is no model."""
        self.zeros = True
        name = min(self.tensors, key=lambda one: self.tensors[one].size)
        work = self._work(name, self.tensors[name], None)
        yield from work.finish(work.job())

    def _work(self, name: str, tensor: NDArray[Any], block: BlockPlan | None) -> Work:
        """The work on a tensor or block; it comes to units."""
        settings, size = self.settings, tensor.size
        if block is not None:
            size = sum(self.tensors[part].size for part in block.names() if part in self.tensors)
            return self._composed(size, lambda: _one(block_unit(block, self.tensors, settings)))
        if name in settings.raw:
            return self._raw(name, tensor)
        if tensor.dtype.kind == "f" and can_decompose(tensor.shape, settings.rank) and settings.rank:
            return self._composed(size, lambda: factor_units(name, tensor, settings))
        parent, before = None, None
        if self.chain is not None and self._has_parent(name, tensor):
            before = self.chain.values[name]
            parent = self.chain.parent_of(name, temporal=settings.temporal_contexts, history=settings.history)
        header = {} if parent is not None else self._root_elements(name)
        return Work(
            size,
            lambda: self._quantized(name, tensor, parent, before, header),
            lambda found: self._take(name, parent, size, found),
        )

    def _composed(
        self, size: int, job: Callable[[], tuple[list[Recipe], list[QuantizedTensor], Mapping[str, Any]]]
    ) -> Work:
        def take(found: tuple[list[Recipe], list[QuantizedTensor], Mapping[str, Any]]) -> list[Recipe]:
            units, parts, composed = found
            self.levels |= {part.name: part.quantized for part in parts}
            self.values |= composed
            self._tell(size)
            return units

        return Work(size, job, take)

    def _raw(self, name: str, tensor: NDArray[Any]) -> Work:
        def take(values: NDArray[np.float32]) -> list[Recipe]:
            self.values[name] = values
            self._tell(tensor.size)
            return [raw_unit(name, values, self.settings)]

        return Work(tensor.size, lambda: _raw_values(name, tensor), take)

    def _quantized(
        self,
        name: str,
        tensor: NDArray[Any],
        parent: Parent | None,
        before: NDArray[Any] | None,
        header: Mapping[str, Any],
    ) -> _Coded:
        """A tensor, or its difference to the values that decoders have of it; no unit for an update without change."""
        whole = tensor.dtype.kind != "f"
        dtype = tensor.dtype
        if before is not None:
            wide = np.int64 if whole else np.float64
            tensor = tensor.astype(wide) - before.astype(wide)
        scan_order = scan_order_of(self.settings.scan_order, tensor.shape)
        part = (
            integers(name, tensor)
            if whole
            else quantize(name, tensor, self.settings, scan_order=scan_order, codebook=tensor.ndim > 1)
        )
        values = part.values.astype(np.int32 if whole else np.float32)
        elements: dict[str, Any] = {
            "nnr_compressed_data_unit_payload_type": "NNR_PT_INT" if whole else "NNR_PT_FLOAT",
            "topology_elem_id": name,
            "tensor_dimensions": list(tensor.shape),
            **header,
        }
        delivered = None
        if before is not None:
            if not values.any() and not self.zeros:
                return _Coded(None, part.quantized, values, None)
            values = values + before.astype(values.dtype)
        elif self.settings.keep_formats:
            signalled = format_of(dtype, part.values)
            elements |= signalled.elements()
            if signalled.number is not None:
                delivered = signalled.converted(part.values)
        return _Coded(
            coded_unit([part], elements, self.settings, scan_order, parent), part.quantized, values, delivered
        )

    def _take(self, name: str, parent: Parent | None, size: int, found: _Coded) -> list[Recipe]:
        self._tell(size)
        if found.unit is None:
            return []
        if parent is not None:
            self.parents[name] = parent
        if found.delivered is not None:
            self.delivered[name] = found.delivered
        self.levels[name], self.values[name] = found.levels, found.values
        return [found.unit]

    def _tell(self, size: int) -> None:
        self.done += size
        if self.on_progress is not None:
            self.on_progress(self.done)

    def _root_elements(self, name: str) -> dict[str, Any]:
        """Node ids of a tensor of a model. In an update they could be those of an older tensor of the name."""
        if self.settings.profile != 1 or not self.settings.node_ids or self.chain is not None:
            return {}
        ids = NodeIds(DEVICE, len(self.roots), 0)
        self.roots[name] = ids
        return {"device_id": ids.device_id, "parameter_id": ids.parameter_id, "put_node_depth": ids.depth}

    def _has_parent(self, name: str, tensor: NDArray[Any]) -> bool:
        before = None if self.chain is None else self.chain.values.get(name)
        same_kind = before is not None and (before.dtype.kind == "f") == (tensor.dtype.kind == "f")
        if self.chain is None or before is None or not same_kind or before.shape != tensor.shape:
            return False
        if name not in self.chain.parents:
            return False
        # Marks of another shape are left from before the tensor changed its shape; decoders cannot use them.
        history = self.chain.history.get(name)
        return history is None or history.shape == tensor.shape


@dataclass(frozen=True, slots=True, eq=False)
class _Coded:
    """A tensor's unit, None without one, and what decoders have of the tensor then."""

    unit: Recipe | None
    levels: NDArray[np.int32]
    values: NDArray[Any]
    delivered: NDArray[Any] | None


def _one(
    found: tuple[Recipe, list[QuantizedTensor], Mapping[str, Any]],
) -> tuple[list[Recipe], list[QuantizedTensor], Mapping[str, Any]]:
    unit, parts, composed = found
    return [unit], parts, composed


def _finished(
    work: _Encoding, units: list[Recipe], chain: ChainState, parameter_set: Mapping[str, Any]
) -> EncodedModel:
    settings = work.settings
    methods = 3 if settings.codebook else 1
    mps = {
        "mps_quantization_method_flags": methods,
        "mps_qp_density": settings.qp_density,
        "mps_quantization_parameter": settings.qp,
        **({"topology_carriage_flag": 1} if settings.topology else {}),
        **parameter_set,
        **settings.parameter_set,
    }
    data = _built(mps, settings.topology, units, settings)
    by_name = len(data)
    if settings.indexed:
        topology, units = indexed(settings.topology, units)
        mps["mps_topology_indexed_reference_flag"] = 1
        data = _built(mps, topology, units, settings)
    return EncodedModel(
        data=data,
        tensors=work.values | work.delivered,
        levels=work.levels,
        state=chain.after(work.values, work.levels, work.parents, work.roots, settings.raw & work.values.keys()),
        weights=sum(tensor.size for tensor in work.tensors.values()),
        bytes_before=sum(tensor.nbytes for tensor in work.tensors.values()),
        bytes_by_name=by_name,
    )


def _built(
    mps: Mapping[str, Any], topology: Sequence[Mapping[str, Any]], units: list[Recipe], settings: EncoderSettings
) -> bytes:
    enclosed = sum(1 + len(elements.get("parts", [])) for unit in units for elements in unit.values())
    if settings.aggregate and enclosed >= FEWEST_AGGREGATED:
        units = [{"NNR_AGG": {"units": units, "num_of_nnr_units_minus2": enclosed - 2}}]
    start = {"NNR_STR": {"general_profile_idc": settings.profile}}
    return build_recipe([start, {"NNR_MPS": mps}, *topology, *units], traced=False).data


def _with_execution(settings: EncoderSettings, tensors: Tensors, before: Tensors) -> EncoderSettings:
    """Settings that say which execution: many small tensors are as much work as a large one."""
    if settings.compiled is None and choose_all_compiled(loops_of(tensors, settings, before)):
        return replace(settings, compiled=True)
    return settings


def _checked(tensors: Tensors) -> dict[str, NDArray[Any]]:
    """The tensors with at least one dimension each, after all checks that need no settings."""
    found = {}
    if not tensors:
        raise BuildError("there is no tensor to encode")
    for name, tensor in tensors.items():
        if "\0" in name or not _is_text(name):
            raise BuildError(f"the name {name!r} cannot be carried: it has a NUL or is no valid text")
        if tensor.size == 0:
            raise BuildError(f"{name!r} is empty: {list(tensor.shape)}; every dimension is at least 1")
        if tensor.dtype.kind not in "fiub" or tensor.dtype.itemsize > 8:
            raise BuildError(
                f"{name!r} is of {tensor.dtype}; floats of up to 64 bits, integers and booleans are encoded"
            )
        found[name] = np.ascontiguousarray(tensor).reshape(tensor.shape or (1,))
    return found


def _is_text(name: str) -> bool:
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _raw_values(name: str, tensor: NDArray[Any]) -> NDArray[np.float32]:
    with np.errstate(over="ignore"):
        values = tensor.astype(np.float32)
    if tensor.dtype.kind != "f":
        raise BuildError(f"{name!r} is of {tensor.dtype}; only floats are sent raw")
    if tensor.dtype.itemsize > 4 and (np.isinf(values) & np.isfinite(tensor)).any():
        raise BuildError(f"{name!r} has numbers that binary32 cannot hold")
    return values


__all__ = ["ChainState", "EncodedModel", "EncoderSettings", "encode_model", "encode_update"]
