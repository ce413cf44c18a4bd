"""Whole networks encoded beside NNCodec's `compress` at the same settings: ``python -m benchmarks.encoder``.

The settings are NNCodec's defaults: dependent quantization without a price of bits, QP -38 and -75, initialization ids
chosen; the loops are compiled, whatever the size. One thread each, then two of this package beside NNCodec, which has
one; the sizes of both streams are compared as well.
"""

from __future__ import annotations

import statistics
import sys
from collections.abc import Callable, Iterator

from benchmarks import models, peer
from benchmarks.effort import Effort, alone
from benchmarks.machine import cores, pinned
from benchmarks.networks import NETWORKS, QUICK
from benchmarks.repetition import Ratio, interleaved
from benchmarks.table import Row, Target
from nnr_conformance.encoder.model_encoder import encode_model
from nnr_conformance.encoder.settings import EncoderSettings
from nnr_conformance.entropy import compiled_available

SETTINGS = EncoderSettings(dq=True, price=0.0, unary_length=11, compiled=compiled_available())
TARGET = Target(">=", 1.0, "ratio")
FEWEST_REPETITIONS = 3
THREADS = 2


def rows(effort: Effort) -> Iterator[Row]:
    """The rows of the table: time and size of each network."""
    for name in QUICK if effort.quick else NETWORKS:
        tensors = models.network(name)
        about = f"{name}, {models.weights_of(tensors) / 1e6:.1f}M weights"
        ways = _ways(tensors)
        sizes = {coder: len(way()) for coder, way in ways.items()}
        with pinned():
            # Encoding takes several times longer than decoding.
            seconds = interleaved(ways, 1 if effort.quick else max(FEWEST_REPETITIONS, effort.repetitions // 3))
        yield Row.compared(
            "encoder",
            f"{about}: encode_model(), 1 thread",
            "s",
            statistics.median(seconds["ours"]),
            statistics.median(seconds["theirs"]) if "theirs" in seconds else None,
            Ratio.of(seconds["theirs"], seconds["ours"]) if "theirs" in seconds else None,
            TARGET,
        )
        yield from _in_threads(about, tensors, effort)
        yield Row(
            "encoder",
            f"{about}: size of the stream",
            "kB",
            sizes["ours"] / 1000,
            sizes["theirs"] / 1000 if "theirs" in sizes else None,
            sizes["theirs"] / sizes["ours"] if "theirs" in sizes else None,
        )


def _in_threads(about: str, tensors: models.Tensors, effort: Effort) -> Iterator[Row]:
    """Two threads beside one, where there are two cores."""
    if cores() < THREADS:
        return
    ways = {
        "one": lambda: encode_model(tensors, SETTINGS).data,
        "several": lambda: encode_model(tensors, SETTINGS, threads=THREADS).data,
    }
    if ways["one"]() != ways["several"]():
        raise SystemExit("other bytes in threads")
    seconds = interleaved(ways, 1 if effort.quick else max(FEWEST_REPETITIONS, effort.repetitions // 3))
    yield Row.compared(
        "encoder",
        f"{about}: encode_model(), {THREADS} threads beside 1 of its own",
        "s",
        statistics.median(seconds["several"]),
        statistics.median(seconds["one"]),
        Ratio.of(seconds["one"], seconds["several"]),
    )


def _ways(tensors: models.Tensors) -> dict[str, Callable[[], bytes]]:
    found: dict[str, Callable[[], bytes]] = {"ours": lambda: encode_model(tensors, SETTINGS).data}
    compression = peer.compression()
    if compression is not None:
        found["theirs"] = lambda: bytes(compression.compress(tensors, bitstream_path=None, return_bitstream=True))
    return found


if __name__ == "__main__":
    sys.exit(alone("encoder", rows, __doc__))
