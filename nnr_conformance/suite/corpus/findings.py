"""What the decoder and the checker find in a golden stream, by both executions of the decoder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from nnr_conformance.checker.check import check_chain
from nnr_conformance.report.model import StreamReport, Verdict
from nnr_conformance.suite.corpus.golden import Golden


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """`report`: of the checker, interpreted. `digests`: by stage, of the interpreted decoder. `tensors`: of the model.

    `compiled`: digests of the compiled decoder, None when it is not installed. `editions`: those whose requirements the
    stream keeps.
    """

    report: StreamReport
    digests: Mapping[str, str]
    tensors: Mapping[str, NDArray[Any]]
    compiled: Mapping[str, str] | None
    editions: tuple[int, ...]


def found_in(golden: Golden, *, compiled: bool) -> Found:
    """Check and decode a stored stream. Raises FileNotFoundError, and UsageError when there is no compiler."""
    report = check_chain(golden.chain(compiled=False), edition=golden.check.get("edition")).streams[-1]
    tensors, digests = decoded(golden, compiled=False)
    return Found(
        report=report,
        digests=digests,
        tensors=tensors,
        compiled=decoded(golden, compiled=True)[1] if compiled else None,
        editions=tuple(edition for edition in (1, 2) if _keeps(golden, edition)),
    )


def decoded(golden: Golden, *, compiled: bool | None) -> tuple[dict[str, NDArray[Any]], dict[str, str]]:
    """The tensors of the model at the end of the chain, and the digests of the last stream."""
    chain = golden.chain(compiled=compiled)
    tensors = {tensor.name: tensor.values for tensor in chain}
    return tensors, chain.digests[-1].hexdigests(tensors)


def _keeps(golden: Golden, edition: int) -> bool:
    report = check_chain(golden.chain(compiled=False), edition=edition, dependence=False)
    return report.streams[-1].verdict is not Verdict.NONCONFORMING
