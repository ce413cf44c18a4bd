"""Streams from recipes: every syntax element can be set, whatever is not set follows or has a default (clause 6).

A recipe is plain data, as YAML holds it: a list of units, each a mapping of one unit type name to its elements::

    - NNR_STR: {}
    - NNR_MPS: {mps_qp_density: 2}
    - NNR_NDU: {topology_elem_id: w, tensors: [{levels: [[1, 0], [-2, 3]]}]}

Besides elements a unit can have the keys of `UNIT_KEYS`. The same recipe always gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from nnr_conformance.bits import BitWriter
from nnr_conformance.encoder.elements import ElementSource, as_bytes
from nnr_conformance.encoder.payload import CodingContext, coded_payload, float_payload
from nnr_conformance.encoder.units import with_size
from nnr_conformance.errors import BuildError
from nnr_conformance.readings import DEFAULT_READINGS, Readings
from nnr_conformance.scope import Scope, Session, TraceEntry, TreeSource
from nnr_conformance.syntax.enumerations import AGG, CPT_DC, LPS, MPS, NDU, PT_FLOAT, PT_RAW_FLOAT, enumeration
from nnr_conformance.syntax.unit_parser import PAYLOADS, initial_state, is_part, parse_unit, part_of_payload
from nnr_conformance.syntax.unit_parser import unknown_payload as payload_of_unknown_type
from nnr_conformance.syntax.unit_walker import state_after
from nnr_conformance.syntax.units import nnr_unit_header, nnr_unit_size

UNIT_KEYS = frozenset(
    {"tensors", "float32", "ending", "units", "parts", "long_form", "state", "out_of_band", "behind", "qp_density"}
)
"""Keys of a unit that are no syntax elements.

`tensors`: what is coded, in coding order, each with levels (nested lists) and what `payload.TENSOR_KEYS` names;
`ending`: how the codeword ends; `float32`: the numbers of an uncompressed payload; `units`: those that an aggregate
unit encloses; `parts`: sizes in bytes of the parts in which the payload travels, the last part takes the rest;
`long_form`: the long size field; `behind`: bytes behind the last element; `state`, `qp_density`: what other units would
have said; `out_of_band`: parameters that the stream leaves to the application.
"""


@dataclass(frozen=True, slots=True)
class BuiltStream:
    """A stream and where each of its elements was written (bits from the start of the stream)."""

    data: bytes
    trace: tuple[TraceEntry, ...]

    def places(self, path: str) -> list[TraceEntry]:
        """The elements whose path is `path`, or begins and ends with its first and last part."""
        first, _, last = path.partition(" · ")
        tail = last.rpartition(" · ")[2]
        return [one for one in self.trace if one.path.startswith(f"{first} · ") and one.path.endswith(f" · {tail}")]


def build_recipe(
    units: Sequence[Mapping[str, Any]], readings: Readings = DEFAULT_READINGS, *, traced: bool = True
) -> BuiltStream:
    """The stream of a list of units; `traced`: with the places of its elements. Raises BuildError."""
    builder = _Builder(initial_state(readings), readings, traced)
    pieces: list[bytes] = []
    position = 0
    trace: list[TraceEntry] = []
    for number, unit in enumerate(units):
        label = f"unit {number + builder.extra}"
        try:
            built_units = builder.units(unit, label)
        except (TypeError, KeyError, ValueError, IndexError, AttributeError, OverflowError) as fault:
            raise BuildError(f"{label}: the recipe makes no sense here: {fault!r}") from fault
        for built in built_units:
            trace += _moved(built.trace, 8 * position)
            pieces.append(built.data)
            position += len(built.data)
    return BuiltStream(b"".join(pieces), tuple(trace))


@dataclass(slots=True)
class _Builder:
    """Builds unit after unit; `state` is what earlier ones said, `extra` how many parts more than recipe entries.

    `densities`: qp_density of the model, and of the layer parameter set in force; `layer_sets`: how many came so far.
    """

    state: Mapping[str, Any]
    readings: Readings
    traced: bool = True
    densities: dict[int, int] = field(default_factory=dict)
    layer_sets: int = 0
    extra: int = 0

    def units(self, entry: Mapping[str, Any], label: str) -> list[BuiltStream]:
        """The unit of one entry, or its parts."""
        unit_type, elements = _entry(entry)
        elements = self._with_payload(unit_type, elements, label)
        if "parts" not in elements:
            return [self._unit(unit_type, elements, label)]
        payload = self._payload_bytes(unit_type, elements, label)
        ends = [sum(elements["parts"][: number + 1]) for number in range(len(elements["parts"]))]
        pieces = [payload[first:end] for first, end in zip([0, *ends], [*ends, len(payload)], strict=True)]
        built = []
        for number, piece in enumerate(pieces):
            own = {"independently_decodable_flag": 0, "partial_data_counter": len(pieces) - number}
            part = {**own, **{name: found for name, found in elements.items() if name != "parts"}, "part": piece}
            built.append(self._unit(unit_type, part, _following(label, number)))
        self.extra += len(pieces) - 1 if "." not in label else 0
        return built

    def _with_payload(self, unit_type: int, elements: Mapping[str, Any], label: str) -> dict[str, Any]:
        """Elements with the payload that tensors, numbers or enclosed units give."""
        if unit_type == AGG and "units" in elements:
            enclosed, trace = self._enclosed(elements["units"], label)
            return {"nnr_units": enclosed, "enclosed trace": trace, **elements}
        if unit_type != NDU:
            return dict(elements)
        if "float32" in elements:
            coded, kind, name = float_payload(elements["float32"]), PT_RAW_FLOAT, "raw_float32_parameter"
        elif "tensors" in elements:
            kind = _payload_type(elements)
            density = elements.get("qp_density", self.densities.get(LPS, self.densities.get(MPS, 0)))
            context = CodingContext(self.state["general_profile_idc"], density)
            coded = coded_payload(elements["tensors"], elements, kind, context, elements.get("ending", {}))
            name = "cabac_payload"
        else:
            return dict(elements)
        return {"nnr_compressed_data_unit_payload_type": kind, name: coded.data, **coded.elements, **elements}

    def _enclosed(self, units: Sequence[Mapping[str, Any]], label: str) -> tuple[bytes, list[TraceEntry]]:
        data, trace = b"", []
        number = 0
        layer_sets = self.layer_sets
        for unit in units:
            for built in self.units(unit, f"{label}.{number}"):
                trace += _moved(built.trace, 8 * len(data))
                data += built.data
                number += 1
        if self.layer_sets > layer_sets and self.readings["lps-scope"] == "aggregate":
            self.densities.pop(LPS, None)
        return data, trace

    def _unit(self, unit_type: int, elements: Mapping[str, Any], label: str) -> BuiltStream:
        session = Session(trace=[] if self.traced else None, out_of_band=elements.get("out_of_band", {}))
        state = {**self.state, **elements.get("state", {})}
        writer, names = BitWriter(), Scope(session, state)
        source = ElementSource({"nnr_unit_type": unit_type, **elements})
        nnr_unit_header._build(source, writer, names, label)
        payload_first = writer.position
        self._structure(names.tree)._build(source, writer, Scope(session, names), label)
        body = writer.getvalue() + as_bytes(elements.get("behind", b""), label)
        misspelt = (
            {name for name, found in elements.items() if found != []}
            - source.used
            - UNIT_KEYS
            - {"enclosed trace", "nnr_units"}
            - _payload_names(elements)
        )
        if misspelt:
            raise BuildError(f"{label}: no place for {', '.join(sorted(misspelt))}")
        data = with_size(body, elements.get("long_form"))
        size_bits = 8 * (len(data) - len(body))
        trace = []
        if session.trace is not None:
            trace = _size_trace(data, size_bits, label) + _moved(session.trace, size_bits)
            trace += _moved(elements.get("enclosed trace", []), size_bits + payload_first)
        if not self._passes_by(unit_type, names):
            self._remember(unit_type, data, state, label, session.out_of_band)
        return BuiltStream(data, tuple(trace))

    def _payload_bytes(self, unit_type: int, elements: Mapping[str, Any], label: str) -> bytes:
        """The payload of a unit that travels in parts, written as one piece."""
        session = Session(out_of_band=elements.get("out_of_band", {}))
        names = Scope(session, {**self.state, **elements.get("state", {})})
        whole = {name: found for name, found in elements.items() if name != "partial_data_counter"}
        source = ElementSource({"nnr_unit_type": unit_type, **whole})
        nnr_unit_header._build(source, BitWriter(), names, label)
        writer = BitWriter()
        self._structure(names.tree)._build(source, writer, Scope(session, names), label)
        return writer.getvalue()

    def _structure(self, header: Mapping[str, Any]) -> Any:
        if is_part(header):
            return part_of_payload
        return PAYLOADS.get(header["nnr_unit_type"], payload_of_unknown_type)

    def _passes_by(self, unit_type: int, names: Scope) -> bool:
        """Whether the unit, with these names in its header, changes nothing for those behind it."""
        factor = names.find("compressed_parameter_types", 0) & CPT_DC
        return unit_type == NDU and not factor and not self.state["G_pending"]

    def _remember(
        self, unit_type: int, data: bytes, state: Mapping[str, Any], label: str, out_of_band: Mapping[str, Any]
    ) -> None:
        """Let the unit act on those behind it, as a parser would."""
        session = Session(out_of_band=out_of_band)
        unit = parse_unit(memoryview(data), label, 0, len(data), state, session)
        self.state = state_after(unit, self.state, self.readings)
        if unit_type in (MPS, LPS):
            self.densities.pop(LPS, None)
        self.layer_sets += unit_type == LPS
        prefix = {MPS: "mps", LPS: "lps"}.get(unit_type)
        if prefix is not None and f"{prefix}_qp_density" in unit.payload:
            self.densities[unit_type] = unit.payload[f"{prefix}_qp_density"]


def _payload_names(elements: Mapping[str, Any]) -> set[str]:
    """Elements that a payload brought along and that its header may not need."""
    brought = {
        "value",
        "dq_state",
        "bit_offset",
        "bit_offset_delta",
        "cabac_unary_length_minus1",
        "tensor_dimensions",
        "part",
        "partial_data_counter",
    }
    payloads = {"cabac_payload", "raw_float32_parameter"} if "part" in elements else set()
    carried = {"topology_data", "quantization_data"} if "part" in elements else set()
    return brought | payloads | carried


def _entry(entry: Mapping[str, Any]) -> tuple[int, Mapping[str, Any]]:
    """Unit type and elements of an entry; types without a name are written as numbers."""
    if len(entry) != 1:
        raise BuildError(f"an entry has one unit type, not {len(entry)}")
    name, elements = next(iter(entry.items()))
    if isinstance(name, int):
        return name, elements or {}
    for number, known in enumeration("nnr_unit_type").values.items():
        if known == name:
            return number, elements or {}
    raise BuildError(f"there is no unit type {name}")


def _payload_type(elements: Mapping[str, Any]) -> int:
    given = elements.get("nnr_compressed_data_unit_payload_type", PT_FLOAT)
    for number, name in enumeration("nnr_compressed_data_unit_payload_type").values.items():
        if given in (number, name):
            return number
    return int(given) if isinstance(given, int) else PT_FLOAT


def _following(label: str, number: int) -> str:
    """The label of the unit `number` places behind another."""
    head, separator, last = label.rpartition("." if "." in label else " ")
    return f"{head}{separator}{int(last) + number}"


def _size_trace(data: bytes, size_bits: int, label: str) -> list[TraceEntry]:
    trace: list[TraceEntry] = []
    session = Session(trace=trace)
    tree = {"nnr_unit_size_flag": int(size_bits == 32), "nnr_unit_size": len(data)}
    nnr_unit_size._build(TreeSource(tree), BitWriter(), Scope(session), label)
    return trace


def _moved(trace: Sequence[TraceEntry], bits: int) -> list[TraceEntry]:
    return [entry._replace(first=entry.first + bits) for entry in trace]
