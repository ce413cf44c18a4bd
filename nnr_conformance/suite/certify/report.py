"""What was found of an encoder, as text for people: Markdown, which terminals show as well."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from nnr_conformance.suite.certify.examination import FAILED

_MOST_REASONS = 200
_LONGEST = 200


def report_lines(body: Mapping[str, Any]) -> Iterator[str]:
    """The report, line by line."""
    implementation, totals = body["implementation"], body["totals"]
    yield f"# {_text(implementation['name'])} {_text(implementation['version'])} through the battery for encoders"
    yield ""
    yield f"**{_verdict(body)}**"
    yield ""
    yield f"Reached as {_code(implementation['reached'])}. {_claims(implementation)}"
    yield (
        f"{totals['examinations']} examinations of {body['suite']['inputs']} inputs: {totals['encoded']} encoded, "
        f"{totals['refused']} refused where any encoder may, {totals['not_claimed']} not claimed, "
        f"{totals['failed']} failed. {totals['streams']} streams, {totals['bytes']} bytes, {_percent(totals)} of the "
        f"input. The large input has {body['suite']['weights']} weights."
    )
    yield ""
    yield from _problems(body)
    if body["reasons"]:
        yield "## Why there is no certificate"
        yield ""
        yield from (f"* {_text(reason)}" for reason in body["reasons"][:_MOST_REASONS])
        if len(body["reasons"]) > _MOST_REASONS:
            yield f"* and {len(body['reasons']) - _MOST_REASONS} others"
        yield ""
    yield from _points(body)
    yield from _observed(body)
    yield from _followed(body)
    yield from _not_exercised(body)
    yield from _requirements(body)


def _verdict(body: Mapping[str, Any]) -> str:
    count = len(body["reasons"])
    return "Certified" if not count else f"Not certified: {count} reason{'s' if count > 1 else ''}"


def _claims(implementation: Mapping[str, Any]) -> str:
    tools = implementation["tools"]
    return "It claims all tools." if tools is None else f"It claims {', '.join(tools) or 'no tools'}."


def _points(body: Mapping[str, Any]) -> Iterator[str]:
    yield "## Working points"
    yield ""
    yield "| working point | encoded | failed | size | largest error | tools seen |"
    yield "|---|---:|---:|---:|---:|---|"
    for point in body["working_points"]:
        rows = [row for row in body["results"] if row["point"] == point["name"]]
        streams = [row for row in rows if "streams" in row]
        size = sum(stream["bytes"] for row in streams for stream in row["streams"])
        before = sum(row["bytes_before"] for row in streams)
        largest = max((row["largest_error_steps"] for row in streams), default=0.0)
        relative = max((row["largest_relative_error"] for row in streams), default=0.0)
        tools = sorted({tool for row in streams for tool in row["tools"]})
        error = f"{largest:g} steps" + (f", {relative:.3g} relative" if relative else "")
        failed = sum(row["outcome"] == FAILED for row in rows)
        share = f"{100 * size / before:.2f} %" if before else ""
        yield f"| {point['name']} | {len(streams)} | {failed} | {share} | {error} | {', '.join(tools)} |"
    yield ""


def _problems(body: Mapping[str, Any]) -> Iterator[str]:
    """By kind how many there are, in how many examinations, and the first."""
    found: dict[str, list[tuple[str, str, str]]] = {}
    for row in body["results"]:
        for one in row["problems"]:
            found.setdefault(one["kind"], []).append((row["input"], row["point"], one["text"]))
    if not found:
        return
    yield "## Problems"
    yield ""
    yield "| kind | problems | examinations | inputs | first |"
    yield "|---|---:|---:|---:|---|"
    for kind, ones in sorted(found.items(), key=lambda item: (-len(item[1]), item[0])):
        places, inputs = {one[:2] for one in ones}, {one[0] for one in ones}
        name, point, said = ones[0]
        said = said if len(said) <= _LONGEST else f"{said[: _LONGEST - 3]}..."
        yield f"| {kind} | {len(ones)} | {len(places)} | {len(inputs)} | {_text(name)} at {point}: {_text(said)} |"
    yield ""


_MEANING = {"not-sent": "an update may leave out tensors; what is missing does not change (R-ED2-28)"}


def _observed(body: Mapping[str, Any]) -> Iterator[str]:
    """What is worth knowing and not wrong, by kind, with the first of each input."""
    found: dict[str, dict[str, list[tuple[str, str]]]] = {}
    for row in body["results"]:
        for one in row.get("observations", ()):
            found.setdefault(one["kind"], {}).setdefault(row["input"], []).append((row["point"], one["text"]))
    if not found:
        return
    yield "## Observations"
    yield ""
    for kind, inputs in found.items():
        yield f"{kind}: {_MEANING[kind]}."
        yield ""
        for name, ones in inputs.items():
            points = ", ".join(dict.fromkeys(point for point, _ in ones))
            yield f"* {_text(name)} at {points}: {_text(ones[0][1])}"
        yield ""


def _followed(body: Mapping[str, Any]) -> Iterator[str]:
    if not body["readings"]:
        return
    yield "## Readings that the streams depend on"
    yield ""
    for name, row in body["readings"].items():
        follows = " or ".join(row["follows"]) or "none of the choices alone"
        yield f"* {name}: {follows} ({row['inputs']} inputs)"
    yield ""


def _not_exercised(body: Mapping[str, Any]) -> Iterator[str]:
    left = body["not_exercised"]
    yield "## Not exercised"
    yield ""
    yield f"* requirements that the checker has rules for and no stream met: {len(left['requirements'])}"
    yield f"* tools that are claimed and no stream shows: {', '.join(left['tools']) or 'none'}"
    grouped: dict[tuple[str, str], list[str]] = {}
    for row in left["inputs"]:
        grouped.setdefault((row["input"], row["why"]), []).append(row["point"])
    for (name, why), points in grouped.items():
        yield f"* {name}: {why} at {', '.join(points)}"
    yield ""


def _requirements(body: Mapping[str, Any]) -> Iterator[str]:
    rows = body["requirements"]
    failing = {name: row for name, row in rows.items() if row["failed"]}
    applied = sum(row["applied"] for row in rows.values())
    yield "## Requirements"
    yield ""
    yield f"{len(rows)} requirements were applied {applied} times; {len(failing)} were not met everywhere."
    yield from (f"* {name}: {row['failed']} of {row['applied']} times not met" for name, row in failing.items())


def _percent(totals: Mapping[str, Any]) -> str:
    return f"{100 * totals['bytes'] / totals['bytes_before']:.2f} %" if totals["bytes_before"] else "0 %"


def _text(text: str) -> str:
    """A text of others inside a line of Markdown."""
    shown = "".join(letter if letter.isprintable() else " " for letter in text)
    return "".join(f"\\{letter}" if letter in "\\`*_[]<>|" else letter for letter in shown)


def _code(text: str) -> str:
    return f"`{text.replace('`', chr(39))}`"
