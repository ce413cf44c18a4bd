"""nnr-check: is this stream right, and if not, what is wrong, where, and which requirement says so?"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence

from nnr_conformance.api import chain_decoder
from nnr_conformance.checker.check import check_chain
from nnr_conformance.cli.progress import Progress, advise
from nnr_conformance.cli.running import run
from nnr_conformance.cli.streams import add_common_options, limits_of, read_out_of_band, read_streams
from nnr_conformance.cli.tensor_files import read_tensors
from nnr_conformance.report.json import to_json
from nnr_conformance.report.model import Report
from nnr_conformance.report.text import render
from nnr_conformance.version import VERSION

EPILOG = """\
Every unit, header and payload is decoded and checked. Several streams are one chain: a model, then its updates in
order; streams that have nothing to do with each other do not disturb each other, and --separate checks each alone.

exit codes: 0 conforming, 1 nonconforming, 2 wrong use, 3 undetermined or a limit was hit

example: nnr-check model.nnr
         nnr-check --verbose base.nnr update1.nnr update2.nnr
"""


def parser() -> argparse.ArgumentParser:
    """The command's options."""
    options = argparse.ArgumentParser(
        prog="nnr-check",
        description="Check streams of ISO/IEC 15938-17 (NNR / NNC), compressed neural networks.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    options.add_argument("streams", nargs="+", metavar="STREAM", help="stream file")
    options.add_argument("-v", "--verbose", action="store_true", help="list all units, tensors and stage digests")
    options.add_argument("--format", choices=("text", "json"), default="text", help="form of the report")
    options.add_argument("--strict", action="store_true", help="requirements of medium confidence count as errors")
    options.add_argument("--separate", action="store_true", help="check each stream alone, not as a chain")
    options.add_argument("--base", metavar="FILE", help=".npz or .safetensors file with the model to update")
    add_common_options(options)
    options.add_argument("--version", action="version", version=f"nnr-check {VERSION}")
    return options


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point of nnr-check; returns the exit code."""
    arguments = parser().parse_args(argv)
    return run("nnr-check", lambda: _main(arguments))


def _main(arguments: argparse.Namespace) -> int:
    chains = [[path] for path in arguments.streams] if arguments.separate else [arguments.streams]
    reports = [_check(paths, arguments) for paths in chains]
    report = Report(tuple(stream for one in reports for stream in one.streams), VERSION)
    if arguments.format == "json":
        json.dump(to_json(report), sys.stdout, indent=2, ensure_ascii=False)
        print()
    else:
        for line in render(report, verbose=arguments.verbose, colour=sys.stdout.isatty()):
            print(line)
    return report.verdict.exit_code


def _check(paths: list[str], arguments: argparse.Namespace) -> Report:
    streams = read_streams(paths)
    total = sum(len(stream) for stream in streams)
    advise(total)
    chain = chain_decoder(
        streams,
        base=None if arguments.base is None else read_tensors(arguments.base),
        readings=arguments.reading,
        limits=limits_of(arguments.limit),
        strict=arguments.strict,
        out_of_band=read_out_of_band(arguments.out_of_band),
    )
    progress = Progress(total, "checking")
    chain.on_progress = progress.at
    report = check_chain(chain, paths)
    progress.done()
    return report


if __name__ == "__main__":
    sys.exit(main())
