"""nnr-suite run: a decoder through the golden streams, or through streams of the field."""

from __future__ import annotations

import argparse
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from nnr_conformance.cli.progress import Progress
from nnr_conformance.errors import UsageError
from nnr_conformance.suite.runner.cases import golden_cases
from nnr_conformance.suite.runner.declaration import bounded, from_adapter, from_command, from_file
from nnr_conformance.suite.runner.driver import run_cases
from nnr_conformance.suite.runner.executors import executor_for
from nnr_conformance.suite.runner.implementation import Implementation
from nnr_conformance.suite.runner.model import Case, CaseResult, Result
from nnr_conformance.suite.runner.selection import Selection

# argparse does not name the class of what add_subparsers returns.
Subparsers = Any

DESCRIPTION = """\
Run a decoder on the golden streams, each in a process of its own, and say what became of each.

SELECTOR: a pattern of a stream (core/*), a clause and a pattern of an idea (10/entry-points), a requirement (R-EP-01),
or tool:, reading:, class:, code:, edition:, verdict: with a pattern (tool:codebook).
"""

EPILOG = """\
exit codes: 0 all is as expected, 1 something is not, 2 wrong use, 3 nothing could be compared

example: nnr-suite run --decoder "mydec {stream} -o {tensors}"
         nnr-suite run --adapter nncodec_adapter:Adapter 10/entry-points --jobs 4
"""


def add_run(subparsers: Subparsers) -> None:
    """Add the subcommand `run`."""
    options: argparse.ArgumentParser = subparsers.add_parser(
        "run",
        help="run a decoder on the golden streams",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    options.add_argument("selectors", nargs="*", metavar="SELECTOR", help="only cases that match one of these")
    options.add_argument("--only", action="append", default=[], metavar="SELECTOR", help="of these, only such")
    options.add_argument("--exclude", action="append", default=[], metavar="SELECTOR", help="not such")
    options.add_argument("--list", action="store_true", help="list the cases instead of running them")
    add_implementation(options)
    options.add_argument("--jobs", type=int, default=os.cpu_count() or 1, metavar="N", help="processes at a time")
    options.add_argument("--executor", default="", metavar="PLACE", help="dask:ADDRESS: a cluster instead of processes")
    options.set_defaults(run=_run)


def add_implementation(options: argparse.ArgumentParser) -> None:
    """Options that say what is run."""
    one = options.add_mutually_exclusive_group()
    one.add_argument("--decoder", metavar="TEMPLATE", help="command with {stream} or {streams}, and {tensors}")
    one.add_argument("--adapter", metavar="NAME", help="entry point in nnr_conformance.adapters, or module:name")
    one.add_argument("--implementation", type=Path, metavar="FILE", help="YAML declaration")
    options.add_argument("--seconds", type=float, metavar="S", help="wall-clock time of a case")
    options.add_argument("--memory", type=int, metavar="MIB", help="address space of a case")


def implementation_of(arguments: argparse.Namespace) -> Implementation:
    """The implementation that the options name. Raises UsageError."""
    if arguments.decoder is not None:
        found = from_command(arguments.decoder)
    elif arguments.adapter is not None:
        found = from_adapter(arguments.adapter)
    elif arguments.implementation is not None:
        found = from_file(arguments.implementation)
    else:
        raise UsageError("say what to run: --decoder TEMPLATE, --adapter NAME or --implementation FILE")
    memory = None if arguments.memory is None else arguments.memory << 20
    return bounded(found, arguments.seconds, memory)


def _run(arguments: argparse.Namespace) -> int:
    selection = Selection(tuple(arguments.selectors), tuple(arguments.only), tuple(arguments.exclude))
    cases = selection.of(golden_cases())
    if arguments.list:
        for case in cases:
            print(case.id)
        return 0
    results = list(_results(arguments, implementation_of(arguments), cases))
    for line in summary(results):
        print(line)
    return exit_code(results)


def _results(
    arguments: argparse.Namespace, implementation: Implementation, cases: Sequence[Case]
) -> Iterator[CaseResult]:
    progress = Progress(len(cases), "cases done")
    found: dict[str, CaseResult] = {}
    with executor_for(arguments.executor, arguments.jobs) as executor:
        for result in run_cases(implementation, cases, executor):
            found[result.case] = result
            progress.at(len(found))
    progress.done()
    return (found[case.id] for case in cases)


def summary(results: Sequence[CaseResult]) -> Iterator[str]:
    """What did not pass, and how many came to what."""
    for result in results:
        if result.result not in (Result.PASS, Result.NOT_SUPPORTED):
            yield f"{result.case}: {result.result.value}{': ' if result.detail else ''}{result.detail}"
    counts = Counter(result.result for result in results)
    yield f"{len(results)} cases: " + ", ".join(f"{counts[one]} {one.value}" for one in Result if counts[one])


def exit_code(results: Sequence[CaseResult]) -> int:
    """As the help says."""
    found = {result.result for result in results}
    if found <= {Result.NOT_SUPPORTED}:
        return 3
    return int(not found <= {Result.PASS, Result.NOT_SUPPORTED})
