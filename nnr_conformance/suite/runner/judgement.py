"""What an answer is worth: the result of a case.

- A nonconforming stream is to be rejected, in the declared way; an undetermined one is to be survived.
- A conforming stream is to be decoded, and every stage that the implementation gives must be what is expected. The
  first stage that differs, in the order of decoding, is the one that is reported.
- Where the text can be read in several ways, the result under each is right, and is named when it tells which.
  A rejection tells nothing: it is right under the readings that were declared, told, or are the default.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from nnr_conformance.adapters import Arrays
from nnr_conformance.decoder.digests import add_array
from nnr_conformance.diagnostics import Effect, Severity
from nnr_conformance.errors import UsageError
from nnr_conformance.report.model import Verdict
from nnr_conformance.suite.runner.endings import one_line
from nnr_conformance.suite.runner.expected import (
    STAGES,
    Choices,
    Expectation,
    chain_of,
    expected,
    expected_verdict,
    golden_digests,
    report,
)
from nnr_conformance.suite.runner.followed import asked, combinations, followed, open_readings
from nnr_conformance.suite.runner.implementation import Implementation
from nnr_conformance.suite.runner.model import Answer, Case, CaseResult, Ending, Result
from nnr_conformance.suite.runner.numeric import Difference, differences
from nnr_conformance.suite.runner.outputs import read_output
from nnr_conformance.suite.runner.tolerance import Bound, tolerances

_WITHOUT_OUTPUT = {
    Ending.SIGNALLED: Result.CRASH,
    Ending.UNDECLARED: Result.CRASH,
    Ending.TIMED_OUT: Result.TIMEOUT,
    Ending.NOT_SUPPORTED: Result.NOT_SUPPORTED,
}

Output = Mapping[str, Arrays]
"""What an implementation gave, by stage."""


@dataclass(frozen=True, slots=True)
class _Judgement:
    result: Result
    detail: str = ""
    stage: str = ""
    compared: tuple[str, ...] = ()
    followed: Mapping[str, str] = field(default_factory=dict)


def judged(implementation: Implementation, case: Case, answer: Answer) -> CaseResult:
    """The result of a case. Reads the files of the answer and those of the stream.

    Raises UsageError when a stream cannot be read, and BrokenInstallation when this installation is no authority.
    """
    found = _judged(implementation, case, answer)
    return CaseResult(
        case.id,
        found.result,
        found.stage,
        one_line(found.detail),
        found.compared,
        found.followed,
        answer.seconds,
        answer.peak_bytes,
    )


def first_difference(
    case: Case, choices: Choices, expectation: Expectation, output: Output
) -> tuple[str, Difference] | None:
    """The first stage that differs from what is expected, in the order of decoding, with the first tensor in it."""
    for stage in STAGES:
        wanted = expectation.stage(stage)
        if stage not in output or wanted is None:
            continue
        found = next(differences(wanted, output[stage]), None)
        if found is not None and stage == "tensors":
            # Only now, since it takes decoding once more: what products may differ by.
            found = next(differences(wanted, output[stage], bounds(case, choices)), None)
        if found is not None:
            return stage, found
    return None


def bounds(case: Case, choices: Choices) -> dict[str, Bound]:
    """By tensor of the model what its elements may differ by; see `suite.runner.tolerance`."""
    return tolerances(chain_of(case, choices))


def _judged(implementation: Implementation, case: Case, answer: Answer) -> _Judgement:
    if answer.ending in _WITHOUT_OUTPUT:
        return _Judgement(_WITHOUT_OUTPUT[answer.ending], answer.said)
    first = asked(implementation, case)
    verdict = expected_verdict(case, first)
    if verdict is Verdict.UNDETERMINED:
        return _Judgement(Result.PASS)
    if answer.ending is Ending.REJECTED:
        return _rejected(implementation, case, answer, verdict)
    try:
        output = _read(answer, implementation.bounds.output)
    except UsageError as error:
        return _Judgement(Result.CRASH, str(error))
    return _Decoded(implementation, case, output, first, verdict).judged()


def _rejected(implementation: Implementation, case: Case, answer: Answer, verdict: Verdict) -> _Judgement:
    # The settings of the case need not reach a decoder, which then is right to do as the defaults say.
    right = verdict is Verdict.NONCONFORMING or (
        bool(case.check.get("readings")) and expected_verdict(case, implementation.readings) is Verdict.NONCONFORMING
    )
    return _Judgement(Result.PASS) if right else _Judgement(Result.REJECTED, answer.said)


@dataclass(slots=True)
class _Decoded:
    """An answer that is output: `first`: the choices under which it is judged first, `verdict`: the one under them."""

    implementation: Implementation
    case: Case
    output: Output
    first: Choices
    verdict: Verdict
    _expectations: dict[tuple[tuple[str, str], ...], Expectation] = field(default_factory=dict)

    def judged(self) -> _Judgement:
        """Equal to what is expected under some choice of readings, or to what it is not."""
        readings = self._open_readings()
        for choices in combinations(self.first, readings):
            if self._agrees(choices):
                known = followed(self.implementation, self.case, choices, readings, self._agrees)
                return _Judgement(Result.PASS, compared=self._compared(choices), followed=known)
        if self.verdict is Verdict.NONCONFORMING:
            return _Judgement(Result.ACCEPTED_INVALID, f"decoded, though it has {', '.join(self._errors())}")
        compared = self._compared(self.first)
        if not compared:
            return _Judgement(Result.FAIL, "no stage of the output can be compared")
        found = first_difference(self.case, self.first, self._expected(self.first), self.output)
        assert found is not None
        stage, difference = found
        return _Judgement(Result.FAIL, str(difference), stage, compared)

    def _errors(self) -> list[str]:
        found = report(self.case, self.first).diagnostics
        return sorted(
            {one.code for one in found if one.severity is Severity.ERROR and one.effect is Effect.NONCONFORMING}
        )

    def _open_readings(self) -> tuple[str, ...]:
        dependent = self.case.readings
        if not self.case.verdict:
            outcomes = report(self.case, self.first, dependence=True).consulted
            dependent = tuple(one.reading for one in outcomes)
        return open_readings(self.implementation, self.case, dependent)

    def _agrees(self, choices: Choices) -> bool:
        if expected_verdict(self.case, choices) is not Verdict.CONFORMING:
            return False
        digests = golden_digests(self.case, choices)
        if self.output and all(digests.get(stage) == _digest(stage, self.output[stage]) for stage in self.output):
            return True
        return bool(self._compared(choices)) and not first_difference(
            self.case, choices, self._expected(choices), self.output
        )

    def _compared(self, choices: Choices) -> tuple[str, ...]:
        expectation = None
        found = []
        for stage in STAGES:
            if stage not in self.output:
                continue
            if golden_digests(self.case, choices).get(stage) != _digest(stage, self.output[stage]):
                expectation = expectation or self._expected(choices)
                if expectation.stage(stage) is None:
                    continue
            found.append(stage)
        return tuple(found)

    def _expected(self, choices: Choices) -> Expectation:
        key = tuple(sorted(choices.items()))
        if key not in self._expectations:
            self._expectations[key] = expected(self.case, choices)
        return self._expectations[key]


def _read(answer: Answer, most: int) -> dict[str, dict[str, Any]]:
    """The arrays that an implementation gave. Raises UsageError when they cannot be read."""
    if answer.folder is None:
        return {}
    decoding = read_output(answer.folder, most)
    given = {stage: getattr(decoding, stage) for stage in STAGES}
    return {stage: dict(arrays) for stage, arrays in given.items() if arrays is not None}


def _digest(stage: str, arrays: Arrays) -> str:
    digest = hashlib.sha256()
    for name in sorted(arrays) if stage == "tensors" else arrays:
        add_array(digest, name, arrays[name])
    return digest.hexdigest()
