"""Whole processes, from start to end, beside a Python process with NNCodec: ``python -m benchmarks.process``.

`nnr-decode` writes a network's tensors into an npz file; the other process (`nncodec_decode.py`) imports NNCodec,
decodes the same stream, and writes the same tensors. NNCodec imports PyTorch, which it requires and which is most of
that process's time. Where it was installed without what it requires, the variable NNR_PEER_PYTHON can name the Python
of an environment that has all (``pip install nncodec``); then both are compared. Both processes use what cores they
like, and machine code of ours is kept from an earlier run.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
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
PEER_VARIABLE = "NNR_PEER_PYTHON"
SMALL_STREAM = "bitstreams/examples/ex1_ed1_plain.nnr"


def rows(effort: Effort) -> Iterator[Row]:
    """The rows of the table: decoding two networks, encoding the small one, and checking a small stream."""
    with tempfile.TemporaryDirectory() as folder:
        for name, bound in NETWORKS:
            yield from _network(name, Target(">=", bound, "ratio"), Path(folder), effort.repetitions)
        yield _encoding(NETWORKS[0][0], Path(folder), effort.repetitions)
    stream = data_path(SMALL_STREAM)
    seconds = reported({"check": lambda: child.python(child.CHECK, stream).seconds}, effort.repetitions)["check"]
    what = f"nnr-check, a stream of {stream.stat().st_size} bytes"
    yield Row("process", what, "s", statistics.median(seconds), target=CHECK_TARGET)


def decode(stream: Path, output: Path) -> float:
    """Seconds of `nnr-decode`."""
    return child.python(child.DECODE, stream, "-q", "-o", output).seconds


@dataclass(frozen=True, slots=True)
class Peer:
    """A Python that has NNCodec, and whether it has PyTorch as well."""

    python: str
    has_torch: bool

    def decode(self, stream: Path, output: Path) -> float:
        """Seconds of a process that imports NNCodec, decodes and writes."""
        program = Path(__file__).with_name("nncodec_decode.py")
        return child.run([self.python, str(program), str(stream), str(output)], {}).seconds


def peers() -> list[Peer]:
    """This Python where it has NNCodec, and the one that the variable NNR_PEER_PYTHON names."""
    pythons = [sys.executable] if peer.compression() is not None else []
    pythons += filter(None, [os.environ.get(PEER_VARIABLE)])
    return [Peer(python, _has_torch(python)) for python in pythons]


def _has_torch(python: str) -> bool:
    program = "import importlib.util; raise SystemExit(importlib.util.find_spec('torch') is None)"
    return subprocess.run([python, "-c", program], check=False).returncode == 0


def _network(name: str, target: Target, folder: Path, repetitions: int) -> Iterator[Row]:
    tensors = models.network(name)
    stream, ours, theirs = folder / "stream.nnr", folder / "ours.npz", folder / "theirs.npz"
    stream.write_bytes(encoded(tensors))
    what = f"nnr-decode, {name}, {models.weights_of(tensors) / 1e6:.1f}M weights"
    decode(stream, ours)  # so that machine code is kept
    found = peers()
    for one in found:
        one.decode(stream, theirs)
        if not _same(ours, theirs):
            raise SystemExit(f"{name}: the files hold other tensors")
        seconds = reported(
            {"ours": lambda: decode(stream, ours), "theirs": lambda one=one: one.decode(stream, theirs)},  # type: ignore[misc]
            repetitions,
        )
        yield Row.compared(
            "process",
            f"{what} (NNCodec {'with' if one.has_torch else 'without'} PyTorch)",
            "s",
            statistics.median(seconds["ours"]),
            statistics.median(seconds["theirs"]),
            Ratio.of(seconds["theirs"], seconds["ours"]),
            # What is promised is about the process that users of NNCodec have.
            target if one.has_torch else None,
        )
    if not found:
        seconds = reported({"ours": lambda: decode(stream, ours)}, repetitions)
        yield Row("process", what, "s", statistics.median(seconds["ours"]))


def _encoding(name: str, folder: Path, repetitions: int) -> Row:
    tensors, model = models.network(name), folder / "model.npz"
    with open_writer(model) as writer:
        for tensor, values in tensors.items():
            writer.write(tensor, values)
    command = (model, "--dq", "-q", "-o", folder / "encoded.nnr")
    seconds = reported({"encode": lambda: child.python(child.ENCODE, *command).seconds}, repetitions)["encode"]
    what = f"nnr-encode --dq, {name}, {models.weights_of(tensors) / 1e6:.1f}M weights"
    return Row("process", what, "s", statistics.median(seconds))


def _same(one: Path, other: Path) -> bool:
    with np.load(one) as first, np.load(other) as second:
        return set(first) == set(second) and all(np.array_equal(first[name], second[name]) for name in first)


if __name__ == "__main__":
    sys.exit(alone("process", rows, __doc__))
