"""How a decoder works: choices that do not change from unit to unit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from nnr_conformance.entropy.parameters import PayloadRules, TensorCoding, TensorResult
from nnr_conformance.limits import DEFAULT_LIMITS, LEVELS_PER_PAYLOAD_BYTE, Limits
from nnr_conformance.readings import DEFAULT_READINGS, Readings

PayloadObserver = Callable[[list[TensorCoding], list[TensorResult], PayloadRules], None]


@dataclass(slots=True)
class FreeElements:
    """What a stream may still announce beyond what its payloads can carry (limit free_elements)."""

    left: int

    def spend(self, elements: int, payload_bytes: int) -> None:
        """Take what tensors of this many elements have beyond what a payload of this size can carry."""
        self.left -= min(self.left, max(0, elements - LEVELS_PER_PAYLOAD_BYTE * payload_bytes))


@dataclass(frozen=True, slots=True)
class UnitDecoder:
    """Choices of a caller.

    `compiled`: force the execution of the entropy decoder, None chooses; False also walks the declarations for every
    unit, with no generated parsers. `work_bits`: payload bits of the whole job.
    `keep_levels`: remember levels and history for updates that follow. `given_parents`: names of tensors whose values
    the caller has, so that updates of them need no earlier stream. `free_elements`: shared by all payloads of a stream.
    `on_payload`: called with each entropy-coded payload that was decoded to its end: what is coded, what was found, and
    by which rules. `threads`: how many may decode one payload. `with_levels`: decoded tensors have their levels beside
    their values; without, values may take the place of levels.
    """

    readings: Readings = DEFAULT_READINGS
    limits: Limits = DEFAULT_LIMITS
    compiled: bool | None = None
    work_bits: int | None = None
    keep_levels: bool = True
    given_parents: frozenset[str] = frozenset()
    free_elements: FreeElements = field(default_factory=lambda: FreeElements(DEFAULT_LIMITS.free_elements))
    on_payload: PayloadObserver | None = None
    threads: int = 1
    with_levels: bool = True

    @property
    def may_lose_levels(self) -> bool:
        """Whether nobody looks at levels once there are values."""
        return not (self.with_levels or self.keep_levels or self.on_payload is not None)

    @property
    def limits_left(self) -> Limits:
        """The limits with what is left of the free elements."""
        left = self.free_elements.left
        return self.limits if left == self.limits.free_elements else replace(self.limits, free_elements=left)
