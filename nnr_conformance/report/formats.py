"""The formats of a report by name. A renderer is imported when it is asked for, so text pays for no other format."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any, cast

from nnr_conformance.diagnostics import Diagnostic
from nnr_conformance.report.model import Report, StreamReport
from nnr_conformance.scope import SEPARATOR


@dataclass(frozen=True, slots=True)
class Run:
    """How the streams were checked, as far as the renderer is told, and how a text should look.

    `limits`: those in force by name, None when not known. `strict`: None when not known. `edition`: auto, 1 or 2, None
    when not known. `corpus`: version of the streams that are installed, None when there are none or it is not known.
    `verbose` and `colour` are those of the text format; the others always say everything and have no colours, or their
    own.
    """

    limits: Mapping[str, int] | None = None
    strict: bool | None = None
    edition: str | None = None
    corpus: str | None = None
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
        return lambda report, run: render(
            report, verbose=run.verbose, colour=run.colour, made_by=_made_by(report, run) if run.verbose else ""
        )
    return cast(Renderer, render)


def run_header(report: Report, run: Run) -> dict[str, Any]:
    """What was checked by what, and how, as plain values; the same in every format.

    `readings` are those that are not the default. Nothing in it depends on the day or on the machine.
    """
    return {
        "tool": "nnr-check",
        "version": report.version,
        "corpus": run.corpus,
        "edition": run.edition,
        "readings": {reading: name for stream in report.streams for reading, name in stream.readings.items()},
        "strict": run.strict,
        "limits": None if run.limits is None else dict(run.limits),
        "inputs": [{"name": stream.name, "bytes": stream.size, "sha256": stream.sha256} for stream in report.streams],
    }


def _made_by(report: Report, run: Run) -> str:
    """The run in one line of text."""
    parts = [f"nnr-check {report.version}"]
    if run.corpus is not None:
        parts.append(f"corpus {run.corpus}")
    if run.edition is not None:
        parts.append(f"edition {run.edition}")
    if run.strict:
        parts.append("strict")
    return ", ".join(parts)


def readings_to_plain(stream: StreamReport) -> list[dict[str, Any]]:
    """What a stream depends on, as plain values: each reading, the one in force, the verdict under each other one."""
    return [
        {
            "id": one.reading,
            "reading": one.name,
            "others": {name: verdict.value for name, verdict in one.others.items()},
        }
        for one in stream.consulted
    ]


def unit_label(found: Diagnostic, labels: Collection[str]) -> str | None:
    """The unit among `labels` that a finding is about; None when it is about the stream as a whole."""
    label = found.path.split(SEPARATOR, 1)[0]
    return label if label in labels else None
