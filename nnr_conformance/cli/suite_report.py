"""nnr-suite report: runs that were stored, in any format, several side by side; and what other commands say of a run.

That is the report in a format, the comparison with a baseline, and the exit code.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from importlib import import_module
from pathlib import Path
from typing import Any

from nnr_conformance.errors import NnrError, UsageError
from nnr_conformance.suite.results.baseline import compared, empty, load_baseline, marked, updated
from nnr_conformance.suite.results.formats import FORMATS, renderer
from nnr_conformance.suite.results.report import RunReport
from nnr_conformance.suite.results.runs import load_run
from nnr_conformance.suite.runner.model import Result

# argparse does not name the class of what add_subparsers returns.
Subparsers = Any

NOTHING_SUPPORTED = 3

SIDE_BY_SIDE = ("html", "markdown")
"""Formats that can show several runs."""

DESCRIPTION = """\
Show a run that nnr-suite run has stored, by --format json -o FILE or --results FILE, in another format, or compare it
with a baseline. Several runs are shown side by side: tools and cases with a column for each implementation.
"""

EPILOG = """\
exit codes: of one run as those of nnr-suite run; 0 of several; 2 wrong use

example: nnr-suite report run.json --format html -o run.html
         nnr-suite report run.jsonl --baseline mydec-expected.yaml
         nnr-suite report mydec.json nncodec.json --format markdown
"""


def add_report(subparsers: Subparsers) -> None:
    """Add the subcommand `report`."""
    options: argparse.ArgumentParser = subparsers.add_parser(
        "report",
        help="show stored runs, several side by side",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    options.add_argument("runs", nargs="+", type=Path, metavar="RUN", help="file of a run, JSON or lines of JSON")
    add_report_options(options)
    options.set_defaults(run=_report)


def _report(arguments: argparse.Namespace) -> int:
    reports = [load_run(path) for path in arguments.runs]
    if len(reports) == 1:
        return reported(reports[0], arguments)
    if arguments.format not in SIDE_BY_SIDE:
        raise UsageError(f"several runs are shown by --format {' or '.join(SIDE_BY_SIDE)}")
    if arguments.baseline is not None or arguments.update_baseline:
        raise UsageError("a baseline is compared with one run")
    render: Any = import_module(FORMATS[arguments.format]).render_several
    if arguments.output is not None:
        write(arguments.output, "".join(f"{line}\n" for line in render(reports)))
        return 0
    for line in render(reports):
        print(line)
    return 0


def add_report_options(options: argparse.ArgumentParser) -> None:
    """--format, --output, --baseline and --update-baseline."""
    options.add_argument("--format", choices=[*FORMATS], default="text", help="of the report (default: text)")
    options.add_argument("-o", "--output", type=Path, metavar="FILE", help="write the report there, and text here")
    options.add_argument("--baseline", type=Path, metavar="FILE", help="YAML file of the failures that are expected")
    options.add_argument(
        "--update-baseline", action="store_true", help="write the failures of this run, which must be whole, into it"
    )


def reported(report: RunReport, arguments: argparse.Namespace) -> int:
    """Print and write; the exit code. Raises UsageError for a baseline or a file that cannot be."""
    if arguments.update_baseline and arguments.baseline is None:
        raise UsageError("--update-baseline needs --baseline FILE")
    problems: Iterable[str] = ()
    failed = bool(report.failures)
    if arguments.baseline is not None:
        absent = arguments.update_baseline and not arguments.baseline.exists()
        baseline = empty(report.header) if absent else load_baseline(arguments.baseline)
        if arguments.update_baseline:
            write(arguments.baseline, updated(report, baseline))
            baseline = load_baseline(arguments.baseline)
        found = compared(report, baseline)
        problems, failed = found.lines(), bool(found)
        report = marked(report, baseline)
    _show(report, arguments)
    for line in problems:
        print(line, file=sys.stderr)
    if failed:
        return 1
    return NOTHING_SUPPORTED if set(report.counts) <= {Result.NOT_SUPPORTED} else 0


def _show(report: RunReport, arguments: argparse.Namespace) -> None:
    if arguments.output is not None:
        write(arguments.output, "".join(f"{line}\n" for line in renderer(arguments.format)(report)))
    for line in renderer("text" if arguments.output is not None else arguments.format)(report):
        print(line)


def write(path: Path, text: str) -> None:
    """Write a text file. Raises NnrError."""
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise NnrError(f"cannot write {path}: {error.strerror}") from error
