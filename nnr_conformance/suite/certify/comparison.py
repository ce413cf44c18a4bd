"""A model that an encoder was given beside the one that its streams decode to: complete, of the same kind, near enough.

An error is judged by the step that is claimed for the working point. Where none is claimed, or where the claimed one
would need levels that binary32 does not hold, it is the step that the stream itself has for the tensor. In that case a
step above all values is not the claimed one made as coarse as it must be, but another one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnr_conformance.adapters import Arrays
from nnr_conformance.suite.certify.transmitted import Received, Sent
from nnr_conformance.suite.certify.working_points import LARGEST_LEVEL, Claims

_ROUNDING = 2.0**-23
"""Of binary32, relative to a value."""
_SMALLEST = 2.0**-149
_SLACK = 1 + 2.0**-20
"""For the products in which a bound is calculated."""
_MOST_NAMED = 3


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that must not be. `kind`: one of a fixed list, see docs/certifying.md. `text`: one line."""

    kind: str
    text: str


@dataclass(slots=True)
class Comparison:
    """What the tensors of one model came to. `largest_steps`, `largest_relative`: errors, in steps and relative to the
    norm of a tensor, as far as they are judged so. `steps`: those of the tensors that have one of their own. `unsent`:
    tensors that were given and of which the last stream has nothing."""

    problems: list[Problem] = field(default_factory=list)
    unsent: list[str] = field(default_factory=list)
    largest_steps: float = 0.0
    largest_relative: float = 0.0
    steps: set[float] = field(default_factory=set)


def compare(given: Arrays, found: Received, claims: Claims) -> Comparison:
    """Compare what was given to an encoder with what its streams decode to."""
    result = Comparison()
    missing = [name for name in given if name not in found.tensors]
    if missing:
        result.problems.append(Problem("missing", f"{listed(missing)} did not arrive"))
    extra = [name for name in found.tensors if name not in given]
    if extra:
        result.problems.append(Problem("extra", f"{listed(extra)} arrived and was not given"))
    result.unsent = [name for name in found.unsent() if name in given]
    for name, values in given.items():
        if name in found.tensors:
            result.problems.extend(_tensor_problems(name, values, found, claims, result))
    return result


def _tensor_problems(
    name: str, given: NDArray[Any], found: Received, claims: Claims, result: Comparison
) -> Iterator[Problem]:
    arrived = found.tensors[name]
    if arrived.shape != (given.shape or (1,)):
        yield Problem("shape", f"{name!r} was {list(given.shape)} and arrived as {list(arrived.shape)}")
        return
    if (given.dtype.kind == "f") != (arrived.dtype.kind == "f"):
        yield Problem("kind", f"{name!r} was {given.dtype} and arrived as {arrived.dtype}")
        return
    given = given.reshape(arrived.shape)
    if given.dtype.kind != "f":
        wrong = int(np.count_nonzero(given.astype(np.int64) != arrived.astype(np.int64)))
        if wrong:
            yield Problem("integers", f"{name!r}: {wrong} of {given.size} integers are other ones")
        return
    strange = ~np.isfinite(given)
    same = (given == arrived) | (np.isnan(given) & np.isnan(arrived))
    if (strange & ~same).any():
        place = int(np.argmax(strange & ~same))
        other = f"element {place} was {given.flat[place]} and is {arrived.flat[place]:.6g}"
        yield Problem("not-finite", f"{name!r}: NaN or an infinity arrived as something else: {other}")
        return
    yield from _error_problems(name, given, arrived, _sent(name, found), claims, result)


def _sent(name: str, found: Received) -> Sent:
    """How a tensor was sent; one that only its parts were sent of, or that has a scaling elsewhere, is composed."""
    sent = found.sent.get(name)
    scaled = f"{name}_scaling" in found.sent and f"{name}_scaling" not in found.tensors
    if sent is None or scaled:
        return Sent(None, raw=False, entries=None, composed=True, update=False)
    return sent


def _error_problems(
    name: str, given: NDArray[Any], arrived: NDArray[Any], sent: Sent, claims: Claims, result: Comparison
) -> Iterator[Problem]:
    if claims.lossless or (sent.raw and not sent.update):
        yield from _exact(name, given, arrived, "claimed lossless" if claims.lossless else "sent raw")
        return
    pair = _Pair.of(name, given, arrived)
    claimed = claims.step_of(given.ndim)
    reachable = claimed is not None and claimed > 0 and pair.largest / claimed <= LARGEST_LEVEL
    if reachable and sent.step is not None and not sent.update and not _same(sent.step, claimed):
        yield Problem("step", f"{name!r}: the step is {sent.step:.6g}, claimed is {claimed:.6g}")
    elif claimed and not reachable and sent.step is not None and not sent.update and sent.step > pair.largest:
        # A step that was made coarser to keep levels in range still leaves levels.
        much = f"which no value of {pair.largest:.6g} and less needs"
        yield Problem("step", f"{name!r}: the step is {sent.step:.6g}, claimed is {claimed:.6g}, {much}")
    # Differences that were sent raw have no step; their error is that of an addition.
    step = (claimed if reachable else sent.step) or 0.0
    if sent.composed or sent.entries is not None:
        yield from _relative(pair, step, claims, result)
    if sent.composed or (sent.entries is not None and sent.update):
        # Entries of an update are differences; which one was nearest does not tell itself by the model.
        return
    if sent.step is not None:
        result.steps.add(sent.step)
    if step and sent.entries is None:
        beyond = float(np.maximum(0.0, pair.error - pair.rounding).max(initial=0.0))
        result.largest_steps = max(result.largest_steps, beyond / step)
    bound = np.full(pair.before.shape, claims.max_error_steps * step)
    if sent.entries is not None:
        bound += _to_nearest(pair.before, sent.entries)
    yield from _too_far(pair, bound)


@dataclass(frozen=True, slots=True, eq=False)
class _Pair:
    """A tensor before and behind in binary64, 0 where it is not finite. `rounding`: by binary32, of each value."""

    name: str
    before: NDArray[np.float64]
    behind: NDArray[np.float64]
    error: NDArray[np.float64]
    rounding: NDArray[np.float64]
    largest: float

    @classmethod
    def of(cls, name: str, given: NDArray[Any], arrived: NDArray[Any]) -> _Pair:
        finite = np.isfinite(given)
        before = np.where(finite, given, 0).astype(np.float64)
        behind = np.where(finite, arrived, 0).astype(np.float64)
        with np.errstate(over="ignore", invalid="ignore"):
            error = np.abs(before - behind)
            # What is not finite only behind is too far from everything.
            error = np.where(np.isnan(error), np.inf, error)
            magnitude = np.maximum(np.abs(before), np.where(np.isfinite(behind), np.abs(behind), 0))
            rounding = 4 * _ROUNDING * magnitude + _SMALLEST
        return cls(name, before, behind, error, rounding, float(np.abs(before).max(initial=0.0)))


def _too_far(pair: _Pair, bound: NDArray[np.float64]) -> Iterator[Problem]:
    excess = ~(pair.error <= bound * _SLACK + pair.rounding)
    if excess.any():
        place = int(np.argmax(np.where(excess, pair.error - bound, -1)))
        yield Problem(
            "error",
            f"{pair.name!r}: {int(excess.sum())} of {excess.size} values are too far; element {place} was "
            f"{pair.before.flat[place]:.9g} and is {pair.behind.flat[place]:.9g}, the bound is {bound.flat[place]:.6g}",
        )


def _exact(name: str, given: NDArray[Any], arrived: NDArray[Any], why: str) -> Iterator[Problem]:
    with np.errstate(over="ignore"):
        expected, found = given.astype(np.float32), arrived.astype(np.float32)
    both_nan = np.isnan(expected) & np.isnan(found)
    wrong = int(np.count_nonzero((expected.view(np.uint32) != found.view(np.uint32)) & ~both_nan))
    if wrong:
        yield Problem("exactness", f"{name!r}, {why}: {wrong} of {given.size} values have other bits")


def _relative(pair: _Pair, step: float, claims: Claims, result: Comparison) -> Iterator[Problem]:
    """The error of the whole tensor; below a step for each value it is quantization noise of nearly nothing."""
    if claims.relative_error is None:
        yield Problem(
            "unbounded", f"{pair.name!r} arrives composed or from a codebook, and no relative_error is claimed"
        )
        return
    norm, error = float(np.linalg.norm(pair.before)), float(np.linalg.norm(pair.error))
    result.largest_relative = max(result.largest_relative, error / norm if norm else 0.0)
    noise = claims.max_error_steps * step * float(np.sqrt(pair.before.size))
    if not error <= claims.relative_error * norm + noise + _SMALLEST:
        yield Problem(
            "error",
            f"{pair.name!r}: the norm of the error is {error:.6g}, {claims.relative_error:g} of {norm:.6g} is claimed",
        )


def _to_nearest(values: NDArray[Any], entries: NDArray[Any]) -> NDArray[np.float64]:
    """Distance of each value to the nearest of the sorted entries."""
    right = np.clip(np.searchsorted(entries, values), 0, len(entries) - 1)
    left = np.maximum(right - 1, 0)
    distances: NDArray[np.float64] = np.minimum(np.abs(values - entries[right]), np.abs(values - entries[left]))
    return distances


def _same(one: float, other: float | None) -> bool:
    return other is not None and abs(one - other) <= 1e-6 * abs(other)


def listed(names: list[str]) -> str:
    """The first of some names, shortened, and how many others."""
    shown = ", ".join(repr(name if len(name) <= 40 else f"{name[:37]}...") for name in names[:_MOST_NAMED])
    return shown if len(names) <= _MOST_NAMED else f"{shown} and {len(names) - _MOST_NAMED} others"
