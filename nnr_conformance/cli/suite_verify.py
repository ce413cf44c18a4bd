"""nnr-suite verify: the stored streams through the checker and the decoder."""

from __future__ import annotations

import argparse
import os
import time
from collections import Counter
from typing import Any

from nnr_conformance.cli.progress import Progress
from nnr_conformance.suite.corpus.summary import manifest_rows
from nnr_conformance.suite.corpus.verify import verified

# argparse does not name the class of what add_subparsers returns.
Subparsers = Any

DESCRIPTION = """\
Check and decode every stored stream and compare verdict, findings and the digests of all stages with
bitstreams/manifest.json.
"""


def add_verify(subparsers: Subparsers) -> None:
    """Add the subcommand `verify`."""
    options: argparse.ArgumentParser = subparsers.add_parser(
        "verify",
        help="check and decode the stored streams",
        description=DESCRIPTION,
        epilog="exit codes: 0 all agree, 1 something differs, 2 wrong use\n\nexample: nnr-suite verify",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    options.add_argument("--jobs", type=int, metavar="N", help="processes at a time (default: one each core)")
    options.set_defaults(run=_verify)


def _verify(arguments: argparse.Namespace) -> int:
    begin = time.monotonic()
    progress = Progress(len(manifest_rows()), "streams checked")
    wrong = 0
    for path, differing in verified(arguments.jobs or os.cpu_count() or 1, lambda done, _: progress.at(done)):
        if differing:
            wrong += 1
            print(f"{path}: differs in {', '.join(differing)}")
    progress.done()
    verdicts = Counter(row["verdict"] for row in manifest_rows())
    listed = ", ".join(f"{count} {verdict}" for verdict, count in sorted(verdicts.items()))
    spent = time.monotonic() - begin
    print(f"{len(manifest_rows())} streams ({listed}) checked and decoded in {spent:.1f} s; {wrong} differ")
    return int(wrong > 0)
