"""The adapter of this package's own encoder: it goes through the battery like those of anyone else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from nnr_conformance.adapters import Arrays
from nnr_conformance.encoder.model_encoder import encode_model, encode_update
from nnr_conformance.encoder.settings import EncoderSettings
from nnr_conformance.encoder.update_chain import ChainState
from nnr_conformance.errors import BuildError
from nnr_conformance.version import VERSION


class Encoder:
    """`nnr-encode` without its command; options are fields of `EncoderSettings`, `raw` as a list of names."""

    name, version = "nnr-encode", VERSION
    rejections = (BuildError,)

    def encode(self, tensors: Arrays, options: Mapping[str, Any], before: Sequence[bytes]) -> bytes:
        """One stream. Raises BuildError for a model that cannot be encoded like this."""
        settings = EncoderSettings(**{**options, "raw": frozenset(options.get("raw", ()))})
        if before:
            return encode_update(tensors, ChainState.of_streams(before), settings).data
        return encode_model(tensors, settings).data
