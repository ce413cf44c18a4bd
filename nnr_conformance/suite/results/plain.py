"""Header and results as plain values and back: what the JSON formats hold."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any

from nnr_conformance.errors import UsageError
from nnr_conformance.suite.results.finding import Finding
from nnr_conformance.suite.results.report import About, Reason, RunHeader
from nnr_conformance.suite.runner.model import CaseResult, Result

SCHEMA = "nnr-run/1"
"""Of all JSON formats; fields are added, never given another meaning. See `spec/schemas/run.schema.json`."""

_HEADER = tuple(field.name for field in fields(RunHeader))
_FITS: Mapping[str, Callable[[Any], bool]] = {
    "cases": lambda value: value >= 0,
    "seconds": lambda value: 0 <= value < math.inf,
    "memory": lambda value: value >= 0,
    "editions": lambda value: value is None or all(type(one) is int for one in value),
    "tools": lambda value: value is None or all(isinstance(one, str) for one in value),
    "readings": lambda value: all(isinstance(one, str) for pair in value.items() for one in pair),
    "selection": lambda value: all(isinstance(one, str) for one in value),
}
"""What values of these classes have to be beside."""

_REASON = tuple(field.name for field in fields(Reason))
_KINDS: Mapping[str, tuple[type, ...]] = {
    "cases": (int,),
    "partial": (bool,),
    "seconds": (int, float),
    "memory": (int,),
    "editions": (list, type(None)),
    "tools": (list, type(None)),
    "readings": (dict,),
    "selection": (list,),
}
"""Classes of the fields of a header that are no texts."""


def header_to_plain(header: RunHeader) -> dict[str, Any]:
    """A header as plain values."""
    return {name: _plain(getattr(header, name)) for name in _HEADER}


def header_from_plain(values: Any) -> RunHeader:
    """The header that plain values tell; unknown fields are ignored. Raises UsageError."""
    if not isinstance(values, dict):
        raise UsageError("a run without a header")
    known: dict[str, Any] = {}
    for name in _HEADER:
        value = values.get(name)
        if not isinstance(value, _KINDS.get(name, (str,))) or not _FITS.get(name, _anything)(value):
            raise UsageError(f"header of a run: {name} is {value!r}")
        known[name] = tuple(value) if isinstance(value, list) else value
    return RunHeader(**known)


def result_to_plain(result: CaseResult) -> dict[str, Any]:
    """A result as plain values; what is empty is left out. Seconds are rounded to milliseconds."""
    values: dict[str, Any] = {"case": result.case, "result": result.result.value}
    if result.stage:
        values["stage"] = result.stage
    if result.detail:
        values["detail"] = result.detail
    if result.compared:
        values["compared"] = list(result.compared)
    if result.followed:
        values["followed"] = dict(result.followed)
    values["seconds"] = round(result.seconds, 3)
    values["peak_bytes"] = result.peak_bytes
    if result.known:
        values["known"] = True
    return values


def result_from_plain(values: Any) -> CaseResult:
    """The result that plain values tell; unknown fields are ignored. Raises UsageError."""
    try:
        return CaseResult(
            case=_text(values["case"]),
            result=Result(values["result"]),
            stage=_text(values.get("stage", "")),
            detail=_text(values.get("detail", "")),
            compared=tuple(map(_text, values.get("compared", ()))),
            followed={_text(reading): _text(choice) for reading, choice in values.get("followed", {}).items()},
            seconds=_finite(float(values.get("seconds", 0))),
            peak_bytes=int(values.get("peak_bytes", 0)),
            known=bool(values.get("known", False)),
        )
    except (KeyError, TypeError, ValueError, OverflowError, AttributeError) as error:
        raise UsageError(f"not the result of a case: {error!r}") from None


def about_to_plain(about: About) -> dict[str, Any]:
    """What a case is about as plain values; codes, readings, verdict and order only where there are any."""
    values: dict[str, Any] = {
        "class": about.kind,
        "tools": list(about.tools),
        "requirements": list(about.requirements),
    }
    more = {
        "codes": list(about.codes),
        "readings": list(about.readings),
        "verdict": about.verdict,
        "order": list(about.order),
    }
    return values | {name: value for name, value in more.items() if value}


def about_from_plain(values: Mapping[str, Any]) -> About:
    """What a case is about, from plain values. Raises UsageError."""
    try:
        return About(
            _text(values.get("class", "")),
            tuple(map(_text, values.get("tools", ()))),
            tuple(map(_text, values.get("requirements", ()))),
            tuple(map(_text, values.get("codes", ()))),
            tuple(map(_text, values.get("readings", ()))),
            _text(values.get("verdict", "")),
            tuple(map(_text, values.get("order", ()))),
        )
    except (TypeError, AttributeError) as error:
        raise UsageError(f"not what a case is about: {error!r}") from None


def finding_to_plain(found: Finding) -> dict[str, Any]:
    """Something that fails as a whole as plain values."""
    return {
        "properties": list(found.properties),
        "says": found.says,
        "failed": found.failed,
        "ran": found.ran,
        "said": dict(found.said),
        "cases": list(found.cases),
        "example": found.example,
        "contrast": found.contrast,
        "more": list(found.more),
        "less": list(found.less),
    }


def reason_to_plain(reason: Reason) -> dict[str, str]:
    """Why a failure is expected as plain values; what is empty is left out, but for the reason."""
    values = {name: getattr(reason, name) for name in _REASON}
    return {name: value for name, value in values.items() if value or name == "reason"}


def reason_from_plain(values: Any) -> Reason:
    """Why a failure is expected, from plain values; unknown fields are ignored. Raises UsageError."""
    try:
        return Reason(**{name: _text(values.get(name, "")) for name in _REASON})
    except (TypeError, AttributeError) as error:
        raise UsageError(f"not a reason: {error!r}") from None


def _anything(value: Any) -> bool:
    del value
    return True


def _finite(number: float) -> float:
    if not 0 <= number < math.inf:
        raise ValueError(f"{number} is no number of seconds")
    return number


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
    return value


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return list(value)
    return dict(value) if isinstance(value, Mapping) else value
