"""What the author of a decoder or an encoder implements so that the suite can run it inside Python.

An adapter is a class or function without arguments, named in the entry-point group `nnr_conformance.adapters` of its
own distribution, or given to a command as `module:name`. What it returns has `name`, `version` and `decode`, or
`encode`, or both. Programs that are not Python are reached by command templates instead (see
`suite.runner.implementation`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol, runtime_checkable

from numpy.typing import NDArray

GROUP = "nnr_conformance.adapters"
"""The entry-point group."""

Arrays = Mapping[str, NDArray[Any]]


class Rejected(Exception):
    """Raised by an adapter: the implementation says, in its own declared way, that this is no conforming stream."""


class NotSupported(Exception):
    """Raised by an adapter: the implementation says that it does not do this, which is no judgement of the stream."""


class Bin(NamedTuple):
    """One decoded bin of an arithmetic-coded payload, for traces.

    `unit`: number of the unit in the stream, from 0. `tensor`: name. `context`: number of the context as
    `spec/tables` lays them out, -1 for a bypass bin, -2 for a terminating bin. `bit`: bits of the payload read so far.
    """

    unit: int
    tensor: str
    context: int
    value: int
    bit: int


@dataclass(frozen=True, slots=True, eq=False)
class DecodeJob:
    """What a decoder is given.

    `streams`: a model and its updates in order; the result is that of the last. `base`: the model that the first one
    updates, when that comes from elsewhere. `out_of_band`: by tensor id, parameters that the streams leave to the
    application. `settings`: what else is agreed on for this case: `readings`, `limits`, `edition`, `tensors` as in
    sidecars; a decoder that cannot be told ignores it.
    """

    streams: Sequence[bytes]
    base: Arrays = field(default_factory=dict)
    out_of_band: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class Decoding:
    """What a decoder gives back; None where it cannot give it.

    `tensors`: the model after the last stream, float32 or int32 by name. `dequantized` and `levels`: the transmitted
    tensors of the last stream, after and before dequantization. `trace`: the bins of its payloads in order.
    """

    tensors: Arrays | None
    dequantized: Arrays | None = None
    levels: Arrays | None = None
    trace: Iterable[Bin] | None = None


@runtime_checkable
class DecoderAdapter(Protocol):
    """A decoder. `rejections`, where it has it: classes of exceptions that are rejections, beside `Rejected`."""

    name: str
    version: str

    def decode(self, job: DecodeJob) -> Decoding:
        """Decode the last stream. Raises Rejected, NotSupported; anything else counts as a crash."""


@runtime_checkable
class EncoderAdapter(Protocol):
    """An encoder."""

    name: str
    version: str

    def encode(self, tensors: Arrays, options: Mapping[str, Any], before: Sequence[bytes]) -> bytes:
        """One stream of the tensors; `before`: the streams that it is to update. Raises Rejected, NotSupported."""
