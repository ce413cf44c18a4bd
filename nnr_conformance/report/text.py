"""Reports as text for people, in 80 columns where names allow."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator

from nnr_conformance.diagnostics import Diagnostic, Severity
from nnr_conformance.report.model import DiagnosticGroup, ReadingOutcome, Report, StreamReport
from nnr_conformance.report.printing import printable

WIDTH = 80
_COLOURS = {
    "error": "31",
    "warning": "33",
    "info": "36",
    "conforming": "32",
    "nonconforming": "31",
    "undetermined": "33",
}


def render(report: Report, *, verbose: bool = False, colour: bool = False, made_by: str = "") -> Iterator[str]:
    """The report line by line. `verbose` lists all units and tensors. `made_by`: a first line about the run."""
    if made_by:
        yield made_by
    for number, stream in enumerate(report.streams):
        if number:
            yield ""
        yield from _stream(stream, verbose, colour)


def _paint(text: str, kind: str, colour: bool) -> str:
    return f"\x1b[{_COLOURS[kind]}m{text}\x1b[0m" if colour else text


def _stream(stream: StreamReport, verbose: bool, colour: bool) -> Iterator[str]:
    yield f"{stream.name}: {_paint(stream.verdict.value, stream.verdict.value, colour)}"
    yield from _wrapped(_summary(stream))
    if stream.headers_only:
        found = "nothing wrong was found in the headers, " if stream.right_so_far else ""
        yield from _wrapped(f"{found}payloads were not decoded")
    if stream.tools:
        yield from _wrapped("tools: " + ", ".join(stream.tools))
    if stream.readings:
        yield from _wrapped("readings: " + ", ".join(f"{name}={chosen}" for name, chosen in stream.readings.items()))
    for one in stream.depends_on:
        yield from _wrapped(f"depends on reading {one.reading}: {dependence(one, stream)}")
    if verbose:
        for one in stream.consulted:
            if one not in stream.depends_on:
                yield from _wrapped(f"reading {one.reading}: {dependence(one, stream)}")
    if stream.undecoded:
        yield from _wrapped("not decoded: " + ", ".join(stream.undecoded))
    if stream.rules:
        yield from _wrapped(_rules(stream))
    if verbose:
        yield from _units(stream)
        yield from _tensors(stream)
        for stage, digest in stream.digests.items():
            yield f"  sha256 {stage:<12} {digest}"
    yield from render_groups(stream.groups, colour=colour)


def render_groups(groups: Iterable[DiagnosticGroup], *, colour: bool = False) -> Iterator[str]:
    """Diagnostics line by line."""
    for group in groups:
        yield from _group(group, colour)


def _summary(stream: StreamReport) -> str:
    weights = sum(tensor.elements for tensor in stream.tensors)
    parts = [
        f"{stream.size} bytes",
        f"{len(stream.units)} units",
    ]
    if not stream.headers_only:
        parts += [f"{len(stream.tensors)} tensors", f"{weights} weights"]
    if weights:
        parts.append(f"{8 * stream.size / weights:.3g} bits/weight")
    return ", ".join(parts)


def dependence(one: ReadingOutcome, stream: StreamReport) -> str:
    """The verdicts under the choices for a reading: that in force first."""
    choices = [f"{one.name} (default) {stream.verdict.value}"]
    return ", ".join(choices + [f"{name} {verdict.value}" for name, verdict in one.others.items()])


def _rules(stream: StreamReport) -> str:
    counts = stream.rule_counts
    return (
        f"rules: {counts.applied} applied, {counts.passed} passed, {counts.failed} failed, "
        f"{counts.not_applicable} not applicable"
    )


def _units(stream: StreamReport) -> Iterator[str]:
    if stream.units:
        yield f"  {'unit':<10} {'type':<10} {'byte':>9} {'bytes':>9} {'payload':>9}  ids"
    for unit in stream.units:
        where = f"{unit.first:>9} {unit.size:>9} {unit.payload_size:>9}"
        yield f"  {unit.label:<10} {unit.unit_type:<10} {where}  {printable(', '.join(unit.names))}".rstrip()


def _tensors(stream: StreamReport) -> Iterator[str]:
    if stream.tensors:
        yield f"  {'tensor':<28} {'shape':<16} {'type':<8} {'QP':>5} {'bits/w':>7} {'zero':>6}"
    for tensor in stream.tensors:
        shape = "×".join(map(str, tensor.shape)) or "scalar"
        qp = "-" if tensor.qp is None else str(tensor.qp)
        rate = f"{tensor.bits / max(1, tensor.elements):.3g}"
        zero = "-" if tensor.nonzero is None else f"{100 * (1 - tensor.nonzero / max(1, tensor.elements)):.0f}%"
        yield f"  {printable(tensor.name):<28} {shape:<16} {tensor.dtype:<8} {qp:>5} {rate:>7} {zero:>6}"


def _group(group: DiagnosticGroup, colour: bool) -> Iterator[str]:
    found = group.first
    times = f" ({group.count} times, first:)" if group.count > 1 else ""
    head = _paint(found.severity.value, found.severity.value, colour)
    yield f"  {head}: {found.code} [{found.requirement}, {basis(found)}]{times}"
    if found.path:
        yield from _wrapped(found.path, 4)
    yield from _wrapped(found.message, 4)
    if found.bits is not None:
        yield from _wrapped(f"{place(found)}: {group.excerpt}" if group.excerpt else place(found), 4)
    if found.hint and found.severity is not Severity.INFO:
        yield from _wrapped(f"hint: {found.hint}", 4)
    if found.divergences:
        yield from _wrapped(f"known divergence of NNCodec: {', '.join(found.divergences)}", 4)


def basis(found: Diagnostic) -> str:
    """Confidence and evidence tags of the requirement."""
    return f"{found.confidence} confidence, evidence {found.evidence}"


def place(found: Diagnostic) -> str:
    """The bits of a finding in words."""
    first, end = found.bits or (0, 0)
    if end - first <= 1:
        return f"bit {first} (byte {first >> 3})"
    return f"bits {first}..{end - 1} (byte {first >> 3})"


def _wrapped(text: str, indent: int = 2) -> list[str]:
    margin = " " * indent
    return textwrap.wrap(
        printable(text),
        WIDTH,
        initial_indent=margin,
        subsequent_indent=margin + "  ",
        break_on_hyphens=False,
        break_long_words=False,
    )
