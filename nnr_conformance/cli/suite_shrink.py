"""nnr-suite shrink: a failing stream reduced to a small one that shows the same and can be published."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from nnr_conformance.cli.run_options import (
    IMPLEMENTATION_HELP,
    add_implementation,
    implementation_of,
    names_implementation,
)
from nnr_conformance.cli.streams import add_common_options, limits_of, read_out_of_band, read_streams
from nnr_conformance.errors import NnrError, UsageError
from nnr_conformance.readings import Readings
from nnr_conformance.suite.shrink.agreed import Agreed
from nnr_conformance.suite.shrink.keeping import Finding, finding_in
from nnr_conformance.suite.shrink.outcome import OUTCOMES, Outcome, outcome_of
from nnr_conformance.suite.shrink.search import Budget
from nnr_conformance.suite.shrink.shrinker import Shrunk, shrink
from nnr_conformance.tensor_files import read_tensors

# argparse does not name the class of what add_subparsers returns.
Subparsers = Any

DESCRIPTION = f"""\
Reduce a stream to a small one that gives the same finding, the same verdict, and no error or warning that the original
does not give. Units, tensors, tools, rows and columns are left out, names are replaced and values zeroed as far as the
finding stays. Streams that it updates (--before) are reduced with it.

WHAT is a requirement or diagnostic code of the checker; or, of a decoder that is given, its result on the stream as
nnr-suite run has it: {", ".join(OUTCOMES)}. A fail stays in the same stage, a crash ends by the same exception, signal
or exit code. Each candidate is decoded in a process of its own.

{IMPLEMENTATION_HELP}"""

EPILOG = """\
The result holds nothing of the original but what the finding needs, and what this needs is worth a look before it is
published: names that are left are listed. The same arguments give the same bytes, unless --seconds ends the reduction.

exit codes: 0 reduced until nothing could be left out, 1 the budget ended it (what is there so far is written), 2 wrong
use, such as a finding or result that the stream does not give

example: nnr-suite shrink field.nnr --keeps R-NDU-26 -o small.nnr
         nnr-suite shrink update.nnr --before base.nnr --keeps qp_range -o small.nnr
         nnr-suite shrink field.nnr --keeps fail --decoder "mydec {stream} -o {tensors}" -o small.nnr
"""


def add_shrink(subparsers: Subparsers) -> None:
    """Add the subcommand `shrink`."""
    options: argparse.ArgumentParser = subparsers.add_parser(
        "shrink",
        help="reduce a failing stream to a minimal one that can be published",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    options.add_argument("stream", metavar="STREAM", help="stream that shows the finding")
    options.add_argument("--before", nargs="+", default=[], metavar="STREAM", help="streams that it updates, in order")
    options.add_argument("--keeps", required=True, metavar="WHAT", help="requirement, code, or result of a decoder")
    options.add_argument("-o", "--output", required=True, metavar="OUT", help="file to write; OUT-before-N beside it")
    options.add_argument(
        "--anonymize",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="replace names and zero values (default: yes)",
    )
    options.add_argument("--steps", type=int, default=Budget().steps, metavar="N", help="most candidates to check")
    options.add_argument("--seconds", type=float, default=Budget().seconds, metavar="S", help="longest time to take")
    options.add_argument("--base", metavar="FILE", help=".npz or .safetensors file with the model to update")
    options.add_argument("--edition", type=int, choices=(1, 2), help="edition of the standard (default: the profile's)")
    options.add_argument("--strict", action="store_true", help="requirements of medium confidence count as errors")
    add_implementation(options, bounds="case-")
    add_common_options(options)
    options.set_defaults(run=_shrink)


def _shrink(arguments: argparse.Namespace) -> int:
    streams = [bytes(one) for one in read_streams([*arguments.before, arguments.stream])]
    agreed = Agreed(
        Readings.choose(arguments.reading),
        limits_of(arguments.limit),
        {} if arguments.base is None else read_tensors(arguments.base),
        read_out_of_band(arguments.out_of_band),
        arguments.edition,
        arguments.strict,
    )
    kept = _kept(arguments, streams, agreed)
    print(f"keeps {kept}")
    budget = Budget(arguments.steps, arguments.seconds)
    found = shrink(streams, kept.shown_by, kept.agreed, budget=budget, anonymize=arguments.anonymize)
    _write(Path(arguments.output), found)
    _tell(streams, found, arguments)
    return int(found.exhausted)


def _kept(arguments: argparse.Namespace, streams: list[bytes], agreed: Agreed) -> Finding | Outcome:
    """What the reduced streams have to show. Raises UsageError when the given ones do not."""
    if arguments.keeps in OUTCOMES:
        if arguments.strict:
            raise UsageError("--strict is for findings of the checker, not for results of a decoder")
        return outcome_of(implementation_of(arguments), streams, OUTCOMES[arguments.keeps], agreed)
    if names_implementation(arguments):
        raise UsageError(f"of a decoder these can be kept: {', '.join(OUTCOMES)}; not {arguments.keeps!r}")
    return finding_in(streams, arguments.keeps, agreed)


def _write(target: Path, found: Shrunk) -> None:
    try:
        for number, stream in enumerate(found.streams[:-1]):
            target.with_name(f"{target.stem}-before-{number + 1}{target.suffix}").write_bytes(stream)
        target.write_bytes(found.streams[-1])
    except OSError as error:
        raise NnrError(f"cannot write {target}: {error.strerror}") from error


def _tell(streams: list[bytes], found: Shrunk, arguments: argparse.Namespace) -> None:
    for what, count in found.done.items():
        print(f"{what}: {count} time{'s' if count > 1 else ''}")
    before, after = sum(map(len, streams)), sum(map(len, found.streams))
    print(f"{arguments.output}: {before} bytes became {after}; {found.steps} candidates checked")
    if found.names:
        print(f"names of the original that are left: {', '.join(map(repr, found.names))}")
    if found.exhausted:
        print("the budget is spent; more might be left out (--steps, --seconds)")
