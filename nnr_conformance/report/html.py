"""Reports as one HTML file that needs nothing else: no script, no network, light and dark.

Text of a stream is made printable and escaped; a policy in the page forbids whatever is not in the file.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from importlib import resources
from string import Template

from nnr_conformance.diagnostics import Diagnostic, Severity, catalogue
from nnr_conformance.report.formats import Run, run_header
from nnr_conformance.report.model import DiagnosticGroup, Report, StreamReport, TensorRow, UnitRow, Verdict
from nnr_conformance.report.printing import printable
from nnr_conformance.report.text import place

MOST_ROWS = 1000
"""Rows of a table and diagnostics in a list; a browser is slow with more, and JSON has them all."""

MOST_NAMES = 20
"""Ids shown of a unit."""

SMALLEST = 0.001
"""Units of a smaller part of the stream are drawn together with their neighbours."""

_MARKED = re.compile(r"\[(.*)\]")
"""What an excerpt has between brackets: the bytes of the finding."""

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

_NAMES = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}


def render(report: Report, run: Run) -> Iterator[str]:
    """The page in pieces."""
    template = Template((resources.files(__package__) / "html_template.html").read_text(encoding="utf-8"))
    names = ", ".join(stream.name for stream in report.streams)
    yield template.substitute(
        title=f"nnr-check: {_text(names)}: {report.verdict.value}", body="\n".join(_body(report, run))
    ).rstrip("\n")


def _body(report: Report, run: Run) -> Iterator[str]:
    yield "<header>"
    yield "<h1>Conformance report, ISO/IEC 15938-17</h1>"
    yield f'<span class="soft">nnr-check {_text(report.version)}</span>'
    yield "</header>"
    yield "<main>"
    if len(report.streams) != 1:
        yield from _contents(report)
    for number, stream in enumerate(report.streams):
        yield from _stream(stream, number)
    yield "</main>"
    yield "<footer>"
    yield from _run(report, run)
    yield "</footer>"


def _contents(report: Report) -> Iterator[str]:
    yield '<nav aria-label="Streams"><ul>'
    yield f"<li>{_verdict(report.verdict)} {_many(len(report.streams), 'stream')} together</li>"
    for number, stream in enumerate(report.streams):
        yield f'<li>{_verdict(stream.verdict)} <a href="#stream-{number}"><bdi>{_text(stream.name)}</bdi></a></li>'
    yield "</ul></nav>"


def _stream(stream: StreamReport, number: int) -> Iterator[str]:
    yield f'<section class="stream" id="stream-{number}" aria-labelledby="name-{number}">'
    yield (
        f'<div class="head"><h2 id="name-{number}"><bdi>{_text(stream.name)}</bdi></h2>{_verdict(stream.verdict)}</div>'
    )
    yield f"<p>{_in_words(stream)}</p>"
    yield from _facts(stream)
    if stream.units:
        yield "<h3>Units, drawn to scale</h3>"
        yield from _map(stream, number)
    yield from _diagnostics(stream)
    yield from _tensors(stream.tensors)
    yield from _units(stream.units)
    yield from _details(stream)
    yield "</section>"


def _verdict(verdict: Verdict) -> str:
    sign = {"conforming": "✓", "nonconforming": "✗", "undetermined": "?"}[verdict.value]
    return f'<span class="badge {verdict.value}"><span aria-hidden="true">{sign}</span> {verdict.value}</span>'


def _in_words(stream: StreamReport) -> str:
    counts = Counter(found.severity for found in stream.diagnostics)
    found = [_many(counts[severity], name) for severity, name in _NAMES.items() if counts[severity]]
    said = ", ".join(found) if found else "nothing to report"
    if stream.verdict is Verdict.UNDETERMINED:
        said += "; neither proven right nor wrong"
    if stream.undecoded:
        said += f"; {_many(len(stream.undecoded), 'unit')} not decoded"
    return f"{said[0].upper()}{said[1:]}."


def _facts(stream: StreamReport) -> Iterator[str]:
    weights = sum(tensor.elements for tensor in stream.tensors)
    facts = [
        ("bytes", _number(stream.size)),
        ("units", _number(len(stream.units))),
        ("tensors", _number(len(stream.tensors))),
        ("weights", _number(weights)),
    ]
    if weights:
        facts.append(("bits per weight", f"{8 * stream.size / weights:.3g}"))
    yield '<dl class="facts">'
    yield from (f"<div><dt>{name}</dt><dd>{value}</dd></div>" for name, value in facts)
    yield "</dl>"


@dataclass(frozen=True, slots=True)
class _Block:
    """A rectangle of the map: one unit, or small ones in a row. `header` and `size` are bytes."""

    label: str
    unit_type: str
    first: int
    size: int
    header: int


def _map(stream: StreamReport, number: int) -> Iterator[str]:
    """The units to scale, those inside aggregate units below them; marks where something was found."""
    lanes: list[list[UnitRow]] = [[]]
    for unit in stream.units:
        depth = unit.label.count(".")
        lanes += [[] for _ in range(depth + 1 - len(lanes))]
        lanes[depth].append(unit)
    drawn = [list(_blocks(lane, stream.size)) for lane in lanes]
    height = _TICK + _LANE * len(lanes)
    yield f'<figure><svg height="{height}" role="img" aria-labelledby="map-{number}">'
    title = f"Map of {_many(len(stream.units), 'unit')}; the table of units says the same"
    yield f'<title id="map-{number}">{title}</title>'
    for lane, blocks in enumerate(drawn):
        top = _TICK + _LANE * lane
        yield f'<rect class="track" x="0" y="{top}" width="100%" height="{_TRACK}"/>'
        for block in blocks:
            yield from _block(block, top, stream.size)
    yield from _marks(stream, height - _LANE + _TRACK)
    yield "</svg>"
    middle = f"<span>{_number(stream.size // 2)}</span>" if stream.size > 1 else ""
    yield f'<div class="axis" aria-hidden="true"><span>byte 0</span>{middle}<span>{_number(stream.size)}</span></div>'
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
        f"<title>{_text(title)}</title></rect>"
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
            f"</svg>{_text(name)}</span>"
        )
    if "NNR_NDU" in shown:
        yield "<span>darker: header</span>"
    for severity, name in _NAMES.items():
        if any(found.severity is severity and found.bits is not None for found in stream.diagnostics):
            yield (
                f'<span><svg aria-hidden="true" class="at-{severity.value}" viewBox="-6 0 12 12">'
                f'<path d="M0 0v12"/><path d="{_HEAD}"/></svg>{name}</span>'
            )
    yield "</figcaption>"


def _percent(part: int, whole: int, digits: int = 3) -> str:
    return f"{100 * part / max(1, whole):.{digits}f}%"


def _diagnostics(stream: StreamReport) -> Iterator[str]:
    if not stream.groups:
        return
    yield "<h3>Diagnostics</h3>"
    for group in stream.groups[:MOST_ROWS]:
        yield from _diagnostic(group)
    yield from _more(stream.groups)


def _diagnostic(group: DiagnosticGroup) -> Iterator[str]:
    found = group.first
    kind = found.severity.value
    times = f' <span class="times">{_number(group.count)} times, first here</span>' if group.count > 1 else ""
    yield f'<article class="{kind}">'
    yield f'<h4><span class="badge {kind}">{_NAMES[found.severity]}</span><code>{_text(found.code)}</code>{times}</h4>'
    yield f"<p>{_text(found.message)}</p>"
    yield '<dl class="where">'
    for name, value in _about(found, group.excerpt):
        yield f"<dt>{name}</dt><dd>{value}</dd>"
    yield "</dl>"
    yield "</article>"


def _about(found: Diagnostic, excerpt: str) -> Iterator[tuple[str, str]]:
    rule = catalogue()[found.code]
    yield "requirement", f"{_text(rule.text)} <code>{_text(found.requirement)}</code>, clause {_text(rule.clause)}"
    yield "evidence", f"{_text(found.evidence)}, {_text(found.confidence)} confidence"
    if found.path:
        yield "place", f"<bdi>{_text(found.path)}</bdi>"
    if found.bits is not None:
        yield "bits", _text(place(found))
    if excerpt:
        yield "bytes", f"<code>{_MARKED.sub(_mark, _text(excerpt))}</code>"
    if found.hint:
        yield "hint", _text(found.hint)


def _tensors(tensors: Sequence[TensorRow]) -> Iterator[str]:
    if not tensors:
        return
    most = max(map(_rate, tensors)) or 1
    yield "<h3>Tensors</h3>"
    yield from _table(
        "Tensors",
        ("tensor", "unit", "shape", "type", "QP", "zeros", "bits per weight", ""),
        (
            (
                f"<bdi>{_text(tensor.name)}</bdi>",
                _text(tensor.unit.removeprefix("unit ")),
                "×".join(map(str, tensor.shape)) or "scalar",
                _text(tensor.dtype),
                "–" if tensor.qp is None else str(tensor.qp),
                _zeros(tensor),
                f"{_rate(tensor):.3g}",
                f'<span class="bar" style="width:{100 * _rate(tensor) / most:.1f}%"></span>',
            )
            for tensor in tensors[:MOST_ROWS]
        ),
        numbers={4, 5, 6},
    )
    yield from _more(tensors)


def _units(units: Sequence[UnitRow]) -> Iterator[str]:
    if not units:
        return
    yield "<details><summary>Units</summary>"
    yield from _table(
        "Units",
        ("unit", "type", "first byte", "bytes", "payload", "topology element ids"),
        (
            (
                _text(unit.label.removeprefix("unit ")),
                _text(unit.unit_type),
                _number(unit.first),
                _number(unit.size),
                _number(unit.payload_size),
                f"<bdi>{_text(', '.join(unit.names[:MOST_NAMES]))}</bdi>"
                + (f" and {_number(len(unit.names) - MOST_NAMES)} more" if len(unit.names) > MOST_NAMES else ""),
            )
            for unit in units[:MOST_ROWS]
        ),
        numbers={2, 3, 4},
    )
    yield from _more(units)
    yield "</details>"


def _details(stream: StreamReport) -> Iterator[str]:
    rows = [("SHA-256 of the stream", f"<code>{_text(stream.sha256)}</code>")]
    rows += [(f"SHA-256, {_text(stage)}", f"<code>{_text(value)}</code>") for stage, value in stream.digests.items()]
    if stream.tools:
        rows.insert(0, ("coding tools", _text(", ".join(stream.tools))))
    if stream.undecoded:
        shown = ", ".join(stream.undecoded[:MOST_ROWS])
        rows.insert(0, ("not decoded", _text(shown) + ", …" * (len(stream.undecoded) > MOST_ROWS)))
    yield "<details><summary>Tools and digests</summary>"
    yield from _pairs(rows)
    yield "</details>"


def _run(report: Report, run: Run) -> Iterator[str]:
    header = run_header(report, run)
    rows = [("tool", _text(f"{header['tool']} {header['version']}"))]
    chosen = ", ".join(f"{reading}={name}" for reading, name in header["readings"].items())
    rows.append(("readings", _text(chosen) or "the defaults"))
    if header["strict"] is not None:
        rows.append(("strict", "yes" if header["strict"] else "no"))
    if header["limits"] is not None:
        limits = (f"{_text(name)} {_number(most)}" for name, most in header["limits"].items())
        rows.append(("limits", ", ".join(limits)))
    yield "<details open><summary>Run</summary>"
    yield from _pairs(rows)
    yield "</details>"


def _pairs(rows: Iterable[tuple[str, str]]) -> Iterator[str]:
    yield '<dl class="where">'
    for name, value in rows:
        yield f"<dt>{name}</dt><dd>{value}</dd>"
    yield "</dl>"


def _table(name: str, titles: Sequence[str], rows: Iterable[Sequence[str]], numbers: set[int]) -> Iterator[str]:
    """A table that scrolls by itself when it is wide; the columns `numbers` are set flush right."""
    kinds = [' class="n"' if column in numbers else "" for column in range(len(titles))]
    yield f'<div class="scroll" role="region" aria-label="{name}" tabindex="0"><table>'
    heads = (
        f'<th scope="col"{kind}>{title}</th>' if title else '<td class="rate"></td>'
        for title, kind in zip(titles, kinds, strict=True)
    )
    yield f"<thead><tr>{''.join(heads)}</tr></thead>"
    yield "<tbody>"
    for first, *rest in rows:
        cells = (f"<td{kind}>{cell}</td>" for cell, kind in zip(rest, kinds[1:], strict=True))
        yield f'<tr><th scope="row">{first}</th>{"".join(cells)}</tr>'
    yield "</tbody></table></div>"


def _more(rows: Sequence[object]) -> Iterator[str]:
    if len(rows) > MOST_ROWS:
        yield f'<p class="soft">and {_number(len(rows) - MOST_ROWS)} more, which --format json lists</p>'


def _rate(tensor: TensorRow) -> float:
    return tensor.bits / max(1, tensor.elements)


def _zeros(tensor: TensorRow) -> str:
    if tensor.nonzero is None:
        return "–"
    return f"{100 * (1 - tensor.nonzero / max(1, tensor.elements)):.0f}&#8239;%"


def _many(count: int, name: str) -> str:
    return f"{_number(count)} {name}{'' if count == 1 else 's'}"


def _number(number: int) -> str:
    return f"{number:,}".replace(",", "&#8239;")


def _mark(found: re.Match[str]) -> str:
    return f"<mark>{found[1]}</mark>"


def _text(text: str) -> str:
    return escape(printable(text))
