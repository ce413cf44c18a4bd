"""What arithmetic says about the cause of a difference: hints, each true of all elements that it speaks of.

A hint is given only when it explains every element of the tensor, and when at least one element differs, so that none
is a guess from a single number. Several may hold at once.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnr_conformance.decoder.composition import Member
from nnr_conformance.decoder.model import composed_name
from nnr_conformance.decoder.tensors import CodedTensor
from nnr_conformance.entropy.parameters import TensorCoding
from nnr_conformance.suite.diff.bins import TracedPayload, levels_of_parameters, scanned

SCAN_ORDERS = range(5)

Values = NDArray[Any]
"""An array as float64."""


def of_levels(expected: NDArray[Any], found: NDArray[Any], coding: TensorCoding | None) -> Iterator[str]:
    """Hints on integers before dequantization of one shape."""
    one, other = _wide(expected), _wide(found)
    yield from _rearranged(one, other, coding)
    if np.array_equal(-one, other):
        yield "all signs are inverted: the sign bin"
    if coding is not None and coding.dq and np.array_equal(np.trunc((one + np.sign(one)) / 2), other):
        yield "dependent quantization: the levels are not doubled"
    if coding is not None and not coding.dq and (np.abs(other) >= 2 * np.abs(one) - 1).all() and other.any():
        yield "the levels are doubled, but there is no dependent quantization"
    yield from _rows(one, other, coding)


def of_states(payload: TracedPayload, number: int, found: NDArray[Any]) -> Iterator[str]:
    """A hint on the states of dependent quantization."""
    if payload.codings[number].dq:
        _, impossible = levels_of_parameters(payload, number, found)
        if impossible is not None:
            yield "parameters have a parity that their state does not allow: state transition table, or the doubling"


def of_skipped_rows(payload: TracedPayload, number: int, found: NDArray[Any]) -> Iterator[str]:
    """A hint on the list of skipped rows."""
    skipped = payload.results[number].row_skip
    if skipped is None:
        return
    rows = found.reshape(len(skipped), -1)
    if rows[skipped != 0].any():
        yield "rows that the stream skips are not 0: the list of skipped rows"


def of_values(expected: NDArray[Any], found: NDArray[Any], tensor: CodedTensor | None) -> Iterator[str]:
    """Hints on real values of one shape after dequantization."""
    one, other = _wide(expected), _wide(found)
    yield from _rearranged(one, other, None)
    if np.array_equal(-one, other):
        yield "all signs are inverted"
    yield from _ratio(one, other)
    yield from _offset(one, other)
    if tensor is not None and tensor.codebook_size and tensor.quantized is not None:
        yield from _codebook(one, other, tensor.quantized)
    yield from _rounding(expected, found)


def of_composition(
    name: str, expected: NDArray[Any], found: NDArray[Any], coded: Mapping[str, CodedTensor], base: Mapping[str, Any]
) -> Iterator[str]:
    """Hints on a tensor of the model: `coded`, the transmitted tensors by name; `base`, the model that is updated."""
    one, other = _wide(expected), _wide(found)
    sent = _wide(coded[name].values) if name in coded else None
    if name in base and _equal(other, _wide(base[name])):
        yield "it is the parent: the update is not added"
    if sent is not None and _equal(other, sent):
        yield (
            "it is the update alone: the parent is not added"
            if name in base
            else ("it is the tensor as transmitted: local scaling is not applied")
        )
    if sent is not None and name in base and _equal(other, _wide(base[name]) - sent):
        yield "it is the parent minus the update"
    scaling = _scaling(name, coded)
    if scaling is not None and one.shape[:1] == scaling.shape and (sent is None or not _equal(other, sent)):
        yield from _scaled(one, other, scaling)
    yield from _product(name, other, coded)
    yield from _rearranged(one, other, None)
    yield from _ratio(one, other)
    yield from _rounding(expected, found)


def _rearranged(one: Values, other: Values, coding: TensorCoding | None) -> Iterator[str]:
    """The same elements in other places."""
    if one.size < 2 or not _equal(np.sort(one, axis=None), np.sort(other, axis=None)):
        return
    known = False
    if one.ndim == 2 and _equal(one.T.reshape(-1), other.reshape(-1)):
        yield "the elements of the transposed matrix in a row"
        known = True
    if coding is not None:
        for order in SCAN_ORDERS:
            if order != coding.scan_order and _equal(_replaced(one, coding, order), other.reshape(-1)):
                yield f"the same elements, placed by scan_order {order} instead of {coding.scan_order}"
                known = True
    if not known:
        yield "the same elements in other places"


def _replaced(values: Values, coding: TensorCoding, scan_order: int) -> Values:
    """Elements read in the order in which they were coded, and written in another scan order."""
    result = np.empty(values.size)
    result[[*scanned(replace(coding, scan_order=scan_order))]] = values.reshape(-1)[[*scanned(coding)]]
    return result


def _rows(one: Values, other: Values, coding: TensorCoding | None) -> Iterator[str]:
    """Differences that are bound to rows or blocks."""
    if coding is None or one.ndim < 2:
        return
    wrong = (one != other).reshape(one.shape[0], -1)
    if one[one != other].any() and not other[one != other].any():
        yield "all that differs is 0: rows that are skipped by mistake, or an end too early"
    block = 4 << coding.effective_scan_order if coding.effective_scan_order else 0
    first = int(wrong.any(axis=1).argmax())
    if block and first and first % block == 0:
        yield f"it begins with block row {first // block}: entry point, contexts or interval at its start"


def _ratio(one: Values, other: Values) -> Iterator[str]:
    """All values times the same factor."""
    used = (one != 0) & np.isfinite(one) & np.isfinite(other)
    if not used.any() or not _equal(one[~used], other[~used]):
        return
    ratios = other[used] / one[used]
    factor = float(ratios[0])
    if factor in (0, 1) or not np.allclose(ratios, factor, rtol=2.0**-22, atol=0):
        return
    mantissa, exponent = math.frexp(abs(factor))
    if mantissa == 0.5:
        yield f"all values times {factor:g} = 2^{exponent - 1}: step size, qp_density or a QP that wraps around"
    elif factor != -1:
        yield f"all values times {factor:g}: step size, the part of QP below qp_density"


def _offset(one: Values, other: Values) -> Iterator[str]:
    """All values plus the same number."""
    with np.errstate(invalid="ignore"):
        offsets = (other - one).reshape(-1)
    if offsets.size > 1 and offsets[0] and np.allclose(offsets, offsets[0], rtol=2.0**-20, atol=0):
        yield f"all values are off by {offsets[0]:g}"


def _codebook(one: Values, other: Values, levels: NDArray[np.int32]) -> Iterator[str]:
    """Each level selects the value of a neighbour."""
    table = {int(level): float(value) for level, value in zip(levels.flat, one.flat, strict=True)}
    given = {int(level): float(value) for level, value in zip(levels.flat, other.flat, strict=True)}
    for shift in (1, -1):
        known = [level for level in given if level + shift in table]
        if known and all(given[level] == table[level + shift] for level in known):
            yield f"each level selects the codebook entry of level {shift:+d}: CbZeroOffset"


def _rounding(expected: NDArray[Any], found: NDArray[Any]) -> Iterator[str]:
    one, other = _wide(expected), _wide(found)
    finite = np.isfinite(one) & np.isfinite(other)
    if finite.all() and np.allclose(one, other, rtol=2.0**-20, atol=0):
        yield "differences in the last places only: rounding in another order or precision"


def _scaling(name: str, coded: Mapping[str, CodedTensor]) -> Values | None:
    for other, tensor in coded.items():
        if tensor.member is Member.LOCAL_SCALING and (other.startswith(name) or len(coded) == 2):
            return _wide(tensor.values)
    return None


def _scaled(one: Values, other: Values, scaling: Values) -> Iterator[str]:
    rows = scaling.reshape(-1, *(1,) * (one.ndim - 1))
    if np.allclose(other * rows, one, rtol=2.0**-20, atol=0):
        yield "local scaling is not applied"
    elif np.allclose(other, one * rows, rtol=2.0**-20, atol=0):
        yield "local scaling is applied twice"


def _product(name: str, other: Values, coded: Mapping[str, CodedTensor]) -> Iterator[str]:
    g = next((one for one in coded.values() if one.member is Member.G and composed_name(one.name) == name), None)
    h = None if g is None else next((one for one in coded.values() if one.member is Member.H and _fits(g, one)), None)
    if g is None or h is None:
        return
    left, right = _wide(g.values), _wide(h.values)
    product = (left @ right).reshape(-1)
    by_columns_g, by_columns_h = (one.reshape(-1).reshape(one.shape, order="F") for one in (left, right))
    for text, candidate in (
        ("the product transposed, or written by columns", (left @ right).T),
        ("the product with H read by columns", left @ by_columns_h),
        ("the product with G read by columns", by_columns_g @ right),
        ("the product with both factors read by columns", by_columns_g @ by_columns_h),
    ):
        if candidate.size == other.size and _near(candidate, other) and not _near(candidate, product):
            yield f"it is {text}"


def _near(one: Values, other: Values) -> bool:
    return bool(np.allclose(one.reshape(-1), other.reshape(-1), rtol=2.0**-18, atol=0))


def _fits(g: CodedTensor, h: CodedTensor) -> bool:
    return g.values.ndim == h.values.ndim == 2 and g.values.shape[1] == h.values.shape[0]


def _wide(values: Any) -> Values:
    return np.asarray(values).astype(np.float64)


def _equal(one: Values, other: Values) -> bool:
    return bool(np.array_equal(one, other, equal_nan=True))
