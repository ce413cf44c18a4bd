"""nnr-suite diff: where a decoder parts from a stream. nnr-suite trace: the bins of a stream, to compare with."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from nnr_conformance.adapters import Arrays, Decoding
from nnr_conformance.cli.run_options import IMPLEMENTATION_HELP, add_implementation, implementation_of
from nnr_conformance.cli.streams import add_common_options, limits_of, read_out_of_band
from nnr_conformance.errors import UsageError
from nnr_conformance.readings import Readings
from nnr_conformance.report.json import dump
from nnr_conformance.report.model import Verdict
from nnr_conformance.report.printing import printable
from nnr_conformance.suite.diff.bins import bins_of
from nnr_conformance.suite.diff.localise import localised
from nnr_conformance.suite.diff.text import lines, plain, plain_without_output
from nnr_conformance.suite.runner.cases import golden_cases
from nnr_conformance.suite.runner.expected import STAGES, Choices, chain_of, expected_verdict
from nnr_conformance.suite.runner.field_streams import KIND, settings_of
from nnr_conformance.suite.runner.followed import asked
from nnr_conformance.suite.runner.implementation import Implementation
from nnr_conformance.suite.runner.judgement import judged
from nnr_conformance.suite.runner.model import Case, Ending
from nnr_conformance.suite.runner.outputs import TraceFile, read_output, write_trace
from nnr_conformance.suite.runner.processes import answered
from nnr_conformance.suite.runner.sources import GOLDEN
from nnr_conformance.tensor_files import read_tensors

# argparse does not name the class of what add_subparsers returns.
Subparsers = Any

DIFFERS, NOT_DECODED = 1, 3

DESCRIPTION = f"""\
Run a decoder on one stream, or take files that it wrote, and say where it parts from what the stream holds: stage,
tensor, element, bin, and what arithmetic says about the cause.

STREAM is the name of a golden stream (core/8-decomposition-01), or a file; several files are a model and its updates in
order, of which the last one is looked at.

{IMPLEMENTATION_HELP}"""

EPILOG = """\
exit codes: 0 no difference, 1 a difference, 2 wrong use, 3 the decoder did not decode the stream

example: nnr-suite diff core/8-decomposition-01 --decoder "mydec {stream} -o {tensors} --levels {levels}"
         nnr-suite diff model.nnr --tensors mine.npz --levels mine-levels.npz --trace mine.jsonl --format json
"""

TRACE_DESCRIPTION = """\
Write the bins of the arithmetic-coded payloads of a stream as lines of JSON: unit, tensor, context (-1 bypass, -2
terminate), value, and bits of the payload read so far. STREAM is as for nnr-suite diff.
"""


def add_diff(subparsers: Subparsers) -> None:
    """Add the subcommand `diff`."""
    options = _parser(subparsers, "diff", "say where a decoder parts from a stream", DESCRIPTION, EPILOG)
    add_implementation(options)
    for stage in STAGES:
        options.add_argument(f"--{stage}", metavar="FILE", help=f".npz or .safetensors file with its {stage}")
    options.add_argument("--trace", type=Path, metavar="FILE", help="its bins, as nnr-suite trace writes them")
    options.add_argument("--format", choices=("text", "json"), default="text", help="of the result (default: text)")
    options.set_defaults(run=_diff)


def add_trace(subparsers: Subparsers) -> None:
    """Add the subcommand `trace`."""
    options = _parser(
        subparsers,
        "trace",
        "write the bins of a stream",
        TRACE_DESCRIPTION,
        "exit codes: 0 written, 2 wrong use\n\nexample: nnr-suite trace core/8-decomposition-01 -o trace.jsonl",
    )
    options.add_argument("-o", "--output", type=Path, metavar="FILE", required=True, help="where to write them")
    options.set_defaults(run=_trace)


def _parser(subparsers: Subparsers, name: str, short: str, description: str, epilog: str) -> argparse.ArgumentParser:
    options: argparse.ArgumentParser = subparsers.add_parser(
        name,
        help=short,
        description=description,
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    options.add_argument("streams", nargs="+", metavar="STREAM", help="a golden stream or files")
    options.add_argument("--base", metavar="FILE", help="model that the first file updates")
    add_common_options(options)
    return options


def _diff(arguments: argparse.Namespace) -> int:
    case, chosen = _case(arguments), dict(Readings.choose(arguments.reading).chosen)
    given = {stage: getattr(arguments, stage) for stage in STAGES if getattr(arguments, stage) is not None}
    if given or arguments.trace is not None:
        output: dict[str, Arrays] = {stage: read_tensors(path) for stage, path in given.items()}
        trace = None if arguments.trace is None else TraceFile(arguments.trace)
        return _shown(arguments, case, {**case.check.get("readings", {}), **chosen}, output, trace)
    implementation = implementation_of(arguments)
    implementation = replace(implementation, readings={**implementation.readings, **chosen})
    with tempfile.TemporaryDirectory(prefix="nnr-", ignore_cleanup_errors=True) as folder:
        return _of_implementation(arguments, implementation, case, Path(folder))


def _of_implementation(arguments: argparse.Namespace, implementation: Implementation, case: Case, folder: Path) -> int:
    answer = answered(implementation, case, folder)
    result = judged(implementation, case, answer)
    if answer.ending is not Ending.DECODED:
        if arguments.format == "json":
            print(dump(plain_without_output(result), indent=2))
        else:
            print(printable(f"{case.id}: {result.result.value}{': ' if result.detail else ''}{result.detail}"))
        return NOT_DECODED
    decoding: Decoding = read_output(folder, implementation.bounds.output)
    output = {stage: arrays for stage in STAGES if (arrays := getattr(decoding, stage)) is not None}
    choices = {**asked(implementation, case), **result.followed}
    for reading, choice in result.followed.items():
        print(f"{case.id}: follows {reading}={choice}", file=sys.stderr)
    return _shown(arguments, case, choices, output, decoding.trace)


def _shown(
    arguments: argparse.Namespace, case: Case, choices: Choices, output: Mapping[str, Arrays], trace: Any
) -> int:
    verdict = expected_verdict(case, choices)
    if verdict is not Verdict.CONFORMING:
        raise UsageError(f"{case.id} is {verdict.value}: there is nothing that it is to be decoded to")
    found = localised(case, choices, output, trace)
    if arguments.format == "json":
        print(dump(plain(case, found), indent=2))
    else:
        print(*map(printable, lines(case, found)), sep="\n")
    return DIFFERS if found is not None else 0


def _trace(arguments: argparse.Namespace) -> int:
    case, chosen = _case(arguments), Readings.choose(arguments.reading).chosen
    write_trace(arguments.output, bins_of(chain_of(case, {**case.check.get("readings", {}), **chosen})))
    return 0


def _case(arguments: argparse.Namespace) -> Case:
    """The golden case of this name, or one of files."""
    places = arguments.streams
    if len(places) == 1:
        name = places[0].removeprefix(GOLDEN).removesuffix(".nnr")
        known = next((case for case in golden_cases() if case.id == name), None)
        if known is not None and not Path(places[0]).is_file():
            if arguments.base is not None or arguments.limit or arguments.out_of_band is not None:
                raise UsageError(f"what is agreed on beside {name} is known: no --base, --limit and --out-of-band")
            return known
    base = {} if arguments.base is None else read_tensors(arguments.base)
    check = settings_of(base, read_out_of_band(arguments.out_of_band), limits_of(arguments.limit))
    return Case(places[-1], places[-1], KIND, before=tuple(places[:-1]), check=check)
