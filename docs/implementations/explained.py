"""Which divergence or reading is behind each failure of a run, by the table `causes.yaml`; the baseline of that."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from nnr_conformance.data import load_yaml
from nnr_conformance.suite.results.baseline_file import Baseline, Expected, Group
from nnr_conformance.suite.results.report import RunReport
from nnr_conformance.suite.runner.cases import golden_cases, tools_by_source
from nnr_conformance.suite.runner.model import Case, CaseResult, Result

CAUSES = Path(__file__).with_name("causes.yaml")


@dataclass(frozen=True, slots=True)
class Cause:
    """A row of the table. One of `divergence`, `reading` and `reason` says what is behind; the rest is what fits."""

    result: Result
    divergence: str = ""
    reading: str = ""
    reason: str = ""
    says: str = ""
    tools: frozenset[str] = frozenset()
    before: frozenset[str] = frozenset()
    codes: frozenset[str] = frozenset()
    readings: frozenset[str] = frozenset()

    def fits(self, case: Case, found: CaseResult) -> bool:
        """Whether it is behind a failure."""
        said = ": ".join(part for part in (found.stage, found.detail) if part)
        return (
            found.result is self.result
            and bool(re.search(self.says, said))
            and self.tools <= set(case.tools)
            and self.before <= _tools_before(case)
            and (not self.codes or bool(self.codes & set(case.codes)))
            and (not self.readings or bool(self.readings & set(case.readings)))
        )

    @property
    def why(self) -> str:
        """In words."""
        if self.divergence:
            return str(divergences()[self.divergence]["text"])
        return self.reason or f"Another reading of the text: {self.reading}."


def _tools_before(case: Case) -> frozenset[str]:
    """The tools of the streams that a case updates, in any of which a decoder may have ended."""
    return frozenset[str]().union(*(tools_by_source().get(source, frozenset()) for source in case.before))


def divergences() -> Mapping[str, Any]:
    """The rows of the registry by id."""
    return {row["id"]: row for row in load_yaml("spec/divergences.yaml")}


def causes(path: Path = CAUSES) -> tuple[Cause, ...]:
    """The rows of the table."""
    rows = yaml.safe_load(path.read_text(encoding="utf-8"))
    sets = ("tools", "before", "codes", "readings")
    found = []
    for row in rows:
        fields: dict[str, Any] = {name: frozenset(value) if name in sets else value for name, value in row.items()}
        found.append(Cause(Result(fields.pop("result")), **fields))
    return tuple(found)


def explained(report: RunReport, table: Iterable[Cause]) -> dict[Cause | None, list[CaseResult]]:
    """The failures by what is behind them, under None those of which nothing is known; in the order of the table."""
    cases = {case.id: case for case in golden_cases()}
    rows = tuple(table)
    found: dict[Cause | None, list[CaseResult]] = {cause: [] for cause in (*rows, None)}
    for one in report.failures:
        found[next((cause for cause in rows if cause.fits(cases[one.case], one)), None)].append(one)
    return {cause: ones for cause, ones in found.items() if ones}


def baseline_of(report: RunReport, table: Iterable[Cause]) -> Baseline:
    """The failures as expected ones, in groups with their reasons. What is not known has none, which breaks runs."""
    header = report.header
    groups = []
    for cause, ones in explained(report, table).items():
        if cause is not None:
            cases = tuple(Expected(one.case) for one in ones)
            groups.append(Group(cause.result, cases, cause.why, "", cause.divergence, cause.reading))
            continue
        for result in dict.fromkeys(one.result for one in ones):
            groups.append(Group(result, tuple(Expected(one.case) for one in ones if one.result is result)))
    return Baseline(header.implementation, header.version, header.corpus, header.corpus_digest, tuple(groups))
