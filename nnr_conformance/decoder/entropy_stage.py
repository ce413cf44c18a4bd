"""The entropy stage of a unit: entry points of its header, payload rules, faults placed in the stream (clause 10)."""

from __future__ import annotations

import math
from dataclasses import replace

from nnr_conformance.decoder.how import UnitDecoder
from nnr_conformance.decoder.payloads import PayloadBytes
from nnr_conformance.decoder.unit_header import HEADER, HeldTensor, UnitHeader, coded_shape
from nnr_conformance.diagnostics import Findings, Severity, diagnose
from nnr_conformance.entropy import EntropyFault, EntryPoint, PayloadDecoder, PayloadRules, TensorCoding, TensorResult
from nnr_conformance.errors import BitstreamError
from nnr_conformance.scope import joined


def entry_points(
    header: UnitHeader, members: list[HeldTensor], how: UnitDecoder, findings: Findings
) -> list[tuple[EntryPoint, ...] | None]:
    """The header's entry points, shared out to the tensors that are scanned in blocks (R-EP-01 to R-EP-03)."""
    scan_order = header.get("scan_order")
    unit_header = header.unit.header[HEADER]
    if not scan_order or "value" not in unit_header:
        return [None] * len(members)
    points = []
    length = 0
    states = unit_header["dq_state"] or [0] * len(unit_header["value"])
    for number, (offset, dq_state) in enumerate(zip(unit_header["value"], states, strict=True)):
        length += unit_header["bit_offset_delta"][number] if number else unit_header["bit_offset"][0]
        if length < 0:
            name = f"bit_offset_delta[{number}]"
            findings.report(
                "entry_point_negative", f"bit offset {length}", bits=header.place(name), path=header.path(name)
            )
        points.append(EntryPoint(offset, dq_state, length))
    if points:
        header.tools.add("entry points")
    shares: list[tuple[EntryPoint, ...] | None] = []
    for tensor in members:
        if not tensor.scanned:
            shares.append(None)
            continue
        shape = coded_shape(header, tensor, how)
        count = max(0, -(-shape[0] // (4 << scan_order)) - 1)
        share, points = tuple(points[:count]), points[count:]
        single = shape[0] == 1 or math.prod(shape[1:]) == 1
        shares.append(None if single else share)
    return shares


def entropy_decode(
    header: UnitHeader,
    members: list[HeldTensor],
    codings: list[TensorCoding],
    payload: PayloadBytes,
    findings: Findings,
    how: UnitDecoder,
) -> list[TensorResult]:
    """Decode the payload; one of edition 1 may follow either of two rules (reading edition1-payload)."""
    rules = PayloadRules(
        skip_advances_row_width=how.readings["row-skip-state"] == "row-width",
        skip_resets_neighbour=how.readings["skipped-row-neighbour"] == "zero",
    )
    older = replace(rules, prefix_ids=32, restart_single_block_row=True)
    edition1 = codings[0].edition == 1
    if len(payload.data) == 1:
        bits, path = (payload.absolute(0), payload.absolute(8)), joined(header.unit.label, "cabac_payload")
        findings.report("payload_too_short", "1 byte of at least 2", bits=bits, path=path)
    chosen = how.readings["edition1-payload"]
    if edition1 and chosen == "32":
        rules = older
    try:
        return _decode_with(header, members, codings, payload, rules, findings, how)
    except EntropyFault as fault:
        if edition1 and chosen == "auto":
            try:
                results = _decode_with(header, members, codings, payload, older, findings, how)
            except EntropyFault:
                pass
            else:
                findings.report(
                    "variant_nnc1.0",
                    f"with 31 ids decoding ends with {fault.code}",
                    bits=(payload.absolute(0), payload.absolute(8 * len(payload.data))),
                    path=joined(header.unit.label, "cabac_payload"),
                )
                header.tools.add("32 prefix ids")
                return results
        tensor = members[fault.tensor].name if fault.tensor < len(members) else members[-1].name
        read = fault.bit - (fault.code == "stop_bit_missing")
        at = payload.absolute(max(0, min(read, 8 * len(payload.data) - 1)))
        raise BitstreamError(
            diagnose(
                fault.code,
                f"tensor {tensor!r}: {fault.message}",
                bits=(at, at + 1),
                path=joined(joined(header.unit.label, "cabac_payload"), tensor),
                severity=Severity.ERROR,
            )
        ) from fault


def _decode_with(
    header: UnitHeader,
    members: list[HeldTensor],
    codings: list[TensorCoding],
    payload: PayloadBytes,
    rules: PayloadRules,
    findings: Findings,
    how: UnitDecoder,
) -> list[TensorResult]:
    decoder = PayloadDecoder(payload.data, rules, compiled=how.compiled, work_bits=how.work_bits, limits=how.limits)
    results = [decoder.decode_tensor(coding) for coding in codings]
    decoder.finish()
    for note in decoder.notes:
        at = payload.absolute(note.bit)
        name = members[note.tensor].name
        findings.report(
            note.code,
            f"tensor {name!r}: {note.message}",
            bits=(at, at + 1),
            path=joined(joined(header.unit.label, "cabac_payload"), name),
        )
    return results
