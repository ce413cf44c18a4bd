"""Whether interpreted or compiled encoding is chosen well: ``python -m benchmarks.encoder_switch``.

Tensors a little smaller and a little larger than those from which compiled loops are chosen are encoded by whole
processes, imports included: as chosen, interpreted, and compiled; where machine code is kept from earlier, and where
there is none. What is chosen is compared with the better of the two. Processor time, since encoding has one thread here
and is long enough for other work on the machine to disturb it.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks import child
from benchmarks.effort import Effort, alone
from benchmarks.repetition import Ratio, reported
from benchmarks.switch import TARGET, WAYS
from benchmarks.table import Row
from nnr_conformance.encoder.binding import COMPILING, INTERPRETED, LOADING, STARTING
from nnr_conformance.encoder.settings import EncoderSettings
from nnr_conformance.encoder.work import loops_of
from nnr_conformance.entropy import compiled_available
from nnr_conformance.machine_code import FOLDER_VARIABLE

SEED = 15938
WIDTH = 100
MODES = {
    "small levels": (1.0, EncoderSettings(qp=0)),
    "large levels": (20.0, EncoderSettings(qp=0)),
    "small levels, ids all 0": (1.0, EncoderSettings(qp=0, init_ids=False)),
    "dependent quantization": (2.0, EncoderSettings(qp=0, dq=True)),
    "dependent quantization, large levels": (20.0, EncoderSettings(qp=0, dq=True)),
}
"""Scale of the weights in steps, and settings."""
SIZES, QUICK_SIZES = (0.9, 1.1), (1.1,)
"""Weights, as multiples of those from which compiled loops are chosen."""
ENCODE = """
import sys, time, json
import numpy as np
from nnr_conformance.encoder.model_encoder import EncoderSettings, encode_model

_, compiled, settings, path = sys.argv
compiled = {"None": None, "False": False, "True": True}[compiled]
encode_model({"weights": np.load(path)}, EncoderSettings(**json.loads(settings), compiled=compiled))
print(json.dumps(time.process_time()))
"""


def weights_of(scale: float, count: int) -> NDArray[np.float32]:
    """About so many weights with Laplace distribution."""
    shape = (max(2, round(count / WIDTH)), WIDTH)
    return np.random.default_rng(SEED).laplace(0, scale, shape).astype(np.float32)


def switching_size(scale: float, settings: EncoderSettings, *, kept: bool) -> int:
    """Weights from which compiled loops are chosen, where machine code is kept and where it is not."""
    sample = weights_of(scale, 50_000)
    work = {name: count for name, count in loops_of({"weights": sample}, settings, {}).items() if count}
    interpreted = sum(INTERPRETED[name] * count for name, count in work.items()) / sample.size
    return round((LOADING if kept else STARTING + sum(COMPILING[name] for name in work)) / interpreted)


def measure(
    settings: EncoderSettings, tensor: Path, folder: Path, kept: bool, repetitions: int
) -> dict[str, list[float]]:
    """Seconds of each repetition of each way; `kept`: with the machine code that `folder` has."""
    given = f'{{"qp": {settings.qp}, "dq": {int(settings.dq)}, "init_ids": {int(settings.init_ids)}}}'

    def run(compiled: bool | None) -> float:
        with tempfile.TemporaryDirectory(dir=folder) as empty:
            environment = {FOLDER_VARIABLE: str(folder / "kept" if kept else empty)}
            found: float = child.python(ENCODE, compiled, given, tensor, environment=environment).said()
            return found

    return reported({way: partial(run, compiled) for way, compiled in WAYS.items()}, repetitions)


def rows(effort: Effort) -> Iterator[Row]:
    """The rows of the table, one for each mode and size."""
    if not compiled_available():
        return
    repetitions = 1 if effort.quick else max(3, effort.repetitions // 3)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = folder / "weights.npy"
        for mode, (scale, settings) in MODES.items():
            for kept in (True, False):
                for size in QUICK_SIZES if effort.quick else SIZES:
                    weights = weights_of(scale, round(size * switching_size(scale, settings, kept=kept)))
                    np.save(path, weights)
                    if kept:
                        measure(settings, path, folder, kept, 1)
                    found = measure(settings, path, folder, kept, repetitions)
                    better = min(("interpreted", "compiled"), key=lambda way: statistics.median(found[way]))
                    times = ", ".join(f"{statistics.median(found[way]):.2f} s {way}" for way in WAYS)
                    what = f"{mode}, {'kept' if kept else 'not kept'}, {weights.size / 1000:.0f}k weights: {times}"
                    ratio = Ratio.of(found["chosen"], found[better]).median
                    yield Row("encoder_switch", what, "x", ratio, target=TARGET)


if __name__ == "__main__":
    sys.exit(alone("encoder_switch", rows, __doc__))
