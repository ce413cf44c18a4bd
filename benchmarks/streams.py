"""Streams of any length made with little memory: one unit, written again and again under other names.

``python -m benchmarks.streams OUT.nnr --weights 1e9`` makes one alone. All units hold the same tensor, of Laplace
weights with about 2.4 bits each; a billion of them are 300 MB.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nnr_conformance.encoder.model_encoder import encode_model
from nnr_conformance.encoder.settings import EncoderSettings
from nnr_conformance.framing import frame
from nnr_conformance.scope import Session

SEED = 15938
UNITS = 10
LARGEST_UNIT = 10_000_000
COLUMNS = 1000
WHOLE = EncoderSettings(qp=0, node_ids=False)
"""Steps of one: the integers next to the weights."""


@dataclass(frozen=True, slots=True, eq=False)
class Pattern:
    """What comes before the units, and one of them; `decoded`: the tensor in each, float32."""

    head: bytes
    unit: bytes
    decoded: NDArray[np.float32]


def name_of(number: int) -> str:
    """The name of a unit's tensor, of one length for all."""
    return f"layer.{number:06}"


def pattern(shape: tuple[int, int], settings: EncoderSettings = WHOLE, scale: float = 1.0) -> Pattern:
    """A unit of a tensor of this shape with Laplace weights of this scale."""
    weights = np.random.default_rng(SEED).laplace(0, scale, shape).astype(np.float32)
    encoded = encode_model({name_of(0): weights}, settings)
    spans = list(frame(memoryview(encoded.data), Session()))
    first = spans[-1].first
    return Pattern(encoded.data[:first], encoded.data[first:], encoded.tensors[name_of(0)])


def repeated(found: Pattern, count: int) -> Iterator[bytes]:
    """The bytes of a stream of so many units, in pieces."""
    yield found.head
    name = name_of(0).encode()
    for number in range(count):
        yield found.unit.replace(name, name_of(number).encode(), 1)


def write(path: Path, found: Pattern, count: int) -> None:
    """Write a stream of so many units."""
    with path.open("wb") as file:
        file.writelines(repeated(found, count))


def division(weights: int) -> tuple[int, tuple[int, int]]:
    """Units and the shape of the tensor in each, for a stream of about so many weights: ten units, or as many as it
    takes for units of at most ten million."""
    count = max(UNITS, -(-weights // LARGEST_UNIT))
    columns = min(COLUMNS, weights // count)
    return count, (weights // count // columns, columns)


def main(arguments: Sequence[str] | None = None) -> int:
    """Write a stream; returns the exit code."""
    options = argparse.ArgumentParser(prog="python -m benchmarks.streams", description=(__doc__ or "").split("\n")[0])
    options.add_argument("output", type=Path, metavar="OUT", help="stream file to write")
    options.add_argument("--weights", type=float, default=1e9, help="weights of all units (default a billion)")
    found = options.parse_args(arguments)
    if found.weights < UNITS:
        options.error(f"at least {UNITS} weights")
    count, shape = division(int(found.weights))
    write(found.output, pattern(shape), count)
    print(f"{found.output}: {count} units of {shape[0]} x {shape[1]} weights, {found.output.stat().st_size} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
