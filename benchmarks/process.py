"""Whole processes, from start to end, beside a Python process with NNCodec: ``python -m benchmarks.process``.

`nnr-decode` writes a network's tensors into an npz file; the other process (`nncodec_decode.py`) imports NNCodec,
decodes the same stream, and writes the same tensors; PyTorch, which it imports where it is installed, is most of its
time. Both use what cores they like. Machine code is kept from an earlier run.
"""

from __future__ import annotations

import importlib.util
import statistics
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from benchmarks import child, models, peer
from benchmarks.effort import Effort, alone
from benchmarks.networks import encoded
from benchmarks.repetition import Ratio, reported
from benchmarks.table import Row, Target
from nnr_conformance.data import data_path
from nnr_conformance.tensor_files import open_writer

NETWORKS = (("ResNet-20", 6.0), ("EfficientNet-B0", 4.0))
"""A small and a medium network, and how many times faster is promised."""
CHECK_TARGET = Target("<=", 0.25)
SMALL_STREAM = "bitstreams/examples/ex1_ed1_plain.nnr"


def rows(effort: Effort) -> Iterator[Row]:
    """The rows of the table: decoding two networks, encoding the small one, and checking a small stream."""
    with tempfile.TemporaryDirectory() as folder:
        for name, bound in NETWORKS:
            yield _network(name, Target(">=", bound, "ratio"), Path(folder), effort.repetitions)
        yield _encoding(NETWORKS[0][0], Path(folder), effort.repetitions)
    stream = data_path(SMALL_STREAM)
    seconds = reported({"check": lambda: child.python(child.CHECK, stream).seconds}, effort.repetitions)["check"]
    what = f"nnr-check, a stream of {stream.stat().st_size} bytes"
    yield Row("process", what, "s", statistics.median(seconds), target=CHECK_TARGET)


def decode(stream: Path, output: Path) -> float:
    """Seconds of `nnr-decode`."""
    return child.python(child.DECODE, stream, "-q", "-o", output).seconds


def decode_with_nncodec(stream: Path, output: Path) -> float:
    """Seconds of a process that imports NNCodec, decodes and writes."""
    program = Path(__file__).with_name("nncodec_decode.py")
    return child.run([sys.executable, str(program), str(stream), str(output)], {}).seconds


def _network(name: str, target: Target, folder: Path, repetitions: int) -> Row:
    tensors = models.network(name)
    stream, ours, theirs = folder / "stream.nnr", folder / "ours.npz", folder / "theirs.npz"
    stream.write_bytes(encoded(tensors))
    ways = {"ours": lambda: decode(stream, ours)}
    if peer.compression() is not None:
        ways["theirs"] = lambda: decode_with_nncodec(stream, theirs)
    reported(ways, 1)  # so that compiled code is in the cache
    if "theirs" in ways and not _same(ours, theirs):
        raise SystemExit(f"{name}: the files hold other tensors")
    seconds = reported(ways, repetitions)
    return Row.compared(
        "process",
        f"nnr-decode, {name}, {models.weights_of(tensors) / 1e6:.1f}M weights{_peer_note()}",
        "s",
        statistics.median(seconds["ours"]),
        statistics.median(seconds["theirs"]) if "theirs" in ways else None,
        Ratio.of(seconds["theirs"], seconds["ours"]) if "theirs" in ways else None,
        target,
    )


def _encoding(name: str, folder: Path, repetitions: int) -> Row:
    tensors, model = models.network(name), folder / "model.npz"
    with open_writer(model) as writer:
        for tensor, values in tensors.items():
            writer.write(tensor, values)
    command = (model, "--dq", "-q", "-o", folder / "encoded.nnr")
    seconds = reported({"encode": lambda: child.python(child.ENCODE, *command).seconds}, repetitions)["encode"]
    what = f"nnr-encode --dq, {name}, {models.weights_of(tensors) / 1e6:.1f}M weights"
    return Row("process", what, "s", statistics.median(seconds))


def _peer_note() -> str:
    has_torch = importlib.util.find_spec("torch") is not None
    return "" if peer.compression() is None else f" (NNCodec {'with' if has_torch else 'without'} PyTorch)"


def _same(one: Path, other: Path) -> bool:
    with np.load(one) as first, np.load(other) as second:
        return set(first) == set(second) and all(np.array_equal(first[name], second[name]) for name in first)


if __name__ == "__main__":
    sys.exit(alone("process", rows, __doc__))
