"""Cases as tests of pytest: which there are, how they are marked, and what becomes of a result."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from nnr_conformance.errors import UsageError
from nnr_conformance.report.printing import printable
from nnr_conformance.suite.results.baseline import Expected, Group, expected_text, load_baseline, matches
from nnr_conformance.suite.results.header import corpus_digest, reached
from nnr_conformance.suite.results.report import FAILURES, clause_of
from nnr_conformance.suite.results.text import what_failed
from nnr_conformance.suite.runner.cases import golden_cases
from nnr_conformance.suite.runner.declaration import bounded, from_adapter, from_command, from_file
from nnr_conformance.suite.runner.driver import run_case
from nnr_conformance.suite.runner.implementation import Implementation
from nnr_conformance.suite.runner.model import Case, CaseResult, Result
from nnr_conformance.suite.runner.selection import Selection


class ExpectedFailure(Exception):
    """A case failed exactly as the baseline says."""


@dataclass(frozen=True, slots=True)
class DecoderTests:
    """The tests of one decoder. `expected`: by case, what the baseline says, if there is one."""

    implementation: Implementation
    cases: tuple[Case, ...]
    expected: dict[str, tuple[Group, Expected]]

    @property
    def title(self) -> str:
        """The run in one line."""
        one = self.implementation
        return printable(f"nnr: {one.name} {one.version}, {reached(one)}; streams {corpus_digest()[:12]}")

    def marks(self, case: Case) -> Iterator[pytest.MarkDecorator]:
        """The markers of a case; one that is to fail is so strictly, and only in the way that is expected."""
        yield pytest.mark.nnr_class(name=case.kind)
        if clause_of(case.id):
            yield pytest.mark.nnr_clause(number=int(clause_of(case.id)))
        yield from (pytest.mark.nnr_edition(number=edition) for edition in case.editions)
        yield from (pytest.mark.nnr_reading(id=reading) for reading in case.readings)
        yield from (pytest.mark.nnr_requirement(id=requirement) for requirement in case.requirements)
        yield from (pytest.mark.nnr_tool(name=tool) for tool in case.tools)
        if case.id in self.expected:
            group, _ = self.expected[case.id]
            yield pytest.mark.xfail(reason=printable(group.reason), raises=ExpectedFailure, strict=True)

    def parameters(self) -> list[object]:
        """The cases as parameters of a test."""
        return [pytest.param(case, id=case.id, marks=[*self.marks(case)]) for case in self.cases]

    def result(self, case: Case) -> CaseResult:
        """What a case comes to."""
        return run_case(self.implementation, case)

    def settle(self, result: CaseResult) -> None:
        """Let a test pass, be skipped or fail, as the result and the baseline say."""
        __tracebackhide__ = True
        said = printable(what_failed(result))
        expected = self.expected.get(result.case)
        if expected is not None:
            _settle_expected(result, said, *expected)
        elif result.result is Result.NOT_SUPPORTED:
            pytest.skip(said)
        elif result.result in FAILURES:
            pytest.fail(f"{printable(result.case)}: {said}", pytrace=False)


def decoder_tests(
    kind: str,
    value: str,
    *,
    baseline: str | None = None,
    only: Sequence[str] = (),
    exclude: Sequence[str] = (),
    seconds: float | None = None,
    mebibytes: int | None = None,
) -> DecoderTests:
    """The tests that options ask for. `kind`: ``decoder``, ``adapter`` or ``implementation``. Raises UsageError."""
    implementation = bounded(_named(kind, value), seconds, None if mebibytes is None else mebibytes << 20)
    cases = Selection(only=tuple(only), exclude=tuple(exclude)).of(golden_cases())
    expected = {} if baseline is None else _expected(Path(baseline), implementation)
    return DecoderTests(implementation, cases, expected)


def _named(kind: str, value: str) -> Implementation:
    if kind == "decoder":
        return from_command(value)
    return from_adapter(value) if kind == "adapter" else from_file(Path(value))


def _expected(path: Path, implementation: Implementation) -> dict[str, tuple[Group, Expected]]:
    """What a baseline says by case; it must be of this implementation, and of cases that there are."""
    baseline = load_baseline(path)
    of, run = f"{baseline.implementation} {baseline.version}", f"{implementation.name} {implementation.version}"
    if of != run:
        raise UsageError(printable(f"{path} is a baseline of {of}, the decoder is {run}"))
    listed = {one.case: (group, one) for group in baseline.groups for one in group.cases}
    for case in sorted(listed.keys() - {case.id for case in golden_cases()}):
        raise UsageError(printable(f"{path} lists a case that does not exist: {case}"))
    return listed


def _settle_expected(result: CaseResult, said: str, group: Group, expected: Expected) -> None:
    __tracebackhide__ = True
    if result.result is Result.PASS:
        return
    case = printable(result.case)
    if result.result is Result.NOT_SUPPORTED:
        pytest.fail(f"{case}: expected {expected_text(group, expected)}, and was not run: {said}", pytrace=False)
    if not group.reason.strip():
        pytest.fail(f"{case}: {said}; the baseline gives no reason", pytrace=False)
    if not matches(result, group, expected):
        pytest.fail(f"{case}: expected {expected_text(group, expected)}, found {said}", pytrace=False)
    raise ExpectedFailure(said)
