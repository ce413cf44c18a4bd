"""Diagnostics: what was found, where to the bit, which requirement says so, and on what evidence.

Every code is a row of `spec/diagnostics.yaml`; codes are stable and never reused. The severity follows the confidence
of the requirement (high: error, medium: warning, or error when strict, low: info) unless the row fixes it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum
from functools import cache
from itertools import chain
from typing import NoReturn

from nnr_conformance.data import load_yaml
from nnr_conformance.errors import BitstreamError


class Severity(Enum):
    """How much a diagnostic weighs in the verdict: only errors make a stream nonconforming."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


class Stage(Enum):
    """The stage of decoding that made the observation, in the order of the stages."""

    FRAMING = "framing"
    SYNTAX = "syntax"
    SEMANTICS = "semantics"
    ENTROPY = "entropy"
    DEQUANTIZATION = "dequantization"
    COMPOSITION = "composition"
    LIMITS = "limits"


class Effect(Enum):
    """What an error says of the stream: it is wrong, or this decoder could not tell."""

    NONCONFORMING = "nonconforming"
    UNDETERMINED = "undetermined"


@dataclass(frozen=True, slots=True)
class Rule:
    """One row of the catalogue: a condition that a stream can violate.

    `applies`: what a check that decoding makes looks at (see `checker.scopes`); empty for rules of the checker.
    `divergences`: ids of known divergences of NNCodec that show in it. `no_stream`: why no stream can show it, only
    callers of a stage of the decoder; empty for all others.
    """

    code: str
    requirement: str
    clause: str
    stage: Stage
    confidence: str
    evidence: str
    text: str
    hint: str
    severity: Severity
    effect: Effect
    applies: str = ""
    no_stream: str = ""
    divergences: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding.

    `bits` is (first, end) in bits from the start of the stream, end exclusive; None: no place. `divergences`: ids in
    `spec/divergences.yaml` of what NNCodec does, where such a finding may come from that.
    """

    code: str
    requirement: str
    severity: Severity
    stage: Stage
    message: str
    bits: tuple[int, int] | None = None
    path: str = ""
    hint: str = ""
    confidence: str = ""
    evidence: str = ""
    effect: Effect = Effect.NONCONFORMING
    divergences: tuple[str, ...] = ()

    def __str__(self) -> str:
        where = f" at bits {self.bits[0]}..{self.bits[1] - 1}" if self.bits and self.bits[1] > self.bits[0] else ""
        place = f" ({self.path})" if self.path else ""
        return f"{self.code} [{self.requirement}]{where}{place}: {self.message}"


_BY_CONFIDENCE = {"high": Severity.ERROR, "medium": Severity.WARNING, "low": Severity.INFO}


@cache
def catalogue() -> dict[str, Rule]:
    """All known rules by code, from `spec/diagnostics.yaml`."""
    rules = {}
    for row in load_yaml("spec/diagnostics.yaml"):
        severity = Severity(row["severity"]) if "severity" in row else _BY_CONFIDENCE[row["confidence"]]
        rules[row["code"]] = Rule(
            code=row["code"],
            requirement=row["requirement"],
            clause=str(row["clause"]),
            stage=Stage(row["stage"]),
            confidence=row["confidence"],
            evidence=row["evidence"],
            text=row["text"],
            hint=row.get("hint", ""),
            severity=severity,
            effect=Effect(row.get("effect", "nonconforming")),
            applies=row.get("applies", ""),
            no_stream=row.get("no_stream", ""),
            divergences=tuple(row.get("divergences", ())),
        )
    return rules


def diagnose(
    code: str,
    message: str,
    *,
    bits: tuple[int, int] | None = None,
    path: str = "",
    strict: bool = False,
    severity: Severity | None = None,
) -> Diagnostic:
    """A diagnostic of a catalogued code; `severity` overrides the catalogue where decoding cannot go on."""
    rule = catalogue()[code]
    weight = severity or rule.severity
    if strict and weight is Severity.WARNING and rule.confidence == "medium":
        weight = Severity.ERROR
    return Diagnostic(
        code=code,
        requirement=rule.requirement,
        severity=weight,
        stage=rule.stage,
        message=message,
        bits=bits,
        path=path,
        hint=rule.hint,
        confidence=rule.confidence,
        evidence=rule.evidence,
        effect=rule.effect,
        divergences=rule.divergences,
    )


def stop(code: str, message: str, *, bits: tuple[int, int] | None = None, path: str = "") -> NoReturn:
    """Raise BitstreamError with an error of this code: the unit or payload cannot be decoded further."""
    raise BitstreamError(diagnose(code, message, bits=bits, path=path, severity=Severity.ERROR))


@dataclass(slots=True)
class Findings:
    """The diagnostics of one run in the order of the stream.

    `strict` turns medium-confidence warnings into errors. `disabled`: codes that are not reported, as if nobody looked.
    What is found is put at the end, unless a place before it was reserved for it.
    """

    strict: bool = False
    disabled: frozenset[str] = frozenset()
    _places: list[list[Diagnostic]] = field(default_factory=lambda: [[]])
    _present: list[Diagnostic] | None = None

    def report(self, code: str, message: str, *, bits: tuple[int, int] | None = None, path: str = "") -> None:
        """Add a diagnostic of a catalogued code and go on."""
        if code not in self.disabled:
            self.add(diagnose(code, message, bits=bits, path=path, strict=self.strict))

    def add(self, diagnostic: Diagnostic) -> None:
        """Add a diagnostic that was made elsewhere, such as the one of a caught BitstreamError."""
        if diagnostic.code not in self.disabled:
            (self._places[-1] if self._present is None else self._present).append(diagnostic)

    def reserve(self) -> list[Diagnostic]:
        """A place behind all that was found so far, for what is found later (see `within`)."""
        place: list[Diagnostic] = []
        self._places += [place, []]
        return place

    @contextmanager
    def within(self, place: list[Diagnostic]) -> Iterator[None]:
        """A context in which everything goes to a reserved place."""
        before, self._present = self._present, place
        try:
            yield
        finally:
            self._present = before

    @property
    def diagnostics(self) -> list[Diagnostic]:
        """All of them so far."""
        return list(self)

    def __iter__(self) -> Iterator[Diagnostic]:
        return chain.from_iterable(self._places)

    def __len__(self) -> int:
        return sum(map(len, self._places))
