"""One unit, parsed: size, header and payload, the names that its declarations defined, and where its payload is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from construct import Container

from nnr_conformance.bits import BitReader
from nnr_conformance.descriptors import bs
from nnr_conformance.errors import BitstreamError
from nnr_conformance.readings import Readings, known_readings
from nnr_conformance.scope import Scope, Session, joined
from nnr_conformance.syntax.aggregate import nnr_aggregate_unit_payload
from nnr_conformance.syntax.compressed_data import nnr_compressed_data_unit_payload
from nnr_conformance.syntax.declaration import Structure
from nnr_conformance.syntax.enumerations import AGG, LPS, MPS, NDU, QNT, STR, TPL
from nnr_conformance.syntax.parameter_sets import (
    nnr_layer_parameter_set_unit_payload,
    nnr_model_parameter_set_unit_payload,
)
from nnr_conformance.syntax.topology import nnr_quantization_unit_payload, nnr_topology_unit_payload
from nnr_conformance.syntax.units import nnr_unit_header, nnr_unit_size

nnr_start_unit_payload = Structure("nnr_start_unit_payload")

part_of_payload = Structure("part_of_payload", "part" / bs())
"""The payload of one part of a partitioned unit: bytes that mean nothing before they are joined (R-UNIT-19)."""

unknown_payload = Structure("unknown_payload", "unknown" / bs())
"""The payload of a unit of a reserved type."""

PAYLOADS: Mapping[int, Structure] = {
    STR: nnr_start_unit_payload,
    MPS: nnr_model_parameter_set_unit_payload,
    LPS: nnr_layer_parameter_set_unit_payload,
    TPL: nnr_topology_unit_payload,
    QNT: nnr_quantization_unit_payload,
    NDU: nnr_compressed_data_unit_payload,
    AGG: nnr_aggregate_unit_payload,
}
PARTITIONED = (TPL, QNT, NDU)
"""Unit types whose payload may travel in parts (R-UNIT-16)."""


def initial_state(readings: Readings) -> dict[str, Any]:
    """Names that declarations see before any unit: what parameter sets define, and the readings (as ``reading ID``)."""
    state: dict[str, Any] = {
        "general_profile_idc": 0,
        "mps_topology_indexed_reference_flag": 0,
        "mps_parent_signalling_enabled_flag": 0,
        "G_pending": 0,
        "reference_list": (),
    }
    state.update({f"reading {name}": readings[name] for name in known_readings()})
    return state


@dataclass(slots=True)
class Unit:
    """A parsed unit. Bits and bytes are absolute in the stream.

    `names` has every element and variable by name (chained to the state before the unit); `header` and `payload` are
    the trees, empty as far as they could not be parsed; `payload_first` is the byte behind the header; `broken` says
    that parsing stopped early; `unit_type` is nnr_unit_type, or -1 when not even that could be read.
    """

    label: str
    first: int
    end: int
    names: Scope
    size: Container
    header: Container
    payload: Container
    payload_first: int
    broken: bool
    unit_type: int = field(init=False)

    def __post_init__(self) -> None:
        self.unit_type = int(self.header.get("nnr_unit_type", -1))

    @property
    def is_part(self) -> bool:
        """True for one part of a partitioned unit that must be joined with others (R-UNIT-08, R-UNIT-12)."""
        return is_part(self.header)

    def get(self, name: str, default: Any = None) -> Any:
        """Value of an element or variable of this unit or the state before it."""
        return self.names.find(name, default)


def is_part(header: Mapping[str, Any]) -> bool:
    """True when a header says that its payload is one part of several."""
    return (
        header.get("nnr_unit_type") in PARTITIONED
        and header.get("partial_data_counter", 0) > 0
        and header["independently_decodable_flag"] == 0
    )


def parse_size(buffer: memoryview, first: int, end: int, session: Session) -> tuple[Container, int]:
    """The size field at byte `first` of those before `end`, and the bit behind it. Raises BitstreamError."""
    reader = BitReader(buffer, 8 * first, 8 * end)
    return nnr_unit_size.parse_tree(reader, session=session), reader.position


def parse_unit(
    buffer: memoryview, label: str, first: int, end: int, state: Mapping[str, Any], session: Session
) -> Unit:
    """Parse bytes `first` .. `end` - 1 as one unit; everything found wrong goes to the session's findings."""
    reader = BitReader(buffer, 8 * first, 8 * end)
    size = Scope(session, state)
    header = Scope(session, size)
    payload = Scope(session, header)
    broken = False
    payload_first = end
    try:
        nnr_unit_size._parse(reader, size, label)
        nnr_unit_header._parse(reader, header, label)
        payload_first = reader.position >> 3
        _payload_structure(header.tree)._parse(reader, payload, label)
        if reader.position != reader.end:
            session.findings.report(
                # A start unit has a size of its own.
                "start_unit_size" if header.tree["nnr_unit_type"] == STR else "unit_underrun",
                f"{reader.remaining // 8} bytes are left behind the last element",
                bits=(reader.position, reader.end),
                path=joined(label, "nnr_unit_payload"),
            )
    except BitstreamError as fault:
        session.findings.add(fault.diagnostic)
        broken = True
    return Unit(label, first, end, payload, size.tree, header.tree, payload.tree, payload_first, broken)


def parse_joined_payload(unit: Unit, payload: memoryview, session: Session) -> Container:
    """The payload tree of a partitioned unit whose parts are joined; positions count from the joined payload.

    Raises BitstreamError.
    """
    structure = PAYLOADS[unit.unit_type]
    return structure.parse_tree(BitReader(payload), unit.names, session, unit.label)


def parse_inflated_container(unit: Unit, content: bytes, session: Session) -> Container:
    """The payload tree of a container that was compressed; positions count from its inflated bytes.

    Raises BitstreamError.
    """
    names = Scope(session, unit.names)
    names["topology_compression_format"] = 0
    return PAYLOADS[TPL].parse_tree(BitReader(memoryview(content)), names, session, unit.label)


def _payload_structure(header: Mapping[str, Any]) -> Structure:
    if is_part(header):
        return part_of_payload
    return PAYLOADS.get(header["nnr_unit_type"], unknown_payload)
