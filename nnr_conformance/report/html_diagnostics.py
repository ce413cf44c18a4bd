"""The diagnostics of the HTML report: message, requirement, evidence, place, bytes and hint."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import partial

from nnr_conformance.diagnostics import Diagnostic, catalogue
from nnr_conformance.report.formats import unit_label
from nnr_conformance.report.html_text import MOST_ROWS, SEVERITIES, decimal, more, place_link, text
from nnr_conformance.report.model import DiagnosticGroup, StreamReport
from nnr_conformance.report.text import place

_MARKED = re.compile(r"\[(.*)\]")
"""What an excerpt has between brackets: the bytes of the finding."""


def diagnostics(stream: StreamReport, number: int) -> Iterator[str]:
    """The findings of stream `number` in groups."""
    if not stream.groups:
        return
    link = partial(place_link, stream, number)
    units = {unit.label: (8 * unit.first, 8 * (unit.first + unit.size)) for unit in stream.units}
    yield "<h3>Diagnostics</h3>"
    for group in stream.groups[:MOST_ROWS]:
        found = group.first
        bits = found.bits or units.get(unit_label(found, units) or "")
        yield from _diagnostic(group, (lambda shown: shown) if bits is None else partial(link, bits))
    yield from more(stream.groups)


def _diagnostic(group: DiagnosticGroup, link: Callable[[str], str]) -> Iterator[str]:
    """One group; `link` makes something lead to the bits that it is about."""
    found = group.first
    kind = found.severity.value
    times = f' <span class="times">{decimal(group.count)} times, first here</span>' if group.count > 1 else ""
    yield f'<article class="{kind}">'
    badge = f'<span class="badge {kind}">{SEVERITIES[found.severity]}</span>'
    yield f"<h4>{badge}<code>{text(found.code)}</code>{times}</h4>"
    yield f"<p>{text(found.message)}</p>"
    yield '<dl class="where">'
    for name, value in _about(found, link, group.excerpt):
        yield f"<dt>{name}</dt><dd>{value}</dd>"
    yield "</dl>"
    yield "</article>"


def _about(found: Diagnostic, link: Callable[[str], str], excerpt: str) -> Iterator[tuple[str, str]]:
    rule = catalogue()[found.code]
    yield "requirement", f"{text(rule.text)} <code>{text(found.requirement)}</code>, clause {text(rule.clause)}"
    yield "evidence", f"{text(found.evidence)}, {text(found.confidence)} confidence"
    if found.path:
        yield "place", link(f"<bdi>{text(found.path)}</bdi>")
    if found.bits is not None:
        yield "bits", link(text(place(found)))
    if excerpt:
        yield "bytes", f"<code>{_MARKED.sub(_mark, text(excerpt))}</code>"
    if found.hint:
        yield "hint", text(found.hint)
    if found.divergences:
        yield "known", text(f"divergence of NNCodec: {', '.join(found.divergences)}")


def _mark(found: re.Match[str]) -> str:
    return f"<mark>{found[1]}</mark>"
