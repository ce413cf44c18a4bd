"""Reports as JUnit XML, which continuous integration shows as tests: a suite for each stream, a test for each unit.

A second suite of each stream has a test for each rule: it fails, or is in error, where the rule made an error, and is
skipped where the rule did not apply. What was found is said with the unit.

An error that says the stream is wrong is a failure, one that leaves the verdict open (a limit, for instance) is an
error in the sense of JUnit. Warnings and information stand in the output of the test. A unit that could not be decoded
though nothing is wrong with itself is skipped. What is wrong with the stream as a whole is in a test of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from html import escape

from nnr_conformance.diagnostics import Diagnostic, Effect, Severity, catalogue
from nnr_conformance.report.formats import Run, run_header, unit_label
from nnr_conformance.report.model import Report, StreamReport, UnitRow
from nnr_conformance.report.printing import printable
from nnr_conformance.report.text import basis, dependence, place
from nnr_conformance.scope import SEPARATOR

MOST_NAMES = 4
"""Tensor ids in the name of a test; a unit may hold thousands."""

_RESULTS = {Effect.NONCONFORMING: "failure", Effect.UNDETERMINED: "error"}


def render(report: Report, run: Run) -> Iterator[str]:
    """The report as lines of XML 1.0."""
    suites = [suite for stream in report.streams for suite in _suites(stream)]
    yield '<?xml version="1.0" encoding="UTF-8"?>'
    yield f"<testsuites{_attributes(name='nnr-check', **_total(suites))}>"
    for suite in suites:
        yield from suite.lines(report, run)
    yield "</testsuites>"


def _suites(stream: StreamReport) -> Iterator[_Suite]:
    yield _Suite(stream)
    if stream.rules:
        yield _RuleSuite(stream)


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


class _RuleCase(_Case):
    """The test of one rule: how often its requirement was met and not met."""

    def __init__(self, code: str, counted: tuple[int, int], found: list[Diagnostic]) -> None:
        requirement = catalogue()[code].requirement
        super().__init__(SEPARATOR.join((code, requirement)))
        self.counted = counted
        self.skipped = not any(counted)
        self.found = found

    def lines(self, suite: str) -> Iterator[str]:
        head = f"    <testcase{_attributes(classname=suite, name=self.name)}"
        passed, failed = self.counted
        result, counts = self.result(), f"passed {passed} times, failed {failed} times"
        inside = {
            "skipped": '<skipped message="not applicable"/>',
            "passed": f"<system-out>{counts}</system-out>",
        }.get(result, f"<{result}{_attributes(message=counts, type=self.name)}/>")
        yield f"{head}>"
        yield f"      {inside}"
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
        self.name = stream.name
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
        yield f"  <testsuite{_attributes(name=self.name, **self.counts())}>"
        yield "    <properties>"
        for name, value in _properties(self.stream, report, run):
            yield f"      <property{_attributes(name=name, value=value)}/>"
        yield "    </properties>"
        for case in self.cases:
            yield from case.lines(self.name)
        yield "  </testsuite>"


class _RuleSuite(_Suite):
    """The tests of the rules of one stream."""

    def __init__(self, stream: StreamReport) -> None:
        super().__init__(stream)
        by_code: dict[str, list[Diagnostic]] = {}
        for found in stream.diagnostics:
            by_code.setdefault(found.code, []).append(found)
        self.name = SEPARATOR.join((stream.name, "rules"))
        self.cases = [_RuleCase(code, counted, by_code.get(code, [])) for code, counted in stream.rules.items()]


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
    for name in ("corpus", "edition"):
        if header[name] is not None:
            yield name, header[name]
    for reading, chosen in stream.readings.items():
        yield f"reading {reading}", chosen
    for one in stream.depends_on:
        yield f"depends on reading {one.reading}", dependence(one, stream)
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
