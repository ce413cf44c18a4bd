"""What the builder of a golden stream meant: a witness of its own, which never looks at the decoder.

From the recipe alone follows what a correct decoder must give. The way there is another than the decoder's: exact
arithmetic on integers, one rounding where the standard has one, weight by weight, without regard for speed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnr_conformance.decoder.digests import add_array
from nnr_conformance.encoder.recipe import BuiltStream
from nnr_conformance.suite.corpus.intent.chain import Chain
from nnr_conformance.suite.corpus.intent.delivery import as_floats
from nnr_conformance.suite.corpus.intent.elements import units_of
from nnr_conformance.suite.corpus.intent.exact import BINARY32
from nnr_conformance.suite.corpus.intent.refusal import NoIntent
from nnr_conformance.suite.corpus.intent.traces import framing_digest, syntax_digest
from nnr_conformance.suite.corpus.recipes import CorpusStream, base_arrays
from nnr_conformance.suite.requirement_pairs import Pair

__all__ = ["Intent", "NoIntent", "intended", "stream_of_pair"]

Named = tuple[str, NDArray[Any]]


@dataclass(frozen=True, slots=True, eq=False)
class Intent:
    """What a decoder must give of a stream; stages that are not known are not in `digests`, `reasons` says why.

    `levels`: int32 quantized parameters, `dequantized`: their values, of the transmitted tensors in coding order.
    `tensors`: the model at the end of the chain. `digests`: by stage, as `decoder.digests` defines them.
    """

    levels: list[Named] = field(default_factory=list)
    dequantized: list[Named] = field(default_factory=list)
    tensors: dict[str, NDArray[Any]] = field(default_factory=dict)
    digests: dict[str, str] = field(default_factory=dict)
    reasons: Mapping[str, str] = field(default_factory=dict)


def intended(stream: CorpusStream) -> Intent:
    """What the builder meant by a stream, behind those that it updates.

    Raises NoIntent when nothing is known of any stage, and BuildError when the recipe makes no sense.
    """
    built = stream.intended()
    found, reasons = _values(stream, built)
    if stream.after:
        reasons |= dict.fromkeys(("framing", "syntax"), "bytes are changed after the stream is built")
    else:
        found.digests.update(framing=framing_digest(built), syntax=syntax_digest(built))
    if stream.expected is not None:
        found.tensors.clear()
        found.tensors.update(stream.expected)
        found.digests["tensors"] = _digest(sorted(found.tensors.items()))
    if not found.digests:
        raise NoIntent(f"{stream.name}: {reasons['levels']}")
    return Intent(found.levels, found.dequantized, found.tensors, found.digests, reasons)


def stream_of_pair(pair: Pair, *, breaking: bool) -> CorpusStream:
    """A stream of a pair as a golden stream, whose intent can be asked for."""
    return CorpusStream(
        name=pair.stream_name(breaking).removesuffix(".nnr"),
        kind="nonconforming",
        recipe="",
        purpose=pair.idea,
        bug="",
        requirements=(pair.requirement,),
        units=pair.units(breaking),
        after=pair.after(breaking),
        check=pair.check,
    )


def _values(stream: CorpusStream, built: BuiltStream) -> tuple[Intent, dict[str, str]]:
    """The stages of numbers, and why there are none."""
    chain = Chain(stream.readings, stream.check.get("out_of_band", {}), base_arrays(stream.check))
    try:
        for one in stream.chain():
            if one.after:
                raise NoIntent("bytes are changed after the stream is built")
            chain.stream(units_of(one.units, built if one is stream else one.intended()))
        found = [one for one in chain.found if _is_asked_for(one.name, stream)]
        levels = [(one.name, one.quantized) for one in found if one.quantized is not None]
        values = [(one.name, _in_binary32(one.values)) for one in found]
    except NoIntent as refusal:
        return Intent(), dict.fromkeys(("levels", "dequantized", "tensors"), refusal.reason)
    except (KeyError, IndexError, TypeError, ValueError, OverflowError) as fault:
        reason = f"the recipe makes no sense: {fault!r}"
        return Intent(), dict.fromkeys(("levels", "dequantized", "tensors"), reason)
    digests = {"levels": _digest(levels), "dequantized": _digest(values)}
    try:
        tensors = {name: values for name, values in chain.tensors().items() if _is_asked_for(name, stream)}
    except NoIntent as refusal:
        return Intent(levels, values, {}, digests), {"tensors": refusal.reason}
    digests["tensors"] = _digest(sorted(tensors.items()))
    return Intent(levels, values, tensors, digests), {}


def _is_asked_for(name: str, stream: CorpusStream) -> bool:
    """Whether a tensor, or the one that it is a part of, is among those that are to be decoded."""
    wanted = stream.check.get("tensors")
    return wanted is None or not {name, *(name.removesuffix(one) for one in _PARTS)}.isdisjoint(wanted)


_PARTS = ("_G", "_H", "_scaling")


def _in_binary32(values: NDArray[Any]) -> NDArray[Any]:
    return values if values.dtype == np.int32 else as_floats(values, BINARY32)


def _digest(arrays: Iterable[Named]) -> str:
    digest = hashlib.sha256()
    for name, array in arrays:
        add_array(digest, name, array)
    return digest.hexdigest()
