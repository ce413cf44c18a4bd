"""Reports as SARIF 2.1.0 (OASIS, with errata 01), which code scanning services and editors read.

Streams are binary artifacts, so a place is a range of bytes; the exact bits are in the properties of a result. The
rules are those rows of the catalogue that were violated.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePath
from typing import Any
from urllib.parse import quote

from nnr_conformance.diagnostics import Diagnostic, Rule, Severity, catalogue
from nnr_conformance.report.formats import UNKNOWN_RUN, Run, readings_to_plain, run_header
from nnr_conformance.report.json import dump, rules_to_json
from nnr_conformance.report.model import Report, StreamReport
from nnr_conformance.report.printing import printable

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"

_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}


def render(report: Report, run: Run) -> Iterator[str]:
    """The report as one JSON text."""
    yield dump(to_sarif(report, run), indent=2)


def to_sarif(report: Report, run: Run = UNKNOWN_RUN) -> dict[str, Any]:
    """The report as plain values: a SARIF log of one run."""
    codes = sorted({found.code for found in report.diagnostics})
    rules = {code: number for number, code in enumerate(codes)}
    # A stream that was checked twice is one artifact: SARIF wants them to differ.
    streams = {(stream.name, stream.sha256): stream for stream in report.streams}
    artifacts = {key: number for number, key in enumerate(streams)}
    header = run_header(report, run)
    return {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": header["tool"],
                        "version": header["version"],
                        "rules": [_rule(catalogue()[code]) for code in codes],
                    }
                },
                "invocations": [{"executionSuccessful": True, "exitCode": report.verdict.exit_code}],
                "artifacts": [_artifact(stream) for stream in streams.values()],
                "results": [
                    _result(found, rules[found.code], stream, artifacts[stream.name, stream.sha256])
                    for stream in report.streams
                    for found in stream.diagnostics
                ],
                "properties": {
                    "verdict": report.verdict.value,
                    **{key: header[key] for key in ("corpus", "edition", "readings", "strict", "limits")},
                },
            }
        ],
    }


def _rule(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.code,
        "shortDescription": {"text": _message(rule.text)},
        "fullDescription": {"text": _message(f"{rule.text} Requirement {rule.requirement}, clause {rule.clause}.")},
        "help": {"text": _message(rule.hint or rule.text)},
        "defaultConfiguration": {"level": _LEVELS[rule.severity]},
        "properties": {
            "requirement": rule.requirement,
            "clause": rule.clause,
            "stage": rule.stage.value,
            "evidence": rule.evidence,
            "confidence": rule.confidence,
            "effect": rule.effect.value,
            "tags": [rule.stage.value, f"clause-{rule.clause}"],
        },
    }


def _artifact(stream: StreamReport) -> dict[str, Any]:
    return {
        "location": {"uri": _uri(stream.name)},
        "length": stream.size,
        "roles": ["analysisTarget"],
        "mimeType": "application/octet-stream",
        "hashes": {"sha-256": stream.sha256},
        "properties": {
            "verdict": stream.verdict.value,
            "consultedReadings": readings_to_plain(stream),
            "dependsOn": [one.reading for one in stream.depends_on],
            "rules": rules_to_json(stream),
            "rulesNotApplicable": stream.rule_counts.not_applicable,
        },
    }


def _result(found: Diagnostic, rule: int, stream: StreamReport, artifact: int) -> dict[str, Any]:
    place: dict[str, Any] = {"artifactLocation": {"uri": _uri(stream.name), "index": artifact}}
    if found.bits is not None:
        place["region"] = _region(found.bits, stream.size)
    location: dict[str, Any] = {"physicalLocation": place}
    if found.path:
        location["logicalLocations"] = [{"fullyQualifiedName": printable(found.path)}]
    return {
        "ruleId": found.code,
        "ruleIndex": rule,
        "level": _LEVELS[found.severity],
        "message": {"text": _message(found.message) or found.code},
        "locations": [location],
        "properties": {
            "requirement": found.requirement,
            "stage": found.stage.value,
            "effect": found.effect.value,
            "bits": None if found.bits is None else list(found.bits),
            "hint": found.hint,
            "divergences": list(found.divergences),
            "evidence": found.evidence,
            "confidence": found.confidence,
        },
    }


def _message(text: str) -> str:
    """Text as SARIF writes it in messages: braces doubled, and no link, since names of a stream are not to make any."""
    return printable(text).replace("{", "{{").replace("}", "}}").replace("](", "] (")


def _region(bits: tuple[int, int], size: int) -> dict[str, int]:
    """The bytes that some bits lie in; bits that are missing at the end of a stream are a place of no length there."""
    first = min(bits[0] >> 3, size)
    end = min(max(first, (bits[1] + 7) >> 3), size)
    return {"byteOffset": first, "byteLength": end - first}


def _uri(name: str) -> str:
    """A file name as a URI reference: relative names stay relative."""
    path = PurePath(name).as_posix()
    if not PurePath(name).is_absolute():
        return quote(path, errors="surrogatepass")
    return ("file://" if path.startswith("/") else "file:///") + quote(path, safe="/:", errors="surrogatepass")
