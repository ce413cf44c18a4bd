"""Baselines: a run against the failures that are expected of the implementation, so that neither can go stale.

A listed case that passes, fails in another way, or does not run breaks the run as much as a failure that is not listed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from nnr_conformance.errors import UsageError
from nnr_conformance.report.printing import printable
from nnr_conformance.suite.results.baseline_file import Baseline, Expected, Group, load_baseline, text_of
from nnr_conformance.suite.results.report import FAILURES, RunHeader, RunReport
from nnr_conformance.suite.results.text import failure_line, what_failed
from nnr_conformance.suite.runner.model import CaseResult, Result

__all__ = [
    "Baseline",
    "Expected",
    "Group",
    "Problems",
    "compared",
    "empty",
    "expected_text",
    "load_baseline",
    "marked",
    "matches",
    "updated",
]


@dataclass(frozen=True, slots=True)
class Problems:
    """What breaks a run; true when anything does.

    `unexpected`: failures that are not listed. `different`: listed cases that fail in another way, with what is
    expected. `passing`: listed cases that pass. `not_run`: listed cases without a result, or not supported.
    `unexplained`: cases whose group has no reason. `header`: why the baseline is not one of this run, in words.
    """

    unexpected: tuple[CaseResult, ...] = ()
    different: tuple[tuple[CaseResult, str], ...] = ()
    passing: tuple[str, ...] = ()
    not_run: tuple[str, ...] = ()
    unexplained: tuple[str, ...] = ()
    header: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return any((self.unexpected, self.different, self.passing, self.not_run, self.unexplained, self.header))

    def lines(self) -> Iterator[str]:
        """The problems, a line for each."""
        for line in self.header:
            yield printable(line)
        for one in self.unexpected:
            yield printable(f"not expected: {failure_line(one)}")
        for one, expected in self.different:
            yield printable(f"expected {expected}, found otherwise: {failure_line(one)}")
        for case in self.passing:
            yield printable(f"expected to fail, and passes: {case}")
        for case in self.not_run:
            yield printable(f"expected to fail, and was not run: {case}")
        for case in self.unexplained:
            yield printable(f"expected to fail without a reason: {case}")


def empty(header: RunHeader) -> Baseline:
    """A baseline that expects no failure."""
    return Baseline(header.implementation, header.version, header.corpus, header.corpus_digest)


def marked(report: RunReport, baseline: Baseline) -> RunReport:
    """The report in which failures that are expected, and no others, are `known` and have their reasons."""
    listed = _listed(baseline)
    results = tuple(
        replace(one, known=name in listed and matches(one, *listed[name]))
        for one in report.results
        for name in (printable(one.case),)
    )
    reasons = {one.case: listed[printable(one.case)][0].why for one in results if one.known}
    return RunReport(report.header, results, report.about, reasons)


def compared(report: RunReport, baseline: Baseline) -> Problems:
    """What breaks the run, cases in the order of the report, then in that of the baseline."""
    listed = _listed(baseline)
    seen = {printable(one.case): one for one in report.results}
    failed = [(one, listed.get(name)) for name, one in seen.items() if one.result in FAILURES]
    return Problems(
        unexpected=tuple(one for one, found in failed if found is None),
        different=tuple((one, expected_text(*found)) for one, found in failed if found and not matches(one, *found)),
        passing=tuple(case for case in listed if case in seen and seen[case].result is Result.PASS),
        not_run=tuple(case for case in listed if case not in seen or seen[case].result is Result.NOT_SUPPORTED),
        unexplained=tuple(case for case, (group, _) in listed.items() if not group.reason.strip()),
        header=tuple(_other_header(report.header, baseline)),
    )


def updated(report: RunReport, baseline: Baseline) -> str:
    """The file of the baseline that this run meets: reasons of what stays are kept, those of new failures are empty.

    Raises UsageError when the run is a part of the corpus, or of another implementation or version.
    """
    if report.is_partial:
        raise UsageError("only a run of the whole corpus can update a baseline")
    for line in _other_header(report.header, baseline):
        raise UsageError(line)
    listed = _listed(baseline)
    seen = {printable(one.case): one for one in report.failures}
    kept: set[str] = {
        case
        for case, (group, expected) in listed.items()
        if group.reason.strip() and case in seen and matches(seen[case], group, expected)
    }
    groups = [replace(group, cases=tuple(one for one in group.cases if one.case in kept)) for group in baseline.groups]
    groups += _new_groups(one for one in report.failures if printable(one.case) not in kept)
    header = report.header
    made = Baseline(
        baseline.implementation,
        baseline.version,
        header.corpus,
        header.corpus_digest,
        tuple(replace(group, cases=_in_order(group.cases)) for group in groups if group.cases),
    )
    return "".join(f"{line}\n" for line in text_of(made))


def matches(one: CaseResult, group: Group, expected: Expected) -> bool:
    """Whether a case fails exactly as it is expected to."""
    if one.result is not group.result:
        return False
    if expected.stage is None and expected.detail is None:
        return True
    found, wanted = (one.stage, one.detail), (expected.stage or "", expected.detail or "")
    return [*map(printable, found)] == [*map(printable, wanted)]


def _listed(baseline: Baseline) -> dict[str, tuple[Group, Expected]]:
    """What is expected by case, names as a file spells them: without what no terminal should see."""
    return {printable(one.case): (group, one) for group in baseline.groups for one in group.cases}


def _new_groups(failures: Iterator[CaseResult]) -> list[Group]:
    """Groups without a reason: one for each result and stage."""
    by_kind: dict[tuple[Result, str], list[Expected]] = {}
    for one in failures:
        exactly = Expected(one.case, one.stage, one.detail) if one.stage or one.detail else Expected(one.case)
        by_kind.setdefault((one.result, one.stage), []).append(exactly)
    order = {result: number for number, result in enumerate(Result)}
    return [
        Group(result, tuple(by_kind[result, stage]))
        for result, stage in sorted(by_kind, key=lambda kind: (order[kind[0]], kind[1]))
    ]


def _in_order(cases: tuple[Expected, ...]) -> tuple[Expected, ...]:
    return tuple(sorted(cases, key=lambda one: one.case))


def _other_header(header: RunHeader, baseline: Baseline) -> Iterator[str]:
    run = f"{header.implementation} {header.version}"
    expected = f"{baseline.implementation} {baseline.version}"
    if run != expected:
        yield f"the baseline is one of {expected}, the run is of {run}"


def expected_text(group: Group, expected: Expected) -> str:
    """What a case is expected to come to, in words."""
    return what_failed(CaseResult(expected.case, group.result, expected.stage or "", expected.detail or ""))
