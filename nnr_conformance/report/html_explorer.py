"""The explorer in HTML pages: the syntax tree of a stream beside its bytes, each marking what the other selects.

A page carries bytes, the specification as data, and a program that reads the bytes by it (docs/explorer). The program
makes elements from text, never from markup, so that nothing in a stream can become part of the page.
"""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from nnr_conformance.data import data_path
from nnr_conformance.report.formats import Run
from nnr_conformance.report.html_page import file_text, page
from nnr_conformance.report.html_text import many, text
from nnr_conformance.report.model import StreamDetails, StreamReport, TensorRow
from nnr_conformance.report.printing import printable
from nnr_conformance.suite.export.document import explained

SCRIPTS = ("interpreter", "inflate", "description", "tree", "bytes", "card", "explorer", "page")
"""The modules of the program, each behind those that it uses when it starts."""

MOST_FINDINGS = 1000
"""Findings and tensors marked among the bytes of a stream."""

FEW = 10
"""Streams of which one is chosen without a search."""

_MODULE_WORDS = re.compile(r"^export |^import [^\n]*;\n", re.MULTILINE)
"""What makes a file a module of others; in a page all of them are one script."""

PANES = (
    '<label class="mode"><input type="checkbox"> Bits instead of hexadecimal digits</label>',
    '<div class="panes">',
    '<ul class="tree" role="tree" aria-label="Syntax tree"></ul>',
    '<div class="bytes" role="group" tabindex="0" aria-label="Bytes of the stream"></div>',
    '<p class="aloud" role="status"></p>',
    '<div class="card" role="region" aria-label="Selected element">',
    '<p class="soft">Select an element or a byte; a byte again for the next element in it.</p></div>',
    "</div>",
)


Links = Mapping[str, Mapping[str, str]]
"""Addresses of pages of the specification, by name for each of requirements, elements and structures."""


@dataclass(frozen=True, slots=True)
class ShownStream:
    """A stream on a page of streams: what it is called and for, and what it is read under.

    `size`: of the stream in bytes. `pieces`: first byte and content of what the page has of it, in order.
    """

    name: str
    size: int
    pieces: tuple[tuple[int, bytes], ...]
    purpose: str = ""
    readings: Mapping[str, str] = field(default_factory=dict)
    out_of_band: Mapping[str, Any] = field(default_factory=dict)
    limits: Mapping[str, int] = field(default_factory=dict)


def script() -> str:
    """The program of the page."""
    parts = [data_path(f"docs/explorer/{name}.js").read_text(encoding="utf-8") for name in SCRIPTS]
    return '\n"use strict";\n' + "\n".join(_MODULE_WORDS.sub("", part) for part in parts)


def specification() -> str:
    """What the program reads streams by, as an element of the page."""
    return f'<script type="application/json" id="specification">{_json(explained())}</script>'


def explorer(stream: StreamReport, number: int, is_open: bool, run: Run) -> Iterator[str]:
    """Tree, bytes and their data for stream `number` of a report; nothing when the report has no details."""
    details = stream.details
    if details is None:
        return
    yield f'<details class="explorer" data-stream="{number}"{" open" * is_open}>'
    yield f'<summary id="explorer-{number}">Syntax and bytes</summary>'
    yield "<noscript><p>Tree and bytes need a script; nnr-explain lists the same.</p></noscript>"
    yield f'<p class="soft">{_what(stream, details)}</p>'
    yield from PANES
    yield f'<script type="application/json">{_json(_data(stream, details, run))}</script>'
    yield "</details>"


def streams_page(title: str, streams: Sequence[ShownStream], links: Links | None = None) -> Iterator[str]:
    """A page on which one of several streams is explored, or a file that is opened or dropped; in pieces."""
    yield from page(text(title), file_text(__package__, "html_report.css"), _viewer(title, streams, links), script())


def _viewer(title: str, streams: Sequence[ShownStream], links: Links | None) -> Iterator[str]:
    yield f"<header><h1>{text(title)}</h1></header>"
    yield '<main class="viewer">'
    yield "<noscript><p>The explorer needs a script; nnr-explain lists the same.</p></noscript>"
    yield '<div class="toolbar">'
    yield f'<label{" hidden" * (len(streams) < FEW)}>Find <input type="search" class="filter"></label>'
    yield '<label>Stream <select class="choice"></select></label>'
    yield f'<span class="count soft"{" hidden" * (len(streams) < FEW)}></span>'
    yield '<label class="file">Open a file <input type="file" multiple></label>'
    yield '<span class="soft">or drop it here; it stays in this browser.</span>'
    yield "</div>"
    yield '<h2 class="name"></h2>'
    yield '<p class="purpose soft"></p>'
    yield '<p class="summary" role="status"></p>'
    yield '<details class="findings" open hidden><summary>Findings of framing and syntax</summary><ul></ul>'
    yield '<p class="soft">nnr-check decodes the payloads too, and finds what is wrong in them.</p></details>'
    yield from PANES
    yield '<details class="readings"><summary>Readings of the text</summary>'
    yield '<p class="soft">Where the text can be read in two ways, the stream is read as chosen here.</p></details>'
    yield "</main>"
    yield specification()
    if links is not None:
        yield f'<script type="application/json" id="links">{_json(links)}</script>'
    rows = ",\n".join(_json(_shown(stream)) for stream in streams)
    yield f'<script type="application/json" id="streams">[{rows}]</script>'


def _shown(stream: ShownStream) -> dict[str, Any]:
    options = {"readings": stream.readings, "outOfBand": stream.out_of_band, "limits": stream.limits}
    return {
        "name": stream.name,
        **({"purpose": stream.purpose} if stream.purpose else {}),
        "size": stream.size,
        "pieces": _pieces(stream.pieces),
        "options": {name: dict(value) for name, value in options.items() if value},
    }


def _what(stream: StreamReport, details: StreamDetails) -> str:
    """How much of the stream the page has."""
    kept = sum(len(content) for _, content in details.pieces)
    if kept == stream.size:
        return f"All of {many(stream.size, 'byte')}."
    return (
        f"{many(kept, 'byte')} of {many(stream.size, 'byte')}; elements elsewhere are not shown, nnr-explain lists all."
    )


def _data(stream: StreamReport, details: StreamDetails, run: Run) -> dict[str, Any]:
    found = (one for one in stream.diagnostics if one.bits is not None)
    return {
        "size": stream.size,
        "pieces": _pieces(details.pieces),
        "options": {
            "readings": stream.readings,
            "outOfBand": dict(details.out_of_band),
            "limits": dict(run.limits or {}),
        },
        "tensors": list(_tensors(stream.tensors)),
        "findings": [
            {
                "bits": one.bits,
                "severity": one.severity.value,
                "code": one.code,
                "requirement": one.requirement,
                "message": printable(one.message),
            }
            for one in islice(found, MOST_FINDINGS)
        ],
    }


def _pieces(pieces: Iterable[tuple[int, bytes]]) -> list[tuple[int, str]]:
    return [(first, b64encode(content).decode("ascii")) for first, content in pieces]


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


def _json(value: Any) -> str:
    """JSON that no HTML parser takes for the end of a script or the start of a comment."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c").replace("&", "\\u0026")
