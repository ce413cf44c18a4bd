"""Whether a golden stream is what its recipe claims: its verdict, its findings, the requirements that it is about."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from nnr_conformance.api import ChainDecoder, chain_decoder
from nnr_conformance.checker.check import check_chain
from nnr_conformance.errors import BuildError
from nnr_conformance.limits import DEFAULT_LIMITS
from nnr_conformance.readings import Readings
from nnr_conformance.report.model import StreamReport
from nnr_conformance.suite.corpus.recipes import CorpusStream, base_arrays
from nnr_conformance.suite.registry_rows import load_requirements


def chain_of(
    stream: CorpusStream, *, compiled: bool | None = None, readings: Readings | None = None, transmitted: bool = False
) -> ChainDecoder:
    """A decoder for the stream behind those that it updates, as its recipe says. Raises BuildError."""
    check = stream.check
    return chain_decoder(
        [one.build() for one in stream.chain()],
        transmitted=transmitted,
        base=base_arrays(check),
        readings=stream.readings if readings is None else readings,
        limits=replace(DEFAULT_LIMITS, **check.get("limits", {})),
        out_of_band=check.get("out_of_band", {}),
        tensors=check.get("tensors"),
        compiled=compiled,
    )


def report_of(stream: CorpusStream) -> StreamReport:
    """The report on the stream, which is the last one of its chain. Raises BuildError."""
    return check_chain(chain_of(stream), edition=stream.check.get("edition")).streams[-1]


def claim_problems(stream: CorpusStream) -> Iterator[str]:
    """What the recipe claims and the checker does not find, one line each."""
    try:
        report = report_of(stream)
    except BuildError as fault:
        yield str(fault)
        return
    if report.verdict.value != stream.verdict:
        yield f"{stream.name}: is {report.verdict.value}, not {stream.verdict}"
    found = {diagnostic.code for diagnostic in report.diagnostics}
    if found != stream.diagnostics:
        more, less = sorted(found - stream.diagnostics), sorted(stream.diagnostics - found)
        yield f"{stream.name}: gives {more} too much, and lacks {less}"
    known = load_requirements()
    for requirement in stream.requirements:
        if requirement not in known:
            yield f"{stream.name}: there is no requirement {requirement}"
