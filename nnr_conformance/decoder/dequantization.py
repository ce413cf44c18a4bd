"""Clause 9, from integer levels to real values: step size, uniform and codebook dequantization, raw floats.

All arithmetic is IEEE 754 with rounding to nearest, ties to even, and is reproducible to the bit; a NaN that arises
here (0 times an infinite step) is quiet, without sign and payload. Sources: the public codec NNCodec 2.1.3 for the
order of roundings, and the requirements R-QP, R-CB and R-NDU-22.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnr_conformance.diagnostics import Findings, stop
from nnr_conformance.errors import UsageError
from nnr_conformance.readings import DEFAULT_READINGS, Readings

Bits = tuple[int, int] | None

_INT32 = np.iinfo(np.int32)
_SAFE_EXPONENT = 102
"""Of a step, up to which an exact level times it is below 2^127."""
_EXACT_IN_BINARY32 = 1 << 24
_CHUNK = 1 << 16  # elements for which other numbers exist at one time


@lru_cache(maxsize=256)
def step_size(qp: int, density: int) -> np.float32:
    """Clause 9: quantization step of the quantization parameter QP in binary32.

    With k = 2^density, M = k + (QP mod k) and E = floor(QP / k) the step is M * 2^(E - density): linear between powers
    of two, doubled every k units of QP. `density` is qp_density, 0..7. Any `qp` is accepted; where binary32 ends the
    step is subnormal, 0 or infinite, rounded once. Raises UsageError for another density.
    """
    with np.errstate(over="ignore"):
        return np.float32(_exact_step(qp, density))


def check_qp(qp: int, density: int, *, findings: Findings, path: str = "", bits: Bits = None) -> None:
    """R-QP-02: reports `qp_invalid` when the step is not a normal positive binary32 number.

    Normal means -126 <= floor(QP / 2^density) <= 127. `bits` is the place of the coded QP in the stream.
    """
    exponent = _exponent(qp, density)
    if -126 <= exponent <= 127:
        return
    step = step_size(qp, density)
    kind = "infinite" if np.isinf(step) else "zero" if step == 0 else "subnormal"
    findings.report(
        "qp_invalid",
        f"QP {qp} with qp_density {density} gives a step size that is {kind} in binary32: "
        f"QP >> qp_density is {exponent}, required is -126 to 127",
        bits=bits,
        path=path,
    )


def dequantize_uniform(
    quantized: NDArray[np.int32],
    qp: int,
    density: int,
    *,
    findings: Findings,
    readings: Readings = DEFAULT_READINGS,
    path: str = "",
    bits: Bits = None,
    in_place: bool = False,
) -> NDArray[np.float32]:
    """Clause 9, R-QP-04: value = step * level, both factors in binary32, any shape in, same shape out.

    A level is first rounded to binary32 (inexact above 2^24 in magnitude), then multiplied once; this differs from
    rounding the exact product, as the reading level-rounding=once has it. With dependent quantization `quantized` holds
    the doubled levels and the step is the same. Level 0 gives +0, and NaN when the step is infinite. Reports
    `value_overflow`, `value_not_a_number` and `precision_loss`. Memory: the result only; with `in_place` the result may
    have the memory of `quantized`, whose levels are then lost. Raises UsageError when `quantized` is not int32.
    """
    _require_int32(quantized)
    step = step_size(qp, density)
    if _cannot_leave_binary32(quantized, _exponent(qp, density)):
        if in_place and quantized.flags.c_contiguous and quantized.flags.writeable:
            return _scaled_in_place(quantized, step)
        values = quantized.astype(np.float32, order="C")
        values *= step
        return values
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        values = quantized.astype(np.float32, order="C")
        np.multiply(values, step, out=values)
        zeros: list[int] = []
        if np.isinf(step):
            # The sign of 0 times infinity depends on the processor; digests need one pattern.
            is_zero = quantized == 0
            values[is_zero] = np.nan
            zeros = [0] if is_zero.any() else []
        if quantized.size:
            # The value is monotone in the level, so the smallest and the largest level stand for all finite steps.
            extremes = [int(quantized.min()), int(quantized.max())]
            shown = [*extremes, *zeros]
            _check_finite(shown, [np.float32(level) * step for level in shown], step, findings, path, bits)
            largest = max(extremes, key=abs)
            if abs(largest) > _EXACT_IN_BINARY32:
                findings.report(
                    "precision_loss",
                    f"level {largest} is above 2^24 in magnitude and is rounded when it becomes binary32",
                    bits=bits,
                    path=path,
                )
                readings.mark("level-rounding")
                if readings["level-rounding"] == "once" and np.isfinite(step):
                    _round_once(quantized, float(step), values)
    return values


def _scaled_in_place(quantized: NDArray[np.int32], step: np.float32) -> NDArray[np.float32]:
    levels = quantized.reshape(-1)
    values = levels.view(np.float32)
    for first in range(0, levels.size, _CHUNK):
        some = slice(first, first + _CHUNK)
        np.multiply(levels[some].astype(np.float32), step, out=values[some])
    return values.reshape(quantized.shape)


def _cannot_leave_binary32(quantized: NDArray[np.int32], exponent: int) -> bool:
    """Whether all levels are exact, the step of this exponent is normal and no product can overflow."""
    if not quantized.size or not -126 <= exponent <= _SAFE_EXPONENT:
        return False
    return bool(quantized.min() >= -_EXACT_IN_BINARY32 and quantized.max() <= _EXACT_IN_BINARY32)


def _round_once(quantized: NDArray[np.int32], step: float, values: NDArray[np.float32]) -> None:
    """Put the products into `values`, each exact in binary64 before it is rounded to binary32."""
    flat_levels, flat_values = quantized.ravel(), values.ravel()
    for first in range(0, quantized.size, _CHUNK):
        flat_values[first : first + _CHUNK] = flat_levels[first : first + _CHUNK].astype(np.float64) * step


@dataclass(frozen=True, slots=True, eq=False)
class Codebook:
    """Clause 9: the integers that levels select; level 0 selects `entries[zero_offset]`, which need not be 0.

    `entries`: int32, shape [codebook_size], strictly increasing, read-only. `zero_offset`: CbZeroOffset.
    """

    entries: NDArray[np.int32]
    zero_offset: int

    def __len__(self) -> int:
        return len(self.entries)

    @classmethod
    def from_elements(
        cls,
        codebook_size: int,
        zero_offset: int,
        codebook_zero_value: int,
        codebook_delta_left: Sequence[int],
        codebook_delta_right: Sequence[int],
        *,
        path: str = "",
        bits: Bits = None,
    ) -> Codebook:
        """The codebook of the elements of codebook(), R-CB-01 to R-CB-06.

        `codebook_delta_left` and `codebook_delta_right` are in coded order: both walk away from the zero entry, each
        step being the coded delta + 1. Raises BitstreamError `codebook_overflow` for an entry outside int32, and
        UsageError when the number of deltas does not agree with size and zero offset, which the syntax checks.
        """
        if len(codebook_delta_left) != zero_offset or len(codebook_delta_right) != codebook_size - 1 - zero_offset:
            raise UsageError(
                "a codebook has one left delta per entry below CbZeroOffset, one right delta per entry above"
            )
        # The outermost entries bound all others. Exact integers first: ue(v) has no upper bound.
        lowest = codebook_zero_value - sum(codebook_delta_left) - len(codebook_delta_left)
        highest = codebook_zero_value + sum(codebook_delta_right) + len(codebook_delta_right)
        if lowest < _INT32.min or highest > _INT32.max:
            message = f"the codebook spans {lowest} to {highest}, which is outside of 32-bit signed integers"
            stop("codebook_overflow", message, bits=bits, path=path)
        steps = np.empty(codebook_size, np.int64)
        steps[0] = lowest
        steps[1 : zero_offset + 1] = np.array(codebook_delta_left, np.int64)[::-1] + 1
        steps[zero_offset + 1 :] = np.array(codebook_delta_right, np.int64) + 1
        entries = np.cumsum(steps).astype(np.int32)
        entries.flags.writeable = False
        return cls(entries, zero_offset)


def dequantize_codebook(
    quantized: NDArray[np.int32],
    codebook: Codebook,
    qp: int,
    density: int,
    *,
    findings: Findings,
    path: str = "",
    bits: Bits = None,
) -> NDArray[np.float64]:
    """Clause 9, R-CB-05: value = codebook[level + CbZeroOffset] * step, any shape in, same shape out.

    The product is in binary64, where it is exact unless the step leaves that range; whoever delivers it rounds it once,
    behind all arithmetic that follows (local scaling, G·H). Raises BitstreamError `codebook_index` for
    a level outside of the codebook: no index counts from the end. Reports `value_overflow` or `value_not_a_number` when
    a value is not finite. Memory: the result and a table of the codebook's size.
    """
    _require_int32(quantized)
    size, zero = len(codebook), codebook.zero_offset
    values = np.empty(quantized.shape)
    if not quantized.size:
        return values
    extremes = [int(quantized.min()), int(quantized.max())]
    for level in extremes:
        if not 0 <= level + zero < size:
            message = f"level {level} with CbZeroOffset {zero} is entry {level + zero} of a codebook of {size}"
            stop("codebook_index", message, bits=bits, path=path)
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        step = _exact_step(qp, density)
        table = codebook.entries.astype(np.float64) * step
    # Entries grow with the level, so the smallest and the largest level stand for all finite steps.
    shown = extremes
    if math.isinf(step):
        # The sign of 0 times infinity depends on the processor; digests need one pattern.
        table[codebook.entries == 0] = np.nan
        zeros = (np.flatnonzero(codebook.entries == 0) - zero).tolist()
        shown = [*extremes, *(level for level in zeros if (quantized == level).any())]
    _check_finite(shown, [table[level + zero] for level in shown], step, findings, path, bits)
    flat_levels, flat_values = quantized.ravel(), values.ravel()
    for first in range(0, quantized.size, _CHUNK):
        index = np.add(flat_levels[first : first + _CHUNK], zero, dtype=np.int64)
        # "clip" lets take() write straight into `out`; the range of the indices is already known.
        np.take(table, index, out=flat_values[first : first + _CHUNK], mode="clip")
    return values


def raw_floats(
    payload: bytes | bytearray | memoryview,
    shape: Sequence[int],
    *,
    findings: Findings,
    path: str = "",
    bits: Bits = None,
) -> NDArray[np.float32]:
    """Clause 7, R-NDU-22: the values of a NNR_PT_RAW_FLOAT payload, row-major little-endian binary32.

    Bits pass through unchanged, also those of NaN. The result owns its memory. Raises BitstreamError `raw_length` when
    bytes are missing; reports `raw_length` when there are more than 4 for each element.
    """
    count, found = math.prod(shape), memoryview(payload).nbytes
    message = f"the payload has {found} bytes, required are {4 * count} for {count} elements"
    if found < 4 * count:
        stop("raw_length", message, bits=bits, path=path)
    if found > 4 * count:
        findings.report("raw_length", message, bits=bits, path=path)
    return np.frombuffer(payload, "<f4", count).astype(np.float32).reshape(tuple(shape))


def _exponent(qp: int, density: int) -> int:
    if not 0 <= density <= 7:
        raise UsageError(f"qp_density is 0 to 7, not {density}")
    return qp >> density


def _exact_step(qp: int, density: int) -> float:
    """M * 2^(E - density) in binary64: exact where binary64 reaches, infinite above."""
    exponent = _exponent(qp, density)
    if exponent > 1023:
        return math.inf
    mantissa = (1 << density) + (qp & ((1 << density) - 1))
    return math.ldexp(mantissa, exponent - density)


def _require_int32(quantized: NDArray[np.int32]) -> None:
    if quantized.dtype != np.int32:
        raise UsageError(f"levels are int32, not {quantized.dtype}")


def _check_finite(
    levels: list[int],
    values: list[Any],
    step: float | np.floating[Any],
    findings: Findings,
    path: str,
    bits: Bits,
) -> None:
    for code, is_kind in (("value_overflow", math.isinf), ("value_not_a_number", math.isnan)):
        found = [(level, value) for level, value in zip(levels, values, strict=True) if is_kind(value)]
        if found:
            level, value = found[0]
            message = f"level {level} with step size {float(step):g} gives {float(value)}"
            findings.report(code, message, bits=bits, path=path)
