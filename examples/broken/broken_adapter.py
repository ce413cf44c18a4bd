"""The broken decoder as an adapter; the variable FAULT names its fault.

Usage: PYTHONPATH=examples/broken nnr-suite run --implementation examples/broken/adapter.yaml
"""

from __future__ import annotations

import os

from broken_decoder import FAULTS, go_on_at_the_end

from nnr_conformance.adapters import DecodeJob, Decoding
from nnr_conformance.decoder.tensors import DecodedUnit
from nnr_conformance.suite.runner.own import chain_of


class Adapter:
    """Breaks the decoder in the process that is for one case, so that nothing else is broken."""

    name, version = "broken decoder", "1"

    def decode(self, job: DecodeJob) -> Decoding:
        """Decode with the fault. Raises what the fault leads to."""
        go_on_at_the_end()
        for fault in FAULTS:
            if fault.__name__ == os.environ.get("FAULT"):
                fault()
        chain = chain_of(job, compiled=False)
        levels = {}

        def remember(number: int, unit: DecodedUnit) -> None:
            if number == len(job.streams) - 1:
                levels.update({one.name: one.quantized for one in unit.tensors if one.quantized is not None})

        chain.on_decoded = remember
        tensors = {tensor.name: tensor.values for tensor in chain}
        return Decoding(tensors, levels=levels)
