"""The unit map of the HTML report: units drawn to scale, and marks where something was found."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from nnr_conformance.diagnostics import Severity
from nnr_conformance.report.html_text import SEVERITIES, decimal, many, place_link, text
from nnr_conformance.report.model import StreamReport, UnitRow

SMALLEST = 0.001
"""Units of a smaller part of the stream are drawn together with their neighbours."""

_KINDS = {
    "NNR_STR": "str",
    "NNR_MPS": "mps",
    "NNR_LPS": "lps",
    "NNR_TPL": "tpl",
    "NNR_QNT": "qnt",
    "NNR_NDU": "ndu",
    "NNR_AGG": "agg",
    "unreadable": "broken",
}
_SEVERAL = "several"
_LANE, _TRACK, _TICK = 32, 26, 10
"""Pixels of the map: from lane to lane, of a lane, of a mark above the first."""
_HEAD = "M-5 0h10l-5 7z"


@dataclass(frozen=True, slots=True)
class _Block:
    """A rectangle of the map: one unit, or small ones in a row. `header` and `size` are bytes."""

    label: str
    unit_type: str
    first: int
    size: int
    header: int


def unit_map(stream: StreamReport, number: int) -> Iterator[str]:
    """The units to scale, those inside aggregate units below them; marks where something was found."""
    lanes: list[list[UnitRow]] = [[]]
    for unit in stream.units:
        depth = unit.label.count(".")
        lanes += [[] for _ in range(depth + 1 - len(lanes))]
        lanes[depth].append(unit)
    drawn = [list(_blocks(lane, stream.size)) for lane in lanes]
    height = _TICK + _LANE * len(lanes)
    yield f'<figure><svg height="{height}" role="img" aria-labelledby="map-{number}">'
    title = f"Map of {many(len(stream.units), 'unit')}; the table of units says the same"
    yield f'<title id="map-{number}">{title}</title>'
    for lane, blocks in enumerate(drawn):
        top = _TICK + _LANE * lane
        yield f'<rect class="track" x="0" y="{top}" width="100%" height="{_TRACK}"/>'
        for block in blocks:
            drawing = "".join(_block(block, top, stream.size))
            bits = (8 * block.first, 8 * (block.first + block.size))
            yield place_link(stream, number, bits, drawing)
    yield from _marks(stream, height - _LANE + _TRACK)
    yield "</svg>"
    middle = f"<span>{decimal(stream.size // 2)}</span>" if stream.size > 1 else ""
    yield f'<div class="axis" aria-hidden="true"><span>byte 0</span>{middle}<span>{decimal(stream.size)}</span></div>'
    yield from _legend(stream, {block.unit_type for blocks in drawn for block in blocks})
    yield "</figure>"


def _blocks(units: Iterable[UnitRow], size: int) -> Iterator[_Block]:
    """Units as they are drawn: small ones that follow each other together, so that a map has few elements."""
    small: list[UnitRow] = []
    for unit in units:
        if unit.size < SMALLEST * size:
            small.append(unit)
            if unit.first + unit.size - small[0].first < SMALLEST * size:
                continue
        if small:
            yield _together(small)
        if not small or small[-1] is not unit:
            yield _Block(unit.label, unit.unit_type, unit.first, unit.size, unit.size - unit.payload_size)
        small = []
    if small:
        yield _together(small)


def _together(units: Sequence[UnitRow]) -> _Block:
    first, last = units[0], units[-1]
    label = first.label if first is last else f"{first.label} to {last.label.removeprefix('unit ')}"
    types = {unit.unit_type for unit in units}
    return _Block(
        label,
        first.unit_type if len(types) == 1 else _SEVERAL,
        first.first,
        last.first + last.size - first.first,
        0,
    )


def _block(block: _Block, top: int, size: int) -> Iterator[str]:
    where = f'x="{_percent(block.first, size)}" y="{top}" height="{_TRACK}"'
    title = f"{block.label}, {block.unit_type}, bytes {block.first} to {block.first + block.size - 1}"
    yield (
        f'<rect class="{_KINDS.get(block.unit_type, "mixed")}" {where} width="{_percent(block.size, size)}">'
        f"<title>{text(title)}</title></rect>"
    )
    if 0 < block.header < block.size:
        yield f'<rect class="unit-header" {where} width="{_percent(block.header, size)}"/>'
    edge = _percent(block.first, size)
    yield f'<line class="edge" x1="{edge}" x2="{edge}" y1="{top}" y2="{top + _TRACK}"/>'


def _marks(stream: StreamReport, bottom: int) -> Iterator[str]:
    """Lines at the places of findings, the most severe on top; those that would cover each other once."""
    places: dict[str, Severity] = {}
    order = list(Severity)
    for found in stream.diagnostics:
        if found.bits is not None:
            at = _percent(min(found.bits[0] >> 3, stream.size), stream.size, 1)
            places[at] = min(places.get(at, found.severity), found.severity, key=order.index)
    for at, severity in sorted(places.items(), key=lambda item: -order.index(item[1])):
        yield (
            f'<svg class="at-{severity.value}" x="{at}" width="1" height="{bottom}">'
            f'<path class="halo" d="M0 0v{bottom}"/><path d="M0 0v{bottom}"/><path d="{_HEAD}"/></svg>'
        )


def _legend(stream: StreamReport, shown: set[str]) -> Iterator[str]:
    yield "<figcaption>"
    known = [name for name in (*_KINDS, _SEVERAL) if name in shown]
    for name in known + sorted(shown - set(known)):
        yield (
            f'<span><svg aria-hidden="true"><rect class="{_KINDS.get(name, "mixed")}" width="12" height="12" rx="2"/>'
            f"</svg>{text(name)}</span>"
        )
    if "NNR_NDU" in shown:
        yield "<span>darker: header</span>"
    for severity, name in SEVERITIES.items():
        if any(found.severity is severity and found.bits is not None for found in stream.diagnostics):
            yield (
                f'<span><svg aria-hidden="true" class="at-{severity.value}" viewBox="-6 0 12 12">'
                f'<path d="M0 0v12"/><path d="{_HEAD}"/></svg>{name}</span>'
            )
    yield "</figcaption>"


def _percent(part: int, whole: int, digits: int = 3) -> str:
    return f"{100 * part / max(1, whole):.{digits}f}%"
