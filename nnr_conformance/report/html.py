"""Reports as one HTML file that needs nothing else: no network, light and dark; this module is the page around it all.

Text of a stream is made printable and escaped; a policy in the page forbids whatever is not in the file.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from nnr_conformance.report.formats import Run, run_header
from nnr_conformance.report.html_diagnostics import diagnostics
from nnr_conformance.report.html_explorer import explorer, script, specification
from nnr_conformance.report.html_map import unit_map
from nnr_conformance.report.html_page import file_text, page
from nnr_conformance.report.html_tables import digests_and_tools, rule_table, tensor_table, unit_table
from nnr_conformance.report.html_text import SEVERITIES, decimal, many, pairs, text
from nnr_conformance.report.model import Report, StreamReport, Verdict
from nnr_conformance.report.text import dependence


def render(report: Report, run: Run) -> Iterator[str]:
    """The page in pieces."""
    names = ", ".join(stream.name for stream in report.streams)
    title = f"nnr-check: {text(names)}: {report.verdict.value}"
    yield from page(title, file_text(__package__, "html_report.css"), _all(report, run), script())


def _all(report: Report, run: Run) -> Iterator[str]:
    yield from _body(report, run)
    if any(stream.details is not None for stream in report.streams):
        yield specification()


def _body(report: Report, run: Run) -> Iterator[str]:
    yield "<header>"
    yield "<h1>Conformance report, ISO/IEC 15938-17</h1>"
    yield f'<span class="soft">nnr-check {text(report.version)}</span>'
    yield "</header>"
    yield "<main>"
    if len(report.streams) != 1:
        yield from _contents(report)
    for number, stream in enumerate(report.streams):
        yield from _stream(stream, number, run, is_open=len(report.streams) == 1)
    yield "</main>"
    yield "<footer>"
    yield from _run(report, run)
    yield "</footer>"


def _contents(report: Report) -> Iterator[str]:
    yield '<nav aria-label="Streams"><ul>'
    yield f"<li>{_verdict(report.verdict)} {many(len(report.streams), 'stream')} together</li>"
    for number, stream in enumerate(report.streams):
        yield f'<li>{_verdict(stream.verdict)} <a href="#stream-{number}"><bdi>{text(stream.name)}</bdi></a></li>'
    yield "</ul></nav>"


def _stream(stream: StreamReport, number: int, run: Run, *, is_open: bool) -> Iterator[str]:
    yield f'<section class="stream" id="stream-{number}" aria-labelledby="name-{number}">'
    yield (
        f'<div class="head"><h2 id="name-{number}"><bdi>{text(stream.name)}</bdi></h2>{_verdict(stream.verdict)}</div>'
    )
    yield f"<p>{_in_words(stream)}</p>"
    for one in stream.depends_on:
        said = f"The verdict depends on reading {one.reading}: {dependence(one, stream)}."
        yield f'<p class="undetermined note">{text(said)}</p>'
    yield from _facts(stream)
    if stream.units:
        yield "<h3>Units, drawn to scale</h3>"
        yield from unit_map(stream, number)
    yield from diagnostics(stream, number)
    yield from explorer(stream, number, is_open, run)
    yield from tensor_table(stream, number)
    yield from unit_table(stream, number)
    yield from rule_table(stream)
    yield from digests_and_tools(stream)
    yield "</section>"


def _verdict(verdict: Verdict) -> str:
    sign = {"conforming": "✓", "nonconforming": "✗", "undetermined": "?"}[verdict.value]
    return f'<span class="badge {verdict.value}"><span aria-hidden="true">{sign}</span> {verdict.value}</span>'


def _in_words(stream: StreamReport) -> str:
    counts = Counter(found.severity for found in stream.diagnostics)
    found = [many(counts[severity], name) for severity, name in SEVERITIES.items() if counts[severity]]
    said = ", ".join(found) if found else "nothing to report"
    if stream.verdict is Verdict.UNDETERMINED:
        said += "; neither proven right nor wrong"
    if stream.headers_only:
        said += "; payloads were not decoded"
    if stream.undecoded:
        said += f"; {many(len(stream.undecoded), 'unit')} not decoded"
    said = f"{said[0].upper()}{said[1:]}."
    if not stream.rules:
        return said
    rules = stream.rule_counts
    return f"{said} {many(rules.applied, 'rule')} applied, {decimal(rules.failed)} of them failed."


def _facts(stream: StreamReport) -> Iterator[str]:
    weights = sum(tensor.elements for tensor in stream.tensors)
    facts = [
        ("bytes", decimal(stream.size)),
        ("units", decimal(len(stream.units))),
        ("tensors", decimal(len(stream.tensors))),
        ("weights", decimal(weights)),
    ]
    if weights:
        facts.append(("bits per weight", f"{8 * stream.size / weights:.3g}"))
    yield '<dl class="facts">'
    yield from (f"<div><dt>{name}</dt><dd>{value}</dd></div>" for name, value in facts)
    yield "</dl>"


def _run(report: Report, run: Run) -> Iterator[str]:
    header = run_header(report, run)
    rows = [("tool", text(f"{header['tool']} {header['version']}"))]
    rows += [(name, text(header[name])) for name in ("corpus", "edition") if header[name] is not None]
    chosen = ", ".join(f"{reading}={name}" for reading, name in header["readings"].items())
    rows.append(("readings", text(chosen) or "the defaults"))
    if header["strict"] is not None:
        rows.append(("strict", "yes" if header["strict"] else "no"))
    if header["limits"] is not None:
        limits = (f"{text(name)} {decimal(most)}" for name, most in header["limits"].items())
        rows.append(("limits", ", ".join(limits)))
    yield "<details open><summary>Run</summary>"
    yield from pairs(rows)
    yield "</details>"
