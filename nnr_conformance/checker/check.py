"""Check streams: decode them completely, keep nothing but what the report says."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nnr_conformance.api import ChainDecoder, Streams, chain_decoder
from nnr_conformance.checker.all_rules import ALL_RULES
from nnr_conformance.checker.dependence import ReadingTracker, with_outcomes
from nnr_conformance.checker.editions import check_profile, codes_beyond, known_edition
from nnr_conformance.checker.headers import check_data_header
from nnr_conformance.checker.rules import RuleCount, RuleRunner, SeenUnit
from nnr_conformance.checker.scopes import ScopeCounts, counts_of_checks
from nnr_conformance.decoder.stream import StreamDecoder
from nnr_conformance.decoder.tensors import DecodedUnit
from nnr_conformance.limits import DEFAULT_LIMITS, Limits
from nnr_conformance.readings import DEFAULT_READINGS, Readings
from nnr_conformance.report.model import Report, StreamReport, TensorRow, UnitRow, Verdict, grouped, verdict_of
from nnr_conformance.scope import TraceEntry
from nnr_conformance.syntax.unit_parser import Unit
from nnr_conformance.version import VERSION

if TYPE_CHECKING:
    from nnr_conformance.checker.details import DetailsCollector


def check(
    data: Streams,
    *,
    names: Sequence[str] | None = None,
    base: Mapping[str, NDArray[Any]] | None = None,
    readings: Readings | Iterable[str] | Mapping[str, str] = DEFAULT_READINGS,
    limits: Limits = DEFAULT_LIMITS,
    strict: bool = False,
    compiled: bool | None = None,
    out_of_band: Mapping[str, Any] | None = None,
    details: int = 0,
    edition: int | None = None,
) -> Report:
    """Check a stream, or a chain of streams in order: every stage, every payload.

    `names`: what the streams are called in the report. `strict`: requirements of medium confidence count as errors.
    `details`: keep what shows the streams bit by bit, up to this many syntax elements, and histograms of the levels of
    tensors; takes longer.
    `edition`: 1 or 2, of which the profile and the requirements then are; None follows the profile of the stream.
    Other arguments as for `decode`. Raises UsageError for arguments that make no sense, nothing for bad streams.
    """
    chain = chain_decoder(
        data,
        base=base,
        readings=readings,
        limits=limits,
        strict=strict,
        compiled=compiled,
        out_of_band=out_of_band,
    )
    return check_chain(chain, names, details=details, edition=edition)


def check_chain(
    chain: ChainDecoder,
    names: Sequence[str] | None = None,
    disabled: frozenset[str] = frozenset(),
    *,
    details: int = 0,
    edition: int | None = None,
    dependence: bool = True,
    headers_only: bool = False,
) -> Report:
    """Run a chain decoder and the rules to their end and report; `disabled`: codes of rules to leave out.

    `details`, `edition`: as for `check`. `dependence`: find out on which readings the verdicts depend. `headers_only`:
    framing, syntax and semantics; no payload is decoded, no digest made, and what payloads would show stays open.
    """
    if headers_only:
        chain.decode_data, chain.digesting, dependence = check_data_header, False, False
    if edition is not None:
        disabled |= codes_beyond(known_edition(edition))
    chain.threads = 1  # rules hear of a unit, and of its tensors, before the next unit
    tracker = ReadingTracker(chain.readings.recording())
    if dependence:
        chain.readings = tracker.readings
    runners: list[RuleRunner] = []
    scopes: list[ScopeCounts] = []
    chain.disabled = disabled
    collector = _collector(details) if details else None

    def see(number: int, unit: Unit, trace: Sequence[TraceEntry]) -> None:
        while len(runners) <= number:
            runners.append(RuleRunner(ALL_RULES, chain.findings[len(runners)], disabled))
            chain.decoders[number].judge_by(runners[number].judge)
            scopes.append(ScopeCounts())
        runners[number].see_all_carried(chain.decoders[number].carried)
        tracker.see(number, unit)
        check_profile(unit, trace, edition, chain.findings[number])
        runners[number].see(SeenUnit(unit, trace))
        scopes[number].see_unit(unit, trace)
        if collector is not None:
            collector.see(number, unit, trace)

    chain.on_unit = see
    labels = names or [f"stream {number}" for number in range(len(chain.streams))]
    rows: list[list[TensorRow]] = []
    for number, unit in chain.units():
        while len(rows) <= number:
            rows.append([])
        rows[number].extend(_tensor_rows(unit, collector))
        scopes[number].see_decoded(unit)
        runners[number].see_decoded(unit)
        del unit
    for runner, decoder in zip(runners, chain.decoders, strict=False):
        runner.see_all_carried(decoder.carried)
        runner.end_model()
    rows.extend([] for _ in range(len(chain.streams) - len(rows)))
    runners.extend(RuleRunner(ALL_RULES, findings, disabled) for findings in chain.findings[len(runners) :])
    counts = [runner.counts for runner in runners]
    scopes.extend(ScopeCounts() for _ in range(len(chain.decoders) - len(scopes)))
    streams = tuple(
        _stream_report(
            labels[number],
            chain,
            number,
            decoder,
            rows[number],
            counts[number],
            scopes[number],
            collector,
            headers_only,
        )
        for number, decoder in enumerate(chain.decoders)
    )
    if dependence:
        streams = with_outcomes(streams, tracker, _verdicts_of(chain, disabled, edition))
    return Report(streams, VERSION)


def _verdicts_of(
    chain: ChainDecoder, disabled: frozenset[str], edition: int | None
) -> Callable[[Readings], Sequence[Verdict]]:
    """Checks the streams of a chain again under other readings."""

    def verdicts(readings: Readings) -> Sequence[Verdict]:
        for decoder in chain.decoders:
            # What was carried has been judged; checking again needs the memory.
            decoder.carried.clear()
        again = replace(chain, readings=readings, decoders=[], findings=[], digests=[], on_progress=None, on_unit=None)
        report = check_chain(again, disabled=disabled, edition=edition, dependence=False)
        return [stream.verdict for stream in report.streams]

    return verdicts


def _collector(most_elements: int) -> DetailsCollector:
    from nnr_conformance.checker.details import DetailsCollector  # noqa: PLC0415 - a check without details starts sooner

    return DetailsCollector(most_elements)


def _tensor_rows(unit: DecodedUnit, collector: DetailsCollector | None) -> list[TensorRow]:
    return [
        TensorRow(
            tensor.name,
            unit.label,
            tensor.values.shape,
            "float32" if tensor.values.dtype == np.float64 else tensor.values.dtype.name,
            tensor.bits[1] - tensor.bits[0],
            tensor.qp,
            None if tensor.quantized is None else int(np.count_nonzero(tensor.quantized)),
            tensor.bits[0],
            None if tensor.quantized is None or collector is None else collector.histogram(tensor.quantized),
        )
        for tensor in unit.tensors
    ]


def _stream_report(
    name: str,
    chain: ChainDecoder,
    number: int,
    decoder: StreamDecoder,
    tensors: list[TensorRow],
    counts: Mapping[str, RuleCount],
    scopes: ScopeCounts,
    collector: DetailsCollector | None,
    headers_only: bool,
) -> StreamReport:
    diagnostics = tuple(decoder.findings)
    verdict = verdict_of(diagnostics)
    chosen = {key: value for key, value in chain.readings.chosen.items() if not chain.readings.is_default(key)}
    return StreamReport(
        name=name,
        size=len(decoder.buffer),
        sha256=hashlib.sha256(decoder.buffer).hexdigest(),
        verdict=Verdict.UNDETERMINED if headers_only and verdict is Verdict.CONFORMING else verdict,
        units=tuple(
            UnitRow(unit.label, unit.unit_type, unit.first, unit.size, unit.payload_size, unit.names)
            for unit in decoder.units
        ),
        undecoded=tuple(decoder.undecoded),
        tools=tuple(sorted(decoder.tools)),
        tensors=tuple(tensors),
        groups=grouped(diagnostics, decoder.buffer),
        diagnostics=diagnostics,
        digests=chain.digests[number].hexdigests() if chain.digesting else {},
        readings=chosen,
        rules={code: (count.passed, count.failed) for code, count in counts.items()}
        | counts_of_checks(scopes, diagnostics, chain.disabled),
        details=None
        if collector is None
        else collector.of_stream(number, decoder.buffer, diagnostics, chain.out_of_band),
        headers_only=headers_only,
    )
