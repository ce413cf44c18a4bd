"""Consistency of the registry: every file in `spec/` agrees with the requirements, and they with it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from nnr_conformance.data import data_path
from nnr_conformance.suite.registry_rows import GROUPS, Row, SpecRows, spec_rows
from nnr_conformance.suite.registry_schemas import schema_problems
from nnr_conformance.suite.registry_tables import table_problems


def problems(rows: SpecRows | None = None) -> list[str]:
    """What is inconsistent in `spec/`, or in other rows, one line each; empty when all is well.

    Raises UsageError without the package jsonschema.
    """
    rows = spec_rows() if rows is None else rows
    # Rows of the wrong form would only lead to errors below that say less.
    return schema_problems(rows) or [
        *_requirement_problems(rows),
        *_diagnostic_problems(rows),
        *_status_problems(rows),
        *_divergence_problems(rows),
        *_reading_problems(rows),
        *_semantics_problems(rows),
        *_tool_problems(rows),
        *table_problems(),
    ]


def cited(diagnostics: Iterable[Row], requirements: Mapping[str, Row]) -> set[str]:
    """Ids of the requirements whose violation a diagnostic reports.

    A limit of this software has the requirement beside which it stands, but does not check it, unless the requirement
    is a limit itself. Nor does a code that no stream can show.
    """
    return {
        row["requirement"]
        for row in diagnostics
        if not row.get("no_stream")
        and (row["stage"] != "limits" or requirements.get(row["requirement"], {}).get("stage") == "limits")
    }


def _by_id(rows: SpecRows) -> dict[str, Row]:
    return {row["id"]: row for content in rows.requirements.values() for row in content}


def _requirement_problems(rows: SpecRows) -> Iterator[str]:
    files = {group.letters: group.file for group in GROUPS}
    for name, content in rows.requirements.items():
        for row in content:
            if files.get(row["id"].split("-")[1]) != name:
                yield f"{row['id']}: does not belong into spec/requirements/{name}.yaml"
    ids = [row["id"] for content in rows.requirements.values() for row in content]
    yield from _repeated(ids, "requirements")


def _diagnostic_problems(rows: SpecRows) -> Iterator[str]:
    requirements = _by_id(rows)
    yield from _repeated((row["code"] for row in rows.diagnostics), "diagnostics")
    for row in rows.diagnostics:
        requirement = requirements.get(row["requirement"])
        if requirement is None:
            yield f"diagnostic {row['code']}: there is no requirement {row['requirement']}"
        elif row["stage"] != "limits":
            yield from _disagreements(row, requirement)


def _disagreements(diagnostic: Row, requirement: Row) -> Iterator[str]:
    """Clause, confidence and evidence of a diagnostic are those of its requirement."""
    pairs: list[tuple[str, Any, Any]] = [
        ("clause", diagnostic["clause"], requirement["clause"]),
        ("confidence", diagnostic["confidence"], requirement["confidence"]),
        ("evidence", sorted(diagnostic["evidence"].split(",")), sorted(requirement["evidence"])),
    ]
    for name, found, expected in pairs:
        if found != expected:
            yield (
                f"diagnostic {diagnostic['code']}: {name} {_shown(found)}, "
                f"but {requirement['id']} has {_shown(expected)}"
            )


def _shown(value: Any) -> str:
    return ",".join(value) if isinstance(value, list) else str(value)


def _status_problems(rows: SpecRows) -> Iterator[str]:
    requirements = _by_id(rows)
    with_diagnostic = cited(rows.diagnostics, requirements)
    for identifier, row in requirements.items():
        if row["status"] == "checked" and identifier not in with_diagnostic:
            yield f"{identifier}: has status checked, but no row of spec/diagnostics.yaml cites it"
        elif row["status"] != "checked" and identifier in with_diagnostic:
            codes = [line["code"] for line in rows.diagnostics if line["requirement"] == identifier]
            yield f"{identifier}: {', '.join(codes)} cites it, so its status is checked, not {row['status']}"


def _divergence_problems(rows: SpecRows) -> Iterator[str]:
    requirements = _by_id(rows)
    named = {(code, row["id"]) for row in rows.divergences for code in row["codes"]}
    shown = {(row["code"], name) for row in rows.diagnostics for name in row.get("divergences", ())}
    for code, name in sorted(named ^ shown):
        yield f"divergence {name} and diagnostic {code}: only one of them names the other"
    readings = {row["id"] for row in rows.readings}
    yield from _repeated((row["id"] for row in rows.divergences), "divergences")
    for row in rows.divergences:
        yield from _unknown(f"divergence {row['id']}", "requirement", row["requirements"], requirements)
        yield from _unknown(f"divergence {row['id']}", "reading", row["readings"], readings)
        if row["stream"] is not None and not _stream_exists(row["stream"]):
            yield f"divergence {row['id']}: there is no bitstreams/{row['stream']}"


def _stream_exists(stream: str) -> bool:
    try:
        return data_path(f"bitstreams/{stream}").is_file()
    except FileNotFoundError:
        return False


def _reading_problems(rows: SpecRows) -> Iterator[str]:
    yield from _repeated((row["id"] for row in rows.readings), "readings")
    for row in rows.readings:
        yield from _unknown(f"reading {row['id']}", "reading named", [row["default"]], row["readings"])
        yield from _unknown(f"reading {row['id']}", "reading named", row["follows"], row["readings"])


def _semantics_problems(rows: SpecRows) -> Iterator[str]:
    requirements = _by_id(rows)
    readings = {row["id"] for row in rows.readings}
    for content in rows.semantics.values():
        for row in content:
            yield from _unknown(f"element {row['name']}", "requirement", row["requirements"], requirements)
            yield from _unknown(f"element {row['name']}", "reading", row.get("readings", ()), readings)


def _tool_problems(rows: SpecRows) -> Iterator[str]:
    elements = {row["name"] for content in rows.semantics.values() for row in content}
    yield from _repeated((row["id"] for row in rows.tools), "tools")
    for row in rows.tools:
        asked = [one["element"] for conditions in row["shown_when"] for one in conditions if "element" in one]
        yield from _unknown(f"tool {row['id']}", "element", [*row["elements"], *asked], elements)
        for stream in row["streams"]:
            if not _stream_exists(f"cfp2019/{stream}.nnr"):
                yield f"tool {row['id']}: there is no bitstreams/cfp2019/{stream}.nnr"
            elif f"P{stream[1]}" not in row["proposals"]:
                yield f"tool {row['id']}: {stream} is of a proposal that does not have it"


def _unknown(place: str, kind: str, names: Iterable[str], known: Iterable[str]) -> Iterator[str]:
    for name in names:
        if name not in known:
            yield f"{place}: there is no {kind} {name}"


def _repeated(ids: Iterable[str], kind: str) -> Iterator[str]:
    for identifier, count in Counter(ids).items():
        if count > 1:
            yield f"{identifier}: {count} {kind} have this id"
