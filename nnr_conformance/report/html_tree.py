"""The bits of the HTML report: the syntax tree beside the bytes, each marking what the other selects.

The page carries elements and bytes as data, which its program shows; the program makes elements from text, never from
markup, so that nothing in a stream can become part of the page.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from importlib import resources
from itertools import islice
from typing import Any

from nnr_conformance.report.html_text import many
from nnr_conformance.report.model import Report, StreamDetails, StreamReport, TensorRow, TracedElement
from nnr_conformance.report.printing import printable
from nnr_conformance.scope import SEPARATOR
from nnr_conformance.syntax.semantics import all_semantics

SCRIPTS = ("html_tree.js", "html_bytes.js", "html_explorer.js")
"""The program of the page in parts: the tree, the bytes, and what links them."""

MOST_FINDINGS = 1000
"""Findings and tensors marked among the bytes of a stream."""

LONGEST_NAMES = 80
"""Characters of ids shown beside a unit."""


def script() -> str:
    """The program of the page."""
    folder = resources.files(__package__)
    parts = [(folder / name).read_text(encoding="utf-8") for name in SCRIPTS]
    return "\n" + "\n".join(parts)


def explorer(stream: StreamReport, number: int, is_open: bool) -> Iterator[str]:
    """Tree, bytes and their data for stream `number`; nothing when its report has no details."""
    details = stream.details
    if details is None:
        return
    yield f'<details class="explorer" data-stream="{number}"{" open" * is_open}>'
    yield f'<summary id="explorer-{number}">Syntax and bytes</summary>'
    yield "<noscript><p>Tree and bytes need a script; nnr-explain lists the same.</p></noscript>"
    yield f'<p class="soft">{_what(stream, details)}</p>'
    yield '<div class="panes">'
    yield '<ul class="tree" role="tree" aria-label="Syntax tree"></ul>'
    yield '<div class="bytes" role="group" tabindex="0" aria-label="Bytes of the stream"></div>'
    yield '<div class="card" role="status" aria-label="Selected element">'
    yield '<p class="soft">Select an element or a byte; a byte again for the next element in it.</p></div>'
    yield "</div>"
    yield f'<script type="application/json">{_lines(_data(stream, details))}</script>'
    yield "</details>"


def semantics(report: Report) -> str:
    """What the elements in the trees of a report mean, as data: meaning and range, requirement ids, by name."""
    names = {
        element.name.partition("[")[0]
        for stream in report.streams
        if stream.details is not None
        for unit in stream.details.units
        for element in unit.elements
    }
    known = all_semantics() if names else {}
    rows = {
        name: [f"{known[name].meaning} Range: {known[name].range}.", ", ".join(known[name].requirements)]
        for name in sorted(names & known.keys())
    }
    return f'<script type="application/json" id="semantics">{_json(rows)}</script>'


def _what(stream: StreamReport, details: StreamDetails) -> str:
    """How much of the stream the page has."""
    elements = sum(len(unit.elements) for unit in details.units)
    kept = sum(len(content) for _, content in details.pieces)
    said = f"{many(elements, 'element')} and {many(kept, 'byte')} of {many(stream.size, 'byte')}"
    left_out = sum(unit.left_out for unit in details.units)
    rest = [many(left_out, "element")] * bool(left_out) + [many(details.units_left_out, "unit")] * bool(
        details.units_left_out
    )
    return f"{said}; {' and '.join(rest)} not shown, nnr-explain lists all." if rest else f"{said}."


@dataclass(slots=True)
class _Texts:
    """Texts by number: most elements say the same as others."""

    numbers: dict[str, int] = field(default_factory=dict)

    def number(self, text: str) -> int:
        return self.numbers.setdefault(printable(text), len(self.numbers))


def _data(stream: StreamReport, details: StreamDetails) -> dict[str, Any]:
    texts = _Texts()
    names = {unit.label: printable(", ".join(unit.names[:3])[:LONGEST_NAMES]) for unit in stream.units}
    found = (one for one in stream.diagnostics if one.bits is not None)
    units = [
        [
            unit.label,
            unit.unit_type,
            names.get(unit.label, ""),
            unit.first,
            unit.end,
            unit.left_out,
            [_element(element, texts) for element in unit.elements],
        ]
        for unit in details.units
    ]
    return {
        "size": stream.size,
        "texts": list(texts.numbers),
        "units": units,
        "unitsLeftOut": details.units_left_out,
        "tensors": list(_tensors(stream.tensors)),
        "findings": [[*(one.bits or ()), one.severity.value] for one in islice(found, MOST_FINDINGS)],
        "pieces": [[first, content.hex()] for first, content in details.pieces],
    }


def _element(element: TracedElement, texts: _Texts) -> list[int]:
    """Numbers of texts, except that first bit and size are themselves; last whether inferred (1) or payload (2)."""
    return [
        texts.number(SEPARATOR.join(element.structures)),
        texts.number(element.name),
        texts.number(element.descriptor),
        element.first,
        element.size,
        texts.number("" if element.payload else element.value),
        texts.number(element.meaning),
        1 if element.inferred else 2 if element.payload else 0,
    ]


def _tensors(tensors: Iterable[TensorRow]) -> Iterator[list[Any]]:
    """Tensors among the bytes of payloads; those that share their bits once."""
    places: dict[tuple[int, int], list[TensorRow]] = {}
    for tensor in tensors:
        if tensor.first_bit is not None and tensor.bits:
            places.setdefault((tensor.first_bit, tensor.first_bit + tensor.bits), []).append(tensor)
    for (first, end), together in sorted(places.items())[:MOST_FINDINGS]:
        shape = "×".join(map(str, together[0].shape)) or "scalar"
        others = f" and {many(len(together) - 1, 'other')}" if len(together) > 1 else ""
        yield [printable(together[0].name) + others, first, end, shape]


def _lines(data: dict[str, Any]) -> str:
    """Data as JSON, each entry, and each entry of its longest lists, on a line."""
    entries = []
    for name, value in data.items():
        is_long = isinstance(value, list) and name != "texts"
        shown = "[" + ",".join(f"\n{_json(one)}" for one in value) + "]" if is_long else _json(value)
        entries.append(f"{_json(name)}:{shown}")
    return "{\n" + ",\n".join(entries) + "\n}"


def _json(value: Any) -> str:
    """JSON that no HTML parser takes for the end of a script or the start of a comment."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c").replace("&", "\\u0026")
