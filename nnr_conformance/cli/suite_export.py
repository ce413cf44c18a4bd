"""nnr-suite export: the specification as one document for programs in other languages."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from nnr_conformance.cli.suite_report import write
from nnr_conformance.data import data_path
from nnr_conformance.suite.export.document import render, specification, syntax
from nnr_conformance.suite.export.golden_streams import golden_page

# argparse does not name the class of what add_subparsers returns.
Subparsers = Any

SCHEMA = "spec/schemas/specification.schema.json"

DESCRIPTION = """\
Write the specification as one JSON document: every syntax structure with its elements, descriptors, conditions as
expression trees, inferred values and requirements; framing, and the state that units leave behind for others;
semantics, requirements, diagnostics, readings and tables. A program that reads it needs nothing else to parse the
high-level syntax; entropy-coded payloads stay bytes. docs/export.md describes the document. --explorer writes a page on
which a program that knows the document alone shows the golden streams, or files that are dropped on it.
"""

EPILOG = """\
exit codes: 0 written, 2 wrong use

example: nnr-suite export --json -o specification.json
         nnr-suite export --json --syntax-only
         nnr-suite export --schema
         nnr-suite export --explorer -o explorer.html
"""


def add_export(subparsers: Subparsers) -> None:
    """Add the subcommand `export`."""
    options: argparse.ArgumentParser = subparsers.add_parser(
        "export",
        help="the specification as one document, for other languages",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    what = options.add_mutually_exclusive_group(required=True)
    what.add_argument("--json", action="store_true", help="the document")
    what.add_argument("--explorer", action="store_true", help="a page to explore all golden streams with, or one's own")
    what.add_argument("--schema", action="store_true", help="the JSON Schema of the document")
    options.add_argument("--syntax-only", action="store_true", help="with --json: what a parser needs, and no more")
    options.add_argument("-o", "--output", type=Path, metavar="FILE", help="write it there")
    options.set_defaults(run=_export)


def _export(arguments: argparse.Namespace) -> int:
    if arguments.explorer:
        text = "".join(f"{line}\n" for line in golden_page())
    elif arguments.schema:
        text = data_path(SCHEMA).read_text(encoding="utf-8")
    else:
        text = render(syntax() if arguments.syntax_only else specification())
    if arguments.output is None:
        sys.stdout.write(text)
    else:
        write(arguments.output, text)
    return 0
