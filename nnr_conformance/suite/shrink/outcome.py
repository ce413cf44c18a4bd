"""What a reduced stream has to show of a decoder of others: the same result, and nothing wrong that was not before."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

from nnr_conformance.errors import UsageError
from nnr_conformance.readings import Readings
from nnr_conformance.report.model import Verdict
from nnr_conformance.suite.runner.driver import run_case
from nnr_conformance.suite.runner.field_streams import KIND, settings_of
from nnr_conformance.suite.runner.implementation import Implementation
from nnr_conformance.suite.runner.model import Case, CaseResult, Result
from nnr_conformance.suite.shrink.agreed import Agreed
from nnr_conformance.suite.shrink.keeping import reports_of, weighty

OUTCOMES: Mapping[str, Result] = MappingProxyType(
    {
        result.value: result
        for result in (Result.FAIL, Result.CRASH, Result.ACCEPTED_INVALID, Result.REJECTED, Result.TIMEOUT)
    }
)
"""The results that a reduction can keep, by name."""

_SLOWER = 10.0
_START = 5.0
"""A smaller stream takes no longer than the whole; these are for a machine that is busy. Seconds."""

_NUMBER = re.compile(r"\d+")


@dataclass(frozen=True, slots=True)
class Outcome:
    """A result of an implementation on the last stream of a chain.

    `stage`: the first one that differs. `manner`: of a crash its exception or signal, of a rejection what is said up to
    a colon, without its numbers; otherwise empty. `verdict` of the checker on the last stream, and `allowed`, the codes
    of errors and warnings that the chain may give, so that the reduction stays with the same sort of stream. `agreed`:
    arguments for checking, with the readings that the implementation declares.
    """

    implementation: Implementation
    result: Result
    stage: str
    manner: str
    verdict: Verdict
    allowed: frozenset[str]
    agreed: Agreed

    def shown_by(self, streams: Sequence[bytes]) -> bool:
        """Whether a chain shows it; runs the implementation, unless the checker sees another sort of stream."""
        reports = reports_of(streams, self.agreed)
        if reports[-1].verdict is not self.verdict or not weighty(reports) <= self.allowed:
            return False
        found = _result(self.implementation, streams, self.agreed)
        return (found.result, found.stage, _manner(found)) == (self.result, self.stage, self.manner)

    def __str__(self) -> str:
        place = f" in {self.stage}" if self.stage else ""
        manner = f" ({self.manner})" if self.manner else ""
        return f"{self.result.value}{place}{manner}, {self.verdict.value}"


def outcome_of(implementation: Implementation, streams: Sequence[bytes], keeps: Result, agreed: Agreed) -> Outcome:
    """What an implementation makes of a chain, which has to be `keeps`. Runs it twice. Raises UsageError."""
    choices = {**implementation.readings, **agreed.readings.chosen}
    implementation, agreed = (
        replace(implementation, readings=choices),
        replace(agreed, readings=Readings.choose(choices)),
    )
    found = _result(implementation, streams, agreed)
    if found.result is not keeps:
        said = f" ({found.detail})" if found.detail else ""
        raise UsageError(f"{implementation.name} does not give {keeps.value} but {found.result.value}{said}")
    if keeps is not Result.TIMEOUT:
        bounds = implementation.bounds
        implementation = replace(
            implementation,
            bounds=replace(bounds, seconds=min(bounds.seconds, _START + _SLOWER * found.seconds)),
        )
    reports = reports_of(streams, agreed)
    outcome = Outcome(implementation, keeps, found.stage, _manner(found), reports[-1].verdict, weighty(reports), agreed)
    if not outcome.shown_by(streams):
        raise UsageError(f"{implementation.name} does not give the same result each time: {outcome}")
    return outcome


def _result(implementation: Implementation, streams: Sequence[bytes], agreed: Agreed) -> CaseResult:
    with tempfile.TemporaryDirectory(prefix="nnr-shrink-", ignore_cleanup_errors=True) as folder:
        paths = [Path(folder) / f"{number:04}.nnr" for number in range(len(streams))]
        for path, stream in zip(paths, streams, strict=True):
            path.write_bytes(stream)
        check = settings_of(agreed.base, agreed.out_of_band, agreed.limits, agreed.edition)
        *before, source = map(str, paths)
        return run_case(implementation, Case("stream", source, KIND, before=tuple(before), check=check))


def _manner(found: CaseResult) -> str:
    said = found.detail.partition(":")[0]
    if found.result is Result.CRASH:
        return said
    return _NUMBER.sub("0", said) if found.result is Result.REJECTED else ""
