r"""How far a product of factors may be from ours: clause 8 leaves the order of its sums open (open question H-10).

Let u = 2^-24, the rounding of binary32, and K the rank. Whoever calculates ``sum of g[k] * h[k]`` in binary32 or
better, in any order, rounds each term at most K times (one product, K - 1 sums), so the result is off by at most

    gamma(K) * sum of |g[k]| * |h[k]|      with gamma(n) = n * u / (1 - n * u)

(Higham, Accuracy and Stability of Numerical Algorithms, section 3.1). A factor from a codebook, which we hold exactly,
may have been rounded to binary32 before: one more rounding for each such factor. Each product may in addition lose
2^-150 below the smallest numbers. Ours is calculated in binary64 and rounded once, which adds u * |w| and next to
nothing. So

    |theirs - ours| <= gamma(K + R) * S + u * |ours| + K * 2^-149        S = sum of |g[k]| * |h[k]|, R = 0, 1 or 2

and |ours| <= (1 + u) * S. A wrong factor or a transposed one is off by S itself, thousands of times more. Where S
leaves binary32, a sum on the way may do so too, and everything is within bounds.

Adding updates carries the errors of both sides over and rounds both results once: 2 * u times what they can be at most.
What is no product, and has none among its parents, has no bound: it is exact.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnr_conformance.api import ChainDecoder
from nnr_conformance.decoder.composition import Member
from nnr_conformance.decoder.model import Composer, NamedTensor, composed_name
from nnr_conformance.decoder.tensors import CodedTensor, DecodedUnit
from nnr_conformance.diagnostics import Findings

ROUNDING = 2.0**-24
_LOST = 2.0**-149
_SPARE = 1 + 2.0**-20
"""S is itself calculated in rounded arithmetic."""

Bound = NDArray[np.float64]


def gamma(roundings: int) -> float:
    """Higham's bound of that many roundings of binary32."""
    return roundings * ROUNDING / (1 - roundings * ROUNDING)


def tolerances(chain: ChainDecoder) -> dict[str, Bound]:
    """By name of a tensor of the model what its elements may differ by, for products and what comes from them.

    Runs the chain to its end.
    """
    collector = _Collector()
    for name, values in chain.base.items():
        collector.latest[name] = _Part(_magnitude(values).astype(np.float64), None)
    chain.on_decoded = collector.see
    for tensor in chain:
        del tensor
    return {name: part.error for name, part in collector.latest.items() if part.error is not None}


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """A tensor so far: the largest magnitude its elements can have by what went into them, and its error."""

    magnitude: Bound
    error: Bound | None


@dataclass(slots=True)
class _Collector:
    """Follows magnitudes through the composition of a chain, as the values themselves go through it."""

    latest: dict[str, _Part] = field(default_factory=dict)
    versions: dict[tuple[str, Any], _Part] = field(default_factory=dict)
    _composer: Composer = field(default_factory=lambda: Composer(Findings()))
    _stream: int = 0
    _factor: CodedTensor | None = None

    def see(self, number: int, unit: DecodedUnit) -> None:
        """A decoded unit of stream `number`."""
        if number != self._stream:
            self._stream, self._composer = number, Composer(Findings())
        for tensor in unit.tensors:
            if tensor.member is Member.G:
                self._factor = tensor
        factors = [tensor for tensor in unit.tensors if tensor.member is Member.H]
        for magnitude in self._composer.add(_absolute(unit)):
            product = bool(factors) and self._factor is not None and magnitude.name == composed_name(self._factor.name)
            error = self._error(magnitude.values, factors[0]) if product else None
            self._keep(magnitude, error)

    def _error(self, total: NDArray[Any], h: CodedTensor) -> Bound:
        """The bound of a product; `total`: S."""
        assert self._factor is not None
        rank = h.values.shape[0]
        exact = sum(factor.values.dtype == np.float64 for factor in (self._factor, h))
        with np.errstate(all="ignore"):
            size = total.astype(np.float64)
            bound = (gamma(rank + exact) + ROUNDING) * _SPARE * size + rank * _LOST
            finite = np.isfinite(self._factor.values).all() and np.isfinite(h.values).all()
            leaves = size + bound > np.finfo(np.float32).max
        # An infinite factor makes S infinite as well, and its results are the same in every order.
        bound[leaves] = np.inf if finite else np.nan
        return np.asarray(bound, np.float64)

    def _keep(self, tensor: NamedTensor, error: Bound | None) -> None:
        part = _Part(tensor.values.astype(np.float64), error)
        if tensor.update:
            part = _sum(self.versions.get((tensor.name, tensor.parent), self.latest.get(tensor.name)), part)
        self.latest[tensor.name] = self.versions[tensor.name, tensor.node] = part


def _sum(parent: _Part | None, update: _Part) -> _Part:
    if parent is None or parent.magnitude.shape != update.magnitude.shape:
        return update
    with np.errstate(all="ignore"):
        magnitude = parent.magnitude + update.magnitude
        errors: list[Bound] = [error for error in (parent.error, update.error) if error is not None]
        if not errors:
            return _Part(magnitude, None)
        carried: Bound = np.sum(errors, axis=0)
        return _Part(magnitude, carried + 2 * ROUNDING * (magnitude + carried))


def _absolute(unit: DecodedUnit) -> DecodedUnit:
    """The unit with the magnitudes of its values."""
    return replace(unit, tensors=tuple(replace(one, values=_magnitude(one.values)) for one in unit.tensors))


def _magnitude(values: NDArray[Any]) -> NDArray[Any]:
    # Integers become real numbers: the smallest one has no counterpart of its type.
    wide = values if values.dtype.kind == "f" else values.astype(np.float64)
    return np.asarray(np.abs(wide))
