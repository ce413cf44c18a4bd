"""Inputs of the battery of integers and booleans, which are sent as they are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from nnr_conformance.suite.certify.inputs import BatteryInput, single
from nnr_conformance.suite.certify.noise import bell, integers

_NEEDS = frozenset({"integer"})
_ROWS = (
    ("int8", np.int8, -128, 127, "Eight bits with sign."),
    ("uint8", np.uint8, 0, 255, "Eight bits without sign."),
    ("int16", np.int16, -(1 << 15), (1 << 15) - 1, "Sixteen bits with sign."),
    ("int32", np.int32, -(1 << 20), 1 << 20, "Thirty-two bits with sign, of moderate size."),
    ("int64", np.int64, -5, 5, "Sixty-four bits with small numbers, as counters of batches are."),
)


def kind_inputs() -> Iterator[BatteryInput]:
    """Each kind of integer, the limits of 32 bits, booleans, and floats beside integers."""
    for number, (name, dtype, lowest, highest, purpose) in enumerate(_ROWS):
        yield _input(
            name, purpose, "Quantizes integers, or reads bytes of another width.", number, dtype, lowest, highest
        )
    yield BatteryInput(
        "kinds/int32-limits",
        "The smallest and the largest integer of 32 bits.",
        "Takes the magnitude of the smallest one in 32 bits.",
        single(lambda: {"w": np.array([[-(1 << 31), (1 << 31) - 1], [0, -1]], np.int32)}),
        refusable=True,
        needs=_NEEDS,
    )
    yield BatteryInput(
        "kinds/int64-beyond",
        "An integer that 32 bits do not hold.",
        "Cuts it to 32 bits.",
        single(lambda: {"w": np.array([[1, 1 << 40], [0, -1]], np.int64)}),
        refusable=True,
        needs=_NEEDS,
    )
    yield BatteryInput(
        "kinds/booleans",
        "A mask.",
        "Writes bits where integers belong.",
        single(lambda: {"w": integers(210, (9, 12), 0, 1).astype(np.bool_)}),
        refusable=True,
        needs=_NEEDS,
    )
    yield BatteryInput(
        "kinds/mixed",
        "Integers between floats.",
        "Keeps the kind of payload, or the quantization parameter, from one tensor to the next.",
        single(
            lambda: {
                "w": bell(211, (8, 9)),
                "steps": integers(212, (3,), 0, 9000).astype(np.int32),
                "v": bell(213, (9, 8)),
            }
        ),
        needs=_NEEDS,
    )


def _input(name: str, purpose: str, bug: str, seed: int, dtype: Any, lowest: int, highest: int) -> BatteryInput:
    return BatteryInput(
        f"kinds/{name}",
        purpose,
        bug,
        single(lambda: {"w": integers(200 + seed, (7, 19), lowest, highest).astype(dtype)}),
        needs=_NEEDS,
    )
