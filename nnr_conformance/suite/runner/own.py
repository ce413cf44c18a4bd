"""Adapters of this package's own decoder and checker: it runs them like those of anyone else.

A stream is first checked against all rules, as `nnr-check` does; what is left is decoded twice, to the model and to the
transmitted tensors.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import ClassVar

from nnr_conformance.adapters import DecodeJob, Decoding, NotSupported, Rejected
from nnr_conformance.api import ChainDecoder, chain_decoder
from nnr_conformance.checker.check import check_chain
from nnr_conformance.decoder.tensors import CodedTensor, DecodedUnit
from nnr_conformance.diagnostics import Severity
from nnr_conformance.entropy.binding import load_compiled
from nnr_conformance.limits import DEFAULT_LIMITS
from nnr_conformance.report.model import Verdict
from nnr_conformance.suite.runner.delivered import binary32, by_name
from nnr_conformance.version import VERSION

_FIRST = bytes.fromhex("00040201000606000080001216097700182414104c10011a004dc4e0")
"""A start unit, a model parameter set, and a tensor."""


class Interpreted:
    """The decoder with its entropy decoder in plain Python."""

    name, version = "nnr-conformance", VERSION
    compiled: ClassVar[bool] = False

    def __init__(self) -> None:
        # What is computed once, at the first stream, then is there for the processes of all cases.
        with suppress(Rejected):
            self.decode(DecodeJob((_FIRST,)))

    def decode(self, job: DecodeJob) -> Decoding:
        """Raises Rejected with the codes of what is wrong, or of the limits that were hit."""
        verdict, codes = judged(job, self.compiled)
        if verdict is not Verdict.CONFORMING:
            raise Rejected(codes)
        chain, coded = chain_of(job, self.compiled), list[CodedTensor]()

        def remember(number: int, unit: DecodedUnit) -> None:
            if number == len(job.streams) - 1:
                coded.extend(unit.tensors)

        chain.on_decoded = remember
        tensors = {tensor.name: tensor.values for tensor in chain}
        levels = ((one.name, one.quantized) for one in coded if one.quantized is not None)
        return Decoding(tensors, by_name((one.name, binary32(one.values)) for one in coded), by_name(levels))


class Compiled(Interpreted):
    """The decoder with its entropy decoder compiled by numba."""

    name, compiled = "nnr-conformance, compiled", True

    def __init__(self) -> None:
        super().__init__()
        load_compiled(everything=True)


class Checker:
    """The checker: it rejects what is nonconforming, and gives nothing back."""

    name, version = "nnr-check", VERSION

    def __init__(self) -> None:
        judged(DecodeJob((_FIRST,)), None)

    def decode(self, job: DecodeJob) -> Decoding:
        """Raises Rejected for nonconforming streams, NotSupported for those that cannot be judged."""
        verdict, codes = judged(job, None)
        if verdict is Verdict.NONCONFORMING:
            raise Rejected(codes)
        if verdict is Verdict.UNDETERMINED:
            raise NotSupported(codes)
        return Decoding(None)


def judged(job: DecodeJob, compiled: bool | None) -> tuple[Verdict, str]:
    """The verdict on all streams of a job, and the codes of the errors."""
    report = check_chain(chain_of(job, compiled), edition=job.settings.get("edition"), dependence=False)
    codes = sorted({found.code for found in report.diagnostics if found.severity is Severity.ERROR})
    return report.verdict, ", ".join(codes)


def chain_of(job: DecodeJob, compiled: bool | None) -> ChainDecoder:
    """A decoder of the job under what is agreed on."""
    return chain_decoder(
        job.streams,
        base=job.base,
        tensors=job.settings.get("tensors"),
        readings=job.settings.get("readings", {}),
        limits=replace(DEFAULT_LIMITS, **job.settings.get("limits", {})),
        out_of_band=job.out_of_band,
        compiled=compiled,
    )
