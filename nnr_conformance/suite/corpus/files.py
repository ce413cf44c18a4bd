"""The generated files of `bitstreams`: streams from recipes, sidecars and the manifest from streams."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from nnr_conformance.data import data_path
from nnr_conformance.errors import BuildError
from nnr_conformance.suite.corpus.checks import claim_problems
from nnr_conformance.suite.corpus.golden import PIPELINES, golden_streams
from nnr_conformance.suite.corpus.manifest import MANIFEST, manifest_text
from nnr_conformance.suite.corpus.parallel import Progress
from nnr_conformance.suite.corpus.recipes import CLASSES, FOLDER, corpus_streams
from nnr_conformance.suite.corpus.sidecar import SUFFIX, as_text
from nnr_conformance.suite.corpus.study import studies
from nnr_conformance.suite.pair_checks import missing_pairs, pair_problems
from nnr_conformance.suite.requirement_pairs import load_pairs

Files = Mapping[str, bytes]
"""Content by the path below `bitstreams`."""

PAIRS = "requirements"
"""Folder of the requirement pairs, one folder for each clause inside."""


def stream_files() -> dict[str, bytes]:
    """The streams of all recipes. Raises BuildError."""
    golden = {stream.path: stream.build() for stream in corpus_streams()}
    pairs = {pair.stream_path(way): pair.build(way).data for pair in load_pairs() for way in (False, True)}
    return {path.removeprefix(f"{FOLDER}/"): data for path, data in (golden | pairs).items()}


def described_files(jobs: int = 1, on_progress: Progress | None = None) -> tuple[Files, list[str]]:
    """Sidecars and manifest of the stored streams, and what is wrong with witnesses, one line each."""
    rows: dict[str, Mapping[str, Any]] = {}
    problems: list[str] = []
    for study in studies([golden.path for golden in golden_streams()], jobs, on_progress):
        rows[study.path] = study.row
        problems += study.problems
    files = {f"{path.removesuffix('.nnr')}{SUFFIX}": as_text(row).encode() for path, row in rows.items()}
    return {**files, MANIFEST: manifest_text(rows).encode()}, problems


def build_problems(jobs: int = 1, on_progress: Progress | None = None) -> Iterator[str]:
    """What is wrong with recipes, streams and files, one line each."""
    yield from missing_pairs()
    for pair in load_pairs():
        yield from pair_problems(pair)
    try:
        streams = stream_files()
    except BuildError as fault:
        yield str(fault)
        return
    for stream in corpus_streams():
        yield from claim_problems(stream)
    folder = data_path(FOLDER)
    wrong = [*differences(folder, streams), *_strays(folder, streams, ".nnr")]
    yield from wrong
    if wrong:
        return  # sidecars describe the stored streams
    files, problems = described_files(jobs, on_progress)
    yield from problems
    yield from differences(folder, files)
    yield from _strays(folder, files, SUFFIX)


def write_streams(folder: Path) -> Iterator[str]:
    """Write all streams below a folder and take away those without a recipe; yields what changed. Raises BuildError."""
    yield from write(folder, stream_files(), ".nnr")


def write_descriptions(folder: Path, jobs: int = 1, on_progress: Progress | None = None) -> Iterator[str]:
    """Write sidecars and manifest of the stored streams; yields what changed, and what is wrong with witnesses."""
    files, problems = described_files(jobs, on_progress)
    yield from write(folder, files, SUFFIX)
    yield from problems


def differences(folder: Path, files: Files) -> Iterator[str]:
    """Files that are missing below a folder or hold something else."""
    for name, data in files.items():
        path = folder / name
        if not path.is_file():
            yield f"{FOLDER}/{name}: is missing"
        elif path.read_bytes() != data:
            yield f"{FOLDER}/{name}: differs from what the recipe gives"


def write(folder: Path, files: Files, suffix: str) -> Iterator[str]:
    """Write files below a folder and take away others of the same suffix; yields what changed."""
    for stray in _stored(folder, suffix) - set(files):
        (folder / stray).unlink()
        yield f"removed {stray}"
    for name, data in files.items():
        path = folder / name
        if not path.is_file() or path.read_bytes() != data:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
            yield f"wrote {name}"


def _strays(folder: Path, files: Files, suffix: str) -> Iterator[str]:
    for stray in sorted(_stored(folder, suffix) - set(files)):
        yield f"{FOLDER}/{stray}: no recipe gives it"


def _stored(folder: Path, suffix: str) -> set[str]:
    """Generated files of a suffix; the streams of the pipelines are looked after by `nnr-suite cfp2019`."""
    kinds = CLASSES if suffix == ".nnr" else (*CLASSES, PIPELINES)
    found = [path for kind in kinds for path in (folder / kind).glob(f"*{suffix}")]
    found += (folder / PAIRS).glob(f"*/*{suffix}")
    return {path.relative_to(folder).as_posix() for path in found}
