"""Text, numbers and tables of the HTML report. Text of a stream becomes printable and escaped here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from html import escape

from nnr_conformance.diagnostics import Severity
from nnr_conformance.report.model import StreamReport
from nnr_conformance.report.printing import printable

MOST_ROWS = 1000
"""Rows of a table and diagnostics in a list; a browser is slow with more, and JSON has them all."""

SEVERITIES = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}


def text(content: str) -> str:
    """Text of a stream as HTML."""
    return escape(printable(content))


def decimal(count: int) -> str:
    """A number with its digits in groups of three."""
    return f"{count:,}".replace(",", "&#8239;")


def many(count: int, name: str) -> str:
    """A number of things."""
    return f"{decimal(count)} {name}{'' if count == 1 else 's'}"


def pairs(rows: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Names with their values."""
    yield '<dl class="where">'
    for name, value in rows:
        yield f"<dt>{name}</dt><dd>{value}</dd>"
    yield "</dl>"


def table(name: str, titles: Sequence[str], rows: Iterable[Sequence[str]], numbers: set[int]) -> Iterator[str]:
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


def more(rows: Sequence[object]) -> Iterator[str]:
    """How many rows were left out."""
    if len(rows) > MOST_ROWS:
        yield f'<p class="soft">and {decimal(len(rows) - MOST_ROWS)} more, which --format json lists</p>'


def place_link(stream: StreamReport, number: int, bits: tuple[int, int], shown: str) -> str:
    """`shown` as a link to bits of stream `number`, when the page has its tree and bytes."""
    return shown if stream.details is None else f'<a href="#bits-{number}-{bits[0]}-{bits[1]}">{shown}</a>'
