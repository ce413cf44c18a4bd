"""Reports as JSON. The layout is versioned by `schema`; fields are added, never given another meaning."""

from __future__ import annotations

from typing import Any

from nnr_conformance.diagnostics import Diagnostic
from nnr_conformance.report.model import Report, StreamReport

SCHEMA = "nnr-check/1"


def to_json(report: Report) -> dict[str, Any]:
    """The report as plain values: dictionaries, lists, strings and numbers."""
    return {
        "schema": SCHEMA,
        "version": report.version,
        "verdict": report.verdict.value,
        "streams": [_stream(stream) for stream in report.streams],
    }


def _stream(stream: StreamReport) -> dict[str, Any]:
    return {
        "name": stream.name,
        "bytes": stream.size,
        "sha256": stream.sha256,
        "verdict": stream.verdict.value,
        "tools": list(stream.tools),
        "readings": stream.readings,
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
    }


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
        "confidence": found.confidence,
        "evidence": found.evidence,
    }
