"""Whether interpreted or compiled is chosen well: ``python -m benchmarks.switch``.

Tensors around the sizes from which compiled code is chosen are decoded by whole processes, imports included: as chosen,
interpreted, and compiled; where machine code is kept from earlier, and where there is none and it has to be compiled.
What is chosen is compared with the better of the two.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks import child
from benchmarks.effort import Effort, alone
from benchmarks.repetition import Ratio, reported
from benchmarks.table import Row, Target
from nnr_conformance.encoder.model_encoder import encode_model
from nnr_conformance.encoder.settings import EncoderSettings
from nnr_conformance.entropy import compiled_available
from nnr_conformance.entropy.binding import COMPILED_FROM, COMPILED_FROM_WHEN_KEPT
from nnr_conformance.machine_code import FOLDER_VARIABLE

SEED = 15938
WIDTH = 100
BITS_PER_WEIGHT = 5.3
SIZES, QUICK_SIZES = (0.5, 0.95, 1.05, 3.0), (1.05,)
"""Payload bits, as multiples of those from which compiled code is chosen."""
STATES = {"machine code kept": COMPILED_FROM_WHEN_KEPT, "nothing kept": COMPILED_FROM}
TARGET = Target("<=", 1.3)
WAYS = {"chosen": None, "interpreted": False, "compiled": True}
DECODE = """
import sys
from pathlib import Path
import nnr_conformance

compiled = {"None": None, "False": False, "True": True}[sys.argv[2]]
found = nnr_conformance.decode(Path(sys.argv[1]).read_bytes(), compiled=compiled)
assert len(found.tensors) == 1 and not found.diagnostics
"""


def stream_of(bits: float) -> bytes:
    """A stream of one tensor with about so many payload bits."""
    height = max(2, round(bits / BITS_PER_WEIGHT / WIDTH))
    weights = np.random.default_rng(SEED).laplace(0, 6, (height, WIDTH)).astype(np.float32)
    return encode_model({"weights": weights}, EncoderSettings(qp=0, node_ids=False)).data


def measure(stream: Path, folder: Path, kept: bool, repetitions: int) -> dict[str, list[float]]:
    """Seconds of each repetition of each way; `kept`: with the machine code that `folder` has."""

    def run(compiled: bool | None) -> float:
        with tempfile.TemporaryDirectory(dir=folder) as empty:
            environment = {FOLDER_VARIABLE: str(folder / "kept" if kept else empty)}
            return child.python(DECODE, stream, compiled, environment=environment).seconds

    return reported({way: partial(run, compiled) for way, compiled in WAYS.items()}, repetitions)


def rows(effort: Effort) -> Iterator[Row]:
    """The rows of the table, one for each size."""
    if not compiled_available():
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = folder / "switch.nnr"
        for state, bits in STATES.items():
            for size in QUICK_SIZES if effort.quick else SIZES:
                path.write_bytes(stream_of(size * bits))
                kept = bits == COMPILED_FROM_WHEN_KEPT
                measure(path, folder, kept, 1)
                found = measure(path, folder, kept, effort.repetitions)
                better = min(("interpreted", "compiled"), key=lambda way: statistics.median(found[way]))
                times = ", ".join(f"{statistics.median(found[way]):.2f} s {way}" for way in WAYS)
                what = f"{state}, {path.stat().st_size / 1000:.0f} kB: {times}"
                yield Row("switch", what, "x", Ratio.of(found["chosen"], found[better]).median, target=TARGET)


if __name__ == "__main__":
    sys.exit(alone("switch", rows, __doc__))
