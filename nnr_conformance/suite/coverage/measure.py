"""Measuring what streams exercise: each is checked once, its payloads are replayed, its syntax is walked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from numpy.typing import NDArray

from nnr_conformance.api import ChainDecoder, chain_decoder
from nnr_conformance.checker.check import check_chain
from nnr_conformance.decoder.tensors import DecodedUnit
from nnr_conformance.entropy.parameters import PayloadRules, TensorCoding, TensorResult
from nnr_conformance.limits import DEFAULT_LIMITS, Limits
from nnr_conformance.readings import DEFAULT_READINGS, Readings
from nnr_conformance.report.model import Report
from nnr_conformance.scope import Session, TraceEntry
from nnr_conformance.suite.coverage.entropy_items import entropy_universe, note_payload
from nnr_conformance.suite.coverage.items import Coverage, Item, StreamHits, coverage_of
from nnr_conformance.suite.coverage.syntax_items import SyntaxObserver, syntax_universe
from nnr_conformance.suite.coverage.tool_items import note_rules, note_tools, rule_universe, tool_universe
from nnr_conformance.syntax.unit_walker import walk_units

LARGE_STREAM = 1 << 20
"""Bytes above which the interpreted decoder would take too long."""


@dataclass(frozen=True, slots=True)
class Sample:
    """A stream to be measured, with what it is checked under.

    `data`: the stream, behind those that it updates. `base`: the model that the first of them updates.
    `edition`: whose requirements are checked, None for that of the profile. `tensors`: those that are
    asked for, None for all.
    """

    name: str
    data: tuple[bytes, ...]
    readings: Readings = DEFAULT_READINGS
    limits: Limits = DEFAULT_LIMITS
    out_of_band: Mapping[str, Any] = field(default_factory=dict)
    base: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    edition: int | None = None
    tensors: tuple[str, ...] | None = None


def universe() -> list[Item]:
    """Everything that a stream can exercise, but for lines of the decoder's code."""
    # Structures share elements, which are items once.
    return list(dict.fromkeys((*syntax_universe(), *entropy_universe(), *tool_universe(), *rule_universe())))


def measure(samples: Iterable[Sample]) -> Coverage:
    """Coverage of a set of streams."""
    return coverage_of(universe(), (hits_of(sample) for sample in samples))


def hits_of(sample: Sample) -> StreamHits:
    """What one stream exercises. Never raises for bad streams."""
    last = sample.data[-1]
    hits = StreamHits(sample.name, len(last))
    observer = SyntaxObserver(hits)
    trace: list[TraceEntry] = []
    session = Session(trace=trace, limits=sample.limits, out_of_band=sample.out_of_band, observe=observer.part)
    for _ in walk_units(memoryview(last), session, sample.readings):
        observer.elements(trace)
        trace.clear()
    _note_decoding(sample, hits)
    return hits


def run_sample(sample: Sample) -> Report:
    """Check a stream with the interpreted decoder, and decode it to the named tensors of the model."""
    chain = _chain(sample)
    tensors = {tensor.name: tensor.values for tensor in chain}
    chain.digests[-1].hexdigests(tensors)
    return check_chain(_chain(sample), edition=sample.edition)


def _chain(sample: Sample) -> ChainDecoder:
    return chain_decoder(
        sample.data,
        readings=sample.readings,
        limits=sample.limits,
        out_of_band=sample.out_of_band,
        base=sample.base,
        tensors=sample.tensors,
        compiled=None if len(sample.data[-1]) > LARGE_STREAM else False,
    )


def _note_decoding(sample: Sample, hits: StreamHits) -> None:
    payloads: list[tuple[Sequence[TensorCoding], Sequence[TensorResult], PayloadRules]] = []
    chain = _chain(sample)
    units: list[frozenset[str]] = []
    last = len(sample.data) - 1

    def see_payload(codings: list[TensorCoding], results: list[TensorResult], rules: PayloadRules) -> None:
        if len(chain.decoders) > last:
            payloads.append((codings, results, rules))

    def see_unit(number: int, unit: DecodedUnit) -> None:
        if number == last:
            units.append(unit.tools)

    chain.on_payload, chain.on_decoded = see_payload, see_unit
    report = check_chain(chain, edition=sample.edition)
    for codings, results, rules in payloads:
        note_payload(hits, codings, results, rules)
    note_tools(hits, units, report.streams[-1].tools)
    note_rules(hits, report.streams[-1].rules)
