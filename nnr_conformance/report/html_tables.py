"""The tables of the HTML report: tensors, units, tools and digests."""

from __future__ import annotations

from collections.abc import Iterator

from nnr_conformance.diagnostics import catalogue
from nnr_conformance.report.html_histogram import LEGEND, histogram_figure
from nnr_conformance.report.html_text import MOST_ROWS, decimal, many, more, pairs, place_link, table, text
from nnr_conformance.report.model import StreamReport, TensorRow
from nnr_conformance.report.text import dependence

MOST_NAMES = 20
"""Ids shown of a unit."""


def tensor_table(stream: StreamReport, number: int) -> Iterator[str]:
    """The tensors with their bits per weight and the histogram of their levels."""
    tensors = stream.tensors
    if not tensors:
        return
    most = max(map(_rate, tensors)) or 1
    yield '<div class="tensors"><h3>Tensors</h3>'
    yield from table(
        "Tensors",
        ("tensor", "unit", "shape", "type", "QP", "zeros", "bits per weight", "", "levels"),
        (
            (
                _tensor_name(stream, number, tensor),
                text(tensor.unit.removeprefix("unit ")),
                "×".join(map(str, tensor.shape)) or "scalar",
                text(tensor.dtype),
                "–" if tensor.qp is None else str(tensor.qp),
                _zeros(tensor),
                f"{_rate(tensor):.3g}",
                f'<span class="bar" style="width:{100 * _rate(tensor) / most:.1f}%"></span>',
                histogram_figure(tensor.histogram),
            )
            for tensor in tensors[:MOST_ROWS]
        ),
        numbers={4, 5, 6},
    )
    yield from more(tensors)
    if any(tensor.histogram is not None for tensor in tensors[:MOST_ROWS]):
        yield f'<p class="soft">{LEGEND}</p>'
    yield "</div>"


def _tensor_name(stream: StreamReport, number: int, tensor: TensorRow) -> str:
    name = f"<bdi>{text(tensor.name)}</bdi>"
    if tensor.first_bit is None:
        return name
    return place_link(stream, number, (tensor.first_bit, tensor.first_bit + tensor.bits), name)


def unit_table(stream: StreamReport, number: int) -> Iterator[str]:
    """The units with their places, sizes and ids."""
    units = stream.units
    if not units:
        return
    yield "<details><summary>Units</summary>"
    yield from table(
        "Units",
        ("unit", "type", "first byte", "bytes", "payload", "topology element ids"),
        (
            (
                place_link(
                    stream,
                    number,
                    (8 * unit.first, 8 * (unit.first + unit.size)),
                    text(unit.label.removeprefix("unit ")),
                ),
                text(unit.unit_type),
                decimal(unit.first),
                decimal(unit.size),
                decimal(unit.payload_size),
                f"<bdi>{text(', '.join(unit.names[:MOST_NAMES]))}</bdi>"
                + (f" and {decimal(len(unit.names) - MOST_NAMES)} more" if len(unit.names) > MOST_NAMES else ""),
            )
            for unit in units[:MOST_ROWS]
        ),
        numbers={2, 3, 4},
    )
    yield from more(units)
    yield "</details>"


def rule_table(stream: StreamReport) -> Iterator[str]:
    """The rules that applied, with how often their requirements were met; those that were not met come first."""
    applied = [(code, *counts) for code, counts in stream.rules.items() if any(counts)]
    if not applied:
        return
    yield "<details><summary>Rules</summary>"
    yield from table(
        "Rules",
        ("rule", "requirement", "met", "not met", "in words"),
        (
            (
                f"<code>{text(code)}</code>",
                text(catalogue()[code].requirement),
                decimal(passed),
                f"<strong>{decimal(failed)}</strong>" if failed else "0",
                text(catalogue()[code].text),
            )
            for code, passed, failed in sorted(applied, key=lambda row: row[2] == 0)[:MOST_ROWS]
        ),
        numbers={2, 3},
    )
    yield from more(applied)
    yield f'<p class="soft">{many(len(stream.rules) - len(applied), "rule")} did not apply.</p>'
    yield "</details>"


def digests_and_tools(stream: StreamReport) -> Iterator[str]:
    """What was used in the stream, and the digests of its stages."""
    rows = [("SHA-256 of the stream", f"<code>{text(stream.sha256)}</code>")]
    rows += [(f"SHA-256, {text(stage)}", f"<code>{text(value)}</code>") for stage, value in stream.digests.items()]
    rows += [
        (f"reading {text(one.reading)}", text(dependence(one, stream)))
        for one in stream.consulted
        if one not in stream.depends_on
    ]
    if stream.tools:
        rows.insert(0, ("coding tools", text(", ".join(stream.tools))))
    if stream.undecoded:
        shown = ", ".join(stream.undecoded[:MOST_ROWS])
        rows.insert(0, ("not decoded", text(shown) + ", …" * (len(stream.undecoded) > MOST_ROWS)))
    yield "<details><summary>Tools, readings and digests</summary>"
    yield from pairs(rows)
    yield "</details>"


def _rate(tensor: TensorRow) -> float:
    return tensor.bits / max(1, tensor.elements)


def _zeros(tensor: TensorRow) -> str:
    if tensor.nonzero is None:
        return "–"
    return f"{100 * (1 - tensor.nonzero / max(1, tensor.elements)):.0f}&#8239;%"
