"""The adapter of NNCodec inside Python: `nncodec_adapter:NNCodec`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from nncodec_calls import REJECTIONS, VERSION, NotImplementedHere, chain_of

from nnr_conformance.adapters import Arrays, DecodeJob, Decoding, NotSupported


class NNCodec:
    """Decoder and encoder; options are those of `nncodec_options`."""

    name, version, rejections = "NNCodec", VERSION, REJECTIONS

    def decode(self, job: DecodeJob) -> Decoding:
        """Model, dequantized tensors and levels of the last stream."""
        if job.out_of_band:
            raise NotSupported("decompress takes no parameters beside the stream")
        try:
            chain = chain_of(list(job.streams), dict(job.base))
        except NotImplementedHere as error:
            raise NotSupported(str(error)) from error
        wanted = job.settings.get("tensors")
        stages = (chain.tensors, chain.dequantized, chain.levels)
        return Decoding(*(_only(wanted, stage) for stage in stages))

    def encode(self, tensors: Arrays, options: Mapping[str, Any], before: Sequence[bytes]) -> bytes:
        """One stream; an update holds the differences to the model that the streams before it give."""
        try:
            return chain_of(list(before), {}).encode(dict(tensors), dict(options), update=bool(before))
        except NotImplementedHere as error:
            raise NotSupported(str(error)) from error


def _only(wanted: Sequence[str] | None, stage: Arrays) -> Arrays:
    return stage if wanted is None else {name: array for name, array in stage.items() if name in wanted}
