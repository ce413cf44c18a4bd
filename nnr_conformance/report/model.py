"""The report model: the verdict on a stream and what it rests on. Every renderer starts from here."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any, NamedTuple

from nnr_conformance.diagnostics import Diagnostic, Effect, Severity


class Verdict(Enum):
    """What checking a stream came to. `exit_code` is that of the commands."""

    CONFORMING = "conforming"
    NONCONFORMING = "nonconforming"
    UNDETERMINED = "undetermined"

    @property
    def exit_code(self) -> int:
        """0 conforming, 1 nonconforming, 3 undetermined or a limit was hit."""
        return {"conforming": 0, "nonconforming": 1, "undetermined": 3}[self.value]


def verdict_of(diagnostics: Iterable[Diagnostic]) -> Verdict:
    """One error that the stream is wrong decides; else one that it could not be judged; warnings never do."""
    effects = {found.effect for found in diagnostics if found.severity is Severity.ERROR}
    if Effect.NONCONFORMING in effects:
        return Verdict.NONCONFORMING
    return Verdict.UNDETERMINED if effects else Verdict.CONFORMING


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """The verdict on several streams together."""
    found = set(verdicts)
    for verdict in (Verdict.NONCONFORMING, Verdict.UNDETERMINED):
        if verdict in found:
            return verdict
    return Verdict.CONFORMING


@dataclass(frozen=True, slots=True)
class UnitRow:
    """One unit: label, type name, first byte, bytes in all, bytes of payload, ids of its tensors."""

    label: str
    unit_type: str
    first: int
    size: int
    payload_size: int
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Histogram:
    """How often the levels of a tensor occur: bin n counts `width` levels from `first` + n * `width` on."""

    first: int
    width: int
    counts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class TensorRow:
    """One transmitted tensor: `bits` are those of its data; `qp` is None without a quantization parameter.

    `first_bit`: where its data starts in the stream. `histogram`: of its levels, when it has some and details were
    asked for.
    """

    name: str
    unit: str
    shape: tuple[int, ...]
    dtype: str
    bits: int
    qp: int | None
    nonzero: int | None
    first_bit: int | None = None
    histogram: Histogram | None = None

    @property
    def elements(self) -> int:
        """Number of elements."""
        count = 1
        for size in self.shape:
            count *= size
        return count


@dataclass(frozen=True, slots=True)
class StreamDetails:
    """What a page needs to show a stream bit by bit, within bounds.

    `pieces`: first byte and content of what is kept of the stream, in order. `out_of_band`: parameters that were given
    for it.
    """

    pieces: tuple[tuple[int, bytes], ...]
    out_of_band: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class DiagnosticGroup:
    """The same finding in several places: the first one, and how many there are."""

    first: Diagnostic
    count: int
    excerpt: str


class RuleCounts(NamedTuple):
    """Numbers of rules: applied = passed + failed."""

    applied: int
    passed: int
    failed: int
    not_applicable: int


@dataclass(frozen=True, slots=True)
class ReadingOutcome:
    """A reading whose choices differ on a stream: the one in force, and the verdict under each other one."""

    reading: str
    name: str
    others: Mapping[str, Verdict]


@dataclass(frozen=True, slots=True)
class StreamReport:
    """Everything about one stream.

    `readings`: ids with the chosen names, of those that are not the default. `rules`: for each rule by its code how
    often its requirement was met and not met; (0, 0) where it did not apply. `details`: when they were asked for.
    `consulted`: readings whose choices differ on this stream, of those that nobody chose. `headers_only`: no payload
    was decoded, so that without errors the verdict is undetermined.
    """

    name: str
    size: int
    sha256: str
    verdict: Verdict
    units: tuple[UnitRow, ...]
    undecoded: tuple[str, ...]
    tools: tuple[str, ...]
    tensors: tuple[TensorRow, ...]
    groups: tuple[DiagnosticGroup, ...]
    diagnostics: tuple[Diagnostic, ...]
    digests: dict[str, str]
    readings: dict[str, str]
    rules: dict[str, tuple[int, int]]
    details: StreamDetails | None = None
    consulted: tuple[ReadingOutcome, ...] = ()
    headers_only: bool = False

    @property
    def right_so_far(self) -> bool:
        """Whether nothing was wrong or undetermined in what was looked at."""
        return verdict_of(self.diagnostics) is Verdict.CONFORMING

    def with_consulted(self, consulted: tuple[ReadingOutcome, ...]) -> StreamReport:
        """The same report with what it depends on."""
        return replace(self, consulted=consulted)

    @property
    def depends_on(self) -> tuple[ReadingOutcome, ...]:
        """Those of the readings under which the verdict can be another one."""
        return tuple(one for one in self.consulted if any(found is not self.verdict for found in one.others.values()))

    @property
    def rule_counts(self) -> RuleCounts:
        """How many rules applied, were met everywhere, were broken somewhere, and did not apply."""
        applied = [failed for passed, failed in self.rules.values() if passed or failed]
        failing = sum(map(bool, applied))
        return RuleCounts(len(applied), len(applied) - failing, failing, len(self.rules) - len(applied))


@dataclass(frozen=True, slots=True)
class Report:
    """The report on one or more streams."""

    streams: tuple[StreamReport, ...]
    version: str

    @property
    def verdict(self) -> Verdict:
        """The worst verdict of the streams."""
        return worst(stream.verdict for stream in self.streams)

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """The diagnostics of all streams in order."""
        return tuple(found for stream in self.streams for found in stream.diagnostics)


_NUMBERS = re.compile(r"\d+")
_TENSOR = re.compile(r"cabac_payload · .*|nnr_compressed_data_unit_payload · .*")


def grouped(diagnostics: Iterable[Diagnostic], buffer: memoryview) -> tuple[DiagnosticGroup, ...]:
    """Findings of the same code and kind of place together, errors first, else in the order they were made."""
    groups: dict[tuple[str, str], list[Diagnostic]] = {}
    for found in diagnostics:
        pattern = _TENSOR.sub("payload", _NUMBERS.sub("#", found.path))
        groups.setdefault((found.code, pattern), []).append(found)
    order = list(Severity)
    rows = sorted(groups.values(), key=lambda members: order.index(members[0].severity))
    return tuple(DiagnosticGroup(members[0], len(members), excerpt(buffer, members[0].bits)) for members in rows)


def excerpt(buffer: memoryview, bits: tuple[int, int] | None, around: int = 2, most: int = 12) -> str:
    """The bytes around some bits in hex, the bytes they lie in between brackets: ``00 04 [02 00] 00 08``."""
    if bits is None:
        return ""
    first, end = bits[0] >> 3, max(bits[0] + 1, bits[1]) + 7 >> 3
    end = min(end, len(buffer))
    if first >= end:
        return ""
    inside = bytes(buffer[first : min(end, first + most)]).hex(" ")
    if end - first > most:
        inside += " ..."
    before = bytes(buffer[max(0, first - around) : first]).hex(" ")
    after = "" if end - first > most else bytes(buffer[end : end + around]).hex(" ")
    return " ".join(part for part in (before, f"[{inside}]", after) if part)
