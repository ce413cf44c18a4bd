"""nnr-suite certify: an encoder through the battery, and a certificate when nothing was wrong."""

from __future__ import annotations

import argparse
import datetime
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nnr_conformance.cli.progress import Progress
from nnr_conformance.cli.run_options import add_implementation, implementation_of
from nnr_conformance.errors import UsageError
from nnr_conformance.suite.certify.badge import badge_json, badge_svg
from nnr_conformance.suite.certify.certificate import CERTIFIED, body_of
from nnr_conformance.suite.certify.examination import stream_path
from nnr_conformance.suite.certify.folder import CERTIFICATE, REPORT, as_text, prepared, write_files
from nnr_conformance.suite.certify.going_through import Plan, examinations
from nnr_conformance.suite.certify.report import report_lines
from nnr_conformance.suite.certify.scale import WEIGHTS
from nnr_conformance.suite.certify.signing import sign
from nnr_conformance.suite.certify.working_points import DEFAULT_POINTS, read_working_points

# argparse does not name the class of what add_subparsers returns.
Subparsers = Any

DESCRIPTION = """\
Let an encoder encode a battery of models at each of its working points, check and decode every stream, compare with
what was given, and write a certificate. There is none when anything was left out, refused without need, too slow, or
wrong: the reasons are told instead, and the report and the streams are written without it.
"""

EPILOG = """\
In a command template stand {tensors} (the model, a .npz or .safetensors file), {stream} (the file to write), and maybe
{before} (the streams to update, as so many words) and {options} (a JSON file with the options of the working point);
words between [ ] are left out when there is nothing to put there.

exit codes: 0 certified, or report written with --report-only; 1 no certificate; 2 wrong use

example: nnr-suite certify --adapter nnr-encode --working-points points.yaml -o certificate
         nnr-suite certify --encoder "myenc {tensors} -o {stream} [--base {before}]" -o certificate
         nnr-suite verify certificate
"""


def add_certify(subparsers: Subparsers) -> None:
    """Add the subcommand `certify`."""
    options: argparse.ArgumentParser = subparsers.add_parser(
        "certify",
        help="put an encoder through its paces",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_implementation(options, "encoder")
    options.add_argument("--working-points", type=Path, metavar="FILE", help="YAML: options and claims, see the docs")
    options.add_argument("-o", "--output", type=Path, required=True, metavar="FOLDER", help="empty or new folder")
    options.add_argument("--report-only", action="store_true", help="a report, whatever it says, and no certificate")
    options.add_argument(
        "--only", action="append", default=[], metavar="ID", help="inputs whose id begins so; no certificate"
    )
    options.add_argument("--strict", action="store_true", help="requirements of medium confidence count as errors")
    options.add_argument(
        "--weights", type=int, default=WEIGHTS, metavar="N", help="of the large input (default %(default)s)"
    )
    options.add_argument("--jobs", type=int, default=os.cpu_count() or 1, metavar="N", help="processes at a time")
    options.add_argument("--sign", action="store_true", help="sign the manifest with sigstore")
    options.set_defaults(run=_certify)


def _certify(arguments: argparse.Namespace) -> int:
    implementation = implementation_of(arguments, role="encoder")
    if arguments.weights < 1:
        raise UsageError("the large input has at least one weight")
    points = DEFAULT_POINTS if arguments.working_points is None else read_working_points(arguments.working_points)
    plan = Plan(implementation, points, arguments.weights, tuple(arguments.only), arguments.strict)
    if not plan.places():
        raise UsageError(f"no input of the battery begins with {' or '.join(arguments.only)}")
    prepared(arguments.output)
    begin = time.monotonic()
    progress = Progress(len(plan.places()), "inputs encoded and examined")
    found = examinations(plan, arguments.jobs, lambda done, _: progress.at(done))
    progress.done()
    body = body_of(plan, found)
    streams = {
        stream_path(one.point, one.input, number): stream for one in found for number, stream in enumerate(one.streams)
    }
    certified = body["verdict"] == CERTIFIED and not arguments.report_only
    write_files(arguments.output, {**streams, **_written(body, certified)})
    if certified and arguments.sign:
        sign(arguments.output)
    for line in report_lines(body):
        print(line)
    spent = time.monotonic() - begin
    what = "certificate" if certified else "report"
    print(f"\n{what} of {len(found)} examinations written to {arguments.output} in {spent:.1f} s")
    return int(not certified and not arguments.report_only)


def _written(body: Mapping[str, Any], certified: bool) -> dict[str, bytes]:
    """The files beside the streams."""
    dated = {**body, "date": datetime.datetime.now(datetime.UTC).date().isoformat()}
    files = {"report.md": "\n".join(report_lines(body)) + "\n"}
    if certified:
        files |= {CERTIFICATE: as_text(dated), "badge.svg": badge_svg(body), "badge.json": badge_json(body)}
    else:
        files[REPORT] = as_text(dated)
    return {name: text.encode() for name, text in files.items()}
