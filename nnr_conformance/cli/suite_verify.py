"""nnr-suite verify: the stored streams, or a certificate and its streams, through the checker and the decoder."""

from __future__ import annotations

import argparse
import os
import time
from collections import Counter
from pathlib import Path
from typing import Any

from nnr_conformance.cli.progress import Progress
from nnr_conformance.cli.run_options import add_implementation, implementation_of, names_implementation
from nnr_conformance.errors import UsageError
from nnr_conformance.suite.certify.folder import BUNDLE, read_certificate
from nnr_conformance.suite.certify.signing import signature_problem
from nnr_conformance.suite.certify.verification import rerun, verify
from nnr_conformance.suite.corpus.summary import manifest_rows
from nnr_conformance.suite.corpus.verify import verified

# argparse does not name the class of what add_subparsers returns.
Subparsers = Any

DESCRIPTION = """\
Check and decode every stored stream and compare verdict, findings and the digests of all stages with
bitstreams/manifest.json. With a certificate: check its manifest, check and decode its streams, make the battery again,
compare, and say where the certificate says something else than follows from all that. This is done offline.
"""

EPILOG = """\
exit codes: 0 all agree, 1 something differs, 2 wrong use

example: nnr-suite verify
         nnr-suite verify certificate
         nnr-suite verify certificate --identity me@example.org --issuer https://github.com/login/oauth
         nnr-suite verify certificate --rerun --adapter myencoder:Adapter
"""


def add_verify(subparsers: Subparsers) -> None:
    """Add the subcommand `verify`."""
    options: argparse.ArgumentParser = subparsers.add_parser(
        "verify",
        help="check and decode the stored streams",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    options.add_argument("certificate", nargs="?", type=Path, metavar="CERT", help="a certificate, or its folder")
    options.add_argument("--jobs", type=int, metavar="N", help="processes at a time (default: one each core)")
    options.add_argument("--rerun", action="store_true", help="let the encoder encode the battery again and compare")
    add_implementation(options, "encoder")
    options.add_argument("--identity", metavar="WHO", help="check the signature: who signed")
    options.add_argument("--issuer", metavar="URL", help="check the signature: who vouches for that identity")
    options.set_defaults(run=_verify)


def _verify(arguments: argparse.Namespace) -> int:
    if arguments.certificate is not None:
        return _verify_certificate(arguments)
    if arguments.rerun or arguments.identity or arguments.issuer or names_implementation(arguments):
        raise UsageError("these options are for a certificate: name it")
    return _verify_corpus(arguments)


def _verify_certificate(arguments: argparse.Namespace) -> int:
    content = read_certificate(arguments.certificate)
    folder = arguments.certificate if arguments.certificate.is_dir() else arguments.certificate.parent
    if (arguments.identity is None) != (arguments.issuer is None):
        raise UsageError("a signature is checked with both --identity and --issuer")
    encoder = implementation_of(arguments, role="encoder") if names_implementation(arguments) else None
    if arguments.rerun != (encoder is not None):
        raise UsageError(
            "--rerun and an encoder go together: --encoder TEMPLATE, --adapter NAME or --implementation FILE"
        )
    progress = Progress(max(1, len(content.get("results", ()))), "results verified")
    found = verify(content, folder, lambda done, _: progress.at(done))
    problems, notes = list(found.problems), list(found.notes)
    if arguments.identity is not None:
        problems += filter(None, [signature_problem(folder, arguments.identity, arguments.issuer)])
    elif (folder / BUNDLE).is_file():
        notes.append("the signature was not checked: give --identity and --issuer")
    if encoder is not None:
        again = rerun(content, encoder, arguments.jobs or os.cpu_count() or 1, lambda done, _: progress.at(done))
        problems += [f"encoded again: {one}" for one in again.problems]
    progress.done()
    for line in (*problems, *(f"note: {one}" for one in notes)):
        print(line)
    subject = " ".join(str(content["implementation"][name]) for name in ("name", "version"))
    what = "holds" if not problems else f"does not hold: {len(problems)} problem{'s' if len(problems) > 1 else ''}"
    print(f"the certificate of {subject}, {found.streams} streams, {what}")
    return int(bool(problems))


def _verify_corpus(arguments: argparse.Namespace) -> int:
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
