"""Encoders with a fault each, for tests: they wrap the package's own and spoil what it is given or what it gives."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from nnr_conformance.adapters import Arrays, NotSupported
from nnr_conformance.encoder.update_chain import ChainState
from nnr_conformance.suite.certify.own import Encoder

STEP = (4 + 2) * 2.0 ** (-10 - 2)
"""Of QP -38 with density 2."""


class Sound(Encoder):
    """No fault."""

    name, version = "sound", "1"


class RoundsDown(Sound):
    """Rounds towards minus infinity: errors up to a whole step."""

    def encode(self, tensors: Arrays, options: Mapping[str, Any], before: Sequence[bytes]) -> bytes:
        moved = {
            name: values - np.float32(STEP / 2) if values.ndim > 1 and values.dtype.kind == "f" else values
            for name, values in tensors.items()
        }
        return super().encode(moved, options, before)


class Drops(Sound):
    """Leaves the last of several tensors out."""

    def encode(self, tensors: Arrays, options: Mapping[str, Any], before: Sequence[bytes]) -> bytes:
        kept = dict(list(tensors.items())[:-1]) if len(tensors) > 1 else tensors
        return super().encode(kept, options, before)


class Renames(Sound):
    """Normalizes the case of names."""

    def encode(self, tensors: Arrays, options: Mapping[str, Any], before: Sequence[bytes]) -> bytes:
        return super().encode({name.lower(): values for name, values in tensors.items()}, options, before)


class Coarser(Sound):
    """Has another QP than it is asked for."""

    def encode(self, tensors: Arrays, options: Mapping[str, Any], before: Sequence[bytes]) -> bytes:
        return super().encode(tensors, {**options, "qp": -30}, before)


class Changing(Sound):
    """Rounds each weight up or down by chance, so that no two streams of hundreds of weights are the same."""

    def encode(self, tensors: Arrays, options: Mapping[str, Any], before: Sequence[bytes]) -> bytes:
        chance = np.random.default_rng()  # seeded by the system
        moved = {
            name: values + np.float32(STEP / 2) * chance.choice(np.float32([-1, 1]), values.shape)
            if values.ndim > 1 and values.dtype.kind == "f"
            else values
            for name, values in tensors.items()
        }
        return super().encode(moved, options, before)


class Dies(Sound):
    """Ends by a signal on a number without dimensions."""

    def encode(self, tensors: Arrays, options: Mapping[str, Any], before: Sequence[bytes]) -> bytes:
        if any(values.ndim == 0 for values in tensors.values()):
            os.kill(os.getpid(), signal.SIGSEGV)
        return super().encode(tensors, options, before)


class Hangs(Sound):
    """Does not come back from a tensor of zeros."""

    def encode(self, tensors: Arrays, options: Mapping[str, Any], before: Sequence[bytes]) -> bytes:
        if any(not values.any() for values in tensors.values()):
            time.sleep(600)
        return super().encode(tensors, options, before)


class HidesNaN(Sound):
    """Puts zeros where NaN was."""

    def encode(self, tensors: Arrays, options: Mapping[str, Any], before: Sequence[bytes]) -> bytes:
        clean = {
            name: np.nan_to_num(values) if values.dtype.kind == "f" else values for name, values in tensors.items()
        }
        return super().encode(clean, options, before)


class Flattens(Sound):
    """Sends all tensors as vectors."""

    def encode(self, tensors: Arrays, options: Mapping[str, Any], before: Sequence[bytes]) -> bytes:
        return super().encode({name: values.reshape(-1) for name, values in tensors.items()}, options, before)


class QuantizesIntegers(Sound):
    """Sends integers as floats."""

    def encode(self, tensors: Arrays, options: Mapping[str, Any], before: Sequence[bytes]) -> bytes:
        floats = {name: values.astype(np.float32) for name, values in tensors.items()}
        return super().encode(floats, options, before)


class Breaks(Sound):
    """Loses the last byte of every stream."""

    def encode(self, tensors: Arrays, options: Mapping[str, Any], before: Sequence[bytes]) -> bytes:
        return super().encode(tensors, options, before)[:-1]


class ForgetsUpdates(Sound):
    """Sends an update that does not change anything."""

    def encode(self, tensors: Arrays, options: Mapping[str, Any], before: Sequence[bytes]) -> bytes:
        if not before:
            return super().encode(tensors, options, before)
        return super().encode(ChainState.of_streams(before).values, options, before)


class Wraps(Sound):
    """Cuts its quantization parameter to the 8 bits of a field."""

    def encode(self, tensors: Arrays, options: Mapping[str, Any], before: Sequence[bytes]) -> bytes:
        cut = {name: (options[name] + 128) % 256 - 128 for name in ("qp", "vector_qp")}
        return super().encode(tensors, {**options, **cut}, before)


class Lazy(Sound):
    """Says of every matrix that it does not support it."""

    def encode(self, tensors: Arrays, options: Mapping[str, Any], before: Sequence[bytes]) -> bytes:
        if any(values.ndim == 2 for values in tensors.values()):
            raise NotSupported("no matrices today")
        return super().encode(tensors, options, before)
