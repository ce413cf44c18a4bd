"""The catalogue of diagnostics: complete, used, and followed by severities."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from nnr_conformance.diagnostics import Effect, Severity, catalogue, diagnose, stop
from nnr_conformance.errors import BitstreamError

PACKAGE = Path(__file__).parents[1] / "nnr_conformance"
SOURCES = "\n".join(path.read_text() for path in sorted(PACKAGE.rglob("*.py")))


@pytest.mark.parametrize("code", sorted(catalogue()))
def test_every_catalogued_code_is_made_somewhere(code: str) -> None:
    assert f'"{code}"' in SOURCES


def test_every_code_that_is_made_is_catalogued() -> None:
    made = set(re.findall(r'(?:\.report|stop|diagnose|EntropyFault|Note)\(\s*"([a-z0-9_.]+)"', SOURCES))
    made |= set(re.findall(r'Must\([^"\n]*"([a-z0-9_.]+)"', SOURCES))
    assert len(made) > 80
    assert made <= set(catalogue())


@pytest.mark.parametrize("code", sorted(catalogue()))
def test_every_row_names_a_requirement_its_evidence_and_what_is_required(code: str) -> None:
    row = catalogue()[code]
    assert re.fullmatch(r"R-[A-Z0-9]+-\d\d", row.requirement)
    assert row.confidence in {"high", "medium", "low"}
    assert set(row.evidence.split(",")) <= {"S", "P1", "P2", "R", "D"}
    assert row.text.endswith(".")
    assert 1 <= int(row.clause) <= 10


def test_severity_follows_confidence_and_strictness() -> None:
    assert diagnose("terminate_missing", "").severity is Severity.ERROR
    assert diagnose("reserved_not_zero", "").severity is Severity.WARNING
    assert diagnose("reserved_not_zero", "", strict=True).severity is Severity.ERROR
    assert diagnose("row_skip_nonminimal", "", strict=True).severity is Severity.INFO
    assert diagnose("start_unit_repeated", "", strict=True).severity is Severity.INFO


def test_stopping_raises_an_error_whatever_the_confidence() -> None:
    with pytest.raises(BitstreamError) as caught:
        stop("reserved_not_zero", "found 1", bits=(8, 9), path="unit 0")
    assert caught.value.diagnostic.severity is Severity.ERROR
    assert "bits 8..8" in str(caught.value)
    assert "R-GEN-08" in str(caught.value)


def test_limits_never_call_a_stream_nonconforming() -> None:
    rows = [row for code, row in catalogue().items() if code.startswith("limit_")]
    assert rows
    assert all(row.effect is Effect.UNDETERMINED for row in rows)
