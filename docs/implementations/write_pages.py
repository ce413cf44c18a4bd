"""Write the result pages of decoders, and the baselines of their failures, from runs of the whole corpus.

    python docs/implementations/write_pages.py [--check] [--run FILE] [NAME...]

Run from the root of the repository, with examples/nncodec in PYTHONPATH. A NAME is that of a page; an implementation
that cannot be run here is an error. `--check` runs, writes nothing, and ends with exit code 1 when anything would
change. `--run` takes the results of the one page from a file that `nnr-suite run --results FILE` wrote.
"""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from textwrap import fill

from explained import Cause, baseline_of, causes, divergences, explained
from page_files import chosen_names, page_options, section, settle

from nnr_conformance.errors import NnrError
from nnr_conformance.suite.corpus.families.tool_pairs import REQUIREMENTS
from nnr_conformance.suite.results.baseline_file import text_of
from nnr_conformance.suite.results.finding import Finding
from nnr_conformance.suite.results.header import corpus_digest, header_of
from nnr_conformance.suite.results.markdown import finding_lines, table, tally_table, text, tool_table
from nnr_conformance.suite.results.report import RunReport, about_of
from nnr_conformance.suite.results.runs import load_run
from nnr_conformance.suite.results.suspects import findings
from nnr_conformance.suite.results.text import what_fails
from nnr_conformance.suite.results.unit_order import with_unit_orders
from nnr_conformance.suite.runner.cases import golden_cases
from nnr_conformance.suite.runner.declaration import from_adapter, from_file
from nnr_conformance.suite.runner.driver import run_cases
from nnr_conformance.suite.runner.executors import executor_for
from nnr_conformance.suite.runner.implementation import Implementation
from nnr_conformance.suite.runner.model import CaseResult, Result

FOLDER = Path(__file__).parent
EXAMPLES = FOLDER.parent.parent / "examples" / "nncodec"

WIDTH = 120

ABOUT_RESULTS = """\
Each stream of the corpus went to the decoder in a process of its own. Where the public facts on the standard can be
read in two ways, either choice passes.

* *not-supported*: NNCodec says that it is not implemented, or its interface has no place for what the case needs. That
  is not wrong, and is counted apart.
* *fail*: decoded to something else. *rejected*: a conforming stream was refused on purpose, by an assertion or an error
  of the entropy decoder. *accepted-invalid*: a nonconforming stream was decoded.
* *crash*: it ended with an exception that is not raised on purpose, such as KeyError, or with a signal. For a
  nonconforming stream that is no rejection either, though a caller who catches everything may not mind."""


@dataclass(frozen=True, slots=True)
class Page:
    """A page, and how its implementation is reached: an adapter, or a declaration beside the examples."""

    name: str
    reached: Callable[[], Implementation]
    release: str
    how: str


PAGES = (
    Page(
        "nncodec-2.1.3",
        lambda: from_adapter("nncodec_adapter:NNCodec"),
        "2.1.3",
        "NNCodec 2.1.3 from PyPI, called as its users call it: `decompress`, with local scaling and with the state "
        "that it takes for updates. The calls are in `examples/nncodec`; nothing in NNCodec is changed.",
    ),
    Page(
        "nncodec-2.0.1",
        lambda: from_file(EXAMPLES / "nncodec-2.0.1.yaml"),
        "2.0.1",
        "NNCodec 2.0.1, the oldest release on PyPI, by a command in an environment of its own, called like 2.1.3. The "
        "registry of divergences was made from 1.0 and 2.1.3; where this release fails in the same words, they are "
        "named.",
    ),
)


def report_of(page: Page) -> RunReport:
    """Run the whole corpus."""
    implementation = page.reached()
    cases = golden_cases()
    with executor_for("", int(os.environ.get("NNR_JOBS", os.cpu_count() or 1))) as executor:
        found = {one.case: one for one in run_cases(implementation, cases, executor)}
    header = header_of(implementation, len(cases), date="")
    report = RunReport(header, tuple(found[case.id] for case in cases), {case.id: about_of(case) for case in cases})
    return with_unit_orders(report, cases)


def of_page(page: Page, report: RunReport) -> RunReport:
    """The run under the name of the page, cases in the order of the manifest; it is of the release and whole."""
    header = replace(report.header, implementation="NNCodec")
    if header.version != page.release or header.corpus_digest != corpus_digest() or report.is_partial:
        raise SystemExit(f"{page.name} is about NNCodec {page.release} and the whole corpus, this run is not")
    found = {one.case: one for one in report.results}
    return RunReport(header, tuple(found[case.id] for case in golden_cases()), report.about)


def files_of(page: Page, report: RunReport) -> Iterator[tuple[Path, str]]:
    """The page and the baseline: where they are, and what is in them."""
    yield FOLDER / f"{page.name}.md", "".join(f"{line}\n" for line in page_lines(page, report))
    baseline = text_of(baseline_of(report, causes()))
    yield EXAMPLES / f"baseline-{page.release}.yaml", "".join(f"{line}\n" for line in baseline)


def page_lines(page: Page, report: RunReport) -> Iterator[str]:
    """The page."""
    header, counts = report.header, report.counts
    ran = header.cases - counts[Result.NOT_SUPPORTED]
    yield f"# NNCodec {header.version} through the corpus"
    yield ""
    yield f"Written by `python docs/implementations/write_pages.py {page.name}`."
    yield ""
    yield from _prose(page.how)
    yield ""
    yield from _prose(
        f"Corpus {header.corpus} ({header.corpus_digest[:12]}), {header.cases} cases, each within "
        f"{header.memory >> 30} GiB and {header.seconds:g} s. Of the {ran} cases that are not refused as not "
        f"supported, {counts[Result.PASS]} pass."
    )
    yield ""
    yield from table([one.value for one in Result], [[str(counts[one]) for one in Result]])
    yield ""
    yield ABOUT_RESULTS
    groups = explained(report, causes())
    found = findings(report)
    yield from section("Found without being told", _told_by_nobody(found))
    yield from section("Divergences", _divergences(groups))
    yield from section("Readings that it follows", _readings(report, groups))
    yield from section("Not supported", _unsupported(report))
    yield from section("Classes", tally_table("class", report.by_class))
    yield from section("Tools", tool_table(report.tools))
    yield from section("What fails", finding_lines(found))


def _told_by_nobody(found: Sequence[Finding]) -> Iterator[str]:
    yield from _prose(
        "What the suite finds to fail as a whole from this run and the manifest alone, which know nothing of NNCodec "
        "(`nnr_conformance/suite/results/suspects.py`; in full at the end). Beside each finding are the divergences "
        "of the registry that are about the same requirement, and those whose stream is among the failures."
    )
    yield ""
    met: set[str] = set()
    rows = []
    for one in found:
        by_requirement, by_stream = _met(one)
        met |= {*by_requirement, *by_stream}
        rows.append((text(what_fails(one)), ", ".join(by_requirement), ", ".join(by_stream), one.example))
    yield from table(("fails", "same requirement", "stream among failures", "example"), rows)
    yield ""
    yield from _prose(f"These findings meet {len(met)} of {len(divergences())} divergences.")


def _met(found: Finding) -> tuple[list[str], list[str]]:
    """The divergences of the registry that a finding meets, by requirement, and others by their stream."""
    tools = (name.partition(":")[2].removesuffix(" before a unit") for name in found.properties)
    about = {*found.properties, *(REQUIREMENTS[tool] for tool in tools if tool in REQUIREMENTS)}
    codes = {name.removeprefix("code:") for name in found.properties if name.startswith("code:")}
    rows = divergences().values()
    same = [row["id"] for row in rows if about & {*row["requirements"]} or codes & {*row["codes"]}]
    cases = {*found.cases}
    shown = [row["id"] for row in rows if (row["stream"] or "").removesuffix(".nnr") in cases]
    return same, [name for name in shown if name not in same]


def _divergences(groups: dict[Cause | None, list[CaseResult]]) -> Iterator[str]:
    yield "What is behind the failures, by `causes.yaml` from what the runs say; the rows are those of"
    yield "`spec/divergences.yaml`. A failure may hide another one behind it, and counts for the first alone."
    yield ""
    found: dict[tuple[str, str], list[CaseResult]] = {}
    for cause, ones in groups.items():
        if cause is None or not cause.reading:
            key = ("", "not explained") if cause is None else (cause.divergence, cause.why)
            found.setdefault(key, []).extend(ones)
    rows = sorted(found.items(), key=lambda row: (-len(row[1]), row[0]))
    yield from table(("", "what", "cases", "as", "first"), (_row(*key, ones) for key, ones in rows))
    seen = {name for name, _ in found}
    unseen = [name for name in divergences() if name not in seen]
    yield ""
    yield from _prose(f"Divergences that no failure shows: {', '.join(unseen)}.")
    yield ""
    yield "They are about the encoder, about what is not supported or what a reading allows, or are hidden by others."


def _row(name: str, why: str, ones: Sequence[CaseResult]) -> tuple[str, ...]:
    kinds = Counter(one.result.value for one in ones)
    return name, text(why), str(len(ones)), ", ".join(f"{kind} {count}" for kind, count in kinds.items()), ones[0].case


def _readings(report: RunReport, groups: dict[Cause | None, list[CaseResult]]) -> Iterator[str]:
    yield "As far as results tell; what is read otherwise is no divergence."
    yield ""
    rows = [
        (text(name), ", ".join(f"{text(choice)} ({count}, first {first})" for choice, (first, count) in found.items()))
        for name, found in report.followed.items()
    ]
    yield from table(("reading", "choice"), rows)
    for cause, ones in groups.items():
        if cause is not None and cause.reading:
            yield ""
            first = f"{len(ones)} failures, which no choice of this reading explains alone; first {ones[0].case}"
            yield from _prose(f"{cause.reading}: {first}.")


def _unsupported(report: RunReport) -> Iterator[str]:
    said = Counter(one.detail for one in report.results if one.result is Result.NOT_SUPPORTED)
    yield from table(("NNCodec says", "cases"), ((text(words), str(count)) for words, count in said.most_common()))


def _prose(words: str) -> Iterator[str]:
    yield fill(words, WIDTH, break_long_words=False, break_on_hyphens=False)


def main() -> int:
    """The exit code."""
    names = [page.name for page in PAGES]
    options = page_options(names)
    options.add_argument("--run", type=Path, metavar="FILE")
    arguments = options.parse_args()
    if arguments.run is not None and len(arguments.names) != 1:
        options.error("--run is of one page")
    wanted = chosen_names(options, names, arguments.names)
    changed = False
    for page in PAGES:
        if page.name not in wanted:
            continue
        try:
            report = of_page(page, report_of(page) if arguments.run is None else load_run(arguments.run))
        except NnrError as error:
            raise SystemExit(str(error)) from error
        for path, written in files_of(page, report):
            changed |= settle(path, written, check=arguments.check)
    return int(arguments.check and changed)


if __name__ == "__main__":
    sys.exit(main())
