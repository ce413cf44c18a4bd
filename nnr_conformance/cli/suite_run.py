"""nnr-suite run: a decoder through the golden streams, or through streams of the field."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from nnr_conformance.cli.progress import Progress
from nnr_conformance.cli.run_options import IMPLEMENTATION_HELP, add_implementation, implementation_of
from nnr_conformance.cli.suite_report import add_report_options, reported
from nnr_conformance.errors import UsageError
from nnr_conformance.suite.results.header import header_of
from nnr_conformance.suite.results.report import RunHeader, RunReport, about_of
from nnr_conformance.suite.results.unit_order import with_unit_orders
from nnr_conformance.suite.runner.cases import golden_cases
from nnr_conformance.suite.runner.driver import run_cases
from nnr_conformance.suite.runner.executors import executor_for
from nnr_conformance.suite.runner.field_streams import CHECKER, field_cases
from nnr_conformance.suite.runner.implementation import Implementation
from nnr_conformance.suite.runner.model import Case, CaseResult
from nnr_conformance.suite.runner.record import Record, open_record, run_digest
from nnr_conformance.suite.runner.selection import Selection

# argparse does not name the class of what add_subparsers returns.
Subparsers = Any

DESCRIPTION = f"""\
Run a decoder on the golden streams, each in a process of its own, and say what became of each; or on streams of the
field, which are checked and decoded by this package for comparison.

{IMPLEMENTATION_HELP}
SELECTOR: a pattern of a stream (core/*, tools), a clause or a clause and a pattern of an idea (10/entry-points), a
requirement (R-EP-01), or tool:, reading:, class:, code:, edition:, verdict: with a pattern (tool:codebook).
"""

EPILOG = """\
results: pass, fail (decoded to something else), rejected (though conforming), accepted-invalid, crash (by a signal, or
in a way that is not declared), timeout, not-supported (not claimed, or refused as such)

exit codes: 0 all passed or is expected by the baseline, 1 something else, 2 wrong use, 3 nothing was supported

example: nnr-suite run --decoder "mydec {stream} -o {tensors}"
         nnr-suite run --adapter mydec.nnr:Adapter 10/entry-points tool:codebook
         nnr-suite run --implementation mydec.yaml --baseline mydec-expected.yaml --format junit -o run.xml
         nnr-suite run --streams /data/models --results run.jsonl --resume
"""


def add_run(subparsers: Subparsers) -> None:
    """Add the subcommand `run`."""
    options: argparse.ArgumentParser = subparsers.add_parser(
        "run",
        help="run a decoder on the golden streams, or on streams of the field",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    options.add_argument("selectors", nargs="*", metavar="SELECTOR", help="only cases that match one of these")
    options.add_argument("--only", action="append", default=[], metavar="SELECTOR", help="of these only such")
    options.add_argument("--exclude", action="append", default=[], metavar="SELECTOR", help="not such")
    options.add_argument("--list", action="store_true", help="list the cases instead of running them")
    options.add_argument(
        "--streams",
        nargs="+",
        default=[],
        metavar="WHERE",
        help="streams of the field instead: files, folders with .nnr and .nnc files, fsspec URLs; without a decoder "
        "they are checked",
    )
    add_implementation(options)
    options.add_argument(
        "--jobs",
        type=int,
        default=os.cpu_count() or 1,
        metavar="N",
        help="processes at a time (default: the number of cores)",
    )
    options.add_argument("--executor", default="", metavar="PLACE", help="dask:ADDRESS: a cluster instead of processes")
    options.add_argument("--results", type=Path, metavar="FILE", help="write the results as they come, lines of JSON")
    options.add_argument("--resume", action="store_true", help="take up the run whose results are in that file")
    add_report_options(options)
    options.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    if arguments.jobs < 1:
        raise UsageError("--jobs is at least 1")
    if arguments.resume and arguments.results is None:
        raise UsageError("--resume needs --results FILE")
    selection = Selection(tuple(arguments.selectors), tuple(arguments.only), tuple(arguments.exclude))
    places = tuple(arguments.streams)
    everything = tuple(field_cases(places)) if places else golden_cases()
    cases = everything if selection.is_everything else selection.of(everything)
    if arguments.list:
        for case in cases:
            print(case.id)
        return 0
    implementation = implementation_of(arguments, CHECKER if places else None)
    header = _header(implementation, cases, selection, places)
    results = _results(arguments, implementation, cases, header)
    report = RunReport(header, results, {case.id: about_of(case) for case in cases})
    return reported(with_unit_orders(report, cases), arguments)


def _header(
    implementation: Implementation, cases: Sequence[Case], selection: Selection, places: Sequence[str]
) -> RunHeader:
    streams = tuple(f"--streams {place.rstrip('/').rpartition('/')[2]}" for place in places)
    return header_of(
        implementation,
        len(cases),
        date=datetime.now(UTC).date().isoformat(),
        selection=(*selection.words(), *streams),
        partial=bool(places) or len(cases) != len(golden_cases()),
    )


def _results(
    arguments: argparse.Namespace, implementation: Implementation, cases: Sequence[Case], header: RunHeader
) -> tuple[CaseResult, ...]:
    """The results in the order of the cases, however they came."""
    with _record(arguments, implementation, header) as record:
        found = {} if record is None else dict(record.done)
        missing = [case for case in cases if case.id not in found]
        progress = Progress(len(cases), "cases done")
        if missing:
            with executor_for(arguments.executor, arguments.jobs) as executor:
                for result in run_cases(implementation, missing, executor, None if record is None else record.add):
                    found[result.case] = result
                    progress.at(len(found))
        progress.done()
    return tuple(found[case.id] for case in cases)


@contextmanager
def _record(
    arguments: argparse.Namespace, implementation: Implementation, header: RunHeader
) -> Iterator[Record | None]:
    digest = run_digest(implementation, tuple(arguments.streams))
    with (
        nullcontext() if arguments.results is None else open_record(arguments.results, header, digest, arguments.resume)
    ) as record:
        yield record
