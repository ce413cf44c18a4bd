"""The certificate of an encoder: everything that was found, as plain data, and the reasons for which there is none.

Its body follows from the streams, the battery and what was claimed alone; whoever has the streams can make it again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from nnr_conformance.data import corpus_version
from nnr_conformance.suite.certify import battery as batteries
from nnr_conformance.suite.certify.examination import ENCODED, FAILED, NOT_CLAIMED, REFUSED, Examination, shown
from nnr_conformance.suite.certify.going_through import Plan
from nnr_conformance.suite.certify.inputs import digest_of
from nnr_conformance.suite.certify.working_points import plain
from nnr_conformance.suite.coverage.tool_items import STREAM_TOOLS, UNIT_TOOLS
from nnr_conformance.suite.registry import Status, load_requirements
from nnr_conformance.suite.results.header import corpus_digest, reached
from nnr_conformance.suite.runner.implementation import Implementation
from nnr_conformance.version import VERSION

SCHEMA = "nnr-certificate/1"
CERTIFIED, REFUSED_VERDICT = "certified", "refused"
Body = dict[str, Any]


def body_of(plan: Plan, found: Sequence[Examination]) -> Body:
    """The certificate without its date, or the report of what there is no certificate for."""
    results = [one.row() for one in found]
    requirements = _requirements(found)
    tools = set().union(*(one.tools for one in found))
    body: Body = {
        "schema": SCHEMA,
        "verdict": "",
        "reasons": [],
        "suite": {
            "version": VERSION,
            "corpus": corpus_version() or "",
            "corpus_digest": corpus_digest(),
            "battery": batteries.VERSION,
            "battery_digest": digest_of(plan.inputs()),
            "inputs": len(plan.inputs()),
            "weights": plan.weights,
            "strict": plan.strict,
        },
        "implementation": described(plan.implementation),
        "working_points": [plain(point) for point in plan.points],
        "totals": _totals(found),
        "requirements": requirements,
        "tools": dict(sorted(Counter(tool for one in found for tool in one.tools).items())),
        "readings": _readings(found),
        "not_exercised": {
            "requirements": _not_applied(requirements),
            "tools": _unseen(_claimed(plan.implementation), tools),
            "inputs": [_short(one) for one in found if one.outcome in (REFUSED, NOT_CLAIMED)],
        },
        "results": results,
    }
    body["reasons"] = list(_reasons(plan, found, body))
    body["verdict"] = REFUSED_VERDICT if body["reasons"] else CERTIFIED
    return body


def described(implementation: Implementation) -> dict[str, Any]:
    """An implementation as a certificate names it: what it is, how it is reached, what it claims."""
    return {
        "name": implementation.name,
        "version": implementation.version,
        "reached": reached(implementation),
        "editions": None if implementation.editions is None else sorted(implementation.editions),
        "tools": None if implementation.tools is None else sorted(implementation.tools),
        "readings": dict(sorted(implementation.readings.items())),
        "seconds": implementation.bounds.seconds,
        "memory": implementation.bounds.memory,
    }


def _requirements(found: Sequence[Examination]) -> dict[str, dict[str, int]]:
    counts: dict[str, list[int]] = {}
    for one in found:
        for requirement, (passed, failed) in one.requirements.items():
            row = counts.setdefault(requirement, [0, 0])
            row[0] += passed
            row[1] += failed
    return {
        name: {"applied": passed + failed, "passed": passed, "failed": failed}
        for name, (passed, failed) in sorted(counts.items())
    }


def _not_applied(applied: Mapping[str, Any]) -> list[str]:
    checked = (row.id for row in load_requirements().values() if row.status is Status.CHECKED)
    return sorted(name for name in checked if name not in applied)


def _claimed(implementation: Implementation) -> Collection[str]:
    """The coding tools that an implementation claims; editions are claimed apart."""
    if implementation.tools is not None:
        return implementation.tools
    return {*UNIT_TOOLS, *STREAM_TOOLS}


def _unseen(claimed: Any, tools: set[str]) -> list[str]:
    return sorted(tool for tool in claimed if not shown(tool, tools))


def _readings(found: Sequence[Examination]) -> dict[str, dict[str, Any]]:
    """By reading on which streams depend: how many, and the choices under which all inputs arrive that do under any."""
    rows: dict[str, dict[str, Any]] = {}
    for one in found:
        for reading, choices in one.follows.items():
            row = rows.setdefault(reading, {"inputs": 0, "follows": []})
            row["inputs"] += 1
            row["follows"] += [choices] if choices else []
    return {
        name: {**row, "follows": sorted(set.intersection(*row["follows"]) if row["follows"] else ())}
        for name, row in sorted(rows.items())
    }


def _totals(found: Sequence[Examination]) -> dict[str, Any]:
    outcomes = Counter(one.outcome for one in found)
    size = sum(len(stream) for one in found for stream in one.streams)
    before = sum(one.bytes_before for one in found)
    return {
        "examinations": len(found),
        **{name.replace(" ", "_"): outcomes[name] for name in (ENCODED, REFUSED, NOT_CLAIMED, FAILED)},
        "streams": sum(len(one.streams) for one in found),
        "bytes": size,
        "bytes_before": before,
    }


def _short(one: Examination) -> dict[str, str]:
    return {"input": one.input, "point": one.point, "why": one.outcome, "said": one.said}


def _reasons(plan: Plan, found: Sequence[Examination], body: Body) -> Iterator[str]:
    """Why there is no certificate, one line each; nothing when there is one."""
    if plan.only:
        yield f"only a part of the battery was used: {', '.join(plan.only)}"
    for point in plan.points:
        if not point.claims.bounded:
            yield f"working point {point.name} claims no step size, qp, relative error or losslessness to be held to"
        tools = set().union(*(one.tools for one in found if one.point == point.name))
        for tool in _unseen(point.claims.tools, tools):
            yield f"working point {point.name} claims {tool}, which none of its streams shows"
        if not any(one.outcome == ENCODED for one in found if one.point == point.name):
            yield f"working point {point.name} encoded nothing"
    for reading, row in body["readings"].items():
        declared = plan.implementation.readings.get(reading)
        if declared is not None and row["follows"] and declared not in row["follows"]:
            yield f"reading {reading} is declared as {declared}; the streams follow {', '.join(row['follows'])}"
    for one in found:
        for problem in one.problems:
            yield f"{one.input} at {one.point}: {problem.kind}: {problem.text}"
