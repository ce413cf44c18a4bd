"""How a decoder works: choices that do not change from unit to unit."""

from __future__ import annotations

from dataclasses import dataclass

from nnr_conformance.limits import DEFAULT_LIMITS, Limits
from nnr_conformance.readings import DEFAULT_READINGS, Readings


@dataclass(frozen=True, slots=True)
class UnitDecoder:
    """Choices of a caller.

    `compiled`: force the execution of the entropy decoder, None chooses. `work_bits`: payload bits of the whole job.
    `keep_levels`: remember levels and history for updates that follow. `exact_codebook`: codebook tensors as float64
    products, for arithmetic that follows, instead of rounded to float32. `given_parents`: names of tensors whose values
    the caller has, so that updates of them need no earlier stream.
    """

    readings: Readings = DEFAULT_READINGS
    limits: Limits = DEFAULT_LIMITS
    compiled: bool | None = None
    work_bits: int | None = None
    keep_levels: bool = True
    exact_codebook: bool = False
    given_parents: frozenset[str] = frozenset()
