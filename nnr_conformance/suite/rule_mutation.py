"""Adequacy of the pairs: each rule is disabled in turn, and some stream must notice.

A rule that no stream misses is a survivor: either a stream is missing, or the rule finds nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from nnr_conformance.diagnostics import catalogue
from nnr_conformance.report.model import Report
from nnr_conformance.suite.pair_checks import check_pair_stream
from nnr_conformance.suite.requirement_pairs import Pair, load_pairs

Outcome = tuple[str, tuple[tuple[str, str, str], ...]]


@dataclass(frozen=True, slots=True)
class RuleDeletion:
    """What disabling one rule changed: `noticed` names the streams whose outcome differs, `turned` those of them whose
    verdict does (only an error decides a verdict)."""

    code: str
    noticed: tuple[str, ...]
    turned: tuple[str, ...]

    @property
    def survives(self) -> bool:
        """True when no stream noticed."""
        return not self.noticed


def delete_rules() -> Iterator[RuleDeletion]:
    """Disable each rule of the catalogue in turn, and check every stream of the pairs in which it had a part."""
    streams: dict[str, list[tuple[Pair, bool, bytes, Report]]] = defaultdict(list)
    for pair in load_pairs():
        for breaking in (False, True):
            data = pair.build(breaking).data
            report = check_pair_stream(pair, data)
            for code in {found.code for found in report.diagnostics}:
                streams[code].append((pair, breaking, data, report))
    for code in (code for code, rule in catalogue().items() if not rule.no_stream):
        noticed, turned = [], []
        for pair, breaking, data, before in streams[code]:
            after = check_pair_stream(pair, data, frozenset({code}))
            if outcome(after) != outcome(before):
                noticed.append(pair.stream_name(breaking))
            if after.verdict is not before.verdict:
                turned.append(pair.stream_name(breaking))
        yield RuleDeletion(code, tuple(noticed), tuple(turned))


def outcome(report: Report) -> Outcome:
    """What a report says of its streams: the verdict, and each finding with its place."""
    found = ((one.code, one.path, str(one.bits)) for one in report.diagnostics)
    return report.verdict.value, tuple(found)
