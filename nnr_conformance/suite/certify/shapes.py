"""Inputs of the battery that provoke by the shapes of their tensors."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from nnr_conformance.suite.certify.inputs import BatteryInput, Models, single
from nnr_conformance.suite.certify.noise import bell

_SHAPES = (
    ("1d", (37,), "A vector.", "Takes the rows of a matrix for granted."),
    ("2d", (24, 40), "A matrix.", "Swaps rows and columns, or writes columns first."),
    (
        "3d",
        (6, 10, 12),
        "Three dimensions, as of a convolution over time.",
        "Flattens other dimensions than the first.",
    ),
    ("4d", (8, 5, 3, 3), "Four dimensions, as of a convolution.", "Moves the kernel's dimensions to the front."),
    ("5d", (4, 3, 2, 3, 3), "Five dimensions, as of a convolution over volumes.", "Knows four dimensions at most."),
    ("one-element", (1,), "One number.", "Writes no payload, or one without its first bit, for a single weight."),
    ("one-by-one", (1, 1), "A matrix of one number.", "Counts neighbours that are not there."),
    (
        "height-1",
        (1, 53),
        "A matrix of one row.",
        "Divides by the number of rows less one; signals entry points for it.",
    ),
    (
        "width-1",
        (53, 1),
        "A matrix of one column.",
        "Skips rows, or counts entry points, by a width that is not there.",
    ),
    ("width-1-kernel", (16, 1, 1, 1), "A convolution of one weight for each filter.", "As width-1."),
    (
        "depthwise",
        (20, 1, 3, 3),
        "A depthwise convolution.",
        "Drops dimensions of 1, so that the shape is another one.",
    ),
    ("prime", (13, 17), "Prime sizes.", "Pads blocks of a scan order and codes the padding."),
    ("prime-large", (67, 131), "Prime sizes above all block sizes.", "Loses the blocks at the border."),
    ("long-row", (2, 6007), "Rows longer than most buffers.", "Overflows a row buffer or a 12-bit column index."),
    ("tall", (6007, 2), "Many short rows.", "Overflows a count of rows."),
)


def shape_inputs() -> Iterator[BatteryInput]:
    """Dimensions from none to five, sizes of 1, primes, extremes of width and height."""
    yield BatteryInput(
        "shapes/0d",
        "A number without dimensions. Streams have at least one dimension, so it arrives with one of 1.",
        "Fails on an empty shape.",
        single(lambda: {"scale": np.array(0.71875, np.float32), "w": bell(1, (4, 6))}),
        refusable=True,
    )
    for number, (name, shape, purpose, bug) in enumerate(_SHAPES, 2):
        yield BatteryInput(f"shapes/{name}", purpose, bug, _of_shape(number, shape))
    yield BatteryInput(
        "shapes/empty",
        "A tensor without numbers beside one with some. No stream can carry it.",
        "Leaves it out without a word, or writes a dimension of 0.",
        single(lambda: {"none": np.zeros((0, 4), np.float32), "w": bell(40, (4, 6))}),
        refusable=True,
    )
    yield BatteryInput(
        "shapes/mixed",
        "Tensors of one to five dimensions in one model, smallest and largest in turns.",
        "Keeps dimensions, or contexts of the entropy coder, from one tensor to the next.",
        single(lambda: {f"t{number}.{name}": bell(50 + number, shape) for number, (name, shape, *_) in _mixed()}),
    )


def _of_shape(seed: int, shape: tuple[int, ...]) -> Callable[[], Models]:
    return single(lambda: {"w": bell(seed, shape)})


def _mixed() -> Iterator[tuple[int, tuple[str, tuple[int, ...], str, str]]]:
    small = [row for row in _SHAPES if np.prod(row[1]) < 1000]
    yield from enumerate(small)
