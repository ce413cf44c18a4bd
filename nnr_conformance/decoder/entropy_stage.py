"""The entropy stage of a unit: entry points of its header, payload rules, faults placed in the stream (clause 10)."""

from __future__ import annotations

import math
from dataclasses import replace

from nnr_conformance.decoder.attempts import Attempt, Outcome
from nnr_conformance.decoder.how import UnitDecoder
from nnr_conformance.decoder.payload_readings import mark_payload
from nnr_conformance.decoder.payloads import PayloadBytes
from nnr_conformance.decoder.steps import Steps
from nnr_conformance.decoder.unit_header import HEADER, HeldTensor, UnitHeader, coded_shape
from nnr_conformance.diagnostics import Diagnostic, Findings, Severity, diagnose
from nnr_conformance.entropy import (
    EntropyFault,
    EntryPoint,
    Note,
    PayloadRules,
    TensorCoding,
    TensorResult,
)
from nnr_conformance.entropy.capacity import elements_allowed
from nnr_conformance.entropy.entry_points import header_count
from nnr_conformance.errors import BitstreamError
from nnr_conformance.scope import joined


def entry_points(
    header: UnitHeader, members: list[HeldTensor], how: UnitDecoder, findings: Findings
) -> list[tuple[EntryPoint, ...] | None]:
    """The header's entry points, shared out to the tensors that are scanned in blocks (R-EP-01 to R-EP-03)."""
    scan_order = header.get("scan_order")
    unit_header = header.unit.header[HEADER]
    if not scan_order:
        return [None] * len(members)
    points = []
    length = 0
    for number, (offset, dq_state) in enumerate(zip(unit_header["value"], unit_header["dq_state"], strict=True)):
        length += unit_header["bit_offset_delta"][number] if number else unit_header["bit_offset"][0]
        if length < 0:
            name = f"bit_offset_delta[{number}]"
            findings.report(
                "entry_point_negative", f"bit offset {length}", bits=header.place(name), path=header.path(name)
            )
        points.append(EntryPoint(offset, dq_state, length, number))
    header.tools.update({"entry points"} if points else ())
    shares: list[tuple[EntryPoint, ...] | None] = []
    for tensor in members:
        if not tensor.scanned:
            shares.append(None)
            continue
        shape = coded_shape(header, tensor, how)
        count = header_count(shape[0], scan_order)
        share, points = tuple(points[:count]), points[count:]
        # Nothing starts at those of a single column, which by one reading are not even there.
        shares.append(None if math.prod(shape[1:]) == 1 else share)
    return shares


def entropy_decode(
    header: UnitHeader,
    members: list[HeldTensor],
    codings: list[TensorCoding],
    payload: PayloadBytes,
    findings: Findings,
    how: UnitDecoder,
) -> Steps[list[TensorResult]]:
    """Decode the payload; one of edition 1 may follow either of two rules (reading edition1-payload).

    The jobs are attempts at the payload. Raises BitstreamError when the levels cannot be had. A fault behind the
    terminate bin, such as surplus bytes, does not touch them and is reported.
    """
    rules = PayloadRules(
        skip_advances_row_width=how.readings["row-skip-state"] == "row-width",
        skip_resets_neighbour=how.readings["skipped-row-neighbour"] == "zero",
    )
    edition1 = codings[0].edition == 1
    whole = (payload.absolute(0), payload.absolute(8 * len(payload.data)))
    path = joined(header.unit.label, "cabac_payload")
    if len(payload.data) == 1:
        findings.report("payload_too_short", "1 byte of at least 2", bits=whole, path=path)
    chosen = how.readings["edition1-payload"]
    used = _older(rules) if edition1 and chosen == "32" else rules
    limits = how.limits_left
    elements = sum(coding.elements for coding in codings)
    if all(coding.elements <= elements_allowed(len(payload.data), limits) for coding in codings):
        how.free_elements.spend(elements, len(payload.data))
    outcome: Outcome = yield Attempt.of(codings, payload.data, used, how, limits)
    if outcome.fault is not None and edition1 and chosen == "auto":
        older = _older(rules)
        second: Outcome = yield Attempt.of(codings, payload.data, older, how, limits)
        if second.fault is None:
            message = f"with 31 ids decoding ends with {outcome.fault.code}"
            findings.report("variant_nnc1.0", message, bits=whole, path=path)
            header.tools.add("32 prefix ids")
            outcome, used = second, older
    if how.readings.marked is not None:
        mark_payload(how.readings, codings, outcome.results, skipping=outcome.skipping, history=outcome.history)
    for note in outcome.notes:
        diagnostic = placed(note, members, payload, path, strict=findings.strict)
        if note.element:
            # What is wrong is what the header says, and the payload shows it.
            diagnostic = replace(diagnostic, bits=header.place(note.element), path=header.path(note.element))
        findings.add(diagnostic)
    if outcome.fault is not None:
        diagnostic = placed(outcome.fault, members, payload, path, severity=Severity.ERROR)
        if outcome.fault.code not in BEHIND_THE_LEVELS:
            raise BitstreamError(diagnostic) from outcome.fault
        findings.add(diagnostic)
    if how.on_payload is not None:
        how.on_payload(codings, outcome.results, used)
    return outcome.results


def _older(rules: PayloadRules) -> PayloadRules:
    """What the first edition was before it was finished."""
    return replace(rules, prefix_ids=32, restart_single_block_row=True)


BEHIND_THE_LEVELS = ("stop_bit_missing", "alignment_nonzero", "trailing_bytes")
"""Faults that are found when every level was decoded and the terminate bin was 1."""


def placed(
    found: Note | EntropyFault,
    members: list[HeldTensor],
    payload: PayloadBytes,
    path: str,
    *,
    severity: Severity | None = None,
    strict: bool = False,
) -> Diagnostic:
    """A note or a fault of the entropy decoder as a diagnostic with its place in the stream."""
    name = members[min(found.tensor, len(members) - 1)].name
    read = found.bit - (found.code == "stop_bit_missing")
    at = payload.absolute(max(0, min(read, 8 * len(payload.data) - 1)))
    message = f"tensor {name!r}: {found.message}"
    place = (at, at + bool(payload.data))
    return diagnose(found.code, message, bits=place, path=joined(path, name), severity=severity, strict=strict)
