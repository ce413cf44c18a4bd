"""One input of the battery at one working point: what the encoder made of it, and what that is worth.

Encoding and judging are apart, so that whoever has the streams can judge them again without the encoder.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from nnr_conformance.adapters import Arrays
from nnr_conformance.checker.check import check
from nnr_conformance.diagnostics import Severity, catalogue
from nnr_conformance.readings import Readings, known_readings
from nnr_conformance.report.model import StreamReport, Verdict
from nnr_conformance.suite.certify.comparison import Comparison, Problem, compare, listed
from nnr_conformance.suite.certify.encoders import Encoding, encoded
from nnr_conformance.suite.certify.inputs import BatteryInput, Models
from nnr_conformance.suite.certify.transmitted import received
from nnr_conformance.suite.certify.working_points import Claims, WorkingPoint
from nnr_conformance.suite.runner.implementation import Implementation
from nnr_conformance.suite.runner.model import Ending

ENCODED, REFUSED, NOT_CLAIMED, FAILED = "encoded", "refused", "not claimed", "failed"
"""Outcomes. Refused: the input is one that any encoder may refuse; not claimed: one that needs tools beyond its own."""
MOST_REPEATED = 1 << 16
"""Weights up to which an input is encoded a second time."""
_ENDINGS = {
    Ending.REJECTED: "refused",
    Ending.NOT_SUPPORTED: "refused",
    Ending.UNDECLARED: "crash",
    Ending.SIGNALLED: "crash",
    Ending.TIMED_OUT: "timeout",
}


@dataclass(frozen=True, slots=True, eq=False)
class Made:
    """What an encoder made of an input: the streams up to the first that it did not make, and how that ended.

    `repeated`: whether encoding again gave the same bytes, None when nobody tried.
    """

    streams: tuple[bytes, ...]
    ending: Ending = Ending.DECODED
    said: str = ""
    repeated: bool | None = None
    unreachable: bool = False


@dataclass(slots=True)
class Examination:
    """The worth of what was made of an input. `requirements`: by id, how often it was met and broken.

    `follows`: by reading on which a stream depends, the choices under which the input arrives near enough.
    `observations`: what is worth knowing and not wrong, of kinds of its own.
    """

    input: str
    point: str
    outcome: str
    said: str = ""
    streams: tuple[bytes, ...] = ()
    problems: list[Problem] = field(default_factory=list)
    observations: list[Problem] = field(default_factory=list)
    bytes_before: int = 0
    tools: set[str] = field(default_factory=set)
    findings: Counter[str] = field(default_factory=Counter)
    requirements: dict[str, list[int]] = field(default_factory=dict)
    follows: dict[str, set[str]] = field(default_factory=dict)
    largest_steps: float = 0.0
    largest_relative: float = 0.0
    steps: set[float] = field(default_factory=set)
    repeated: bool | None = None

    def row(self) -> dict[str, Any]:
        """The examination as plain data, without the streams themselves."""
        row: dict[str, Any] = {"input": self.input, "point": self.point, "outcome": self.outcome}
        if self.said:
            row["said"] = self.said
        if self.streams:
            size = sum(map(len, self.streams))
            row |= {
                "streams": [
                    {
                        "path": stream_path(self.point, self.input, number),
                        "bytes": len(stream),
                        "sha256": sha256(stream),
                    }
                    for number, stream in enumerate(self.streams)
                ],
                "bytes_before": self.bytes_before,
                "ratio": _rounded(size / self.bytes_before) if self.bytes_before else 0.0,
                "tools": sorted(self.tools),
                "steps": [_rounded(min(self.steps)), _rounded(max(self.steps))] if self.steps else [],
                "largest_error_steps": _rounded(self.largest_steps),
                "largest_relative_error": _rounded(self.largest_relative),
                "findings": dict(sorted(self.findings.items())),
                "follows": {name: sorted(choices) for name, choices in sorted(self.follows.items())},
            }
        if self.repeated is not None:
            row["repeated"] = self.repeated
        if self.observations:
            row["observations"] = [{"kind": one.kind, "text": one.text} for one in self.observations]
        row["problems"] = [{"kind": one.kind, "text": one.text} for one in self.problems]
        return row


def stream_path(point: str, name: str, number: int) -> str:
    """Where the stream of an input is kept, below the folder of the certificate."""
    return f"streams/{point}/{name.replace('/', '-')}-{number:02}.nnr"


def sha256(data: bytes) -> str:
    """The digest by which a stream is known."""
    return hashlib.sha256(data).hexdigest()


def made_of(implementation: Implementation, point: WorkingPoint, models: Models, *, repeat: bool = True) -> Made:
    """Let an encoder encode a model and its updates. `repeat`: the first one twice, unless it is large."""
    streams: list[bytes] = []
    for model in models:
        found = encoded(implementation, point, model, streams)
        if found.ending is not Ending.DECODED:
            return Made(tuple(streams), found.ending, _at(found, len(streams), len(models)), None, found.unreachable)
        streams.append(found.stream)
    repeated = None
    if repeat and sum(values.size for values in models[0].values()) <= MOST_REPEATED and len(models[0]) < 1000:
        again = encoded(implementation, point, models[-1], streams[:-1])
        repeated = again.ending is Ending.DECODED and again.stream == streams[-1]
    return Made(tuple(streams), repeated=repeated)


def examined(
    implementation: Implementation,
    point: WorkingPoint,
    one: BatteryInput,
    models: Models,
    made: Made,
    *,
    strict: bool = False,
) -> Examination:
    """Judge what was made of an input. Never raises for bad streams."""
    result = Examination(one.id, point.name, ENCODED, made.said, made.streams, repeated=made.repeated)
    result.bytes_before = sum(values.nbytes for model in models[: len(made.streams)] for values in model.values())
    readings = Readings.choose(implementation.readings)
    if made.ending is not Ending.DECODED:
        _judge_ending(result, one, one.may_refuse(implementation.tools, point.claims.without), made)
    if made.streams:
        _judge_streams(result, implementation, made.streams, readings, strict)
        for number in range(len(made.streams)):
            _judge_model(result, models[number], made.streams[: number + 1], readings, point.claims, len(models))
    if made.repeated is False and point.claims.deterministic:
        result.problems.append(Problem("nondeterministic", "encoding again gave other bytes"))
    if result.problems:
        result.outcome = FAILED
    return result


def _at(found: Encoding, number: int, of: int) -> str:
    return found.said if of == 1 else f"stream {number + 1} of {of}: {found.said}"


def _judge_ending(result: Examination, one: BatteryInput, may_refuse: bool, made: Made) -> None:
    kind = _ENDINGS[made.ending]
    if kind == "refused" and one.refusable:
        result.outcome = REFUSED
    elif kind == "refused" and may_refuse:
        result.outcome = NOT_CLAIMED
    else:
        what = made.ending.value if kind != "refused" else "refused what every encoder with these tools must encode"
        result.problems.append(Problem(kind, f"{what}: {made.said}"))


def _judge_streams(
    result: Examination, implementation: Implementation, streams: Sequence[bytes], readings: Readings, strict: bool
) -> None:
    report = check(streams, readings=readings, strict=strict)
    for number, stream in enumerate(report.streams):
        result.tools |= set(stream.tools)
        result.findings.update(found.code for found in stream.diagnostics)
        _count(result.requirements, stream)
        for outcome in stream.consulted:
            result.follows.setdefault(outcome.reading, set())
        if stream.verdict is not Verdict.CONFORMING:
            result.problems.append(Problem("rules", f"stream {number + 1} is {stream.verdict.value}: {_first(stream)}"))
    claimed = implementation.tools
    if claimed is not None:
        beyond = sorted(tool for tool in result.tools if not tool.startswith("edition ") and not _covers(claimed, tool))
        if beyond:
            result.problems.append(Problem("tools", f"uses what is not claimed: {', '.join(beyond)}"))
    editions = {int(tool.removeprefix("edition ")) for tool in result.tools if tool.startswith("edition ")}
    if implementation.editions is not None and not editions <= set(implementation.editions):
        result.problems.append(Problem("tools", f"is of edition {max(editions)}, which is not claimed"))


def _covers(claimed: frozenset[str], tool: str) -> bool:
    """Whether a tool is among those that are claimed, by its name or by that of its group."""
    return tool in claimed or (tool.startswith("scan order") and "block scan" in claimed)


def shown(tool: str, tools: set[str]) -> bool:
    """Whether streams with these tools show one that is claimed."""
    return tool in tools or (tool == "block scan" and any(one.startswith("scan order") for one in tools))


def _count(requirements: dict[str, list[int]], stream: StreamReport) -> None:
    rules = catalogue()
    for code, (passed, failed) in stream.rules.items():
        if passed or failed:
            counts = requirements.setdefault(rules[code].requirement, [0, 0])
            counts[0] += passed
            counts[1] += failed


def _first(stream: StreamReport) -> str:
    errors = [one for one in stream.diagnostics if one.severity is Severity.ERROR]
    if not errors:
        return "no error is known"
    text = str(errors[0])
    more = f" and {len(errors) - 1} others" if len(errors) > 1 else ""
    return f"{text if len(text) < 300 else text[:297] + '...'}{more}"


def _judge_model(
    result: Examination, model: Arrays, streams: Sequence[bytes], readings: Readings, claims: Claims, of: int
) -> None:
    comparison = compare(model, received(streams, readings), claims)
    result.largest_steps = max(result.largest_steps, comparison.largest_steps)
    result.largest_relative = max(result.largest_relative, comparison.largest_relative)
    result.steps |= comparison.steps
    where = f"behind stream {len(streams)}: " if of > 1 else ""
    result.problems.extend(Problem(one.kind, where + one.text) for one in comparison.problems)
    if len(streams) > 1 and comparison.unsent:
        # By R-ED2-28 what an update leaves out does not change; that it should have is seen by its error.
        many = f"{len(comparison.unsent)} of {len(model)} tensors were not sent: {listed(comparison.unsent)}"
        result.observations.append(Problem("not-sent", where + many))
    for reading, choice in _choices(result.follows, readings):
        if choice == readings[reading]:
            other = comparison
        else:
            other = compare(model, received(streams, readings.but(reading, choice)), claims)
        if _near(other):
            result.follows[reading].add(choice)


def _choices(follows: Mapping[str, set[str]], readings: Readings) -> Iterator[tuple[str, str]]:
    for reading in follows:
        for choice in known_readings()[reading]["readings"]:
            yield reading, choice


def _near(comparison: Comparison) -> bool:
    return not comparison.problems


def _rounded(number: float) -> float:
    """Six digits, which do not depend on the last bits of sums."""
    return float(f"{number:.6g}")
