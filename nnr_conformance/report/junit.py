"""Reports as JUnit XML, which continuous integration shows as tests: a suite for each stream, a test for each unit.

An error that says the stream is wrong is a failure, one that leaves the verdict open (a limit, for instance) is an
error in the sense of JUnit. Warnings and information stand in the output of the test. A unit that could not be decoded
though nothing is wrong with itself is skipped. What is wrong with the stream as a whole is in a test of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from html import escape

from nnr_conformance.diagnostics import Diagnostic, Effect, Severity
from nnr_conformance.report.formats import Run, run_header, unit_label
from nnr_conformance.report.model import Report, StreamReport, UnitRow
from nnr_conformance.report.printing import printable
from nnr_conformance.report.text import basis, place
from nnr_conformance.scope import SEPARATOR

MOST_NAMES = 4
"""Tensor ids in the name of a test; a unit may hold thousands."""

_RESULTS = {Effect.NONCONFORMING: "failure", Effect.UNDETERMINED: "error"}


def render(report: Report, run: Run) -> Iterator[str]:
    """The report as lines of XML 1.0."""
    suites = [_Suite(stream) for stream in report.streams]
    yield '<?xml version="1.0" encoding="UTF-8"?>'
    yield f"<testsuites{_attributes(name='nnr-check', **_total(suites))}>"
    for suite in suites:
        yield from suite.lines(report, run)
    yield "</testsuites>"


class _Case:
    """One test: its name, and what was found there."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.found: list[Diagnostic] = []
        self.skipped = False

    def result(self) -> str:
        """How it counts: a failure outweighs an error."""
        results = {_RESULTS[found.effect] for found in self.found if found.severity is Severity.ERROR}
        if results:
            return "failure" if "failure" in results else "error"
        return "skipped" if self.skipped else "passed"

    def lines(self, suite: str) -> Iterator[str]:
        head = f"    <testcase{_attributes(classname=suite, name=self.name)}"
        inside = [line for found in self.found if found.severity is Severity.ERROR for line in _failure(found)]
        if self.result() == "skipped":
            inside.append('      <skipped message="not decoded"/>')
        remarks = [found for found in self.found if found.severity is not Severity.ERROR]
        inside += _output(remarks)
        if not inside:
            yield f"{head}/>"
            return
        yield f"{head}>"
        yield from inside
        yield "    </testcase>"


class _Suite:
    """The tests of one stream."""

    def __init__(self, stream: StreamReport) -> None:
        self.stream = stream
        whole = _Case("stream")
        cases = {unit.label: _Case(_unit_name(unit)) for unit in stream.units}
        for label in cases.keys() & set(stream.undecoded):
            cases[label].skipped = True
        for found in stream.diagnostics:
            about = unit_label(found, cases)
            (whole if about is None else cases[about]).found.append(found)
        self.cases = [whole, *cases.values()]

    def counts(self) -> dict[str, int]:
        results = [case.result() for case in self.cases]
        return {
            "tests": len(results),
            "failures": results.count("failure"),
            "errors": results.count("error"),
            "skipped": results.count("skipped"),
        }

    def lines(self, report: Report, run: Run) -> Iterator[str]:
        yield f"  <testsuite{_attributes(name=self.stream.name, **self.counts())}>"
        yield "    <properties>"
        for name, value in _properties(self.stream, report, run):
            yield f"      <property{_attributes(name=name, value=value)}/>"
        yield "    </properties>"
        for case in self.cases:
            yield from case.lines(self.stream.name)
        yield "  </testsuite>"


def _total(suites: Iterable[_Suite]) -> dict[str, int]:
    total: dict[str, int] = {}
    for suite in suites:
        for name, count in suite.counts().items():
            total[name] = total.get(name, 0) + count
    return total


def _properties(stream: StreamReport, report: Report, run: Run) -> Iterator[tuple[str, object]]:
    header = run_header(report, run)
    yield "verdict", stream.verdict.value
    yield "sha256", stream.sha256
    yield "bytes", stream.size
    yield "tool", f"{header['tool']} {header['version']}"
    for reading, chosen in stream.readings.items():
        yield f"reading {reading}", chosen
    if header["strict"] is not None:
        yield "strict", "yes" if header["strict"] else "no"
    for limit, most in (header["limits"] or {}).items():
        yield f"limit {limit}", most


def _unit_name(unit: UnitRow) -> str:
    shown = ", ".join(unit.names[:MOST_NAMES])
    if len(unit.names) > MOST_NAMES:
        shown += f" and {len(unit.names) - MOST_NAMES} more"
    return SEPARATOR.join(part for part in (unit.label, unit.unit_type, shown) if part)


def _failure(found: Diagnostic) -> Iterator[str]:
    kind = _RESULTS[found.effect]
    head = _attributes(message=f"{found.code} [{found.requirement}]: {found.message}", type=found.code)
    first, *middle, last = map(_text, _details(found))
    yield f"      <{kind}{head}>{first}"
    yield from middle
    yield f"{last}</{kind}>"


def _output(remarks: Iterable[Diagnostic]) -> list[str]:
    lines = []
    for found in remarks:
        head, *rest = _details(found)
        lines += [f"{found.severity.value}: {head}", *(f"  {line}" for line in rest)]
    if not lines:
        return []
    lines = [_text(line) for line in lines]
    lines[0] = f"      <system-out>{lines[0]}"
    lines[-1] += "</system-out>"
    return lines


def _details(found: Diagnostic) -> list[str]:
    lines = [f"{found.code}: {found.message}", f"requirement {found.requirement}, {basis(found)}"]
    if found.path:
        lines.append(found.path)
    if found.bits is not None:
        lines.append(place(found))
    if found.hint:
        lines.append(f"hint: {found.hint}")
    return lines


def _attributes(**values: object) -> str:
    return "".join(f' {name}="{_text(str(value))}"' for name, value in values.items())


def _text(text: str) -> str:
    # XML 1.0 cannot hold most control characters, escaped or not, so they are spelled out.
    return escape(printable(text))
