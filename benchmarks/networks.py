"""Whole networks in one process, complete call beside NNCodec's complete call: ``python -m benchmarks.networks``.

Networks of three sizes (`models.py`) are encoded by NNCodec at its default settings, by this package where NNCodec is
not installed, and decoded in turn by both. Glue is what a complete call takes besides entropy decoding: compared are
the same levels in one payload of a tensor for all matrices and one for all vectors, decoded by one thread.
"""

from __future__ import annotations

import statistics
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

import nnr_conformance
from benchmarks import models, peer
from benchmarks.effort import Effort, alone
from benchmarks.machine import cores, pinned
from benchmarks.repetition import Ratio, interleaved
from benchmarks.table import Row, Target
from nnr_conformance.api import chain_decoder
from nnr_conformance.encoder.model_encoder import encode_model
from nnr_conformance.encoder.payload_writer import TensorPlan, write_payload
from nnr_conformance.encoder.settings import EncoderSettings
from nnr_conformance.entropy import TensorCoding, TensorResult, compiled_available, decode_payload, trellis_states

NETWORKS = ("ResNet-20", "EfficientNet-B0", "ResNet-50")
QUICK = NETWORKS[:2]
LARGE = 5_000_000
SMALL_TARGET, LARGE_TARGET = Target(">=", 2.0, "ratio"), Target(">=", 3.5, "ratio")
GLUE_TARGET = Target("<=", 10.0)
WIDTH = 512
QP_BITS = 8

Stream = bytes


@dataclass(frozen=True, slots=True)
class Ways:
    """Median seconds of each way to decode a network, and how many times faster than NNCodec's it is."""

    seconds: dict[str, float]
    ratios: dict[str, Ratio]


@dataclass(frozen=True, slots=True)
class _Tensor:
    """What was coded of one tensor: integers before dequantization, and how they were coded."""

    quantized: NDArray[np.int32]
    coding: TensorCoding


def encoded(tensors: models.Tensors) -> Stream:
    """A network as NNCodec encodes it by default, or this package at the same settings where there is no NNCodec."""
    compression = peer.compression()
    if compression is None:
        settings = EncoderSettings(dq=True, price=0.0, unary_length=11, node_ids=False, compiled=compiled_available())
        return encode_model(tensors, settings).data
    return bytes(compression.compress(tensors, bitstream_path=None, return_bitstream=True))


def decoded(stream: Stream, threads: int) -> models.Tensors:
    """Without digests: nothing but tensors."""
    chain = chain_decoder(stream, threads=threads, compiled=True)
    chain.digesting = False
    return {tensor.name: tensor.values for tensor in chain}


def ways(stream: Stream, threads: int) -> dict[str, Callable[[], models.Tensors]]:
    """The ways to decode a stream with so many threads, by name; NNCodec, which has one, where it is installed."""
    found: dict[str, Callable[[], models.Tensors]] = {
        "decode": lambda: nnr_conformance.decode(stream, threads=threads, compiled=True).tensors,
        "tensors": lambda: decoded(stream, threads),
    }
    compression = peer.compression()
    if compression is not None:
        found["NNCodec"] = lambda: compression.decompress(bytearray(stream))
    return found


def compare(stream: Stream, threads: int, repetitions: int) -> Ways:
    """Decode in all ways in turn; raises SystemExit when they do not give the same tensors."""
    able = ways(stream, threads)
    results = {name: way() for name, way in able.items()}
    for name, result in results.items():
        if not same(results["decode"], result):
            raise SystemExit(f"{name} decodes other tensors")
    del results
    seconds = interleaved(able, repetitions)
    theirs = seconds.get("NNCodec")
    ratios = {} if theirs is None else {name: Ratio.of(theirs, ours) for name, ours in seconds.items()}
    return Ways({name: statistics.median(each) for name, each in seconds.items()}, ratios)


def same(one: models.Tensors, other: models.Tensors) -> bool:
    """Whether two models have the same tensors, bit by bit."""
    return one.keys() == other.keys() and all(np.array_equal(values, other[name]) for name, values in one.items())


def in_one_payload(stream: Stream) -> tuple[bytes, list[TensorCoding]]:
    """The levels of all tensors of a stream, but for less than a row, in as few tensors as they can be in."""
    tensors: list[_Tensor] = []

    def observe(codings: list[TensorCoding], results: list[TensorResult], _: Any) -> None:
        tensors.extend(_Tensor(result.quantized, coding) for coding, result in zip(codings, results, strict=True))

    chain = chain_decoder(stream, threads=1, compiled=True)
    chain.digesting, chain.on_payload = False, observe
    for tensor in chain:
        del tensor
    plans, codings = [], []
    kinds = sorted({(one.coding.dq, one.coding.width > 1, one.coding.unary_length) for one in tensors})
    for dq, wide, unary_length in kinds:
        alike = [
            one.quantized
            for one in tensors
            if (one.coding.dq, one.coding.width > 1, one.coding.unary_length) == (dq, wide, unary_length)
        ]
        levels = np.concatenate([_levels(quantized, dq=dq).reshape(-1) for quantized in alike])
        shape = (levels.size // WIDTH, WIDTH) if wide and levels.size >= WIDTH else (levels.size, 1)
        levels = levels[: shape[0] * shape[1]].reshape(shape)
        plans.append(TensorPlan(levels, unary_length=unary_length, dq=dq, qp_value=0, qp_bits=QP_BITS))
        codings.append(TensorCoding(shape, unary_length, dq, 0, 2, QP_BITS))
    return write_payload(plans).data, codings


def glue(stream: Stream, repetitions: int) -> float:
    """Per cent of a call by one thread, without digests, that are not entropy decoding; the median of repetitions."""
    payload, codings = in_one_payload(stream)
    seconds = interleaved(
        {
            "call": lambda: decoded(stream, 1),
            "entropy decoding": lambda: decode_payload(payload, codings, compiled=True),
        },
        repetitions,
    )
    pairs = zip(seconds["call"], seconds["entropy decoding"], strict=True)
    return 100 * statistics.median((call - decoding) / call for call, decoding in pairs)


def rows(effort: Effort) -> Iterator[Row]:
    """The rows of the table: for each network complete calls with one thread and with two, and glue."""
    for name in QUICK if effort.quick else NETWORKS:
        tensors = models.network(name)
        stream, weights = encoded(tensors), models.weights_of(tensors)
        about = f"{name}, {weights / 1e6:.1f}M weights, {len(tensors)} tensors"
        target = LARGE_TARGET if weights >= LARGE else SMALL_TARGET
        for threads in (1, 2):
            if threads == 1:
                with pinned():
                    found = compare(stream, threads, effort.repetitions)
            elif cores() > 1:
                found = compare(stream, threads, effort.repetitions)
            else:
                continue
            promised = target if threads > 1 else None
            for way, what in (("decode", "decode()"), ("tensors", "no digests")):
                yield Row.compared(
                    "networks",
                    f"{about}: {what}, {threads} thread{'s' if threads > 1 else ''}",
                    "ms",
                    1000 * found.seconds[way],
                    1000 * found.seconds["NNCodec"] if "NNCodec" in found.seconds else None,
                    found.ratios.get(way),
                    promised,
                )
        with pinned():
            yield Row("networks", f"{about}: glue", "%", glue(stream, effort.repetitions), target=GLUE_TARGET)


def _levels(quantized: NDArray[np.int32], *, dq: bool) -> NDArray[np.int32]:
    return trellis_states(quantized, 0, compiled=True).levels if dq else quantized


if __name__ == "__main__":
    sys.exit(alone("networks", rows, __doc__))
