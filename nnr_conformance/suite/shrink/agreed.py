"""What is agreed beside the streams that are reduced: arguments for checking them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from numpy.typing import NDArray

from nnr_conformance.api import ChainDecoder, chain_decoder
from nnr_conformance.limits import DEFAULT_LIMITS, Limits
from nnr_conformance.readings import DEFAULT_READINGS, Readings


@dataclass(frozen=True, slots=True, eq=False)
class Agreed:
    """Arguments as for `checker.check.check`."""

    readings: Readings = DEFAULT_READINGS
    limits: Limits = DEFAULT_LIMITS
    base: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    out_of_band: Mapping[str, Any] = field(default_factory=dict)
    edition: int | None = None
    strict: bool = False

    def chain(self, streams: Sequence[bytes]) -> ChainDecoder:
        """A decoder of a chain of streams."""
        return chain_decoder(
            streams,
            base=self.base,
            readings=self.readings,
            limits=self.limits,
            strict=self.strict,
            out_of_band=self.out_of_band,
        )
