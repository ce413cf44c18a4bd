"""The state of a reduction: the smallest streams so far, and whether a candidate may take their place."""

from __future__ import annotations

import hashlib
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from nnr_conformance.errors import BuildError
from nnr_conformance.suite.shrink.agreed import Agreed
from nnr_conformance.suite.shrink.pieces import Piece, Pieces, pieces_of, substituted, written

Chain = tuple[Pieces, ...]
Place = tuple[int, tuple[int, ...]]
"""Number of the stream, place of a piece in it."""


class Exhausted(Exception):
    """The budget is spent."""


@dataclass(frozen=True, slots=True)
class Budget:
    """What a reduction may take: candidates that are judged, seconds. Only a limit on steps is the same everywhere."""

    steps: int = 3000
    seconds: float = 120.0


@dataclass(slots=True)
class Search:
    """Candidates are accepted when they are smaller and `shown` says that they still show what is looked for.

    Smaller: fewer bytes; of as many, fewer bytes that are not 0; else earlier in the order of bytes. `done` counts by
    kind of reduction.
    """

    data: tuple[bytes, ...]
    shown: Callable[[Sequence[bytes]], bool]
    agreed: Agreed
    budget: Budget
    chain: Chain = ()
    steps: int = 0
    done: Counter[str] = field(default_factory=Counter)
    _refused: set[bytes] = field(default_factory=set)
    _begin: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        self.read()

    def read(self) -> None:
        """Take the streams apart anew."""
        self.chain = tuple(pieces_of(one, self.agreed) for one in self.data)

    def take(self, chain: Chain, what: str, *, larger: bool = False) -> bool:
        """Go on with a candidate if it will do; `larger`: even one that is not smaller. Raises Exhausted."""
        if time.monotonic() - self._begin > self.budget.seconds:
            # Here too, since writing candidates that are then not judged takes time as well.
            raise Exhausted
        try:
            data = tuple(written(pieces, self.agreed) for pieces in chain)
        except BuildError:
            return False
        if data == self.data:
            # The same bytes in fewer words.
            self.chain = chain
            return True
        if not larger and _measure(data) >= _measure(self.data):
            return False
        if not self._judged(data):
            return False
        self.data, self.chain = data, chain
        self.done[what] += 1
        return True

    def replace(self, place: Place, new: Pieces, what: str, *, larger: bool = False) -> bool:
        """Put other pieces in the place of one."""
        number, path = place
        pieces = substituted(self.chain[number], path, new)
        return self.take((*self.chain[:number], pieces, *self.chain[number + 1 :]), what, larger=larger)

    def change(self, place: Place, piece: Piece, what: str) -> bool:
        """Put another piece in the place of one."""
        return self.replace(place, (piece,), what)

    def _judged(self, data: tuple[bytes, ...]) -> bool:
        key = hashlib.sha256(b"".join(len(one).to_bytes(8, "big") + one for one in data)).digest()
        if key in self._refused:
            return False
        if self.steps >= self.budget.steps or time.monotonic() - self._begin > self.budget.seconds:
            raise Exhausted
        self.steps += 1
        if self.shown(data):
            return True
        self._refused.add(key)
        return False


def _measure(data: tuple[bytes, ...]) -> tuple[int, int, int, tuple[bytes, ...]]:
    whole = sum(map(len, data))
    return whole, len(data), whole - sum(one.count(0) for one in data), data
