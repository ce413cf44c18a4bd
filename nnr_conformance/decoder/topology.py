"""Topology and quantization units: what travels beside the tensors (clause 6). Nothing here changes a decoded value."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

from nnr_conformance.diagnostics import Findings, stop
from nnr_conformance.limits import Limits
from nnr_conformance.readings import DEFAULT_READINGS, Readings


@dataclass(frozen=True, slots=True)
class CarriedData:
    """topology_data or quantization_data of a unit, inflated when it was compressed."""

    label: str
    unit_type: int
    storage_format: int
    data: bytes


def inflate(
    data: bytes | memoryview,
    limits: Limits,
    findings: Findings,
    path: str,
    bits: tuple[int, int],
    readings: Readings = DEFAULT_READINGS,
) -> bytes:
    """Inflate NNR_DFL data: a zlib stream (RFC 1950) with nothing behind it (R-TPL-03, R-TPL-10).

    Raw DEFLATE (RFC 1951) is accepted with a warning, or the other way round (reading deflate-wrapper). Raises
    BitstreamError deflate_invalid or limit_inflated.
    """
    readings.mark("deflate-wrapper")
    raw = readings["deflate-wrapper"] == "raw"
    windows = (-zlib.MAX_WBITS, zlib.MAX_WBITS) if raw else (zlib.MAX_WBITS, -zlib.MAX_WBITS)
    try:
        return _inflate(data, windows[0], limits, findings, path, bits)
    except zlib.error as fault:
        try:
            inflated = _inflate(data, windows[1], limits, findings, path, bits)
        except zlib.error:
            stop("deflate_invalid", f"{fault}", bits=bits, path=path)
        if raw:
            findings.report("deflate_with_zlib", "DEFLATE data in a zlib container", bits=bits, path=path)
        else:
            findings.report("deflate_without_zlib", "raw DEFLATE data without a zlib header", bits=bits, path=path)
        return inflated


def _inflate(
    data: bytes | memoryview, window: int, limits: Limits, findings: Findings, path: str, bits: tuple[int, int]
) -> bytes:
    engine = zlib.decompressobj(window)
    # One byte above the limit shows that it is passed; nothing behind is inflated.
    content = engine.decompress(data, limits.inflated_bytes + 1)
    if len(content) > limits.inflated_bytes:
        stop("limit_inflated", f"more than {limits.inflated_bytes} bytes when inflated", bits=bits, path=path)
    if not engine.eof:
        raise zlib.error("the compressed data ends too early")
    if engine.unused_data:
        message = f"{len(engine.unused_data)} bytes follow the end of the compressed data"
        findings.report("deflate_trailing", message, bits=bits, path=path)
    return content
