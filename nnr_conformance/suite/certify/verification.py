"""Verifying the certificate of somebody else, offline: digests, streams against rules and battery, and all it says.

The battery is made again, the stored streams are judged again by this installation, and the certificate that follows
is compared with the one that is there. What only the encoder could show - that it refused an input, that it gives the
same bytes twice - is taken from the certificate, and told apart by encoding again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from nnr_conformance.errors import UsageError
from nnr_conformance.suite.certify.certificate import CERTIFIED, SCHEMA, body_of
from nnr_conformance.suite.certify.examination import (
    ENCODED,
    NOT_CLAIMED,
    REFUSED,
    Examination,
    Made,
    examined,
    stream_path,
)
from nnr_conformance.suite.certify.folder import CERTIFICATE, manifest_problems, read_file
from nnr_conformance.suite.certify.going_through import Plan, examinations
from nnr_conformance.suite.certify.scale import WEIGHTS
from nnr_conformance.suite.certify.working_points import working_points_of
from nnr_conformance.suite.runner.implementation import Bounds, Implementation
from nnr_conformance.suite.runner.model import Ending
from nnr_conformance.version import VERSION

OnProgress = Callable[[int, int], None]
_MOST_WEIGHTS = 1 << 28
_MOST_DIFFERENCES = 50


@dataclass(frozen=True, slots=True)
class Verification:
    """What was wrong, one line each; `notes`: what is no fault and should be known."""

    problems: tuple[str, ...]
    notes: tuple[str, ...]
    streams: int


def verify(content: Mapping[str, Any], folder: Path, on_progress: OnProgress | None = None) -> Verification:
    """Verify a certificate whose files are in `folder`. Raises UsageError for what is no certificate at all."""
    plan = plan_of(content)
    rows = {(row["point"], row["input"]): row for row in content["results"]}
    needed = {CERTIFICATE} | {stream["path"] for row in rows.values() for stream in row.get("streams", ())}
    problems = list(manifest_problems(folder, needed))
    found: list[Examination] = []
    inputs, places = plan.inputs(), plan.places()
    for done, (number, which) in enumerate(places, 1):
        point, one = plan.points[number], inputs[which]
        row = rows.get((point.name, one.id))
        if row is None:
            problems.append(f"{one.id} at {point.name}: there is no result")
            continue
        models = one.make()
        made = _made(row, folder, point.name, one.id, len(models))
        found.append(examined(plan.implementation, point, one, models, made, strict=plan.strict))
        if on_progress is not None:
            on_progress(done, len(places))
    if len(rows) != len(places) or len(rows) != len(content["results"]):
        problems.append(f"there are {len(content['results'])} results, the battery asks for {len(places)}")
    again = body_of(plan, found)
    notes = []
    if content.get("suite", {}).get("version") != VERSION:
        notes.append(f"made by version {content['suite'].get('version')}, verified by {VERSION}")
    if content.get("verdict") != CERTIFIED:
        problems.append("it does not say that it is one")
    problems.extend(_differences(content, again))
    return Verification(tuple(problems), tuple(notes), sum(len(one.streams) for one in found))


def rerun(
    content: Mapping[str, Any], implementation: Implementation, jobs: int, on_progress: OnProgress | None = None
) -> Verification:
    """Let the encoder encode the battery again and compare what it now makes with the certificate."""
    plan = replace(plan_of(content), implementation=implementation)
    found = examinations(plan, jobs, on_progress)
    again = body_of(plan, found)
    return Verification(tuple(_differences(content, again)), (), sum(len(one.streams) for one in found))


def plan_of(content: Mapping[str, Any]) -> Plan:
    """What was done for a certificate. Raises UsageError when it does not say."""
    if content.get("schema") != SCHEMA:
        raise UsageError(f"this is no certificate of the schema {SCHEMA}")
    try:
        suite, described = content["suite"], content["implementation"]
        points = working_points_of(content["working_points"], "working_points")
        tools, editions = described["tools"], described["editions"]
        implementation = Implementation(
            described["name"],
            described["version"],
            adapter="-",
            editions=None if editions is None else tuple(editions),
            tools=None if tools is None else frozenset(tools),
            readings=dict(described["readings"]),
            bounds=Bounds(described["seconds"], described["memory"]),
        )
        weights = suite["weights"]
        for row in content["results"]:
            _check_row(row)
    except UsageError:
        raise
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise UsageError(f"the certificate is damaged: {type(error).__name__}: {error}") from error
    if type(weights) is not int or not 0 < weights <= _MOST_WEIGHTS:
        raise UsageError(f"the certificate is damaged: the large input has {weights!r} weights")
    return Plan(implementation, points, weights or WEIGHTS, strict=bool(suite.get("strict")))


def _check_row(row: Any) -> None:
    texts = (row["input"], row["point"], row["outcome"], *(stream["path"] for stream in row.get("streams", ())))
    if not all(isinstance(text, str) for text in texts):
        raise TypeError("a result has something else than a text")


def _made(row: Mapping[str, Any], folder: Path, point: str, name: str, length: int) -> Made:
    """What the encoder made by the streams that are stored, and by what the certificate says of refusals."""
    streams = []
    for number in range(len(row.get("streams", ()))):
        data = read_file(folder, stream_path(point, name, number))
        if data is None:
            break
        streams.append(data)
    repeated, said = row.get("repeated"), str(row.get("said", ""))
    if row["outcome"] == ENCODED and len(streams) == length:
        return Made(tuple(streams), Ending.DECODED, said, repeated)
    if row["outcome"] in (REFUSED, NOT_CLAIMED):
        return Made(tuple(streams), Ending.REJECTED, said, repeated)
    return Made(tuple(streams), Ending.UNDECLARED, said or "its streams are not there", repeated)


def _differences(content: Mapping[str, Any], again: Mapping[str, Any]) -> Iterator[str]:
    """Where a certificate says something else than follows from its streams, one line each."""
    # How an implementation is reached, when, and by which version, does not follow from streams.
    one = {name: found for name, found in content.items() if name != "date"}
    lines = list(_compared(_comparable(one), _comparable(again), ""))
    yield from lines[:_MOST_DIFFERENCES]
    if len(lines) > _MOST_DIFFERENCES:
        yield f"and {len(lines) - _MOST_DIFFERENCES} other differences"


def _comparable(body: Mapping[str, Any]) -> dict[str, Any]:
    suite = {
        name: found
        for name, found in body.get("suite", {}).items()
        if name not in ("version", "corpus", "corpus_digest")
    }
    implementation = {name: found for name, found in body.get("implementation", {}).items() if name != "reached"}
    return {**body, "suite": suite, "implementation": implementation}


def _compared(one: Any, other: Any, place: str) -> Iterator[str]:
    if isinstance(one, dict) and isinstance(other, dict):
        for name in sorted({*map(str, one), *map(str, other)}):
            if name not in one or name not in other:
                has, what = ("the certificate", one) if name in one else ("this installation", other)
                yield f"{place}{name}: only {has} has it: {_shortly(what[name])}"
            else:
                yield from _compared(one[name], other[name], f"{place}{name} · ")
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for number, (left, right) in enumerate(zip(one, other, strict=True)):
            label = f"{left['input']} at {left['point']}" if isinstance(left, dict) and "input" in left else str(number)
            yield from _compared(left, right, f"{place}{label} · ")
    elif one != other:
        yield f"{place.removesuffix(' · ')}: the certificate says {_shortly(one)}, this installation {_shortly(other)}"


def _shortly(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 100 else f"{text[:97]}..."
