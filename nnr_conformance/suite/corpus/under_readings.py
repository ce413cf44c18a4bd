"""What becomes of a golden stream under each choice of a reading, and which choices it tells apart."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from nnr_conformance.checker.check import check_chain
from nnr_conformance.readings import known_readings
from nnr_conformance.suite.corpus.checks import chain_of
from nnr_conformance.suite.corpus.recipes import CorpusStream

Choices = tuple[str, str]
"""Two choices of a reading, in the order of `spec/readings.yaml`."""


@dataclass(frozen=True, slots=True)
class UnderReading:
    """A stream under one choice: verdict, codes of the findings, digests by stage (see `decoder.digests`)."""

    verdict: str
    codes: tuple[str, ...]
    digests: Mapping[str, str]


def under_readings(stream: CorpusStream) -> dict[str, UnderReading]:
    """The stream under each choice of its reading, other readings as its recipe chooses them."""
    return {choice: _under(stream, choice) for choice in known_readings()[stream.reading]["readings"]}


def _under(stream: CorpusStream, choice: str) -> UnderReading:
    readings = stream.readings.but(stream.reading, choice)
    checked = chain_of(stream, readings=readings)
    report = check_chain(checked, edition=stream.check.get("edition"), dependence=False).streams[-1]
    chain = chain_of(stream, readings=readings)
    tensors = {tensor.name: tensor.values for tensor in chain}
    codes = tuple(sorted({found.code for found in report.diagnostics}))
    return UnderReading(report.verdict.value, codes, chain.digests[-1].hexdigests(tensors))


def told_apart(found: Mapping[str, UnderReading]) -> Iterator[Choices]:
    """The pairs of choices with different results."""
    for one, other in itertools.combinations(found, 2):
        if found[one] != found[other]:
            yield one, other


def streams_of_readings(streams: Iterable[CorpusStream]) -> dict[str, list[CorpusStream]]:
    """By reading the streams that tell its choices apart, readings in the order of `spec/readings.yaml`."""
    found: dict[str, list[CorpusStream]] = {reading: [] for reading in known_readings()}
    for stream in streams:
        if stream.reading:
            found[stream.reading].append(stream)
    return found
