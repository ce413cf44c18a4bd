"""Project limits that keep hostile streams within bounded time and memory; none of them is a limit of the standard."""

from __future__ import annotations

from dataclasses import dataclass

LEVELS_PER_PAYLOAD_BYTE = 800
"""A saturated context costs about 1/98 bit per bin, so b payload bytes cannot carry more than roughly 800*b levels."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds checked before anything is allocated; reaching one gives a diagnostic of stage `limits`, never a crash.

    `tensor_elements`: elements of one tensor. `free_elements`: elements of a tensor beyond what its payload can carry
    bin by bin (skipped rows and codebooks of size 1 cost nothing). `codebook_entries`, `string_bytes`, `dimensions`:
    per occurrence. `inflated_bytes`: output of DEFLATE. `aggregate_depth`: nesting of aggregate units.
    `composition_products`: multiplications of one product of factors G and H (about 1 ns each).
    """

    units: int = 1 << 24
    tensor_elements: int = (1 << 31) - 1
    free_elements: int = 1 << 24
    dimensions: int = 64
    topology_elements: int = 1 << 20
    codebook_entries: int = 1 << 22
    string_bytes: int = 1 << 16
    inflated_bytes: int = 1 << 28
    aggregate_depth: int = 1
    composition_products: int = 1 << 32


DEFAULT_LIMITS = Limits()
