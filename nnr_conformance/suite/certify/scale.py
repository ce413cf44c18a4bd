"""Inputs of the battery that provoke by how much there is of them."""

from __future__ import annotations

import math
from collections.abc import Iterator

from nnr_conformance.adapters import Arrays
from nnr_conformance.suite.certify.inputs import BatteryInput, single
from nnr_conformance.suite.certify.noise import bell, words

TENSORS = 10_000
WEIGHTS = 4_000_000


def scale_inputs(weights: int = WEIGHTS) -> Iterator[BatteryInput]:
    """A large tensor of about so many weights, and many small ones: 10^4, or fewer when the large one is small."""
    tensors = min(TENSORS, max(100, weights // 10))
    yield BatteryInput(
        "scale/many",
        f"{tensors} small tensors in one model.",
        "Takes time or memory by the square of their number; counts units in 8 or 16 bits.",
        single(lambda: _many(tensors)),
        once=True,
    )
    rows = max(1, math.isqrt(weights))
    yield BatteryInput(
        "scale/large",
        f"One matrix of {rows} × {rows} weights.",
        "Overflows 16- or 24-bit sizes of payloads; takes more than linear time.",
        single(lambda: {"w": bell(401, (rows, rows), 0.03125)}),
        once=True,
    )


def _many(tensors: int) -> Arrays:
    values = bell(400, (tensors, 12))
    shapes = words(402, tensors)
    forms = ((12,), (3, 4), (4, 3), (2, 2, 3))
    return {f"layer.{number}.w": values[number].reshape(forms[int(shapes[number]) % 4]) for number in range(tensors)}
