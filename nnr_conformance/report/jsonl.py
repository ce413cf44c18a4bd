"""Reports as lines of JSON: one for each diagnostic, and after those of a stream one that sums it up.

`spec/schemas/report.schema.json` describes a line by ``#/$defs/line``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from nnr_conformance.report.formats import Run, unit_label
from nnr_conformance.report.json import SCHEMA, diagnostic_to_json, dump
from nnr_conformance.report.model import Report, StreamReport


def render(report: Report, run: Run) -> Iterator[str]:
    """The lines."""
    for stream in report.streams:
        labels = {unit.label for unit in stream.units}
        for found in stream.diagnostics:
            about = {"kind": "diagnostic", "stream": stream.name, "unit": unit_label(found, labels)}
            yield dump(about | diagnostic_to_json(found))
        yield dump(_summary(stream, report.version, run))


def _summary(stream: StreamReport, version: str, run: Run) -> dict[str, Any]:
    severities = Counter(found.severity.value for found in stream.diagnostics)
    return {
        "kind": "stream",
        "schema": SCHEMA,
        "version": version,
        "stream": stream.name,
        "bytes": stream.size,
        "sha256": stream.sha256,
        "verdict": stream.verdict.value,
        "readings": stream.readings,
        "strict": run.strict,
        "limits": None if run.limits is None else dict(run.limits),
        "units": len(stream.units),
        "tensors": len(stream.tensors),
        "weights": sum(tensor.elements for tensor in stream.tensors),
        "not_decoded": len(stream.undecoded),
        "errors": severities["error"],
        "warnings": severities["warning"],
        "infos": severities["info"],
    }
