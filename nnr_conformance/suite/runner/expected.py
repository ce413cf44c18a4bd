"""What a case expects of a decoder: its verdict, and the arrays of each stage.

The arrays come from the decoder of this package, but only where it comes to the digests of the manifest, which more
than one witness stands for; where it does not, this installation is broken and no case can be judged. Of streams of
the field, and of golden streams under readings that the manifest has no row for, the checker and the decoder are the
only witnesses.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from nnr_conformance.adapters import Arrays
from nnr_conformance.api import ChainDecoder, chain_decoder
from nnr_conformance.checker.check import check_chain
from nnr_conformance.decoder.tensors import CodedTensor, DecodedUnit
from nnr_conformance.errors import NnrError
from nnr_conformance.limits import DEFAULT_LIMITS
from nnr_conformance.readings import Readings, known_readings
from nnr_conformance.report.model import StreamReport, Verdict
from nnr_conformance.suite.corpus.recipes import base_arrays
from nnr_conformance.suite.runner.delivered import binary32, by_name
from nnr_conformance.suite.runner.model import Case
from nnr_conformance.suite.runner.sources import source_bytes

STAGES = ("levels", "dequantized", "tensors")
"""Stages of which a decoder gives arrays, in the order of decoding."""

Choices = Mapping[str, str]
"""Names of choices by reading, of those that are not left to their default."""


class BrokenInstallation(NnrError):
    """This installation does not decode its own streams as its manifest says; nothing can be judged with it."""


@dataclass(frozen=True, slots=True, eq=False)
class Expectation:
    """The arrays that are expected, by stage and name; a stage in which a name occurs twice is None."""

    levels: Arrays | None
    dequantized: Arrays | None
    tensors: Arrays

    def stage(self, name: str) -> Arrays | None:
        """The arrays of a stage, None when they have no names of their own."""
        found: Arrays | None = getattr(self, name)
        return found


def told(case: Case) -> dict[str, str]:
    """The readings under which a case is built and checked, which a decoder can be told."""
    return dict(case.check.get("readings", {}))


def expected_verdict(case: Case, choices: Choices) -> Verdict:
    """The verdict on a case under some readings. Raises UsageError when a stream cannot be read."""
    if case.verdict and same(choices, told(case)):
        return Verdict(case.verdict)
    row = _row(case, choices)
    return Verdict(row["verdict"]) if row is not None else report(case, choices).verdict


def report(case: Case, choices: Choices, *, dependence: bool = False) -> StreamReport:
    """The checker's report on the stream. `dependence`: with the readings on which it depends."""
    chain = chain_of(case, choices)
    return check_chain(chain, edition=case.check.get("edition"), dependence=dependence).streams[-1]


def expected(case: Case, choices: Choices) -> Expectation:
    """The arrays of a case under some readings.

    Raises UsageError when a stream cannot be read, and BrokenInstallation.
    """
    chain, coded = chain_of(case, choices), list[CodedTensor]()

    def remember(number: int, unit: DecodedUnit) -> None:
        if number == len(chain.streams) - 1:
            coded.extend(unit.tensors)

    chain.on_decoded = remember
    tensors = {tensor.name: tensor.values for tensor in chain}
    found = chain.digests[-1].hexdigests(tensors)
    differing = [stage for stage, digest in golden_digests(case, choices).items() if found[stage] != digest]
    if differing:
        raise BrokenInstallation(
            f"this installation decodes {case.id} to other {', '.join(differing)} than its manifest says; "
            "nnr-suite verify tells more"
        )
    levels = ((one.name, one.quantized) for one in coded if one.quantized is not None)
    return Expectation(by_name(levels), by_name((one.name, binary32(one.values)) for one in coded), tensors)


def golden_digests(case: Case, choices: Choices) -> Mapping[str, str]:
    """The digests by stage that the manifest has of a case under some readings; none where it has no row."""
    if same(choices, told(case)):
        return case.digests
    row = _row(case, choices)
    return {} if row is None else dict(row["digests"])


def same(one: Choices, other: Choices) -> bool:
    """Whether two choices come to the same, those left out being the default."""
    return _full(one) == _full(other)


def default_of(reading: str) -> str:
    """The default choice of a reading."""
    return str(known_readings()[reading]["default"])


def choices_of(reading: str) -> Iterator[str]:
    """The choices of a reading, the default first."""
    yield default_of(reading)
    yield from (name for name in known_readings()[reading]["readings"] if name != default_of(reading))


def chain_of(case: Case, choices: Choices) -> ChainDecoder:
    """A decoder of the case under some readings. Raises UsageError when a stream cannot be read."""
    return chain_decoder(
        [source_bytes(source) for source in (*case.before, case.source)],
        base=base_arrays(case.check),
        tensors=case.check.get("tensors"),
        readings=Readings.choose(choices),
        limits=replace(DEFAULT_LIMITS, **case.check.get("limits", {})),
        out_of_band=case.check.get("out_of_band", {}),
    )


def _row(case: Case, choices: Choices) -> Mapping[str, Any] | None:
    """What the manifest has of a stream under another choice of the reading that it is about."""
    if not case.reading:
        return None
    chosen = choices.get(case.reading, default_of(case.reading))
    if not same(choices, {**told(case), case.reading: chosen}):
        return None
    return case.under.get(chosen)


def _full(choices: Choices) -> dict[str, str]:
    return {reading: name for reading, name in choices.items() if name != default_of(reading)}
