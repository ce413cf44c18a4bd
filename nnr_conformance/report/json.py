"""Reports as JSON. The layout is versioned by `schema`; fields are added, never given another meaning.

`spec/schemas/report.schema.json` describes it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from nnr_conformance.diagnostics import Diagnostic, catalogue
from nnr_conformance.report.formats import UNKNOWN_RUN, Run, readings_to_plain, run_header
from nnr_conformance.report.model import Report, StreamReport

SCHEMA = "nnr-check/1"
_BEYOND_ASCII = re.compile("[^\x00-\x7e]")


def render(report: Report, run: Run) -> Iterator[str]:
    """The report as one JSON text."""
    yield dump(to_json(report, run), indent=2)


def dump(values: Any, indent: int | None = None) -> str:
    """Plain values as a JSON text of printable characters; what no terminal or decoder should see is an escape."""
    text = json.dumps(values, indent=indent, ensure_ascii=False)
    return _BEYOND_ASCII.sub(lambda found: found[0] if found[0].isprintable() else json.dumps(found[0])[1:-1], text)


def to_json(report: Report, run: Run = UNKNOWN_RUN) -> dict[str, Any]:
    """The report as plain values: dictionaries, lists, strings and numbers."""
    return {
        "schema": SCHEMA,
        "version": report.version,
        "verdict": report.verdict.value,
        "run": run_header(report, run),
        "streams": [_stream(stream) for stream in report.streams],
    }


def _stream(stream: StreamReport) -> dict[str, Any]:
    return {
        "name": stream.name,
        "bytes": stream.size,
        "sha256": stream.sha256,
        "verdict": stream.verdict.value,
        "headers_only": stream.headers_only,
        "tools": list(stream.tools),
        "readings": stream.readings,
        "consulted_readings": readings_to_plain(stream),
        "depends_on": [one.reading for one in stream.depends_on],
        "digests": stream.digests,
        "units": [
            {
                "label": unit.label,
                "type": unit.unit_type,
                "first_byte": unit.first,
                "bytes": unit.size,
                "payload_bytes": unit.payload_size,
                "topology_elem_ids": list(unit.names),
            }
            for unit in stream.units
        ],
        "not_decoded": list(stream.undecoded),
        "tensors": [
            {
                "name": tensor.name,
                "unit": tensor.unit,
                "shape": list(tensor.shape),
                "dtype": tensor.dtype,
                "bits": tensor.bits,
                "qp": tensor.qp,
                "nonzero": tensor.nonzero,
            }
            for tensor in stream.tensors
        ],
        "diagnostics": [diagnostic_to_json(found) for found in stream.diagnostics],
        "rules": rules_to_json(stream),
        "rules_not_applicable": [code for code, counted in stream.rules.items() if not any(counted)],
    }


def rules_to_json(stream: StreamReport) -> list[dict[str, Any]]:
    """The rules that applied, with how often their requirements were met and not met, as plain values."""
    return [
        {"code": code, "requirement": catalogue()[code].requirement, "passed": passed, "failed": failed}
        for code, (passed, failed) in stream.rules.items()
        if passed or failed
    ]


def diagnostic_to_json(found: Diagnostic) -> dict[str, Any]:
    """One diagnostic as plain values; `bits` is [first, end) in bits from the start of the stream, or null."""
    return {
        "code": found.code,
        "requirement": found.requirement,
        "severity": found.severity.value,
        "effect": found.effect.value,
        "stage": found.stage.value,
        "bits": None if found.bits is None else list(found.bits),
        "path": found.path,
        "message": found.message,
        "hint": found.hint,
        "divergences": list(found.divergences),
        "confidence": found.confidence,
        "evidence": found.evidence,
    }
