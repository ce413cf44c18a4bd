"""Reports as lines of JSON: one for each diagnostic and each rule that applied, then one that sums up the stream.

`spec/schemas/report.schema.json` describes a line by ``#/$defs/line``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from nnr_conformance.report.formats import Run, readings_to_plain, unit_label
from nnr_conformance.report.json import SCHEMA, diagnostic_to_json, dump, rules_to_json
from nnr_conformance.report.model import Report, StreamReport


def render(report: Report, run: Run) -> Iterator[str]:
    """The lines."""
    for stream in report.streams:
        labels = {unit.label for unit in stream.units}
        for found in stream.diagnostics:
            about = {"kind": "diagnostic", "stream": stream.name, "unit": unit_label(found, labels)}
            yield dump(about | diagnostic_to_json(found))
        for counted in rules_to_json(stream):
            yield dump({"kind": "rule", "stream": stream.name} | counted)
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
        "headers_only": stream.headers_only,
        "readings": stream.readings,
        "consulted_readings": readings_to_plain(stream),
        "depends_on": [one.reading for one in stream.depends_on],
        "corpus": run.corpus,
        "edition": run.edition,
        "strict": run.strict,
        "limits": None if run.limits is None else dict(run.limits),
        "units": len(stream.units),
        "tensors": len(stream.tensors),
        "weights": sum(tensor.elements for tensor in stream.tensors),
        "not_decoded": len(stream.undecoded),
        "errors": severities["error"],
        "warnings": severities["warning"],
        "infos": severities["info"],
        "rules": stream.rule_counts._asdict(),
    }
