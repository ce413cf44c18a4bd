"""Project limits that keep hostile streams within bounded time and memory; none of them is a limit of the standard."""

from __future__ import annotations

from dataclasses import dataclass

from nnr_conformance.errors import UsageError

LEVELS_PER_PAYLOAD_BYTE = 800
"""A saturated context costs about 1/98 bit per bin, so b payload bytes cannot carry more than roughly 800*b levels."""

MOST_DIMENSIONS = 32
"""No array of NumPy 1 has more dimensions."""

MOST_AGGREGATE_DEPTH = 100
"""Aggregate units inside each other are walked by recursion, which Python bounds."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds checked before anything is allocated; reaching one gives a diagnostic of stage `limits`, never a crash.

    `stream_bytes`: size of a stream; a larger one is not read at all. `units`: units of a stream or an aggregate unit.
    `tensor_elements`: elements of one tensor. `free_elements`: elements of all tensors of a stream beyond what their
    payloads can carry bin by bin (skipped rows and codebooks of size 1 cost nothing). `dimensions` (at most 32),
    `topology_elements` (ids in a list), `codebook_entries`, `string_bytes`: per occurrence. `inflated_bytes`: all
    output of DEFLATE in a stream. `aggregate_depth`: nesting of aggregate units (at most 100). `composition_products`:
    multiplications of one product of factors G and H (about 1 ns each). Raises UsageError for a limit that this
    software cannot go to.
    """

    stream_bytes: int = 1 << 36
    units: int = 1 << 24
    tensor_elements: int = (1 << 31) - 1
    free_elements: int = 1 << 24
    dimensions: int = MOST_DIMENSIONS
    topology_elements: int = 1 << 20
    codebook_entries: int = 1 << 22
    string_bytes: int = 1 << 16
    inflated_bytes: int = 1 << 26
    aggregate_depth: int = 1
    composition_products: int = 1 << 32

    def __post_init__(self) -> None:
        if self.dimensions > MOST_DIMENSIONS:
            raise UsageError(f"the limit dimensions is at most {MOST_DIMENSIONS}, not {self.dimensions}")
        if self.aggregate_depth > MOST_AGGREGATE_DEPTH:
            raise UsageError(f"the limit aggregate_depth is at most {MOST_AGGREGATE_DEPTH}, not {self.aggregate_depth}")


DEFAULT_LIMITS = Limits()
