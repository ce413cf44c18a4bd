"""Clause 7, encoder side: what an update must know of the streams before it in its chain."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnr_conformance.api import as_views, chain_decoder, decode
from nnr_conformance.bits import Buffer
from nnr_conformance.encoder.data_unit import Parent
from nnr_conformance.encoder.recipe import build_recipe
from nnr_conformance.errors import BuildError
from nnr_conformance.report.model import Verdict, verdict_of
from nnr_conformance.scope import TraceEntry
from nnr_conformance.syntax.unit_parser import Unit

DEVICE = 0
"""device_id of the chains that are made here."""
HEADER = "nnr_compressed_data_unit_header"


@dataclass(frozen=True, slots=True)
class NodeIds:
    """Ids of the last unit of a tensor: put_node_depth 0 for one that is no update."""

    device_id: int
    parameter_id: int
    depth: int


@dataclass(frozen=True, slots=True, eq=False)
class ChainState:
    """A chain so far.

    `values`: the model as decoders have it, float32 and int32. `levels`: int32 quantized parameters of the last unit of
    each tensor. `history`: where any update so far was not zero. `ids`: those of each tensor that has any. `parents`:
    names of tensors that can be updated; a weight that was sent as factors has no unit that it could have as parent.
    """

    values: Mapping[str, NDArray[Any]]
    levels: Mapping[str, NDArray[np.int32]] = field(default_factory=dict)
    history: Mapping[str, NDArray[np.bool_]] = field(default_factory=dict)
    ids: Mapping[str, NodeIds] = field(default_factory=dict)
    parents: frozenset[str] = frozenset()

    @classmethod
    def of_streams(cls, streams: Sequence[Buffer], base: Mapping[str, NDArray[Any]] | None = None) -> ChainState:
        """The state behind streams that are there already. Raises BuildError where they cannot be decoded whole."""
        views = as_views(streams)
        # Parents of updates are not rounded to the format that a stream signals; a decoder delivers them as they are
        # when a last stream leaves them alone.
        start = {"NNR_STR": {"general_profile_idc": 1}}
        nothing = build_recipe([start, {"NNR_MPS": {"mps_parent_signalling_enabled_flag": 1}}]).data
        found = decode([*views, nothing], base=base)
        if verdict_of(found.diagnostics) is not Verdict.CONFORMING:
            raise BuildError("the streams of the base cannot be decoded without errors")
        levels: dict[str, NDArray[np.int32]] = {}
        history: dict[str, NDArray[np.bool_]] = {}
        ids: dict[str, NodeIds] = {}

        def observe(number: int, unit: Unit, trace: Sequence[TraceEntry]) -> None:
            header = unit.header.get(HEADER, {})
            name = header.get("topology_elem_id")
            if name is not None and "parameter_id" in header:
                device = header.get("device_id", header.get("parent_device_id", DEVICE))
                ids[name] = NodeIds(device, header["parameter_id"], header.get("put_node_depth", 0))
            elif name is not None:
                ids.pop(name, None)

        parents = set(base or ())
        chain = chain_decoder(views, base=base)
        chain.on_unit = observe
        for _, unit in chain.units():
            for tensor in unit.tensors:
                parents.add(tensor.name)
                if tensor.quantized is None:
                    levels.pop(tensor.name, None)
                    continue
                levels[tensor.name] = tensor.quantized
                if unit.update:
                    history[tensor.name] = _marked(history.get(tensor.name), tensor.quantized)
        return cls(cls.of_tensors(found.tensors).values, levels, history, ids, frozenset(parents))

    @classmethod
    def of_tensors(cls, tensors: Mapping[str, NDArray[Any]]) -> ChainState:
        """The state of a model that decoders have from elsewhere. Tensors that 32 bits do not hold are left out."""
        values: dict[str, NDArray[Any]] = {}
        for name, tensor in tensors.items():
            whole = tensor.dtype.kind in "iub"
            if tensor.dtype.kind == "f":
                values[name] = tensor.astype(np.float32)
            elif whole and tensor.size and int(tensor.min()) >= -(1 << 31) and int(tensor.max()) < 1 << 31:
                values[name] = tensor.astype(np.int32)
        return cls(values, parents=frozenset(values))

    def parent_of(self, name: str, *, temporal: bool, history: bool) -> Parent:
        """The parent of the next update of a tensor; `temporal`, `history`: with levels and marks, if there are any."""
        known = self.ids.get(name)
        if known is None:
            free = 1 + max((ids.parameter_id for ids in self.ids.values()), default=-1)
            unnumbered = [other for other in self.values if other not in self.ids]
            known = NodeIds(DEVICE, free + unnumbered.index(name), 0)
        levels = self.levels.get(name) if temporal else None
        marks = self.history.get(name) if history else None
        return Parent(known.device_id, known.parameter_id, known.depth + 1, levels, marks)

    def after(
        self,
        values: Mapping[str, NDArray[Any]],
        levels: Mapping[str, NDArray[np.int32]],
        parents: Mapping[str, Parent],
        roots: Mapping[str, NodeIds],
        raw: frozenset[str],
    ) -> ChainState:
        """The state behind one more stream: values, levels, parents of its updates, ids of others, names sent raw."""
        history = dict(self.history)
        for name in parents:
            history[name] = _marked(history.get(name), levels[name])
        ids = {name: NodeIds(parent.device_id, parent.parameter_id, parent.depth) for name, parent in parents.items()}
        kept = {name: known for name, known in self.ids.items() if name not in values}
        return ChainState(
            values={**self.values, **values},
            levels={name: found for name, found in {**self.levels, **levels}.items() if name not in raw},
            history=history,
            ids={**kept, **ids, **roots},
            parents=self.parents | levels.keys() | raw,
        )


def _marked(before: NDArray[np.bool_] | None, quantized: NDArray[np.int32]) -> NDArray[np.bool_]:
    now: NDArray[np.bool_] = quantized != 0
    return now if before is None or before.shape != now.shape else before | now
