"""Coverage as text and as plain values for JSON; `coverage.html` makes a page of these."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from nnr_conformance.suite.coverage.code_items import BRANCHES, LINES, ModuleLines
from nnr_conformance.suite.coverage.items import Coverage
from nnr_conformance.version import VERSION

SCHEMA = "nnr-coverage/1"


def text_lines(coverage: Coverage, code: Sequence[ModuleLines], *, missing: int) -> Iterator[str]:
    """A table of the groups, then what is missing, at most `missing` items of each group."""
    size = sum(stream.size for stream in coverage.streams)
    yield f"{len(coverage.streams)} streams, {size} bytes"
    yield ""
    yield f"{'group':24} {'met':>6} {'of':>6} {'':>7} {'unreachable':>12}"
    for group in coverage.groups:
        met, reachable, unreachable = coverage.of_group(group)
        yield f"{group:24} {met:6} {reachable:6} {_percent(met, reachable):>7} {unreachable:12}"
    if code:
        for kind, met, reachable, unreachable in _code_totals(code):
            yield f"{kind:24} {met:6} {reachable:6} {_percent(met, reachable):>7} {unreachable:12}"
    for group in coverage.groups:
        items = [item.name for item in coverage.missing if item.group == group]
        if items and missing:
            yield ""
            yield f"not met, {group}:"
            yield from (f"  {name}" for name in items[:missing])
            if len(items) > missing:
                yield f"  ... and {len(items) - missing} more"
    for row in code if missing else ():
        if row.missing_lines:
            yield ""
            yield f"lines not run, {row.module}: {', '.join(map(str, row.missing_lines[:missing]))}"
        if row.missing_branches:
            yield ""
            taken = [f"{first} to {last if last > 0 else 'end'}" for first, last in row.missing_branches[:missing]]
            yield f"branches not taken, {row.module}: {', '.join(taken)}"
    for item in coverage.unexpected:
        yield f"said to be unreachable, but met: {item.group}: {item.name}"


def _code_totals(code: Sequence[ModuleLines]) -> Iterator[tuple[str, int, int, int]]:
    """By group how many were run, can be, and cannot."""
    yield (
        LINES,
        sum(row.covered_lines for row in code),
        sum(row.lines for row in code),
        sum(len(row.unreachable_lines) for row in code),
    )
    yield (
        BRANCHES,
        sum(row.covered_branches for row in code),
        sum(row.branches for row in code),
        sum(len(row.unreachable_branches) for row in code),
    )


def _percent(met: int, reachable: int) -> str:
    return f"{100 * met / reachable:.1f} %" if reachable else ""


def to_json(coverage: Coverage, code: Sequence[ModuleLines]) -> dict[str, Any]:
    """Plain values; the layout is described by `spec/schemas/coverage_report.schema.json`."""
    covered = coverage.covered
    counts: dict[Any, int] = {}
    for stream in coverage.streams:
        for item, count in stream.hits.items():
            counts[item] = counts.get(item, 0) + count
    return {
        "schema": SCHEMA,
        "version": VERSION,
        "streams": [{"name": stream.name, "bytes": stream.size} for stream in coverage.streams],
        "groups": [
            {
                "group": group,
                "met": coverage.of_group(group)[0],
                "reachable": coverage.of_group(group)[1],
                "items": [
                    {
                        "name": item.name,
                        "count": counts.get(item, 0),
                        "smallest_stream": covered.get(item),
                        "unreachable": coverage.unreachable.get(item),
                    }
                    for item in coverage.universe
                    if item.group == group
                ],
            }
            for group in coverage.groups
        ],
        "code": [
            {
                "module": row.module,
                "lines": row.lines,
                "covered_lines": row.covered_lines,
                "branches": row.branches,
                "covered_branches": row.covered_branches,
                "missing_lines": list(row.missing_lines),
                "missing_branches": [list(branch) for branch in row.missing_branches],
                "unreachable_lines": [{"line": line, "reason": why} for line, why in row.unreachable_lines.items()],
                "unreachable_branches": [
                    {"branch": list(branch), "reason": why} for branch, why in row.unreachable_branches.items()
                ],
            }
            for row in code
        ],
    }
