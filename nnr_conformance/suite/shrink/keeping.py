"""What a reduced stream has to show: the same finding of the checker, and no other that was not there before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from nnr_conformance.checker.check import check_chain
from nnr_conformance.diagnostics import Severity, catalogue
from nnr_conformance.errors import UsageError
from nnr_conformance.report.model import StreamReport, Verdict
from nnr_conformance.suite.shrink.agreed import Agreed


@dataclass(frozen=True, slots=True)
class Finding:
    """A finding in the last stream of a chain.

    `code` with its `severity`; `verdict` on the last stream. `allowed`: codes of errors and warnings that streams of
    the chain may give; there are no others, so that one fault does not turn into another.
    """

    code: str
    severity: Severity
    verdict: Verdict
    allowed: frozenset[str]
    agreed: Agreed

    def shown_by(self, streams: Sequence[bytes]) -> bool:
        """Whether a chain shows it."""
        reports = reports_of(streams, self.agreed)
        last = reports[-1]
        return (
            last.verdict is self.verdict
            and any((one.code, one.severity) == (self.code, self.severity) for one in last.diagnostics)
            and weighty(reports) <= self.allowed
        )

    def __str__(self) -> str:
        return f"{self.code} [{catalogue()[self.code].requirement}], {self.severity.value}, {self.verdict.value}"


def finding_in(streams: Sequence[bytes], keeps: str, agreed: Agreed) -> Finding:
    """The finding of a diagnostic code, or the first one of a requirement, in a chain. Raises UsageError."""
    known = catalogue()
    if keeps not in known and keeps not in {rule.requirement for rule in known.values()}:
        raise UsageError(f"{keeps!r} is no diagnostic code and no requirement that the checker knows")
    reports = reports_of(streams, agreed)
    for found in sorted(reports[-1].diagnostics, key=lambda one: one.severity is Severity.INFO):
        if keeps in (found.code, found.requirement):
            return Finding(found.code, found.severity, reports[-1].verdict, weighty(reports), agreed)
    there = ", ".join(sorted({one.code for one in reports[-1].diagnostics})) or "nothing"
    raise UsageError(f"the stream does not show {keeps}; found: {there}")


def reports_of(streams: Sequence[bytes], agreed: Agreed) -> Sequence[StreamReport]:
    """The checker's report on each stream of a chain."""
    return check_chain(agreed.chain(streams), edition=agreed.edition, dependence=False).streams


def weighty(reports: Sequence[StreamReport]) -> frozenset[str]:
    """The codes of errors and warnings in reports."""
    return frozenset(one.code for report in reports for one in report.diagnostics if one.severity is not Severity.INFO)
