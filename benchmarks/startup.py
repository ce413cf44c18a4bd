"""The first large decode of a machine, and the later ones: ``python -m benchmarks.startup``.

Whole processes of `nnr-decode`, imports included, on streams that are just large enough for compiled code: with an
empty folder for machine code, with what that left behind, and where no folder can be written.
"""

from __future__ import annotations

import shutil
import statistics
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from benchmarks import child
from benchmarks.effort import Effort, alone
from benchmarks.peer import ROOT
from benchmarks.table import Row, Target
from nnr_conformance.encoder.model_encoder import encode_model
from nnr_conformance.encoder.settings import EncoderSettings
from nnr_conformance.entropy import compiled_available
from nnr_conformance.machine_code import FOLDER_VARIABLE

SEED = 15938
SHAPE = (1000, 500)
PLAIN_TARGET, TOOLS_TARGET, CACHED_TARGET = Target("<=", 2.5), Target("<=", 3.2), Target("<=", 0.5)
COPIED = ("nnr_conformance",)
LINKED = ("spec", "bitstreams")


def plain_stream() -> bytes:
    """A tensor with dependent quantization, more than 100 kB."""
    return encode_model(_tensors("plain"), EncoderSettings(dq=True, node_ids=False, compiled=compiled_available())).data


def streams_with_tools() -> bytes:
    """A tensor with a codebook beside a plain one, which takes all of the compiled code."""
    coded = encode_model(
        _tensors("codebook"), EncoderSettings(codebook=64, node_ids=False, compiled=compiled_available())
    ).data
    return plain_stream() + coded


def seconds(stream: Path, environment: dict[str, str]) -> float:
    """Of one process of `nnr-decode`."""
    output = stream.with_suffix(".npz")
    return child.python(child.DECODE, stream, "-q", "-o", output, environment=environment).seconds


def cold_and_cached(stream: Path, repetitions: int) -> tuple[list[float], list[float]]:
    """Seconds with an empty cache and, right behind, with a filled one."""
    cold, cached = [], []
    for _ in range(repetitions):
        with tempfile.TemporaryDirectory() as cache:
            environment = {FOLDER_VARIABLE: cache}
            cold.append(seconds(stream, environment))
            cached.append(seconds(stream, environment))
    return cold, cached


def without_cache(stream: Path, folder: Path) -> float:
    """Seconds where nothing can be kept: beside the code and in the home folder are files in the place of folders."""
    install = folder / "install"
    for name in COPIED:
        shutil.copytree(ROOT / name, install / name, ignore=shutil.ignore_patterns("__pycache__"))
        for package in [install / name, *(path for path in (install / name).rglob("*") if path.is_dir())]:
            (package / "__pycache__").touch()
    for name in LINKED:
        (install / name).symlink_to(ROOT / name)
    code = f"import sys; sys.path[:0] = [{str(install)!r}]; {child.DECODE}"
    nowhere = folder / "file"
    nowhere.touch()
    environment = {name: str(nowhere) for name in ("HOME", "XDG_CACHE_HOME", FOLDER_VARIABLE)}
    # Python's own cache goes elsewhere: an installation has it, read-only or not.
    environment["PYTHONPYCACHEPREFIX"] = str(folder / "bytecode")
    arguments = (stream, "-q", "-o", stream.with_suffix(".npz"))
    child.python(code, *arguments, environment=environment)
    return child.python(code, *arguments, environment=environment).seconds


def rows(effort: Effort) -> Iterator[Row]:
    """The rows of the table."""
    repetitions = max(1, effort.repetitions // 3)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        plain, tools = folder / "plain.nnr", folder / "tools.nnr"
        plain.write_bytes(plain_stream())
        tools.write_bytes(streams_with_tools())
        for stream, what, target in ((plain, "plain tensors", PLAIN_TARGET), (tools, "all tools", TOOLS_TARGET)):
            cold, cached = cold_and_cached(stream, repetitions)
            about = f"nnr-decode, {stream.stat().st_size / 1000:.0f} kB, {what}"
            yield Row("startup", f"{about}: compiled first", "s", statistics.median(cold), target=target)
            yield Row("startup", f"{about}: from the cache", "s", statistics.median(cached), target=CACHED_TARGET)
        what = "nnr-decode, plain tensors, no folder that can be written"
        yield Row("startup", what, "s", without_cache(plain, folder), target=PLAIN_TARGET)


def _tensors(name: str) -> dict[str, np.ndarray[tuple[int, ...], np.dtype[np.float32]]]:
    return {name: np.random.default_rng(SEED).laplace(0, 0.02, SHAPE).astype(np.float32)}


if __name__ == "__main__":
    sys.exit(alone("startup", rows, __doc__))
