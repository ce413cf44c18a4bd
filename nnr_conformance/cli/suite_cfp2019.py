"""nnr-suite cfp2019: the nine pipelines of the 2019 call for proposals, rebuilt and evaluated."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from nnr_conformance.data import data_path
from nnr_conformance.errors import UsageError
from nnr_conformance.suite.cfp2019.evaluation import Evaluation
from nnr_conformance.suite.cfp2019.footprint import PROPOSALS, Tool, tools
from nnr_conformance.suite.cfp2019.plot import plot
from nnr_conformance.suite.cfp2019.stored import FOLDER, evaluations, problems, write_files

# argparse does not name the class of what add_subparsers returns.
Subparsers = Any

DESCRIPTION = """\
Rebuild the streams of bitstreams/cfp2019: nine pipelines, one for each proposal to the 2019 call, on three small
networks. Decode them, run the decoded networks on test images, and print the table of the call. All figures come from
decoded bytes.
"""

EPILOG = """\
columns: bytes     of the streams up to this one; "+" marks an update, which is counted with what it updates
         ratio     against the parameters of the trained network in binary32
         before, after  share of right answers; squared error for the autoencoder, where less is better
         parameters     of the trained network and of that which a decoder can run: pruned, or in its factors
         one layer      bytes that are read to decode the weight of the second layer and nothing else: headers of
                        units and that weight's units; "differs" when that is not what the whole stream gives

exit codes: 0 all is well, 1 --check found problems, 2 wrong use

example: nnr-suite cfp2019 --check
         nnr-suite cfp2019 --plot rate-accuracy.svg
"""


def add_cfp2019(subparsers: Subparsers) -> None:
    """Add the subcommand `cfp2019`."""
    options: argparse.ArgumentParser = subparsers.add_parser(
        "cfp2019",
        help="the nine pipelines of the 2019 call for proposals",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    choice = options.add_mutually_exclusive_group()
    choice.add_argument("--check", action="store_true", help="compare the stored files with what the pipelines give")
    choice.add_argument("--write", action="store_true", help="write the streams and their index")
    options.add_argument("--folder", metavar="FOLDER", help="of the stored files, where it is not that of the suite")
    options.add_argument("--plot", metavar="FILE", help="write a rate-accuracy plot (SVG)")
    options.add_argument("--format", choices=("text", "json"), default="text", help="of what is printed")
    options.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    folder = Path(arguments.folder) if arguments.folder else data_path(FOLDER)
    if not folder.is_dir():
        raise UsageError(f"there is no folder {folder}")
    if arguments.plot and not Path(arguments.plot).parent.is_dir():
        raise UsageError(f"cannot write {arguments.plot}: there is no such folder")
    rows = evaluations()
    try:
        found = list(problems(folder)) if arguments.check else []
        changed = list(write_files(folder)) if arguments.write else []
        if arguments.plot:
            Path(arguments.plot).write_text(plot(rows), encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{error.filename}: {error.strerror}") from error
    if arguments.format == "json":
        listed = [asdict(row) | {"ratio": round(row.ratio, 2)} for row in rows]
        print(json.dumps({"streams": listed, "problems": found}, indent=1, ensure_ascii=False))
        return int(bool(found))
    for line in [*table(rows), "", *shown(rows), "", *changed, *found]:
        print(line)
    total = sum(row.size for row in rows if row.partial is not None)
    print(f"{len(rows)} streams of {len(PROPOSALS)} proposals; models of {total} bytes in all")
    if arguments.check:
        print(f"{len(found)} problems in {FOLDER}/" if found else f"{FOLDER}/ is what the pipelines give")
    return int(bool(found))


def table(rows: Sequence[Evaluation]) -> Iterator[str]:
    """The table of the call, one line for each proposal and network."""
    heads = f"{'':4} {'network':12} {'bytes':>6} {'ratio':>6} {'before':>8} {'after':>8}"
    yield f"{heads} {'parameters':>15} {'one layer':>10}"
    for row in rows:
        proposal = row.proposal + ("+" if row.partial is None else "")
        digits = 3 if row.right is not None else 5
        sizes = f"{row.parameters_before} > {row.parameters}" if row.parameters < row.parameters_before else "same"
        partial = "" if row.partial is None else f"{row.partial.read}{'' if row.partial.agrees else ' differs'}"
        yield (
            f"{proposal:4} {row.network:12} {row.size:6} {row.ratio:6.1f} {row.before:8.{digits}f} "
            f"{row.after:8.{digits}f} {sizes:>15} {partial:>10}"
        )


def shown(rows: Sequence[Evaluation]) -> Iterator[str]:
    """The tools of the call by proposals, and whether a stream of the proposal shows them."""
    yield f"{'tool':46} " + " ".join(f"{proposal:>4}" for proposal in PROPOSALS) + "  trace"
    seen = {(row.proposal, tool) for row in rows for tool in row.shown}
    for tool in tools():
        marks = [_mark(tool, proposal, (proposal, tool.id) in seen) for proposal in PROPOSALS]
        yield f"{tool.name:46} " + " ".join(f"{mark:>4}" for mark in marks) + f"  {tool.trace}"
    yield "yes: a stream of the proposal shows it; fits: what the stream has fits it but proves nothing; -: no trace"


def _mark(tool: Tool, proposal: str, is_shown: bool) -> str:
    if proposal not in tool.marks:
        return ""
    return ("fits" if tool.trace == "none" else "yes") if is_shown else "-"
