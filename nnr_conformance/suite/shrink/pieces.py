"""A stream as units that can be changed: the elements of each by name, or its bytes where these say it better."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from nnr_conformance.bits import BitWriter
from nnr_conformance.descriptors import BitString
from nnr_conformance.encoder.elements import ElementSource, as_bytes
from nnr_conformance.encoder.payload import CodingContext, coded_payload
from nnr_conformance.encoder.units import with_size
from nnr_conformance.errors import BuildError
from nnr_conformance.framing import UnitSpan, frame
from nnr_conformance.readings import Readings
from nnr_conformance.scope import Scope, Session, TraceEntry
from nnr_conformance.suite.shrink.agreed import Agreed
from nnr_conformance.syntax.enumerations import AGG, LPS, MPS, NDU, PT_FLOAT
from nnr_conformance.syntax.unit_parser import (
    PAYLOADS,
    Unit,
    initial_state,
    is_part,
    parse_unit,
    part_of_payload,
    unknown_payload,
)
from nnr_conformance.syntax.unit_walker import state_after
from nnr_conformance.syntax.units import nnr_unit_header

Pieces = tuple["Piece", ...]


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """One unit, or bytes that are none.

    `elements`: by name, as recipes have them, in addition `tensors` and `ending` (see `encoder.recipe`); elements that
    no condition asks for are ignored. `inner`: the units that an aggregate unit encloses. `behind`: bytes behind the
    last element. `raw`: all bytes behind the size field instead of elements; with `size` None there is no size field
    either. `size`: whether the size field is long; `declared`: what it says, None for what is right.
    """

    unit_type: int = -1
    elements: Mapping[str, Any] = field(default_factory=dict)
    inner: Pieces = ()
    behind: bytes = b""
    raw: bytes | None = None
    size: bool | None = False
    declared: int | None = None

    def having(self, **elements: Any) -> Piece:
        """The same with other values of elements; None takes one away."""
        changed = {**self.elements, **elements}
        return replace(self, elements={name: value for name, value in changed.items() if value is not None})


def pieces_of(stream: bytes, agreed: Agreed) -> Pieces:
    """A stream in pieces, which `written` writes again byte for byte."""
    reader = _Reader(memoryview(stream), agreed)
    found = tuple(reader.pieces(0, len(stream), ""))
    return found if written(found, agreed) == stream else (Piece(raw=stream, size=None),)


def written(pieces: Pieces, agreed: Agreed) -> bytes:
    """The bytes of a stream. Raises BuildError."""
    try:
        return b"".join(_Writer(agreed).units(pieces))
    except (TypeError, KeyError, ValueError, IndexError, AttributeError, OverflowError) as fault:
        raise BuildError(f"the elements make no sense: {fault!r}") from fault


class _State:
    """What units tell those behind them."""

    def __init__(self, agreed: Agreed) -> None:
        self.readings: Readings = agreed.readings
        self.out_of_band = agreed.out_of_band
        self.names: Mapping[str, Any] = initial_state(agreed.readings)
        self.densities: dict[int, int] = {}

    def after(self, unit: Unit) -> None:
        """Let a unit act on those behind it."""
        self.names = state_after(unit, self.names, self.readings)
        if unit.unit_type in (MPS, LPS):
            self.densities.pop(LPS, None)
            density = unit.payload.get("mps_qp_density", unit.payload.get("lps_qp_density"))
            if density is not None:
                self.densities[unit.unit_type] = density

    def parsed(self, data: bytes) -> tuple[Unit, list[TraceEntry]]:
        """One unit with its trace."""
        trace: list[TraceEntry] = []
        session = Session(trace=trace, out_of_band=self.out_of_band)
        return parse_unit(memoryview(data), "unit", 0, len(data), self.names, session), trace


class _Writer(_State):
    def units(self, pieces: Pieces) -> Iterator[bytes]:
        """The bytes of each."""
        for piece in pieces:
            yield self._unit(piece)

    def _unit(self, piece: Piece) -> bytes:
        if piece.raw is not None:
            data = piece.raw if piece.size is None else _sized(piece.raw, piece)
            self.after(self.parsed(data)[0])
            return data
        elements = dict(piece.elements)
        if piece.inner:
            elements["nnr_units"] = b"".join(self.units(piece.inner))
        elif "tensors" in elements:
            elements = self._with_payload(elements)
        body = self.body(piece.unit_type, elements)
        data = _sized(body + piece.behind, piece)
        if not piece.inner:
            self.after(self.parsed(data)[0])
        return data

    def body(self, unit_type: int, elements: Mapping[str, Any]) -> bytes:
        """Header and payload from elements."""
        writer, names = BitWriter(), Scope(Session(out_of_band=self.out_of_band), self.names)
        source = ElementSource({"nnr_unit_type": unit_type, **elements})
        nnr_unit_header._build(source, writer, names, "")
        whole = PAYLOADS.get(unit_type, unknown_payload)
        structure = part_of_payload if is_part(names.tree) else whole
        structure._build(source, writer, Scope(names.session, names), "")
        return writer.getvalue()

    def _with_payload(self, elements: Mapping[str, Any]) -> dict[str, Any]:
        kind = elements.get("nnr_compressed_data_unit_payload_type", PT_FLOAT)
        density = self.densities.get(LPS, self.densities.get(MPS, 0))
        context = CodingContext(self.names["general_profile_idc"], density)
        tensors = [{**tensor, "levels": tensor["levels"].tolist()} for tensor in elements["tensors"]]
        coded = coded_payload(tensors, elements, kind, context, elements.get("ending", {}))
        return {
            "nnr_compressed_data_unit_payload_type": kind,
            "cabac_payload": coded.data,
            **coded.elements,
            **elements,
        }


def _sized(body: bytes, piece: Piece) -> bytes:
    if piece.declared is not None:
        long = bool(piece.size)
        return ((1 << 31 if long else 0) | piece.declared).to_bytes(4 if long else 2, "big") + body
    return with_size(body, piece.size or None)


class _Reader(_State):
    def __init__(self, buffer: memoryview, agreed: Agreed) -> None:
        super().__init__(agreed)
        self._buffer = buffer
        self._writer = _Writer(agreed)

    def pieces(self, first: int, end: int, parent: str) -> Iterator[Piece]:
        """The units in a range of bytes, and what is left behind them."""
        for span in frame(self._buffer, Session(), first, end, parent):
            yield self._piece(span)
            first = span.end
        if first < end:
            yield Piece(raw=bytes(self._buffer[first:end]), size=None)

    def _piece(self, span: UnitSpan) -> Piece:
        data = bytes(self._buffer[span.first : span.end])
        body = data[span.header - span.first :]
        unit, trace = self.parsed(data)
        before, self._writer.names = self.names, self.names
        self.after(unit)
        right = with_size(body, span.header - span.first == 4 or None) == data
        raw = Piece(
            unit.unit_type,
            raw=body,
            size=span.header - span.first == 4,
            declared=None if right else span.declared,
        )
        if unit.broken:
            return raw
        if unit.unit_type == AGG and parent_depth(span.label) < _DEEPEST:
            self.names = before
            inner = tuple(self.pieces(span.first + unit.payload_first, span.end, span.label))
            elements = {name: value for name, value in elements_of(unit, trace).items() if name != "nnr_units"}
            return replace(raw, raw=None, elements=elements, inner=inner)
        elements = elements_of(unit, trace)
        try:
            again = self._writer.body(unit.unit_type, elements)
        except (BuildError, TypeError, KeyError, ValueError, IndexError, AttributeError):
            return raw
        if not body.startswith(again):
            return raw
        return replace(raw, raw=None, elements=elements, behind=body[len(again) :])


_DEEPEST = 4
"""Aggregate units in each other that are taken apart."""


def parent_depth(label: str) -> int:
    """How many aggregate units are around the unit of a label."""
    return label.count(".")


def elements_of(unit: Unit, trace: Sequence[TraceEntry]) -> dict[str, Any]:
    """The elements of a parsed unit in one mapping, as recipes have them."""
    bits = {one.name: one for one in trace if isinstance(one.descriptor, BitString)}
    elements: dict[str, Any] = {}
    _gather(unit.header, elements, bits)
    _gather(unit.payload, elements, bits)
    elements.pop("nnr_unit_type", None)
    return elements


def _gather(tree: Mapping[str, Any], elements: dict[str, Any], bits: Mapping[str, TraceEntry]) -> None:
    left_out = tree.get("_inferred", set())
    for name, value in tree.items():
        if name.startswith("_") or name in left_out:
            continue
        if isinstance(value, Mapping):
            inner: dict[str, Any] = {}
            _gather(value, inner, bits)
            if inner.keys() & elements.keys():
                elements[name] = inner
            else:
                elements.update(inner)
        elif name in bits:
            packed = int.from_bytes(as_bytes(value, name), "big")
            elements[name] = f"{packed:0{8 * len(value)}b}"[: bits[name].size] if len(value) else ""
        elif isinstance(value, memoryview):
            elements[name] = bytes(value)
        else:
            elements[name] = value


def paths_of(pieces: Pieces, above: tuple[int, ...] = ()) -> Iterator[tuple[tuple[int, ...], Piece]]:
    """Every piece with its place, the last ones and the enclosed ones first."""
    for number in reversed(range(len(pieces))):
        yield from paths_of(pieces[number].inner, (*above, number))
        yield (*above, number), pieces[number]


def substituted(pieces: Pieces, path: tuple[int, ...], new: Pieces) -> Pieces:
    """Pieces of which the one at a place is replaced by others."""
    number = path[0]
    if len(path) > 1:
        piece = pieces[number]
        new = (replace(piece, inner=substituted(piece.inner, path[1:], new)),)
    return pieces[:number] + new + pieces[number + 1 :]


def piece_at(pieces: Pieces, path: tuple[int, ...]) -> Piece:
    """The piece at a place."""
    piece = pieces[path[0]]
    return piece if len(path) == 1 else piece_at(piece.inner, path[1:])


def is_coded(piece: Piece) -> bool:
    """True for a compressed data unit with an arithmetic-coded payload."""
    return piece.unit_type == NDU and piece.raw is None and "cabac_payload" in piece.elements
