"""NNCodec on a stored stream, in a process of its own: what it decodes, and where that is what this package decodes.

A stream is decoded behind those that it updates. What an application would know is given: the layer of factors outside
of blocks, and parameters that the streams leave to it.
"""

from __future__ import annotations

import faulthandler
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from traceback import extract_tb
from typing import Any

import numpy as np
from nncodec.nnc_core import approximator
from nncodec.nnc_core.hdsp.hdsp_tool import HdspTool

from nnr_conformance.checker.check import check_chain
from nnr_conformance.decoder.tensors import CodedTensor, DecodedUnit
from nnr_conformance.report.model import Report
from nnr_conformance.scope import TraceEntry
from nnr_conformance.suite.corpus.golden import Golden, stored
from nnr_conformance.suite.mutation.child import Say, allow, limit_memory
from nnr_conformance.syntax.unit_parser import Unit
from tests.interop import nncodec_codec
from tests.interop.nncodec_causes import LOWEST, NAMED, Facts, next_ways
from tests.interop.nncodec_units import models
from tests.interop.nncodec_ways import MODELS, STATE, Way, in_way
from tests.interop.recipes import Array, Arrays

SECONDS = 10.0
"""Processor seconds for one stream in one way."""

FACTORS = ("_G", "_H")
LEAST = np.iinfo(np.int32).min
NODE_IDS = ("device_id", "parameter_id", "put_node_depth")
Named = list[tuple[str, Array]]


@dataclass(frozen=True, slots=True)
class Ours:
    """What this package finds in a golden stream.

    `coded`: tensors of the last stream in coding order. `model`: the tensors of the model. `nodes`: for each stream of
    the chain, by tensor name, its ids as a node. `report`: on the chain.
    """

    golden: Golden
    facts: Facts
    report: Report
    coded: Sequence[CodedTensor]
    model: Arrays
    nodes: Sequence[Mapping[str, Mapping[str, int]]]

    @property
    def chained(self) -> bool:
        """Whether there are updates in it."""
        return bool(self.golden.before) or "update" in self.facts.tools


def witness(golden: Golden, say: Say) -> None:
    """Decode the stream here, then by NNCodec in one way after another, and say what comes of each.

    This process may not survive. Messages: `facts`, then for each way `way`, and `raised` or what `_compared` gives.
    """
    faulthandler.disable()
    limit_memory()
    ours = find(golden)
    facts = ours.facts
    say({"facts": {**asdict(facts), "tools": sorted(facts.tools), "codes": sorted(facts.codes)}})
    waiting, tried = [Way()], set()
    while waiting:
        base = waiting.pop(0)
        ways = list(base.of_chain()) if ours.chained or MODELS in base.helped else [base]
        for way in ways if facts.accepted else ways[:1]:
            if way in tried:
                continue
            tried.add(way)
            say({"way": asdict(way)})
            allow(SECONDS)
            try:
                result = _compared(ours, _theirs(ours, way))
            except Exception as fault:
                said = in_short(fault)
                say({"raised": said})
                waiting += [one for one in next_ways(facts, base, said) if one not in waiting]
                continue
            say(result)
            if result["agrees"] == result["compared"]:
                return


def in_short(fault: Exception) -> str:
    """An exception of NNCodec in one line, without paths and addresses."""
    text = re.sub(r'ERROR: In function "(\w+)" in \S+', r"\1:", " ".join(str(fault).split()))
    frames = [
        one.name for one in extract_tb(fault.__traceback__) if "nncodec" in one.filename and one.name != "process"
    ]
    place = f" in {frames[-1].strip('_')}" if frames else ""
    return f"{type(fault).__name__}{place}: {text}"[:140].rstrip(": ")


def find(golden: Golden) -> Ours:
    """Check the stream, and decode it where it is not nonconforming."""
    report = check_chain(golden.chain(), edition=golden.check.get("edition"), dependence=False)
    last = report.streams[-1]
    accepted = last.verdict.value != "nonconforming"
    units = tuple(sorted({row.unit_type for row in last.units}))
    facts = Facts(accepted, units, frozenset(last.tools), frozenset(one.code for one in last.diagnostics))
    if not accepted:
        return Ours(golden, facts, report, (), {}, ())
    chain = golden.chain()
    ids: list[dict[str, dict[str, int]]] = [{} for _ in chain.streams]
    nodes: list[dict[str, dict[str, int]]] = [{} for _ in chain.streams]

    lowest: list[str] = []

    def read(number: int, unit: Unit, trace: list[TraceEntry]) -> None:
        ids[number][unit.label] = {name: int(unit.get(name) or 0) for name in NODE_IDS}

    def decoded(number: int, unit: DecodedUnit) -> None:
        nodes[number].update({tensor.name: ids[number].get(unit.label, {}) for tensor in unit.tensors})
        lowest.extend(one.name for one in unit.tensors if one.quantized is not None and (one.quantized == LEAST).any())

    chain.on_unit, chain.on_decoded = read, decoded
    units_ = [unit for number, unit in chain.units() if number == len(chain.streams) - 1]
    coded = [tensor for unit in units_ for tensor in unit.tensors]
    named = any(one.name.endswith(FACTORS) for one in coded) and "decomposition" not in facts.tools
    seen = {name for name, found in ((LOWEST, lowest), (NAMED, named)) if found}
    facts = replace(facts, tools=facts.tools | seen)
    return Ours(golden, facts, report, coded, {tensor.name: tensor.values for tensor in golden.chain()}, nodes)


def _theirs(ours: Ours, way: Way) -> list[nncodec_codec.Raw]:
    """What NNCodec makes of the models of the last stream; raises whatever it raises."""
    golden, kept, history = ours.golden, nncodec_codec.ChainState(), HdspTool(True)
    outside = {name: _outside(values) for name, values in golden.check.get("out_of_band", {}).items()}
    layers = {one.name[:-2]: one.name[:-2] for one in ours.coded if one.name.endswith(FACTORS)}
    streams = [
        (model, number)
        for number, path in enumerate((*golden.before, golden.path))
        for model in models(stored(path), ours.report.streams[number].units, way)
    ]
    found: list[nncodec_codec.Raw] = []
    levels: Arrays = {}
    root = 0
    with in_way(way):
        for number, (stream, origin) in enumerate(streams):
            if "update" not in ours.report.streams[origin].tools:
                # Whoever gets another network begins anew.
                kept, history, levels, root = nncodec_codec.ChainState(), HdspTool(True), {}, number
            place = number - root, len(streams)
            state = kept if way.keeps_state(*place) else None
            if STATE in way.helped and number > root:
                state = _given(levels, ours.nodes[origin])
            marks = history if way.has_history(*place) else None
            found.append(nncodec_codec.decode_raw(stream, layers, state, marks, outside))
            levels |= found[-1].levels
    return [one for one, (_, origin) in zip(found, streams, strict=True) if origin == len(golden.before)]


def _given(levels: Arrays, nodes: Mapping[str, Mapping[str, int]]) -> nncodec_codec.ChainState:
    """What NNCodec wants to know of the parents of the tensors of a stream."""
    state = nncodec_codec.ChainState()
    state.base["parameters"] = dict(levels)
    state.base["put_node_depth"] = {name: ids.get("put_node_depth", 0) - 1 for name, ids in nodes.items()}
    state.base["parameter_id"] = {name: ids.get("parameter_id", 0) for name, ids in nodes.items()}
    state.base["device_id"] = next((ids.get("device_id", 0) for ids in nodes.values()), 0)
    return state


def _outside(values: Mapping[str, Any]) -> dict[str, Any]:
    found = dict(values)
    if "tensor_dimensions" in found:
        found["count_tensor_dimensions"] = len(found["tensor_dimensions"])
    return found


def _compared(ours: Ours, found: Sequence[nncodec_codec.Raw]) -> dict[str, Any]:
    """Stages that are equal, stages that can be compared, and the first difference in words.

    Raises what ended the dequantization where nothing can be compared.
    """
    if not ours.facts.accepted or any(code.startswith("limit_") for code in ours.facts.codes):
        for one in found:
            if one.fault is not None:
                raise one.fault
        return {"agrees": [], "compared": [], "said": ""}
    raw = {one.name for one in ours.coded if one.quantized is None}
    wanted = {one.name for one in ours.coded} if "tensors" in ours.golden.check else None

    def all_of(which: str) -> Named:
        items = [item for one in found for item in getattr(one, which).items()]
        return [(name, array) for name, array in items if wanted is None or name in wanted]

    levels = [(one.name, one.quantized) for one in ours.coded if one.quantized is not None]
    stages = {"levels": differences(levels, [item for item in all_of("levels") if item[0] not in raw])}
    faults = [one.fault for one in found if one.fault is not None]
    if not faults:
        stages["dequantized"] = differences(
            [(one.name, _single(one.values)) for one in ours.coded], all_of("tensors"), raw
        )
    said = [f"{stage}: {lines[0]}" for stage, lines in stages.items() if lines] + [in_short(one) for one in faults]
    if len(found) == 1 and not faults and not {"update", "decomposition"} & ours.facts.tools:
        stages["tensors"] = _model_differences(ours.model, found[0], raw)
    agrees = [stage for stage, lines in stages.items() if not lines]
    # NNCodec knows no formats and composes by names; that is no disagreement about the stream.
    compared = [stage for stage in stages if stage != "tensors" or stage in agrees]
    return {"agrees": agrees, "compared": compared, "said": said[0] if said else ""}


def _single(values: Array) -> Array:
    with np.errstate(over="ignore"):
        return values.astype(np.float32) if values.dtype == np.float64 else values


def _model_differences(model: Arrays, found: nncodec_codec.Raw, raw: Iterable[str]) -> list[str]:
    try:
        approximator.apply_lsa(found.info, found.data)
    except Exception as fault:
        return [in_short(fault)]
    return differences(sorted(model.items()), sorted(found.tensors.items()), raw)


def differences(ours: Named, theirs: Named, raw: Iterable[str] = ()) -> list[str]:
    """What differs in words; of computed values any NaN is like another, in `raw` each bit counts."""
    names, found = [name for name, _ in ours], [name for name, _ in theirs]
    if names != found:
        missing = [name for name in names if name not in found]
        more = [name for name in found if name not in names]
        return [f"tensors are {found}, not {names}" if not (missing or more) else f"missing {missing}, too much {more}"]
    lines = []
    for (name, left), (_, right) in zip(ours, theirs, strict=True):
        if (left.dtype, left.shape) != (right.dtype, right.shape):
            lines.append(f"{name} is {right.dtype.name} {list(right.shape)}, not {left.dtype.name} {list(left.shape)}")
            continue
        same = _bits(left) == _bits(right)
        if name not in raw and left.dtype.kind == "f":
            same |= np.isnan(left) & np.isnan(right)
        if not same.all():
            at = int(np.flatnonzero(~same)[0])
            lines.append(f"{name}[{at}] is {right.flat[at]}, not {left.flat[at]}")
    return lines


def _bits(values: Array) -> Array:
    return np.ascontiguousarray(values).view(f"u{values.dtype.itemsize}")
