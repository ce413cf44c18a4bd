"""nnr-explain: every bit of a stream with its element, value and meaning; and the syntax tables it is read by."""

from __future__ import annotations

import argparse
import difflib
import json
import sys
import textwrap
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from nnr_conformance.cli.running import run
from nnr_conformance.cli.streams import add_common_options, limits_of, read_out_of_band, read_stream
from nnr_conformance.cli.suite_report import write
from nnr_conformance.diagnostics import Diagnostic, Findings, Severity
from nnr_conformance.errors import UsageError
from nnr_conformance.limits import DEFAULT_LIMITS
from nnr_conformance.readings import Readings
from nnr_conformance.report.bit_listing import (
    bit_rows,
    render_diagnostic,
    render_unit,
    unit_to_json,
)
from nnr_conformance.report.json import diagnostic_to_json
from nnr_conformance.report.model import verdict_of
from nnr_conformance.scope import Session, TraceEntry
from nnr_conformance.syntax.describe import describe, render_table, structures
from nnr_conformance.syntax.semantics import element_semantics
from nnr_conformance.syntax.unit_parser import Unit
from nnr_conformance.syntax.unit_walker import walk_units
from nnr_conformance.version import VERSION

if TYPE_CHECKING:
    from nnr_conformance.report.html_explorer import ShownStream

MOST_BYTES_SHOWN = 1 << 22
"""Bytes of a stream that a page has as a whole; of a larger one it has headers, findings and what comes first."""

MOST_ELEMENTS_SHOWN = 20_000
"""Syntax elements of such a larger one."""

EPILOG = """\
Each unit is listed with the bits of its size, header and parameters: where they are (byte.bit, bit 0 is the most
significant one, and as a bit number from the start of the stream), the bits themselves (in hexadecimal digits where
they are many), the syntax element in the standard's words, its descriptor, value and meaning. Elements that the stream
leaves out are marked as inferred. Payloads are not decoded: see nnr-check and nnr-decode for that.

exit codes: 0 all could be read, 1 something is wrong, 2 wrong use, 3 something is missing or a limit was hit

With --html the streams are written into a page that shows tree, bytes, syntax tables and requirements side by side; it
needs nothing else and reads further files that are opened or dropped.

example: nnr-explain model.nnr
         nnr-explain model.nnr --html model.html
         nnr-explain --unit 3 --no-payload model.nnr
         nnr-explain --syntax nnr_unit_header
         nnr-explain --element scan_order
"""


def parser() -> argparse.ArgumentParser:
    """The command's options."""
    options = argparse.ArgumentParser(
        prog="nnr-explain",
        description="Show what each bit of a stream of ISO/IEC 15938-17 (NNR / NNC) means.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    options.add_argument("streams", nargs="*", metavar="STREAM", help="stream file")
    options.add_argument(
        "--unit", action="append", metavar="N", help="only this unit, such as 3, or 3.1 inside aggregate unit 3"
    )
    options.add_argument(
        "--syntax",
        nargs="?",
        const="",
        metavar="STRUCTURE",
        help="print the syntax table of a structure, of all structures without a name",
    )
    options.add_argument(
        "--element",
        metavar="NAME",
        help="print meaning, range and requirements of a syntax element, such as scan_order",
    )
    options.add_argument(
        "--format", choices=("text", "json"), default="text", help="text, or JSON with a line per unit"
    )
    options.add_argument("--html", type=Path, metavar="FILE", help="write a page to explore the streams with")
    options.add_argument("--no-payload", action="store_true", help="leave out where payloads are and how they start")
    add_common_options(options)
    options.add_argument("--version", action="version", version=f"nnr-explain {VERSION}")
    return options


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point of nnr-explain; returns the exit code."""
    arguments = parser().parse_args(argv)
    return run("nnr-explain", lambda: _main(arguments))


def _main(arguments: argparse.Namespace) -> int:
    if arguments.syntax is not None:
        if arguments.streams:
            raise UsageError("--syntax takes the name of one structure and no stream")
        _print(syntax_tables(arguments.syntax))
        return 0
    if arguments.element is not None:
        if arguments.streams:
            raise UsageError("--element takes the name of one syntax element and no stream")
        _print(element_card(arguments.element))
        return 0
    if not arguments.streams:
        raise UsageError("no STREAM given; try nnr-explain --help")
    if arguments.html is not None:
        return _write_page(arguments)
    found: list[Diagnostic] = []
    for path in arguments.streams:
        found += _explain(path, arguments)
    return verdict_of(found).exit_code


def _write_page(arguments: argparse.Namespace) -> int:
    """The page of --html; the exit code is that of the text."""
    # Other uses start sooner without it.
    from nnr_conformance.report.html_explorer import streams_page  # noqa: PLC0415

    if arguments.unit is not None or arguments.format != "text" or arguments.no_payload:
        raise UsageError("--html shows all of the streams; it goes without --unit, --format and --no-payload")
    if any(
        Path(path).exists() and arguments.html.exists() and arguments.html.samefile(path) for path in arguments.streams
    ):
        raise UsageError(f"the page would replace the stream {arguments.html}")
    streams, found = [], []
    for path in arguments.streams:
        stream, diagnostics = _shown(path, arguments)
        streams.append(stream)
        found += diagnostics
    title = f"nnr-explain: {', '.join(arguments.streams)}"
    write(arguments.html, "".join(f"{line}\n" for line in streams_page(title, streams)))
    return verdict_of(found).exit_code


def _shown(path: str, arguments: argparse.Namespace) -> tuple[ShownStream, list[Diagnostic]]:
    """A stream for the page, and what framing and syntax find in it."""
    from nnr_conformance.checker.details import DetailsCollector  # noqa: PLC0415 - see _write_page
    from nnr_conformance.report.html_explorer import ShownStream  # noqa: PLC0415

    buffer = read_stream(path)
    limits, readings = limits_of(arguments.limit), Readings.choose(arguments.reading)
    session = Session(Findings(), [], limits, read_out_of_band(arguments.out_of_band))
    trace = session.trace if session.trace is not None else []
    collector = DetailsCollector(MOST_ELEMENTS_SHOWN)
    for unit in walk_units(buffer, session, readings):
        collector.see(0, unit, trace)
        trace.clear()
    found = session.findings.diagnostics
    whole = len(buffer) <= MOST_BYTES_SHOWN
    details = collector.of_stream(0, buffer, found, session.out_of_band)
    pieces = ((0, bytes(buffer)),) if whole else details.pieces
    default = asdict(DEFAULT_LIMITS)
    other = {name: most for name, most in asdict(limits).items() if most != default[name]}
    shown = ShownStream(path, len(buffer), pieces, "", dict(readings.chosen), session.out_of_band, other)
    return shown, found


def syntax_tables(name: str) -> list[str]:
    """The table of a structure, or of all when the name is empty. Raises UsageError for an unknown name."""
    known = structures()
    if name and name not in known:
        near = difflib.get_close_matches(name, known, n=5, cutoff=0.5)
        near += [candidate for candidate in known if name in candidate and candidate not in near]
        hint = f"did you mean {', '.join(near)}?" if near else f"known: {', '.join(known)}"
        raise UsageError(f"no structure {name!r}; {hint}")
    chosen = [known[name]] if name else list(known.values())
    return ["\n\n".join(render_table(describe(structure)) for structure in chosen)]


def element_card(name: str) -> list[str]:
    """What a syntax element says, in lines of 80 columns; a subscript is left out of its name.

    Raises UsageError for an unknown name.
    """
    row = element_semantics(name.partition("[")[0].strip())
    inferred = f"{row.inferred.value} when {row.inferred.when}" if row.inferred else "nothing"
    fields = {
        "in": ", ".join(row.structures) + ("" if row.declared else ", inside the entropy-coded payload"),
        "meaning": row.meaning,
        "range": row.range,
        "inferred": inferred + ("; can be given out of band" if row.out_of_band else ""),
        "requirements": ", ".join(row.requirements),
        "readings": ", ".join(row.readings),
        "evidence": f"{row.evidence}; confidence {row.confidence}",
    }
    lines = [f"{row.name}  {' or '.join(row.descriptors)}" + ("  (name is ours)" if row.own_name else "")]
    for title, text in fields.items():
        if text:
            lines += textwrap.wrap(text, 80, initial_indent=f"  {title:14}", subsequent_indent=" " * 16)
    return lines


def _explain(path: str, arguments: argparse.Namespace) -> list[Diagnostic]:
    buffer = read_stream(path)
    session = Session(Findings(), [], limits_of(arguments.limit), read_out_of_band(arguments.out_of_band))
    wanted = None if arguments.unit is None else {number.removeprefix("unit ") for number in arguments.unit}
    as_json = arguments.format == "json"
    if not as_json and len(arguments.streams) > 1:
        _print([f"{path}:", ""])
    units = shown = 0
    trace = session.trace if session.trace is not None else []
    for unit in walk_units(buffer, session, Readings.choose(arguments.reading)):
        found = session.findings.diagnostics[shown:]
        shown += len(found)
        units += 1
        number = unit.label.removeprefix("unit ")
        if wanted is None or number in wanted:
            _print(_listing(path, unit, trace, buffer, found, arguments))
        if wanted is not None:
            wanted.discard(number)
        trace.clear()
    if wanted:
        raise UsageError(f"{path} has no unit {', '.join(sorted(wanted))}; units found: {units}")
    diagnostics = session.findings.diagnostics
    _print(_ending(path, len(buffer), units, diagnostics, diagnostics[shown:], as_json))
    return diagnostics


def _listing(
    path: str,
    unit: Unit,
    trace: Sequence[TraceEntry],
    buffer: memoryview,
    found: Sequence[Diagnostic],
    arguments: argparse.Namespace,
) -> list[str]:
    rows = bit_rows(trace, buffer)
    if arguments.format == "json":
        return [json.dumps(unit_to_json(path, unit, rows, found, payload=not arguments.no_payload))]
    return [*render_unit(unit, rows, found, payload=not arguments.no_payload), ""]


def _ending(
    path: str, size: int, units: int, diagnostics: Sequence[Diagnostic], last: Sequence[Diagnostic], as_json: bool
) -> list[str]:
    """What was found behind the last unit, and a summary."""
    if as_json:
        found = [diagnostic_to_json(diagnostic) for diagnostic in last]
        return [json.dumps({"stream": path, "bytes": size, "units": units, "diagnostics": found})]
    lines = [line for diagnostic in last for line in render_diagnostic(diagnostic)]
    counts = [
        sum(found.severity is severity for found in diagnostics) for severity in (Severity.ERROR, Severity.WARNING)
    ]
    return [*lines, f"{path}: {size} bytes, {units} units, {counts[0]} errors, {counts[1]} warnings"]


def _print(lines: Sequence[str]) -> None:
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    sys.exit(main())
