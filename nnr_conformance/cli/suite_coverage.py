"""nnr-suite coverage: what streams exercise of the syntax, of entropy decoding, of the tools and of the decoder."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from nnr_conformance.cli.progress import Progress
from nnr_conformance.suite.coverage.code_items import measure_code
from nnr_conformance.suite.coverage.items import coverage_of, smallest_subset
from nnr_conformance.suite.coverage.measure import hits_of, universe
from nnr_conformance.suite.coverage.page import page
from nnr_conformance.suite.coverage.report import text_lines, to_json
from nnr_conformance.suite.coverage.samples import samples, stream_files

# argparse does not name the class of what add_subparsers returns.
Subparsers = Any

DESCRIPTION = """\
Measure what streams exercise: each syntax element and the ends of its range, each condition both ways, loops, each
enumeration value, requirements met and broken, contexts, initialization ids, states of the arithmetic decoder, borders
of the scan, coding tools and their pairs. Without STREAM the stored streams of this suite are measured; with your own
it tells what your encoder exercises.
"""

EPILOG = """\
exit codes: 0 all reachable items are met (or no --minimum), 1 fewer than --minimum percent, 2 wrong use

example: nnr-suite coverage
         nnr-suite coverage --format html my_streams/ > coverage.html
         nnr-suite coverage --select
"""


def add_coverage(subparsers: Subparsers) -> None:
    """Add the subcommand `coverage`."""
    options: argparse.ArgumentParser = subparsers.add_parser(
        "coverage",
        help="what streams exercise",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    options.add_argument("streams", metavar="STREAM", nargs="*", type=Path, help="files, or folders of .nnr and .nnc")
    options.add_argument("--format", choices=("text", "json", "html"), default="text")
    options.add_argument("--missing", metavar="N", type=int, default=10, help="items not met to list of each group")
    options.add_argument("--code", action="store_true", help="lines and branches of the decoder too; needs coverage")
    options.add_argument("--select", action="store_true", help="print few small streams that meet as much as all")
    options.add_argument(
        "--minimum", metavar="PERCENT", type=float, default=0.0, help="fail below this, over all items"
    )
    options.set_defaults(run=_coverage)


def _coverage(arguments: argparse.Namespace) -> int:
    files = stream_files(arguments.streams)
    progress = Progress(sum(path.stat().st_size for path in files), "measuring")
    found = []
    for sample in samples(files):
        found.append(hits_of(sample))
        progress.at(sum(one.size for one in found))
    progress.done()
    coverage = coverage_of(universe(), found)
    if arguments.select:
        chosen = smallest_subset(coverage)
        print("\n".join(chosen))
        return 0
    code = measure_code(files) if arguments.code else []
    if arguments.format == "text":
        print("\n".join(text_lines(coverage, code, missing=arguments.missing)))
    else:
        values = to_json(coverage, code)
        print(page(values) if arguments.format == "html" else json.dumps(values, indent=1, ensure_ascii=False))
    reachable = len(coverage.universe) - len(coverage.unreachable)
    met = reachable - len(coverage.missing)
    return int(100 * met < arguments.minimum * reachable)
