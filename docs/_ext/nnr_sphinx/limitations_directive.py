"""``nnr:limitations``: what is not known and not tested, counted."""

from __future__ import annotations

from collections import Counter

from nnr_conformance.suite.coverage.items import exclusions
from nnr_conformance.suite.registry_rows import Requirement, Status, load_requirements
from nnr_sphinx.base import PageDirective
from nnr_sphinx.pieces import Cell, Nodes, bullets, link, paragraph, prose, table
from nnr_sphinx.requirement_directives import STATUS


class LimitationsDirective(PageDirective):
    """Argument: what of them: confidence, status, low, excluded or unreachable."""

    def page_part(self) -> Nodes:
        parts = {
            "confidence": _confidence,
            "status": _status,
            "low": _low,
            "excluded": _excluded,
            "unreachable": _unreachable,
        }
        return parts[self.arguments[0]]()


def _rows() -> list[Requirement]:
    return list(load_requirements().values())


def _confidence() -> Nodes:
    by_confidence = Counter(row.confidence for row in _rows())
    rows: list[list[Cell]] = [[name, str(by_confidence[name])] for name in ("high", "medium", "low")]
    return [table(("confidence", "requirements"), rows)]


def _status() -> Nodes:
    by_status = Counter(row.status for row in _rows())
    return [table(("status", "requirements"), ([words, str(by_status[status])] for status, words in STATUS.items()))]


def _low() -> Nodes:
    return [bullets([link("req", row.id), *prose(f": {row.text}")] for row in _rows() if row.confidence == "low")]


def _excluded() -> Nodes:
    rows = [row for row in _rows() if row.status in {Status.EXCLUDED, Status.OPEN}]
    if not rows:
        return [paragraph("None.")]
    return [bullets([link("req", row.id), *prose(f": {row.text} {row.reason}")] for row in rows)]


def _unreachable() -> Nodes:
    rows: list[list[Cell]] = [[one.group, one.name, one.reason] for one in exclusions()]
    return [table(("group", "item", "why"), rows)]
