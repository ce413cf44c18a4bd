"""What a case hands to an implementation, as files of a folder: streams, base model, what else is agreed on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from nnr_conformance.adapters import Arrays, DecodeJob
from nnr_conformance.suite.corpus.recipes import base_arrays
from nnr_conformance.suite.runner.model import Case
from nnr_conformance.suite.runner.outputs import write_arrays
from nnr_conformance.suite.runner.sources import source_bytes
from nnr_conformance.tensor_files import read_tensors

STREAMS, BASE, SETTINGS = "streams", "base", "settings.json"


@dataclass(frozen=True, slots=True)
class Given:
    """The files of a case: its streams in order, and what is agreed on beside them.

    `base`: the model that the first stream updates, None when it updates none.
    """

    folder: Path
    streams: tuple[Path, ...]
    base: Arrays | None
    settings: Mapping[str, Any]

    def base_file(self, suffix: str, name: str = BASE, arrays: Arrays | None = None) -> Path:
        """A file with the base model, or with `arrays`; without tensors when there are none."""
        path = self.folder / f"{name}{suffix}"
        write_arrays(path, (self.base if arrays is None else arrays) or {})
        return path

    def settings_file(self) -> Path:
        """A JSON file with `out_of_band`, `readings`, `limits`, `edition`, `tensors`, as far as the case has them."""
        path = self.folder / SETTINGS
        path.write_text(json.dumps(self.settings), encoding="utf-8")
        return path


def given_files(case: Case, folder: Path) -> Given:
    """Write the streams of a case into a folder that is there. Raises UsageError when they cannot be had."""
    (folder / STREAMS).mkdir()
    paths = []
    for number, source in enumerate((*case.before, case.source)):
        path = folder / STREAMS / f"{number:04}.nnr"
        path.write_bytes(source_bytes(source))
        paths.append(path)
    base = base_arrays(case.check) if "base" in case.check else None
    return Given(folder, tuple(paths), base, {name: value for name, value in case.check.items() if name != "base"})


def read_job(folder: Path) -> DecodeJob:
    """The job of a folder with streams, base and settings files. Raises OSError, UsageError when they are damaged."""
    settings = json.loads((folder / SETTINGS).read_text(encoding="utf-8"))
    out_of_band = settings.pop("out_of_band", {})
    with read_tensors(folder / f"{BASE}.npz") as file:
        base = {name: np.asarray(file[name]) for name in file}
    streams = tuple(path.read_bytes() for path in sorted((folder / STREAMS).iterdir()))
    return DecodeJob(streams, base, out_of_band, settings)
