"""The file of a baseline: the failures that are expected of an implementation, in groups that share a reason.

YAML, described by `spec/schemas/baseline.schema.json`; a case takes one line, so that a difference tells itself.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from nnr_conformance.errors import UsageError
from nnr_conformance.readings import known_readings
from nnr_conformance.report.printing import printable
from nnr_conformance.suite.registry_rows import load_divergences
from nnr_conformance.suite.results.report import FAILURES, Reason
from nnr_conformance.suite.runner.model import Result

SCHEMA = "nnr-baseline/1"

_TEXTS = ("implementation", "version", "corpus", "corpus_digest")
_REASONS = ("reason", "link", "divergence", "reading")


@dataclass(frozen=True, slots=True)
class Expected:
    """One case that fails. `stage`, `detail`: exactly these; both None: whichever they are."""

    case: str
    stage: str | None = None
    detail: str | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """Cases with the same result for the same reason; an empty reason is still to be written.

    `link`: where the failure is discussed. `divergence`, `reading`: row of `spec/divergences.yaml` or
    `spec/readings.yaml` that explains it.
    """

    result: Result
    cases: tuple[Expected, ...]
    reason: str = ""
    link: str = ""
    divergence: str = ""
    reading: str = ""

    @property
    def why(self) -> Reason:
        """Why the cases fail."""
        return Reason(self.reason, self.link, self.divergence, self.reading)


@dataclass(frozen=True, slots=True)
class Baseline:
    """The failures that are expected of one version of an implementation on the streams of one digest."""

    implementation: str
    version: str
    corpus: str
    corpus_digest: str
    groups: tuple[Group, ...] = ()


def load_baseline(path: Path) -> Baseline:
    """The baseline in a file. Raises UsageError when it cannot be read or is none."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: {error}") from None
    try:
        return parsed(text)
    except UsageError as error:
        raise UsageError(f"{path}: {error}") from None


def parsed(text: str) -> Baseline:
    """The baseline that a text tells. Raises UsageError."""
    try:
        values = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise UsageError(f"not YAML: {' '.join(str(error).split())}") from None
    _known(values, {"schema", *_TEXTS, "expected"}, "a baseline")
    if values.get("schema") != SCHEMA:
        raise UsageError(f"not a baseline ({SCHEMA})")
    rows = _list(values.get("expected", []), "expected")
    groups = tuple(_group(row, f"expected: group {number}") for number, row in enumerate(rows, 1))
    seen: set[str] = set()
    for group in groups:
        for one in group.cases:
            name = printable(one.case)
            if name in seen:
                raise UsageError(f"{name} is listed twice")
            seen.add(name)
    implementation, version, corpus, digest = (_text(values.get(name), name) for name in _TEXTS)
    return Baseline(implementation, version, corpus, digest, groups)


def text_of(baseline: Baseline) -> Iterator[str]:
    """The file as lines; what `parsed` reads back as it was, but for characters that no terminal should see."""
    yield f"schema: {SCHEMA}"
    for name in _TEXTS:
        yield f"{name}: {_scalar(getattr(baseline, name))}"
    if not baseline.groups:
        yield "expected: []"
        return
    yield "expected:"
    for group in baseline.groups:
        yield f"- result: {group.result.value}"
        for name in _REASONS:
            if name == "reason" or getattr(group, name):
                yield f"  {name}: {_scalar(getattr(group, name))}"
        yield "  cases:"
        for one in group.cases:
            yield f"  - {_case_text(one)}"


def _case_text(one: Expected) -> str:
    if one.stage is None and one.detail is None:
        return _scalar(one.case)
    parts = {"case": one.case, "stage": one.stage or "", "detail": one.detail or ""}
    return "{" + ", ".join(f"{name}: {_scalar(text)}" for name, text in parts.items()) + "}"


def _scalar(text: str) -> str:
    """Text between double quotes, which YAML reads as JSON does."""
    return json.dumps(printable(text), ensure_ascii=False)


def _group(row: Any, place: str) -> Group:
    _known(row, {"result", "cases", *_REASONS}, place)
    results = {result.value: result for result in Result if result in FAILURES}
    name = row.get("result")
    if not isinstance(name, str) or name not in results:
        raise UsageError(f"{place}: result is {name!r}, not one of {', '.join(results)}")
    cases = tuple(_expected(one, place) for one in _list(row.get("cases"), f"{place}: cases"))
    reason, link, divergence, reading = (_text(row.get(name, ""), f"{place}: {name}") for name in _REASONS)
    if divergence and divergence not in load_divergences():
        raise UsageError(f"{place}: spec/divergences.yaml has no {divergence!r}")
    if reading and reading not in known_readings():
        raise UsageError(f"{place}: spec/readings.yaml has no {reading!r}")
    return Group(results[name], cases, reason, link, divergence, reading)


def _expected(values: Any, place: str) -> Expected:
    if isinstance(values, str):
        return Expected(values)
    _known(values, {"case", "stage", "detail"}, f"{place}: a case")
    case = _text(values.get("case"), f"{place}: case")
    if values.keys() == {"case"}:
        return Expected(case)
    stage, detail = (_text(values.get(name, ""), f"{place}: {case}: {name}") for name in ("stage", "detail"))
    return Expected(case, stage, detail)


def _known(values: Any, names: set[str], place: str) -> Mapping[str, Any]:
    if not isinstance(values, dict):
        raise UsageError(f"{place} is no mapping")
    unknown = [name for name in values if name not in names]
    if unknown:
        raise UsageError(f"{place}: unknown key {unknown[0]!r}")
    return values


def _list(values: Any, place: str) -> list[Any]:
    if not isinstance(values, list):
        raise UsageError(f"{place} is no list")
    return values


def _text(value: Any, place: str) -> str:
    if not isinstance(value, str):
        raise UsageError(f"{printable(place)} is {value!r}, not a text; put it in quotes")
    return value
