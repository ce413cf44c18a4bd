"""nnr-suite build: the stored streams."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Any

from nnr_conformance.cli.progress import Progress
from nnr_conformance.data import data_path
from nnr_conformance.entropy.binding import compiled_available
from nnr_conformance.errors import BuildError, UsageError
from nnr_conformance.suite.corpus.files import build_problems, write_descriptions, write_streams
from nnr_conformance.suite.corpus.recipes import FOLDER
from nnr_conformance.suite.corpus.stress import stress_streams
from nnr_conformance.suite.corpus.stress_record import RECORD, record, stress_problems, write_stress
from nnr_conformance.suite.corpus.summary import summary_lines

# argparse does not name the class of what add_subparsers returns.
Subparsers = Any

BUILD_DESCRIPTION = """\
Build the stored streams from their recipes. bitstreams/CLASS/CLAUSE-IDEA.yaml gives the golden streams of one idea,
CLAUSE-IDEA-01.nnr and so on. For every condition that nnr-check knows bitstreams/requirements/CLAUSE/IDEA.yaml gives
two streams a few bits apart: CLAUSE-IDEA-01.nnr meets it, CLAUSE-IDEA-02.nnr breaks it and fires exactly that code at
the right bits.

Beside each stream its sidecar STREAM.yaml is written: what it is for, what a decoder must find in it, and who agrees on
that; and all of them in bitstreams/manifest.json. Needs numba, because the compiled decoder is one of the witnesses.
"""

EXIT_CODES = "exit codes: 0 all is well, 1 something is wrong, 2 wrong use"


def add_build(subparsers: Subparsers) -> None:
    """Add the subcommand `build`."""
    options: argparse.ArgumentParser = subparsers.add_parser(
        "build",
        help="build the stored streams from their recipes",
        description=BUILD_DESCRIPTION,
        epilog=f"{EXIT_CODES}\n\nexample: nnr-suite build --check",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    options.add_argument(
        "--check",
        action="store_true",
        help="write nothing; check recipes and witnesses, and that files are as they say",
    )
    options.add_argument("--streams", action="store_true", help="write streams only, no sidecars and no manifest")
    options.add_argument(
        "--stress",
        metavar="FOLDER",
        type=Path,
        help="make the large streams, which are not stored, in a folder, and compare them with their record",
    )
    options.add_argument("--record", action="store_true", help="with --stress: record what was made; decodes all of it")
    options.add_argument("--jobs", type=int, metavar="N", help="processes at a time (default: one each core)")
    options.set_defaults(run=_build)


def _build(arguments: argparse.Namespace) -> int:
    if arguments.stress is not None:
        return _stress(arguments.stress, to_record=arguments.record)
    if not compiled_available() and not arguments.streams:
        raise UsageError("the compiled decoder is one of the witnesses: pip install numba, or --streams")
    jobs = arguments.jobs or os.cpu_count() or 1
    progress: list[Progress] = []

    def show(done: int, total: int) -> None:
        if not progress:
            progress.append(Progress(total, "streams studied"))
        progress[0].at(done)
        if done == total:
            progress[0].done()

    if arguments.check:
        found = [*build_problems(jobs, show), *stress_problems()]
    else:
        found = list(write_streams(data_path(FOLDER)))
        if not arguments.streams:
            found += write_descriptions(data_path(FOLDER), jobs, show)
    for line in found:
        print(line)
    if not arguments.check:
        print(f"{len(found)} files changed or problems")
        return 0
    if found:
        print(f"{len(found)} problems in {FOLDER}/")
        return 1
    for line in summary_lines():
        print(line)
    return 0


def _stress(folder: Path, *, to_record: bool) -> int:
    streams = tuple(stress_streams())
    try:
        for line in write_stress(folder, streams, compare=not to_record):
            print(line, flush=True)
    except BuildError as fault:
        print(fault)
        return 1
    if to_record:
        (data_path(FOLDER) / Path(RECORD).name).write_text(record(folder, streams), encoding="utf-8")
        print(f"recorded in {RECORD}")
    return 0
