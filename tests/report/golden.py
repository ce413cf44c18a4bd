"""The golden reports: one damaged chain of streams in every format, compared letter by letter.

``python -m tests.report.golden --write`` writes them anew, ``--check`` says which of them are out of date.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import nnr_conformance
from nnr_conformance.report.formats import FORMATS, Run, renderer
from nnr_conformance.report.html_explorer import script, specification
from tests.decoder.stream_builder import aggregate, coded, parameter_set, start

FOLDER = Path(__file__).with_suffix("")
SUFFIXES = {"text": "txt", "junit": "junit.xml", "sarif": "sarif.json"}
RUN = Run(
    limits={"units": 1 << 24, "tensor_elements": (1 << 31) - 1},
    strict=False,
    edition="auto",
    corpus="0.0.0",
    verbose=True,
)
UNSAFE = "w\x1b[31m <b>&\"'\u202e\ufffe]]>"
"""A tensor name that a terminal, an XML parser or a browser would obey if it were written as it is."""


def damaged_report() -> nnr_conformance.Report:
    """A model with an unsafe name, a bit broken in an aggregate unit and one at its end; then a stream cut short."""
    broken = bytearray(coded("w", "e2-001-plain"))
    broken[-3] ^= 0x40
    whole = start() + parameter_set() + coded(UNSAFE, "e2-001-plain")
    first = whole + aggregate(coded("a", "e2-001-plain"), bytes(broken)) + bytes(broken)
    report = nnr_conformance.check([first, whole[:-20]], names=["a&b.nnr", "cut.nnr"], details=1000)
    # The goldens do not change with every release.
    return replace(report, version="0.0.0")


def text_of(name: str) -> str:
    """The golden report in one format; of a page without specification and program, which have tests of their own."""
    text = "".join(f"{line}\n" for line in renderer(name)(damaged_report(), RUN))
    if name != "html":
        return text
    return re.sub(r"'sha256-[^']+'", "'sha256-'", text.replace(specification(), "").replace(script(), ""))


def path_of(name: str) -> Path:
    """Where it is kept."""
    return FOLDER / f"damaged.{SUFFIXES.get(name, name)}"


def main(arguments: Sequence[str]) -> int:
    """Write the golden reports, or compare them; the exit code."""
    if list(arguments) == ["--write"]:
        FOLDER.mkdir(exist_ok=True)
        for name in FORMATS:
            path_of(name).write_text(text_of(name), encoding="utf-8", newline="\n")
        return 0
    if list(arguments) == ["--check"]:
        old = [path_of(name) for name in FORMATS if not is_current(name)]
        for path in old:
            print(f"{path.relative_to(FOLDER.parent)} is out of date; python -m tests.report.golden --write")
        return int(bool(old))
    print(__doc__, file=sys.stderr)
    return 2


def is_current(name: str) -> bool:
    """True when the golden report of a format is what the renderer gives."""
    return path_of(name).is_file() and path_of(name).read_bytes() == text_of(name).encode("utf-8")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
