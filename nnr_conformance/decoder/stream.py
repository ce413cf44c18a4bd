"""A stream, decoded unit by unit: framing, syntax, semantics, entropy decoding and dequantization in order.

Nothing is kept but what later units need, so that a caller can write tensors as they come.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, MutableSequence, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from nnr_conformance.decoder.compressed_data import DataDecoder, decode_compressed_data
from nnr_conformance.decoder.how import UnitDecoder
from nnr_conformance.decoder.model_state import ModelState
from nnr_conformance.decoder.order_machines import ELEMENT, REFERENCE_LIST
from nnr_conformance.decoder.payloads import PartCollector, PayloadBytes
from nnr_conformance.decoder.steps import Schedule, Steps, Work, in_order
from nnr_conformance.decoder.tensors import DecodedUnit
from nnr_conformance.decoder.topology import CarriedData, inflate
from nnr_conformance.decoder.unit_header import element_indices, element_names, id_place, places_of
from nnr_conformance.decoder.update_tree import UpdateTree
from nnr_conformance.diagnostics import Findings
from nnr_conformance.errors import BitstreamError
from nnr_conformance.machines import Event, Judge, Watch
from nnr_conformance.scope import Session, TraceEntry, joined
from nnr_conformance.syntax.enumerations import (
    AGG,
    DFL,
    LPS,
    MPS,
    NDU,
    QNT,
    STR,
    TPL,
    TPL_PRUN,
    TPL_REFLIST,
    unit_type_name,
)
from nnr_conformance.syntax.repeated_units import LateTrace
from nnr_conformance.syntax.unit_parser import Unit, parse_inflated_container, parse_joined_payload
from nnr_conformance.syntax.unit_walker import walk_units


@dataclass(frozen=True, slots=True)
class UnitSummary:
    """One unit for a report: where it is (bytes), what it is, the ids and shapes of its tensors as far as known."""

    label: str
    unit_type: str
    first: int
    size: int
    payload_size: int
    names: tuple[str, ...] = ()
    dimensions: tuple[int, ...] = ()


@dataclass(slots=True)
class StreamDecoder:
    """Decodes one stream; iterate over it once. What it found is in its fields while and after it runs.

    `wanted`: decode only units that hold a tensor of these names (None: all). `decode_data`: what becomes of each of
    these units; takes and gives what `decode_compressed_data` does, or None when there are to be no tensors.
    `schedule`: in which order and where the work on units is done; the results and findings are the same.
    `on_unit`: called with each unit and its trace, before the unit is decoded. `tracing`: the trace of each unit is
    looked at; without it traces are made where they are needed, which is nearly never. `tree`: shared by the streams of
    a chain. Diagnostics go to `findings`; no exception leaves.
    """

    buffer: memoryview
    how: UnitDecoder
    findings: Findings
    tree: UpdateTree = field(default_factory=UpdateTree)
    wanted: frozenset[str] | None = None
    out_of_band: Mapping[str, Any] = field(default_factory=dict)
    decode_data: DataDecoder = decode_compressed_data
    schedule: Schedule = in_order
    on_unit: Callable[[Unit, Sequence[TraceEntry]], None] | None = None
    tracing: bool = True
    units: list[UnitSummary] = field(default_factory=list)
    carried: list[CarriedData] = field(default_factory=list)
    pruned: dict[str, tuple[int, ...]] = field(default_factory=dict)
    tools: set[str] = field(default_factory=set)
    _undecoded: dict[int, str] = field(default_factory=dict)
    _inflated: int = 0
    judge: Judge = field(init=False)
    _state: ModelState = field(default_factory=ModelState)
    _session: Session = field(init=False)
    _parts: PartCollector = field(init=False)
    _elements: Watch = field(default_factory=lambda: Watch(ELEMENT))
    _references: Watch = field(default_factory=lambda: Watch(REFERENCE_LIST))

    def __post_init__(self) -> None:
        self.judge_by(Judge(self.findings))

    def judge_by(self, judge: Judge) -> None:
        """Let a judge hear which requirements are met and broken; to be called before the first unit is decoded."""
        self.judge = judge
        self._parts = PartCollector(judge)

    def __iter__(self) -> Iterator[DecodedUnit]:
        return self.schedule(self._works())

    def _works(self) -> Iterator[Work]:
        """The work on each unit that holds tensors; other units act on the state when it is their turn."""
        trace = self._new_trace()
        self._session = Session(
            self.findings, trace, self.how.limits, self.out_of_band, specialise=self.how.compiled is not False
        )
        for unit in walk_units(self.buffer, self._session, self.how.readings):
            if self.on_unit is not None:
                self.on_unit(unit, trace)
            work = self._take(unit, trace)
            if work is not None:
                yield work
            # Who works on the unit later may still look at its trace.
            self._session.trace = trace = self._new_trace()
        self._end_model()

    def _new_trace(self) -> MutableSequence[TraceEntry]:
        return [] if self.tracing else LateTrace()

    def _take(self, unit: Unit, trace: Sequence[TraceEntry]) -> Work | None:
        """Let one unit act on the state; the work on the tensors that it completes."""
        names: tuple[str, ...] = ()
        steps = None
        if not unit.broken:
            try:
                names, steps = self._act(unit, trace)
            except BitstreamError as fault:
                self._lose(unit, fault)
        elif unit.unit_type in (NDU, -1):
            self._undecoded[unit.first] = unit.label
        self._note_unit(unit, names)
        if steps is None:
            return None
        elements = math.prod(unit.get("tensor_dimensions"))
        return Work(self._finish(unit, steps), elements, unit.get("parent_node_id_present_flag") == 1)

    def _finish(self, unit: Unit, steps: Steps[DecodedUnit | None]) -> Steps[DecodedUnit | None]:
        try:
            decoded = yield from steps
        except BitstreamError as fault:
            self._lose(unit, fault)
            return None
        if decoded is not None:
            self.tools |= decoded.tools
        return decoded

    def _lose(self, unit: Unit, fault: BitstreamError) -> None:
        self.findings.add(fault.diagnostic)
        self._undecoded[unit.first] = unit.label

    @property
    def undecoded(self) -> list[str]:
        """Labels of the units whose tensors could not be had, in the order of the stream."""
        return [label for _, label in sorted(self._undecoded.items())]

    def _note_unit(self, unit: Unit, names: tuple[str, ...]) -> None:
        """Keep what reports say of a unit."""
        self.units.append(
            UnitSummary(
                unit.label,
                unit_type_name(unit.unit_type) if unit.unit_type >= 0 else "unreadable",
                unit.first,
                unit.end - unit.first,
                unit.end - unit.payload_first,
                names,
                tuple(unit.get("tensor_dimensions", ())) if unit.unit_type == NDU and not unit.broken else (),
            )
        )

    def _act(self, unit: Unit, trace: Sequence[TraceEntry]) -> tuple[tuple[str, ...], Steps[DecodedUnit | None] | None]:
        if unit.unit_type == STR:
            self._start_model(unit)
        state = self._state
        state.leave_scopes(unit.label, self.how.readings)
        if unit.unit_type == MPS:
            state.start_parameter_set(unit)
        elif unit.unit_type == LPS:
            self.tools.add("layer parameter set")
            state.start_layer_set(unit)
        elif unit.unit_type in (TPL, QNT):
            self._carry(unit, trace)
        elif unit.unit_type == AGG:
            self.tools.add("aggregate")
        elif unit.unit_type == NDU:
            return self._decode(unit, state, trace)
        return (), None

    def _start_model(self, unit: Unit) -> None:
        self._end_model()
        self._state = ModelState()
        self.tools.add("edition 2" if unit.get("general_profile_idc") == 1 else "edition 1")

    def _end_model(self) -> None:
        """Forget what belongs to one model alone (R-ORD-12, R-UNIT-18)."""
        self._parts.finish()
        self._elements = Watch(ELEMENT)
        self._references = Watch(REFERENCE_LIST)

    def _payload(self, unit: Unit, ids: object) -> PayloadBytes | None:
        """The whole payload of a unit, None while parts are missing."""
        if not unit.is_part:
            self._parts.complete(unit, ids)
            return PayloadBytes.of_unit(self.buffer, unit)
        self.tools.add("partial data")
        return self._parts.add(self.buffer, unit, ids)

    def _carry(self, unit: Unit, trace: Sequence[TraceEntry]) -> None:
        """A topology or quantization unit: keep its data, and the reference list for indices."""
        prefix = "topology" if unit.unit_type == TPL else "quantization"
        storage = unit.get(f"{prefix}_storage_format")
        payload = self._payload(unit, storage)
        if payload is None:
            return
        tree = unit.payload
        if unit.is_part:
            tree = parse_joined_payload(unit, payload.data, Session(self.findings, None, self.how.limits))
        if unit.unit_type == TPL and storage in (TPL_PRUN, TPL_REFLIST):
            self._take_container(storage, self._container(unit, tree, trace), unit)
            return
        data = tree[f"{prefix}_data"]
        content = data.encode("utf-8", "surrogateescape") if isinstance(data, str) else data
        if unit.get(f"{prefix}_compression_format") == DFL and not isinstance(data, str):
            self.tools.add("deflate")
            path = joined(joined(unit.label, f"nnr_{prefix}_unit_payload"), f"{prefix}_data")
            bits = places_of(trace).get(f"{prefix}_data", (8 * unit.payload_first, 8 * unit.end))
            content = self._inflate(content, path, bits)
        self.carried.append(CarriedData(unit.label, unit.unit_type, storage, bytes(content)))

    def _take_container(self, storage: int, tree: Mapping[str, Any], unit: Unit) -> None:
        """A reference list, which later units refer to, or a pruning container, which changes nothing here."""
        self.tools.add("reference list" if storage == TPL_REFLIST else "pruning container")
        if storage == TPL_REFLIST:
            self._hear(self._references, Event("list", unit.label), lambda: (None, ""))
            self._state.reference_list = tuple(tree["topology_elements_ids_list"]["topology_elem_id_list"])
            if tree is not unit.payload:
                self._session.reference_list = self._state.reference_list
        self._note_pruned(tree)

    def _note_pruned(self, tree: Mapping[str, Any]) -> None:
        """Keep the new dimensions of a pruning dictionary for those who make model files."""
        dictionary = tree.get("nnr_pruning_topology_container", {}).get("pruning_dictionary", {})
        listed, known = dictionary.get("element_id_index", ()), self._state.reference_list or ()
        names = dictionary.get("element_id") or [known[at] if at < len(known) else "" for at in listed]
        self.pruned |= dict(zip(names, map(tuple, dictionary.get("dim", ())), strict=False))

    def _inflate(self, data: bytes | memoryview, path: str, bits: tuple[int, int]) -> bytes:
        """NNR_DFL data, inflated; all that a stream inflates is within one limit."""
        left = replace(self.how.limits, inflated_bytes=self.how.limits.inflated_bytes - self._inflated)
        content = inflate(data, left, self.findings, path, bits, self.how.readings)
        self._inflated += len(content)
        return content

    def _container(self, unit: Unit, tree: Mapping[str, Any], trace: Sequence[TraceEntry]) -> Mapping[str, Any]:
        """The tree of a reference list or pruning container, inflated where it was compressed."""
        if unit.get("topology_compression_format") == DFL:
            self.how.readings.mark("container-compression")
        if "topology_data" not in tree:
            return tree
        self.tools.add("deflate")
        path = joined(joined(unit.label, "nnr_topology_unit_payload"), "topology_data")
        bits = places_of(trace).get("topology_data", (8 * unit.payload_first, 8 * unit.end))
        content = self._inflate(tree["topology_data"], path, bits)
        inflated: Mapping[str, Any] = parse_inflated_container(
            unit, content, Session(self.findings, None, self.how.limits)
        )
        return inflated

    def _decode(
        self, unit: Unit, state: ModelState, trace: Sequence[TraceEntry]
    ) -> tuple[tuple[str, ...], Steps[DecodedUnit | None] | None]:
        names = element_names(unit, state.reference_list, trace)
        indexed = element_indices(unit) is not None
        if indexed:
            self._hear(self._references, Event("index", unit.label), lambda: id_place(unit, places_of(trace)))
        if names is None:
            self._undecoded[unit.first] = unit.label
            return (), None
        payload = self._payload(unit, names)
        if payload is None:
            return names, None
        self._hear_of_elements(unit, names, "indexed" if indexed else "named", trace)
        if self.wanted is not None and not self._is_wanted(names):
            return names, None
        return names, self.decode_data(unit, payload, names, state, self.tree, trace, self.judge, self.how)

    def _hear_of_elements(self, unit: Unit, names: tuple[str, ...], event: str, trace: Sequence[TraceEntry]) -> None:
        """The unit holds these elements; one that is twice in its own list is not an element that came before."""
        numbers: dict[str, int] = {}
        for number, name in enumerate(names):
            numbers.setdefault(name, number)
        for name, number in numbers.items():
            place = partial(_id_place, unit, trace, number)
            self._hear(self._elements, Event(event, unit.label, repr(name), key=name), place)

    def _hear(self, watch: Watch, event: Event, place: Callable[[], tuple[tuple[int, int] | None, str]]) -> None:
        """Let an event happen; `place`: where, which has to be known of what is broken alone."""
        for decision in watch.take(event):
            if decision.met:
                self.judge.met(decision.code)
            else:
                bits, path = place()
                self.judge.hear(decision, bits=bits, path=path)

    def _is_wanted(self, names: tuple[str, ...]) -> bool:
        """A unit is wanted for one of its tensors, or for a part of one: factors and scaling have derived names."""
        assert self.wanted is not None
        parts = {name.removesuffix(suffix) for name in names for suffix in ("_G", "_H", "_scaling")}
        return not self.wanted.isdisjoint(parts.union(names))


def _id_place(unit: Unit, trace: Sequence[TraceEntry], number: int) -> tuple[tuple[int, int] | None, str]:
    return id_place(unit, places_of(trace), number)
