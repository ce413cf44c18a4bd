"""The formats of a report by name. A renderer is imported when it is asked for, so text pays for no other format."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any, cast

from nnr_conformance.diagnostics import Diagnostic
from nnr_conformance.report.model import Report
from nnr_conformance.scope import SEPARATOR


@dataclass(frozen=True, slots=True)
class Run:
    """How the streams were checked, as far as the renderer is told, and how a text should look.

    `limits`: those in force by name, None when not known. `strict`: None when not known. `verbose` and `colour` are
    those of the text format; the others always say everything and have no colours, or their own.
    """

    limits: Mapping[str, int] | None = None
    strict: bool | None = None
    verbose: bool = False
    colour: bool = False


UNKNOWN_RUN = Run()

Renderer = Callable[[Report, Run], Iterator[str]]
"""Gives the report in pieces that are lines without their ends; every piece can be encoded in UTF-8."""

FORMATS: Mapping[str, str] = {
    "text": "nnr_conformance.report.text",
    "json": "nnr_conformance.report.json",
    "jsonl": "nnr_conformance.report.jsonl",
    "junit": "nnr_conformance.report.junit",
    "sarif": "nnr_conformance.report.sarif",
    "html": "nnr_conformance.report.html",
}
"""The module of each format."""


def renderer(name: str) -> Renderer:
    """The renderer of a format. Raises KeyError for a name that is not in `FORMATS`."""
    render: Any = import_module(FORMATS[name]).render
    if name == "text":
        return lambda report, run: render(report, verbose=run.verbose, colour=run.colour)
    return cast(Renderer, render)


def run_header(report: Report, run: Run) -> dict[str, Any]:
    """What was checked by what, and how, as plain values; the same in every format.

    `readings` are those that are not the default. Nothing in it depends on the day or on the machine.
    """
    return {
        "tool": "nnr-check",
        "version": report.version,
        "readings": {reading: name for stream in report.streams for reading, name in stream.readings.items()},
        "strict": run.strict,
        "limits": None if run.limits is None else dict(run.limits),
        "inputs": [{"name": stream.name, "bytes": stream.size, "sha256": stream.sha256} for stream in report.streams],
    }


def unit_label(found: Diagnostic, labels: Collection[str]) -> str | None:
    """The unit among `labels` that a finding is about; None when it is about the stream as a whole."""
    label = found.path.split(SEPARATOR, 1)[0]
    return label if label in labels else None
