"""A run as JUnit XML, which continuous integration shows as tests: a suite for a folder of streams, a test for a case.

A decoding to something else and a nonconforming stream that was decoded are failures, as is a rejection; a crash or
timeout is an error in the sense of JUnit. A failure that a baseline expects is skipped, with its reason in
properties; what is not supported is skipped, too.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from html import escape

from nnr_conformance.report.printing import printable
from nnr_conformance.suite.results.plain import reason_to_plain
from nnr_conformance.suite.results.report import FAILURES, Reason, RunHeader, RunReport
from nnr_conformance.suite.results.text import what_failed
from nnr_conformance.suite.runner.model import CaseResult, Result

_ERRORS = frozenset({Result.CRASH, Result.TIMEOUT})


def render(report: RunReport) -> Iterator[str]:
    """The report as lines of XML 1.0."""
    suites: dict[str, list[CaseResult]] = {}
    for one in report.results:
        suites.setdefault(one.case.rpartition("/")[0] or "streams", []).append(one)
    yield '<?xml version="1.0" encoding="UTF-8"?>'
    name = f"nnr-suite run {report.header.implementation}"
    yield f"<testsuites{_attributes(name=name, **_counts(report.results))}>"
    for folder, results in suites.items():
        yield f"  <testsuite{_attributes(name=folder, **_counts(results))}>"
        yield "    <properties>"
        for key, value in properties(report.header):
            yield f"      <property{_attributes(name=key, value=value)}/>"
        yield "    </properties>"
        for one in results:
            yield from _case(one, folder, report.reasons.get(one.case))
        yield "  </testsuite>"
    yield "</testsuites>"


def properties(header: RunHeader) -> Iterator[tuple[str, str]]:
    """The header of a run as names and values, what is not said left out."""
    yield "implementation", f"{header.implementation} {header.version}"
    yield "reached", header.reached
    yield "suite", f"nnr-conformance {header.suite}"
    yield "corpus", f"{header.corpus} {header.corpus_digest}"
    yield "platform", f"{header.platform}, Python {header.python}, NumPy {header.numpy}"
    yield "date", header.date
    yield "editions", "all" if header.editions is None else ", ".join(map(str, header.editions))
    yield "tools", "all" if header.tools is None else ", ".join(header.tools)
    for reading, choice in header.readings.items():
        yield f"reading {reading}", choice
    if header.selection:
        yield "selection", " ".join(header.selection)
    yield "bounds of a case", f"{header.seconds:g} s, {header.memory >> 20} MiB"


def _case(one: CaseResult, folder: str, reason: Reason | None) -> Iterator[str]:
    name = one.case.rpartition("/")[2]
    head = f"    <testcase{_attributes(classname=folder, name=name, time=f'{one.seconds:.3f}')}"
    said = what_failed(one)
    if reason is not None:
        yield f"{head}>"
        yield "      <properties>"
        for key, value in reason_to_plain(reason).items():
            yield f"        <property{_attributes(name=key, value=value)}/>"
        yield "      </properties>"
        yield f"      <skipped{_attributes(message=f'{said}: {reason}')}/>"
        yield "    </testcase>"
    elif _kind(one) == "skipped":
        yield f"{head}><skipped{_attributes(message=said)}/></testcase>"
    elif one.result in FAILURES:
        kind = "error" if one.result in _ERRORS else "failure"
        yield f"{head}><{kind}{_attributes(message=said, type=one.result.value)}/></testcase>"
    else:
        yield f"{head}/>"


def _kind(one: CaseResult) -> str:
    if one.known or one.result is Result.NOT_SUPPORTED:
        return "skipped"
    if one.result in FAILURES:
        return "errors" if one.result in _ERRORS else "failures"
    return "passed"


def _counts(results: Sequence[CaseResult]) -> dict[str, str]:
    kinds = Counter(map(_kind, results))
    return {
        "tests": str(len(results)),
        **{kind: str(kinds[kind]) for kind in ("failures", "errors", "skipped")},
        "time": f"{sum(one.seconds for one in results):.3f}",
    }


def _attributes(**values: str) -> str:
    # XML 1.0 cannot hold most control characters, escaped or not, so they are spelled out.
    return "".join(f' {name}="{escape(printable(value))}"' for name, value in values.items())
