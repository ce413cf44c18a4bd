"""nnr-suite build and nnr-suite mutate: the stored streams and their power to catch what is wrong."""

from __future__ import annotations

import argparse
from typing import Any

from nnr_conformance.data import data_path
from nnr_conformance.suite.build import build_problems, built_files, write_files
from nnr_conformance.suite.requirement_pairs import FOLDER, load_pairs
from nnr_conformance.suite.rule_mutation import delete_rules

# argparse does not name the class of what add_subparsers returns.
Subparsers = Any

BUILD_DESCRIPTION = """\
Build the stored streams of the requirement pairs from their recipes. For every condition that nnr-check knows there is
a recipe in bitstreams/requirements/CLAUSE/IDEA.yaml which gives two streams a few bits apart: CLAUSE-IDEA-01.nnr meets
it, CLAUSE-IDEA-02.nnr breaks it and fires exactly that code at the right bits.
"""

MUTATE_DESCRIPTION = """\
Measure what the stored streams can catch. --rules disables each rule of the checker in turn and counts the streams of
the requirement pairs that notice it: whose findings change, and whose verdict changes. A rule that no stream misses is
a survivor.
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
    options.set_defaults(run=_build)


def add_mutate(subparsers: Subparsers) -> None:
    """Add the subcommand `mutate`."""
    options: argparse.ArgumentParser = subparsers.add_parser(
        "mutate",
        help="delete rules and count who notices",
        description=MUTATE_DESCRIPTION,
        epilog=f"{EXIT_CODES}\n\nexample: nnr-suite mutate --rules",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    options.add_argument("--rules", action="store_true", required=True, help="disable each rule of the checker in turn")
    options.add_argument("--verbose", action="store_true", help="one line for each rule")
    options.set_defaults(run=_mutate)


def _build(arguments: argparse.Namespace) -> int:
    if arguments.check:
        found = list(build_problems())
        for line in found:
            print(line)
        files = {} if found else built_files()
        size = sum(len(data) for name, data in files.items() if name.endswith(".nnr"))
        requirements = {pair.requirement for pair in load_pairs()}
        print(
            f"{len(found)} problems in {FOLDER}/"
            if found
            else f"{len(load_pairs())} pairs, {size} bytes, show {len(requirements)} requirements; "
            "all files are what their recipes give"
        )
        return int(bool(found))
    changed = list(write_files(data_path(FOLDER)))
    for line in changed:
        print(line)
    print(f"{len(load_pairs())} pairs, {len(changed)} files changed")
    return 0


def _mutate(arguments: argparse.Namespace) -> int:
    deletions = list(delete_rules())
    for deletion in deletions:
        if arguments.verbose or deletion.survives:
            state = "SURVIVES" if deletion.survives else f"noticed by {', '.join(deletion.noticed)}"
            print(f"{deletion.code}: {state}")
    survivors = sum(deletion.survives for deletion in deletions)
    turned = sum(bool(deletion.turned) for deletion in deletions)
    print(
        f"{len(deletions)} rules disabled in turn: {len(deletions) - survivors} noticed, "
        f"{turned} of them by a change of verdict; {survivors} survive"
    )
    return int(survivors > 0)
