"""nnr-check: is this stream right, and if not, what is wrong, where, and which requirement says so?"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from nnr_conformance.api import chain_decoder
from nnr_conformance.checker.check import check_chain
from nnr_conformance.cli.progress import Progress, advise
from nnr_conformance.cli.running import print_no_more, run
from nnr_conformance.cli.streams import ReadPages, add_common_options, limits_of, read_out_of_band, read_streams
from nnr_conformance.data import corpus_version
from nnr_conformance.errors import UsageError
from nnr_conformance.report.formats import FORMATS, Run, renderer
from nnr_conformance.report.model import Report
from nnr_conformance.version import VERSION

MOST_ELEMENTS_SHOWN = 20_000
"""Syntax elements in an HTML report; nnr-explain lists all of them."""

EPILOG = """\
Every unit, header and payload is decoded and checked. Several streams are one chain: a model, then its updates in
order; streams that have nothing to do with each other do not disturb each other, and --separate checks each alone.

exit codes: 0 conforming (with --headers: nothing is wrong in them), 1 nonconforming, 2 wrong use, 3 undetermined or a
limit was hit

example: nnr-check model.nnr
         nnr-check --headers large.nnr
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
    options.add_argument("--format", choices=tuple(FORMATS), default="text", help="form of the report")
    options.add_argument("-o", "--output", metavar="FILE", help="write the report to this file")
    options.add_argument("--strict", action="store_true", help="requirements of medium confidence count as errors")
    options.add_argument(
        "--edition",
        choices=("auto", "1", "2"),
        default="auto",
        help="edition whose profiles and requirements apply; auto follows general_profile_idc of each model",
    )
    options.add_argument(
        "--headers", action="store_true", help="check framing, syntax and semantics; do not decode the payloads"
    )
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
    if arguments.output is not None:
        _refuse_output(Path(arguments.output), arguments.streams)
    chains = [[path] for path in arguments.streams] if arguments.separate else [arguments.streams]
    details = MOST_ELEMENTS_SHOWN // len(chains) if arguments.format == "html" else 0
    reports = [_check(paths, arguments, details) for paths in chains]
    report = Report(tuple(stream for one in reports for stream in one.streams), VERSION)
    run = Run(
        limits=asdict(limits_of(arguments.limit)),
        strict=arguments.strict,
        edition=arguments.edition,
        corpus=corpus_version(),
        verbose=arguments.verbose,
        colour=arguments.output is None and sys.stdout.isatty(),
    )
    _write(renderer(arguments.format)(report, run), arguments)
    if arguments.headers and all(stream.right_so_far for stream in report.streams):
        return 0
    return report.verdict.exit_code


def _refuse_output(output: Path, streams: Sequence[str]) -> None:
    """Say before the work begins that a report cannot be written there. Raises UsageError."""
    try:
        if output.is_dir() or not output.parent.is_dir():
            raise UsageError(f"cannot write {output}: not a file in a folder that exists")
        if output.exists() and any(Path(path).exists() and output.samefile(path) for path in streams):
            raise UsageError(f"the report would replace the stream {output}")
    except OSError as error:
        raise UsageError(f"cannot write {output}: {error.strerror}") from error


def _write(lines: Iterable[str], arguments: argparse.Namespace) -> None:
    if arguments.output is None:
        if arguments.format != "text" and hasattr(sys.stdout, "reconfigure"):
            # What programs read is UTF-8 whatever a terminal prefers; XML and HTML say so of themselves.
            sys.stdout.reconfigure(encoding="utf-8")
        try:
            for line in lines:
                print(line)
            sys.stdout.flush()
        except BrokenPipeError:
            # The verdict is not less true for that; the exit code tells it.
            print_no_more()
        return
    try:
        with Path(arguments.output).open("w", encoding="utf-8", errors="backslashreplace", newline="\n") as file:
            file.writelines(f"{line}\n" for line in lines)
    except OSError as error:
        raise UsageError(f"cannot write {arguments.output}: {error.strerror}") from error


def _check(paths: list[str], arguments: argparse.Namespace, details: int) -> Report:
    streams = read_streams(paths)
    total = sum(len(stream) for stream in streams)
    advise(total)
    chain = chain_decoder(
        streams,
        base=_base(arguments.base),
        readings=arguments.reading,
        limits=limits_of(arguments.limit),
        strict=arguments.strict,
        out_of_band=read_out_of_band(arguments.out_of_band),
    )
    progress = Progress(total, "checking")
    chain.on_progress, chain.on_read = progress.at, ReadPages(chain.streams).at
    report = check_chain(chain, paths, details=details, edition=_edition(arguments), headers_only=arguments.headers)
    progress.done()
    return report


def _edition(arguments: argparse.Namespace) -> int | None:
    return None if arguments.edition == "auto" else int(arguments.edition)


def _base(path: str | None) -> Mapping[str, NDArray[Any]] | None:
    if path is None:
        return None
    from nnr_conformance.tensor_files import read_tensors  # noqa: PLC0415 - a check without a base starts sooner

    return read_tensors(path)


if __name__ == "__main__":
    sys.exit(main())
