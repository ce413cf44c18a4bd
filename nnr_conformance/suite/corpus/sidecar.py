"""The sidecar of a golden stream: all that somebody else's decoder is to find in it, and who agrees on that."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

import yaml
from numpy.typing import NDArray

from nnr_conformance.data import load_yaml
from nnr_conformance.decoder.digests import STAGES
from nnr_conformance.report.model import StreamReport, Verdict
from nnr_conformance.suite.corpus.findings import Found
from nnr_conformance.suite.corpus.golden import Golden, stored
from nnr_conformance.suite.corpus.recipes import CorpusStream
from nnr_conformance.suite.corpus.under_readings import under_readings

SCHEMA = "nnr-golden/1"
SUFFIX = ".nnr.yaml"
SMALL = 64
"""Elements of all tensors together up to which a sidecar has their values."""

BUILDER, PURE, COMPILED = "builder", "interpreted decoder", "compiled decoder"
NNCODEC = "bitstreams/nncodec.yaml"
"""What NNCodec makes of the streams, written where it is installed."""


def sidecar(golden: Golden, found: Found, intended: Mapping[str, str]) -> dict[str, Any]:
    """The content of a sidecar; `intended`: digests by stage of what the builder meant, where it is known."""
    data = stored(golden.path)
    row: dict[str, Any] = {
        "schema": SCHEMA,
        "stream": golden.path.rpartition("/")[2],
        "class": golden.kind,
        "recipe": golden.recipe,
        "purpose": golden.purpose,
        "bug": golden.bug,
        "requirements": list(golden.requirements),
        "bytes": len(data),
        "sha256": hashlib.sha256(data).hexdigest(),
    }
    if golden.code:
        row |= {"code": golden.code, "meets": golden.meets}
    if golden.before:
        row["before"] = list(golden.before)
    if golden.check:
        row["check"] = dict(golden.check)
    row |= {
        "editions": list(found.editions),
        "tools": list(found.report.tools),
        "readings": [one.reading for one in found.report.consulted],
        "verdict": found.report.verdict.value,
        "diagnostics": diagnostics(found.report),
    }
    if accepted(found):
        row["digests"] = dict(found.digests)
        if sum(values.size for values in found.tensors.values()) <= SMALL:
            row["tensors"] = {name: listed(values) for name, values in sorted(found.tensors.items())}
    if isinstance(golden.source, CorpusStream) and golden.source.reading:
        row["reading"] = golden.source.reading
        row["under"] = {choice: asdict(result) for choice, result in under_readings(golden.source).items()}
        for result in row["under"].values():
            result["codes"] = list(result["codes"])
    row["witness"] = witness(golden, found, intended)
    return row


def accepted(found: Found) -> bool:
    """Whether a decoder is to decode the stream: it rejects others, or what it does is its own affair."""
    return found.report.verdict is Verdict.CONFORMING


def diagnostics(report: StreamReport) -> list[dict[str, Any]]:
    """The findings without their texts, in an order of their own."""
    rows = {(one.bits or (), one.code, one.requirement, one.severity.value, one.path) for one in report.diagnostics}
    return [
        {"code": code, "requirement": requirement, "severity": severity, "path": path, "bits": list(map(int, bits))}
        for bits, code, requirement, severity, path in sorted(rows)
    ]


def witness(golden: Golden, found: Found, intended: Mapping[str, str]) -> dict[str, list[str]]:
    """By witness, what it agrees to: stages, or the verdict where nothing is to be decoded."""
    if not accepted(found):
        claimed = [BUILDER] if golden.code or golden.source is not None else []
        return {name: ["verdict"] for name in (*claimed, PURE, COMPILED)}
    agree = {
        BUILDER: [stage for stage in STAGES if intended.get(stage) == found.digests[stage]],
        PURE: list(STAGES),
        COMPILED: [stage for stage in STAGES if (found.compiled or {}).get(stage) == found.digests[stage]],
    }
    other = nncodec().get(golden.path, {})
    if other.get("agrees"):
        helped = " with help" if "helped" in other or "without" in other else ""
        agree[f"NNCodec {other['version']}{helped}"] = list(other["agrees"])
    return {name: stages for name, stages in agree.items() if stages}


def witness_problems(golden: Golden, found: Found, intended: Mapping[str, str]) -> Iterator[str]:
    """Where the witnesses of a stream do not agree, or are too few, one line each."""
    if not accepted(found):
        return
    for stage in STAGES:
        for name, digests in ((BUILDER, intended), (COMPILED, found.compiled or {})):
            if stage in digests and digests[stage] != found.digests[stage]:
                yield f"{golden.path}: the {name} has other {stage}"
    for stage, names in by_stage(witness(golden, found, intended)).items():
        if len(names) < 2:
            yield f"{golden.path}: only the {names[0]} witnesses its {stage}"


def by_stage(witnesses: Mapping[str, list[str]]) -> dict[str, list[str]]:
    """The witnesses of each stage."""
    return {stage: [name for name, agreed in witnesses.items() if stage in agreed] for stage in STAGES}


def nncodec() -> Mapping[str, Mapping[str, Any]]:
    """What NNCodec makes of each stream, by its path."""
    try:
        rows: Mapping[str, Mapping[str, Any]] = load_yaml(NNCODEC)
    except FileNotFoundError:
        return {}
    return rows


def listed(values: NDArray[Any]) -> dict[str, Any]:
    """An array as plain data; what is no finite number is a text. Floats are as short as keeps their value."""
    return {"dtype": values.dtype.name, "shape": list(values.shape), "values": [_plain(one) for one in values.flat]}


def _plain(value: Any) -> Any:
    found = value.item()
    if isinstance(found, float):
        if not math.isfinite(found):
            return str(found)
        # The shortest text of a binary32 is that of NumPy; the binary64 of the same value has more digits.
        return float(str(value))
    return found


def as_text(row: Mapping[str, Any]) -> str:
    """A sidecar as YAML."""
    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    return str(yaml.dump(row, Dumper=dumper, sort_keys=False, allow_unicode=True, width=118, default_flow_style=None))
