"""Ways to give a stored stream to NNCodec 2.1.3: units taken out, help over some places, state of a chain kept for it.

NNCodec stops at units that it does not know, and at others for reasons that have nothing to do with the levels of their
tensors. So that it can witness those, a unit is taken out or NNCodec is helped over the place; the rows say so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import Any
from unittest import mock

from nncodec.extensions import deepCABAC
from nncodec.nnc_core import coder, hls

RAW, INTEGER, LAYER, MODELS, PARTS, STATE = "raw", "integer", "layer", "models", "parts", "state"
"""Where NNCodec is helped.

raw: the number of bytes read is a whole number behind a raw payload, as with NumPy 2. integer: without a quantization
method in the parameter set there is a place for QP all the same. layer: a layer parameter set has the flag of the
decomposition map, 0. models: models that lie behind each other in one stream are streams of a chain. parts: the parts
of a unit are joined, and no unit has a partial_data_counter. state: the levels of the stream before are given as those
of parents that have the ids which the update names.
"""


@dataclass(frozen=True, slots=True)
class Way:
    """`without`: types of units that are taken out; an aggregate leaves the units that it holds. `helped`: where.

    `state`, `history`: the streams of a chain for which NNCodec keeps levels for temporal contexts, and marks of
    history: none, or updates (all but the first), for `history` also all.
    """

    without: tuple[str, ...] = ()
    helped: tuple[str, ...] = ()
    state: str = "none"
    history: str = "none"

    def taking_out(self, unit: str) -> Way:
        """The same without another type of units."""
        return replace(self, without=tuple(sorted({*self.without, unit})))

    def helping(self, *places: str) -> Way:
        """The same with help in more places."""
        return replace(self, helped=tuple(sorted({*self.helped, *places})))

    def of_chain(self) -> Iterator[Way]:
        """The ways to keep the state of a chain, most natural first."""
        for way in (replace(self, state="updates"), self.helping(STATE)):
            for history in ("updates", "all", "none"):
                yield replace(way, history=history)
        yield self

    def keeps_state(self, number: int, streams: int) -> bool:
        """Whether NNCodec has levels of parents, and keeps those that it decodes, in a stream of so many."""
        return self.state == "updates" and (number > 0 or streams == 1)

    def has_history(self, number: int, streams: int) -> bool:
        """Likewise for marks of history."""
        return self.history == "all" or (self.history == "updates" and (number > 0 or streams == 1))


ZEROS = bytes(1 << 16)
"""Behind every payload: NNCodec reads beyond the end, and is to find the same there each time."""


class PaddedDecoder(deepCABAC.Decoder):  # type: ignore[misc]
    """NNCodec's entropy decoder, which finds zeros beyond the end of the stream."""

    def setStream(self, stream: bytearray) -> None:  # noqa: N802 -- a name of NNCodec
        """Take a stream, which is kept: the decoder has no copy of it."""
        self.kept = stream + ZEROS
        super().setStream(self.kept)


@contextmanager
def in_way(way: Way) -> Iterator[None]:
    """Inside, NNCodec is helped where the way says so."""
    with ExitStack() as stack:
        stack.enter_context(mock.patch.object(deepCABAC, "Decoder", PaddedDecoder))
        if RAW in way.helped:
            count = hls.BitReader.getNumBytesTouched
            stack.enter_context(mock.patch.object(hls.BitReader, "getNumBytesTouched", lambda one: int(count(one))))
        if INTEGER in way.helped:
            _complete(stack, "__decode_nnr_mps_unit", {"mps_qp_density": 0})
        if LAYER in way.helped:
            _complete(stack, "__decode_nnr_lps_unit", {"lps_decomposition_performance_map_flag": 0})
        yield


def _complete(stack: ExitStack, reader: str, elements: dict[str, int]) -> None:
    """Give a unit elements that it does not have, once it is read."""
    read: Callable[..., Any] = getattr(coder, reader)

    def completed(generator: Any, bits: Any, unit: dict[str, Any], *rest: Any) -> Any:
        size = read(generator, bits, unit, *rest)
        for name, value in elements.items():
            unit.setdefault(name, value)
        return size

    stack.enter_context(mock.patch.object(coder, reader, completed))
