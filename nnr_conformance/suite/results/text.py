"""A run as text: every failure, what fails as a whole, what was claimed and not exercised, and the counts."""

from __future__ import annotations

from collections.abc import Iterator

from nnr_conformance.report.printing import printable
from nnr_conformance.suite.results.finding import Finding
from nnr_conformance.suite.results.report import Contradiction, RunHeader, RunReport, Tally
from nnr_conformance.suite.results.suspects import findings
from nnr_conformance.suite.runner.model import CaseResult, Result


def render(report: RunReport) -> Iterator[str]:
    """The lines."""
    yield printable(title(report.header))
    for one in report.failures:
        yield printable(failure_line(one))
    for finding in findings(report):
        yield printable(f"fails as a whole: {what_fails(finding)}; first {finding.example}")
    for row in report.contradictions:
        yield printable(f"reading {contradiction(row)}")
    if report.unexercised:
        yield printable(f"claimed and not exercised: {', '.join(report.unexercised)}")
    yield printable(closing(report))


def title(header: RunHeader) -> str:
    """The run in one line."""
    return (
        f"{header.implementation} {header.version} ({header.reached}), "
        f"corpus {header.corpus} {header.corpus_digest[:12]}, nnr-conformance {header.suite}"
    )


def failure_line(one: CaseResult) -> str:
    """A failure in one line: the case, what became of it, where and how."""
    return f"{one.case}: {what_failed(one)}"


def what_failed(one: CaseResult) -> str:
    """What became of a case, where and how."""
    place = " in ".join(part for part in (one.result.value, one.stage) if part)
    expected = " (expected)" if one.known else ""
    return f"{place}{expected}" + (f": {one.detail}" if one.detail else "")


def what_fails(found: Finding) -> str:
    """What fails as a whole in words, with how much of it does."""
    name = " + ".join(found.properties)
    if not found.says:
        return f"{name or 'every case'}: {found.failed} of {found.ran} cases"
    return f"{found.says}: {found.failed} of {found.ran} cases" + (f" with {name}" if name else "")


def contrasted(found: Finding) -> str:
    """The example and the nearest case that passed, with what the one has and the other has not."""
    if not found.contrast:
        return f"{found.example} fails; nothing passes"
    parts = [
        f"with {', '.join(found.more)}" if found.more else "",
        f"without {', '.join(found.less)}" if found.less else "",
    ]
    difference = ", ".join(part for part in parts if part) or "which has the same properties"
    return f"{found.example} fails, {difference}; {found.contrast} passes"


def contradiction(row: Contradiction) -> str:
    """A reading that is followed otherwise than declared, or in two ways, in words."""
    choices = ", ".join(f"{choice} ({count}, first {first})" for choice, (first, count) in row.followed.items())
    declared = f"declared {row.declared}, " if row.declared else ""
    return f"{row.reading}: {declared}follows {choices}"


def closing(report: RunReport) -> str:
    """The counts in one line."""
    expected = sum(one.known for one in report.failures)
    parts = [f"{len(report.results)} of {report.header.cases} cases" if _unfinished(report) else _cases(report)]
    parts[0] += f": {counted(report.counts)}" if report.results else ""
    if expected:
        parts.append(f"{expected} of the failures expected")
    if report.is_partial:
        parts.append("a part of the corpus")
    return "; ".join(parts)


def counted(tally: Tally) -> str:
    """Counts of results in words, in the order of results."""
    return ", ".join(f"{tally[result]} {result.value}" for result in Result if tally[result])


def _unfinished(report: RunReport) -> bool:
    return len(report.results) != report.header.cases


def _cases(report: RunReport) -> str:
    return f"{len(report.results)} case{'' if len(report.results) == 1 else 's'}"
