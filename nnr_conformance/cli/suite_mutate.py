"""nnr-suite mutate: the power of the stored streams to catch wrong rules and wrong decoders."""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nnr_conformance.errors import UsageError
from nnr_conformance.suite.mutation.cases import Case, stored_cases
from nnr_conformance.suite.mutation.equivalents import equivalents, unknown
from nnr_conformance.suite.mutation.mutants import Mutant, Sources
from nnr_conformance.suite.mutation.reach import baseline
from nnr_conformance.suite.mutation.runner import Journal, Result, run_mutants, seeded_sample
from nnr_conformance.suite.mutation.summary import as_json, count, survivors, table
from nnr_conformance.suite.rule_mutation import delete_rules

# argparse does not name the class of what add_subparsers returns.
Subparsers = Any

DESCRIPTION = """\
Measure what the stored streams can catch.

--rules disables each rule of the checker in turn and counts the streams of the requirement pairs that notice it: whose
findings change, and whose verdict changes. A rule that no stream misses is a survivor.

--decoder puts faults into the decoder, one at a time: other operators and constants, other branches, statements left
out, wrong entries of tables. The streams that reach a fault are decoded, smallest first, until one has other stage
digests, other diagnostics, an exception, or takes too long. A fault that no stream notices is a survivor; those that
none can notice are in spec/mutants/ with the reason.
"""

EPILOG = """\
exit codes: 0 all is well, 1 something survives (with --decoder: fewer are killed than --minimum asks for), 2 wrong use

example: nnr-suite mutate --rules
         nnr-suite mutate --decoder --resume mutants.jsonl
         nnr-suite mutate --decoder --sample 100 --seed 7
         nnr-suite mutate --decoder --module entropy.engine --list
         nnr-suite mutate --decoder --mutant entropy.rows:decode_rows:boundary:d9d7c5:0
"""


def add_mutate(subparsers: Subparsers) -> None:
    """Add the subcommand `mutate`."""
    options: argparse.ArgumentParser = subparsers.add_parser(
        "mutate",
        help="make rules or the decoder wrong and count who notices",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    choice = options.add_mutually_exclusive_group(required=True)
    choice.add_argument("--rules", action="store_true", help="disable each rule of the checker in turn")
    choice.add_argument("--decoder", action="store_true", help="put faults into the decoder")
    options.add_argument("--verbose", action="store_true", help="with --rules: one line for each rule")
    decoder = options.add_argument_group("with --decoder")
    decoder.add_argument("--module", action="append", default=[], metavar="NAME", help="only this module; repeatable")
    decoder.add_argument("--mutant", action="append", default=[], metavar="ID", help="only this mutant, with its diff")
    decoder.add_argument("--sample", type=_positive, metavar="N", help="only so many mutants, chosen by chance")
    decoder.add_argument("--seed", type=int, default=0, metavar="S", help="what the sample depends on (default 0)")
    decoder.add_argument("--list", action="store_true", help="list the mutants and run nothing")
    decoder.add_argument("--jobs", type=_positive, metavar="N", help="processes at a time (default: one each core)")
    decoder.add_argument("--resume", type=Path, metavar="FILE", help="keep results in a file and go on from there")
    decoder.add_argument("--cache", type=Path, metavar="FOLDER", help="keep what streams reach for the next run")
    decoder.add_argument(
        "--largest", type=_positive, metavar="BYTES", help="leave out streams with more bytes, to be faster"
    )
    decoder.add_argument("--minimum", type=float, default=0.0, metavar="PERCENT", help="fail when fewer are killed")
    decoder.add_argument("--format", choices=("text", "json"), default="text", help="how to print the results")
    options.set_defaults(run=_mutate)


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError(text)
    return number


def _mutate(arguments: argparse.Namespace) -> int:
    return _rules(arguments.verbose) if arguments.rules else _decoder(arguments)


def _rules(verbose: bool) -> int:
    deletions = list(delete_rules())
    for deletion in deletions:
        if verbose or deletion.survives:
            state = "SURVIVES" if deletion.survives else f"noticed by {', '.join(deletion.noticed)}"
            print(f"{deletion.code}: {state}")
    alive = sum(deletion.survives for deletion in deletions)
    turned = sum(bool(deletion.turned) for deletion in deletions)
    print(
        f"{len(deletions)} rules disabled in turn: {len(deletions) - alive} noticed, "
        f"{turned} of them by a change of verdict; {alive} survive"
    )
    return int(alive > 0)


def _decoder(arguments: argparse.Namespace) -> int:
    if not hasattr(os, "fork"):
        raise UsageError("mutate --decoder needs an operating system that can fork")
    sources = Sources.installed()
    chosen = _chosen(sources, arguments)
    if arguments.list:
        for mutant in chosen:
            before, after = sources.changed(mutant)
            print(f"{mutant.id}: {' '.join(before)}  ->  {' '.join(after) or '(nothing)'}")
        print(f"{len(chosen)} mutants")
        return 0
    cases = stored_cases(arguments.largest)
    results = _results(sources, chosen, cases, arguments)
    stale = unknown(mutant.id for mutant in sources.mutants())
    if arguments.format == "json":
        print(json.dumps(as_json(sources, chosen, results, equivalents()), indent=1, ensure_ascii=False))
    else:
        _print_text(sources, chosen, results, len(cases), bool(arguments.mutant))
        for identifier in stale:
            print(f"spec/mutants/: there is no mutant {identifier}")
    return int(count(results).percent < arguments.minimum or bool(stale))


def _chosen(sources: Sources, arguments: argparse.Namespace) -> list[Mutant]:
    chosen = sources.mutants(arguments.module)
    if arguments.mutant:
        by_id = {mutant.id: mutant for mutant in chosen}
        for identifier in arguments.mutant:
            if identifier not in by_id:
                raise UsageError(f"no mutant {identifier!r}; --list shows all")
        chosen = [by_id[identifier] for identifier in arguments.mutant]
    return seeded_sample(chosen, arguments.sample, arguments.seed) if arguments.sample else chosen


def _results(
    sources: Sources, chosen: Sequence[Mutant], cases: Sequence[Case], arguments: argparse.Namespace
) -> list[Result]:
    jobs = arguments.jobs or os.cpu_count() or 1
    journal = None if arguments.resume is None else Journal(arguments.resume, sources, cases)
    finished = {} if journal is None else journal.read()
    counter = _Counter(len(chosen), len(finished))

    def keep(result: Result) -> None:
        counter.step()
        if journal is not None:
            journal.add(result)

    cache = arguments.cache or Path(tempfile.gettempdir()) / f"nnr-suite-{os.getuid()}"
    known = baseline(sources, cases, jobs, cache)
    # Named on the command line, an equivalent mutant is run all the same.
    reasons = {} if arguments.mutant else equivalents()
    results = run_mutants(sources, chosen, known, jobs=jobs, reasons=reasons, finished=finished, on_result=keep)
    counter.done()
    return results


def _print_text(
    sources: Sources, chosen: Sequence[Mutant], results: Sequence[Result], cases: int, with_diff: bool
) -> None:
    if with_diff:
        for mutant, result in zip(chosen, results, strict=True):
            print(f"{mutant.id}\n{sources.difference(mutant)}")
            print(f"{result.state}{f' by {result.stream}: {result.by}' if result.by else ''}\n")
        return
    for line in survivors(sources, chosen, results):
        print(line)
    print()
    for line in table(chosen, results):
        print(line)
    print(f"\n{cases} cases: stored streams, each with the ways in which it is used")


class _Counter:
    """A line on standard error that says how far a run is; nothing unless that is a terminal."""

    def __init__(self, total: int, done: int) -> None:
        self._total, self._done = total, done
        self._active = sys.stderr.isatty()

    def step(self) -> None:
        """One more."""
        self._done += 1
        if self._active and self._done % 10 == 0:
            print(f"\r{self._done} of {self._total} mutants", end="", file=sys.stderr, flush=True)

    def done(self) -> None:
        """Remove the line."""
        if self._active:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
