"""nnr-suite: the conformance suite itself; what it knows, and whether its parts agree.

A subcommand is a function that adds its parser to the given ones and sets the default `run`, a function from the
parsed arguments to the exit code. Each has a module of its own, `spec` has this one; `SUBCOMMANDS` lists them.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from typing import Any

from nnr_conformance.cli.running import run
from nnr_conformance.cli.suite_build import add_build
from nnr_conformance.cli.suite_certify import add_certify
from nnr_conformance.cli.suite_cfp2019 import add_cfp2019
from nnr_conformance.cli.suite_coverage import add_coverage
from nnr_conformance.cli.suite_diff import add_diff, add_trace
from nnr_conformance.cli.suite_export import add_export
from nnr_conformance.cli.suite_mutate import add_mutate
from nnr_conformance.cli.suite_report import add_report
from nnr_conformance.cli.suite_run import add_run
from nnr_conformance.cli.suite_shrink import add_shrink
from nnr_conformance.cli.suite_verify import add_verify
from nnr_conformance.suite.registry import load_divergences, load_requirements, problems
from nnr_conformance.suite.registry_report import counts, requirement_lines
from nnr_conformance.version import VERSION

# argparse does not name the class of what add_subparsers returns.
Subparsers = Any

EPILOG = """\
nnr-suite SUBCOMMAND --help tells more of each.

exit codes: 0 all is well, 1 something is wrong, 2 wrong use

example: nnr-suite spec
         nnr-suite spec --requirement R-NDU-26
"""

SPEC_DESCRIPTION = """\
Show the registry of requirements: what ISO/IEC 15938-17 (NNR / NNC) asks of bitstreams and decoders, as far as public
sources tell. Each requirement is a row of spec/requirements with the evidence for it, the confidence in it, and its
status, which says what this suite does about it. Without options the rows are counted.
"""

SPEC_EPILOG = """\
status: checked             nnr-check reports a violation, see spec/diagnostics.yaml
        decoder-observable  only a test of a decoder can show it
        open                a rule is still to be written
        excluded            not tested; the row says why

exit codes: 0 all is well, 1 --check found problems, 2 wrong use

example: nnr-suite spec
         nnr-suite spec --check
         nnr-suite spec --requirement R-NDU-26
"""


def add_spec(subparsers: Subparsers) -> None:
    """Add the subcommand `spec`."""
    options: argparse.ArgumentParser = subparsers.add_parser(
        "spec",
        help="the registry of requirements: counts, consistency, single rows",
        description=SPEC_DESCRIPTION,
        epilog=SPEC_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    choice = options.add_mutually_exclusive_group()
    choice.add_argument(
        "--check", action="store_true", help="check that all files in spec/ are valid and agree; needs jsonschema"
    )
    choice.add_argument("--requirement", metavar="ID", help="show one requirement and what refers to it")
    options.set_defaults(run=_spec)


def _spec(arguments: argparse.Namespace) -> int:
    if arguments.check:
        found = problems()
        _print(found)
        if found:
            print(f"{len(found)} problem{'s' if len(found) > 1 else ''} in spec/")
            return 1
        print(f"spec/ is consistent: {len(load_requirements())} requirements, {len(load_divergences())} divergences")
        return 0
    _print(requirement_lines(arguments.requirement) if arguments.requirement is not None else [*counts()])
    return 0


SUBCOMMANDS: tuple[Callable[[Subparsers], None], ...] = (
    add_spec,
    add_build,
    add_mutate,
    add_verify,
    add_run,
    add_report,
    add_coverage,
    add_cfp2019,
    add_diff,
    add_trace,
    add_shrink,
    add_certify,
    add_export,
)


def parser() -> argparse.ArgumentParser:
    """The command's options, with those of its subcommands."""
    options = argparse.ArgumentParser(
        prog="nnr-suite",
        description="Look into the conformance suite for ISO/IEC 15938-17 (NNR / NNC).",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    options.add_argument("--version", action="version", version=f"nnr-suite {VERSION}")
    subparsers = options.add_subparsers(metavar="SUBCOMMAND", required=True, title="subcommands")
    for add in SUBCOMMANDS:
        add(subparsers)
    return options


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point of nnr-suite; returns the exit code."""
    arguments = parser().parse_args(argv)
    return run("nnr-suite", lambda: int(arguments.run(arguments)))


def _print(lines: Sequence[str]) -> None:
    for line in lines:
        print(line)


if __name__ == "__main__":
    sys.exit(main())
