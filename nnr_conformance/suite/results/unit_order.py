"""In which order the units of a stream come, as far as decoders are known to care: is compressed data the last unit?

The manifest does not say this of streams; it is read from the headers alone, where a run has failures to explain.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from nnr_conformance.api import chain_decoder
from nnr_conformance.checker.headers import check_data_header
from nnr_conformance.scope import TraceEntry
from nnr_conformance.suite.results.report import RunReport
from nnr_conformance.suite.results.suspects import FEWEST
from nnr_conformance.suite.runner.model import Case
from nnr_conformance.suite.runner.sources import GOLDEN, source_bytes
from nnr_conformance.syntax.enumerations import NDU
from nnr_conformance.syntax.unit_parser import Unit

PAYLOADS = ("integer", "real", "raw float", "block")
"""What nnr_compressed_data_unit_payload_type says."""


def with_unit_orders(report: RunReport, cases: Iterable[Case]) -> RunReport:
    """The report with the unit orders of golden streams, when it has failures enough for a finding."""
    if len(report.failures) < FEWEST:
        return report
    about = dict(report.about)
    for case in cases:
        if case.id in about and case.source.startswith(GOLDEN):
            about[case.id] = replace(about[case.id], order=unit_order(source_bytes(case.source)))
    return replace(report, about=about)


def unit_order(stream: bytes) -> tuple[str, ...]:
    """The kinds of compressed data behind which another unit comes, such as "raw float before a unit"."""
    kinds: list[str] = []

    def see(number: int, unit: Unit, trace: Sequence[TraceEntry]) -> None:
        del number, trace
        kind = unit.header.get("nnr_compressed_data_unit_header", {}).get("nnr_compressed_data_unit_payload_type", -1)
        kinds.append(PAYLOADS[kind] if unit.unit_type == NDU and kind in range(len(PAYLOADS)) else "")

    chain = chain_decoder([stream], compiled=False)
    chain.on_unit, chain.decode_data, chain.digesting = see, check_data_header, False
    for _ in chain:
        """Headers give no tensors."""
    return tuple(f"{kind} before a unit" for kind in sorted({*kinds[:-1]} - {""}))
