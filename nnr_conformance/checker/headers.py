"""Compressed data units by their headers alone: what can be said of a payload without decoding it."""

from __future__ import annotations

import math
from collections.abc import Sequence

from nnr_conformance.decoder.compressed_data import coding_plan, open_data_unit
from nnr_conformance.decoder.entropy_stage import placed
from nnr_conformance.decoder.how import UnitDecoder
from nnr_conformance.decoder.model_state import ModelState
from nnr_conformance.decoder.payloads import PayloadBytes
from nnr_conformance.decoder.steps import Steps
from nnr_conformance.decoder.tensors import DecodedUnit
from nnr_conformance.decoder.unit_header import coded_shape
from nnr_conformance.decoder.update_tree import UpdateTree
from nnr_conformance.diagnostics import Severity
from nnr_conformance.entropy import EntropyFault
from nnr_conformance.entropy.capacity import check_capacity, check_coding
from nnr_conformance.errors import BitstreamError
from nnr_conformance.machines import Judge
from nnr_conformance.scope import TraceEntry, joined
from nnr_conformance.syntax.enumerations import PT_RAW_FLOAT
from nnr_conformance.syntax.unit_parser import Unit


def check_data_header(
    unit: Unit,
    payload: PayloadBytes,
    names: tuple[str, ...],
    state: ModelState,
    tree: UpdateTree,
    trace: Sequence[TraceEntry],
    judge: Judge,
    how: UnitDecoder,
) -> Steps[DecodedUnit | None]:
    """Check dimensions, codebooks, entry points and the size of one NNR_NDU's payload; parents are not looked for.

    Raises BitstreamError when its tensors could not be had; the judge's findings hear of lesser things.
    """
    yield from ()
    findings = judge.findings
    header, payload_type, members = open_data_unit(unit, names, trace, how)
    size = len(payload.data)
    bits = (payload.absolute(0), payload.absolute(8 * size))
    if payload_type == PT_RAW_FLOAT:
        needed = 4 * math.prod(coded_shape(header, members[0], how))
        if size != needed:
            message = f"the payload has {size} bytes, required are {needed} for {needed >> 2} elements"
            path = joined(unit.label, "raw_float32_parameter")
            findings.report("raw_length", message, bits=bits, path=path)
        return None
    plan = coding_plan(header, members, payload_type, state, findings, how)
    for number, coding in enumerate(plan.codings):
        try:
            check_coding(coding, 0, number)
            check_capacity(coding, size, how.limits, 0, number)
        except EntropyFault as fault:
            path = joined(unit.label, "cabac_payload")
            raise BitstreamError(placed(fault, members, payload, path, severity=Severity.ERROR)) from fault
    return None
