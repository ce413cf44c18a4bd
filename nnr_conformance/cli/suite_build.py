"""nnr-suite build: the stored streams."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from nnr_conformance.data import data_path
from nnr_conformance.errors import BuildError
from nnr_conformance.suite.build import build_problems, built_files, write_files
from nnr_conformance.suite.corpus.files import corpus_files, corpus_problems, write_corpus
from nnr_conformance.suite.corpus.recipes import FOLDER as CORPUS
from nnr_conformance.suite.corpus.stress import stress_streams
from nnr_conformance.suite.corpus.stress_record import RECORD, record, stress_problems, write_stress
from nnr_conformance.suite.requirement_pairs import FOLDER, load_pairs

# argparse does not name the class of what add_subparsers returns.
Subparsers = Any

BUILD_DESCRIPTION = """\
Build the stored streams from their recipes. bitstreams/CLASS/CLAUSE-IDEA.yaml gives the golden streams of one idea,
CLAUSE-IDEA-01.nnr and so on. For every condition that nnr-check knows bitstreams/requirements/CLAUSE/IDEA.yaml gives
two streams a few bits apart: CLAUSE-IDEA-01.nnr meets it, CLAUSE-IDEA-02.nnr breaks it and fires exactly that code at
the right bits.
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
        "--check", action="store_true", help="write nothing; check the pairs, and that the files are what they give"
    )
    options.add_argument(
        "--stress",
        metavar="FOLDER",
        type=Path,
        help="make the large streams, which are not stored, in a folder, and compare them with their record",
    )
    options.add_argument("--record", action="store_true", help="with --stress: record what was made; decodes all of it")
    options.set_defaults(run=_build)


def _build(arguments: argparse.Namespace) -> int:
    if arguments.stress is not None:
        return _stress(arguments.stress, to_record=arguments.record)
    if arguments.check:
        found = [*corpus_problems(), *build_problems(), *stress_problems()]
        for line in found:
            print(line)
        files = {} if found else built_files()
        size = sum(len(data) for name, data in files.items() if name.endswith(".nnr"))
        requirements = {pair.requirement for pair in load_pairs()}
        print(
            f"{len(found)} problems in {CORPUS}/"
            if found
            else f"{_golden()}\n{len(load_pairs())} pairs, {size} bytes, show {len(requirements)} requirements; "
            "all files are what their recipes give"
        )
        return int(bool(found))
    changed = [*write_corpus(data_path(CORPUS)), *write_files(data_path(FOLDER))]
    for line in changed:
        print(line)
    print(f"{_golden()}\n{len(load_pairs())} pairs; {len(changed)} files changed")
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
        (data_path(CORPUS) / Path(RECORD).name).write_text(record(folder, streams), encoding="utf-8")
        print(f"recorded in {RECORD}")
    return 0


def _golden() -> str:
    sizes = [len(data) for name, data in corpus_files().items() if name.endswith(".nnr")]
    return f"{len(sizes)} golden streams, {sum(sizes)} bytes"
