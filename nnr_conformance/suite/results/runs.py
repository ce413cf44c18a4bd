"""Runs that were stored, from a file of JSON or of lines of JSON."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

from nnr_conformance.errors import UsageError
from nnr_conformance.suite.results import json, jsonl
from nnr_conformance.suite.results.header import corpus_digest
from nnr_conformance.suite.results.report import RunReport, about_of
from nnr_conformance.suite.results.unit_order import with_unit_orders
from nnr_conformance.suite.runner.cases import golden_cases


def load_run(path: Path) -> RunReport:
    """The run in a file. Raises UsageError when it cannot be read or is none.

    Lines of JSON do not say what the cases are about; the streams that are installed do, when they are the same ones.
    Of a case that comes twice, as after a run was taken up, the last result counts.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read {path}: {error}") from error
    try:
        return _parsed(text)
    except UsageError as error:
        raise UsageError(f"{path}: {error}") from error


def _parsed(text: str) -> RunReport:
    if text.startswith("{\n"):  # a line of JSON goes on behind its first brace
        return json.parse(text)
    header, results = jsonl.read(StringIO(text))
    by_case = {one.case: one for one in results}
    known = header.corpus_digest == corpus_digest()
    cases = [case for case in golden_cases() if case.id in by_case] if known else []
    report = RunReport(header, tuple(by_case.values()), {case.id: about_of(case) for case in cases})
    return with_unit_orders(report, cases)
