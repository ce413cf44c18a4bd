"""A stream, decoded unit by unit: framing, syntax, semantics, entropy decoding and dequantization in order.

Nothing is kept but what later units need, so that a caller can write tensors as they come.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from nnr_conformance.decoder.compressed_data import decode_compressed_data
from nnr_conformance.decoder.how import UnitDecoder
from nnr_conformance.decoder.model_state import ModelState
from nnr_conformance.decoder.payloads import PartCollector, PayloadBytes
from nnr_conformance.decoder.tensors import DecodedUnit
from nnr_conformance.decoder.topology import CarriedData, inflate
from nnr_conformance.decoder.unit_header import element_names, places_of
from nnr_conformance.decoder.update_tree import UpdateTree
from nnr_conformance.diagnostics import Findings
from nnr_conformance.errors import BitstreamError
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
from nnr_conformance.syntax.unit_parser import Unit, parse_joined_payload
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

    `wanted`: decode only units that hold a tensor of these names (None: all). `on_unit`: called with each unit and its
    trace, before the unit is decoded. `tree`: shared by the streams of a chain. Diagnostics go to `findings`; no
    exception leaves.
    """

    buffer: memoryview
    how: UnitDecoder
    findings: Findings
    tree: UpdateTree = field(default_factory=UpdateTree)
    wanted: frozenset[str] | None = None
    out_of_band: Mapping[str, Any] = field(default_factory=dict)
    on_unit: Callable[[Unit, list[TraceEntry]], None] | None = None
    units: list[UnitSummary] = field(default_factory=list)
    carried: list[CarriedData] = field(default_factory=list)
    tools: set[str] = field(default_factory=set)
    undecoded: list[str] = field(default_factory=list)
    _state: ModelState | None = None
    _parts: PartCollector | None = None

    def __iter__(self) -> Iterator[DecodedUnit]:
        trace: list[TraceEntry] = []
        session = Session(self.findings, trace, self.how.limits, self.out_of_band)
        self._parts = PartCollector(self.findings)
        for unit in walk_units(self.buffer, session, self.how.readings):
            if self.on_unit is not None:
                self.on_unit(unit, trace)
            decoded = self._take(unit, trace)
            trace.clear()
            if decoded is not None:
                self.tools |= decoded.tools
                yield decoded
                del decoded
        self._end_model()

    def _take(self, unit: Unit, trace: list[TraceEntry]) -> DecodedUnit | None:
        """Let one unit act on the state; the tensors that it completes."""
        if self._state is None and unit.unit_type != STR and not self.units:
            self.findings.report(
                "start_unit_missing", f"the first unit is {unit_type_name(unit.unit_type)}", path=unit.label
            )
        names: tuple[str, ...] = ()
        decoded = None
        if unit.unit_type == NDU and self._state is not None:
            self._state.data_units += 1
        if not unit.broken:
            try:
                names, decoded = self._act(unit, trace)
            except BitstreamError as fault:
                self.findings.add(fault.diagnostic)
                self.undecoded.append(unit.label)
        elif unit.unit_type in (NDU, -1):
            self.undecoded.append(unit.label)
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
        return decoded

    def _act(self, unit: Unit, trace: list[TraceEntry]) -> tuple[tuple[str, ...], DecodedUnit | None]:
        if unit.unit_type == STR:
            self._start_model(unit)
            return (), None
        state = self._state = self._state or ModelState()
        state.leave_scopes(unit.label, self.how.readings)
        self._check_partition_flags(unit)
        if unit.unit_type == MPS:
            state.start_parameter_set(unit, self.findings)
        elif unit.unit_type == LPS:
            self.tools.add("layer parameter set")
            state.start_layer_set(unit)
        elif unit.unit_type in (TPL, QNT):
            self._carry(unit, state, trace)
        elif unit.unit_type == AGG:
            self.tools.add("aggregate")
        elif unit.unit_type == NDU:
            return self._decode(unit, state, trace)
        return (), None

    def _start_model(self, unit: Unit) -> None:
        if self._state is not None:
            self.findings.report("start_unit_repeated", "another model begins", path=unit.label)
            self._end_model()
        self._state = ModelState(profile=unit.get("general_profile_idc"))
        self.tools.add("edition 2" if unit.get("general_profile_idc") == 1 else "edition 1")

    def _end_model(self) -> None:
        """Checks that need the whole model (R-ORD-08, R-ORD-15, R-UNIT-18)."""
        if self._parts is not None:
            self._parts.finish()
        state = self._state
        if state is None:
            return
        if state.topology_carriage and not state.topology_units:
            self.findings.report(
                "topology_missing", "topology_carriage_flag is 1, but there is no NNR_TPL", path=state.parameter_set
            )
        if not state.data_units:
            self.findings.report("no_compressed_data", "there is no NNR_NDU")

    def _check_partition_flags(self, unit: Unit) -> None:
        header = unit.header
        if header["independently_decodable_flag"] == 0 and header["partial_data_counter"] == 0:
            self.findings.report(
                "partial_data_counter_missing",
                "independently_decodable_flag is 0 without a partial_data_counter",
                path=joined(unit.label, "nnr_unit_header"),
            )

    def _payload(self, unit: Unit, ids: object) -> PayloadBytes | None:
        """The whole payload of a unit, None while parts are missing."""
        if not unit.is_part:
            return PayloadBytes.of_unit(self.buffer, unit)
        self.tools.add("partial data")
        assert self._parts is not None
        return self._parts.add(self.buffer, unit, ids)

    def _carry(self, unit: Unit, state: ModelState, trace: list[TraceEntry]) -> None:
        """A topology or quantization unit: keep its data, and the reference list for indices."""
        prefix = "topology" if unit.unit_type == TPL else "quantization"
        storage = unit.get(f"{prefix}_storage_format")
        state.topology_units += unit.unit_type == TPL
        payload = self._payload(unit, storage)
        if payload is None:
            return
        tree = unit.payload
        if unit.is_part:
            tree = parse_joined_payload(unit, payload.data, Session(self.findings, None, self.how.limits))
        if unit.unit_type == TPL and storage == TPL_REFLIST:
            self.tools.add("reference list")
            if state.reference_list is not None:
                self.findings.report("reference_list_repeated", "this one replaces the first", path=unit.label)
            state.reference_list = tuple(tree["topology_elements_ids_list"]["topology_elem_id_list"])
            return
        if unit.unit_type == TPL and storage == TPL_PRUN:
            self.tools.add("pruning container")
            return
        data = tree[f"{prefix}_data"]
        content = data.encode("utf-8", "surrogateescape") if isinstance(data, str) else data
        if unit.get(f"{prefix}_compression_format") == DFL and not isinstance(data, str):
            self.tools.add("deflate")
            path = joined(joined(unit.label, f"nnr_{prefix}_unit_payload"), f"{prefix}_data")
            bits = places_of(trace, unit.label).get(f"{prefix}_data", (8 * unit.payload_first, 8 * unit.end))
            content = inflate(content, self.how.limits, self.findings, path, bits)
        self.carried.append(CarriedData(unit.label, storage, bytes(content)))

    def _decode(
        self, unit: Unit, state: ModelState, trace: list[TraceEntry]
    ) -> tuple[tuple[str, ...], DecodedUnit | None]:
        if not state.parameter_set:
            self.findings.report("parameter_set_missing", "no NNR_MPS came before", path=unit.label)
        names = element_names(unit, state, trace)
        payload = self._payload(unit, names)
        if payload is None:
            return names, None
        for name in dict.fromkeys(names):
            if name in state.names:
                message = f"{name!r} was in {state.names[name]} before"
                self.findings.report("element_repeated", message, path=unit.label)
            state.names[name] = unit.label
        if self.wanted is not None and not self._is_wanted(names):
            return names, None
        decoded = decode_compressed_data(unit, payload, names, state, self.tree, trace, self.findings, self.how)
        return names, decoded

    def _is_wanted(self, names: tuple[str, ...]) -> bool:
        """A unit is wanted for one of its tensors, or for a part of one: factors and scaling have derived names."""
        assert self.wanted is not None
        parts = {name.removesuffix(suffix) for name in names for suffix in ("_G", "_H", "_scaling")}
        return not self.wanted.isdisjoint(parts.union(names))
