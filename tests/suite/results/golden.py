"""The golden reports: one run made by hand that has every result, in every format, compared letter by letter.

``python -m tests.suite.results.golden --write`` writes them anew.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from nnr_conformance.suite.results.formats import FORMATS, renderer
from nnr_conformance.suite.results.report import About, Reason, RunHeader, RunReport
from nnr_conformance.suite.runner.model import CaseResult, Result

FOLDER = Path(__file__).with_suffix("")
SUFFIXES = {"text": "txt", "junit": "junit.xml", "markdown": "md"}
UNSAFE = "w\x1b[31m <b>&\"'`|*\u202e\ufffe]]> \\ --"
"""Text that a terminal, an XML parser, Markdown or a browser would obey if it were written as it is."""

HEADER = RunHeader(
    implementation="Example",
    version="1.2",
    reached="command exampledec {stream} -o {tensors}",
    suite="0.0.0",
    corpus="0.0.0",
    corpus_digest="0123456789abcdef" * 4,
    manifest="nnr-corpus/1",
    python="3.11.0",
    numpy="2.0.0",
    platform="Linux x86_64",
    date="2026-01-02",
    cases=10,
    partial=False,
    seconds=60.0,
    memory=4 << 30,
    editions=(1, 2),
    tools=("entry points", "row skip", "uniform"),
    readings={"edition1-payload": "31", "split-index": "zero"},
)

RESULTS = (
    CaseResult(
        "core/10-entry-points-01", Result.PASS, compared=("levels", "tensors"), seconds=0.25, peak_bytes=1 << 26
    ),
    CaseResult(
        "core/10-entry-points-02",
        Result.FAIL,
        stage="levels",
        detail="tensor 'w': element 3 is 5, not 7",
        compared=("levels", "tensors"),
        seconds=0.5,
    ),
    CaseResult(
        "core/10-entry-points-03",
        Result.FAIL,
        stage="levels",
        detail="tensor 'w': element 3 is 5, not 7",
        compared=("levels", "tensors"),
        known=True,
    ),
    CaseResult("core/6-carried-data-01", Result.REJECTED, detail="exit code 1: no"),
    CaseResult("requirements/6/6-aggregate-count-01", Result.ACCEPTED_INVALID, detail="decoded; aggregate_count"),
    CaseResult("extremes/9-codebooks-09", Result.CRASH, detail=f"signal 11: {UNSAFE}", peak_bytes=3 << 30),
    CaseResult("extremes/9-codebooks-10", Result.TIMEOUT, detail="more than 60 s", seconds=60.01),
    CaseResult("tools/8-bias-01", Result.NOT_SUPPORTED, detail="tool bias is not claimed"),
    CaseResult("readings/10-edition-1-payload-02", Result.PASS, followed={"edition1-payload": "32"}),
    CaseResult(f"field/{UNSAFE}", Result.FAIL, stage="tensors", detail=UNSAFE, followed={"split-index": "zero"}),
)

ABOUT = {
    "core/10-entry-points-01": About("core", ("entry points", "uniform"), ("R-EP-01",)),
    "core/10-entry-points-02": About("core", ("entry points", "uniform"), ("R-EP-01", "R-AC-02")),
    "core/10-entry-points-03": About("core", ("entry points",), ("R-EP-01",)),
    "core/6-carried-data-01": About("core", ("uniform",), ("R-UNIT-02",)),
    "requirements/6/6-aggregate-count-01": About("nonconforming", (), ("R-AGG-01",)),
    "extremes/9-codebooks-09": About("extremes", ("codebook",), ("R-CB-01",)),
    "extremes/9-codebooks-10": About("extremes", ("codebook",), ("R-CB-01",)),
    "tools/8-bias-01": About("tools", ("bias",), ()),
    "readings/10-edition-1-payload-02": About("readings", ("uniform",), ("R-AC-01",)),
}


REASONS = {
    "core/10-entry-points-03": Reason(
        f"Entry points are not read {UNSAFE}.", "https://example.org/1", "D-01", "split-index"
    )
}


def run_report() -> RunReport:
    """The run."""
    return RunReport(HEADER, RESULTS, ABOUT, REASONS)


def text_of(name: str) -> str:
    """The golden report in one format."""
    return "".join(f"{line}\n" for line in renderer(name)(run_report()))


def path_of(name: str) -> Path:
    """Where it is kept."""
    return FOLDER / f"run.{SUFFIXES.get(name, name)}"


def main(arguments: Sequence[str]) -> int:
    """Write the golden reports; the exit code."""
    if list(arguments) != ["--write"]:
        print(__doc__, file=sys.stderr)
        return 2
    FOLDER.mkdir(exist_ok=True)
    for name in FORMATS:
        path_of(name).write_text(text_of(name), encoding="utf-8", newline="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
