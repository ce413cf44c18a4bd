"""The files that the recipes of golden streams give: their streams."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from nnr_conformance.data import data_path
from nnr_conformance.errors import BuildError
from nnr_conformance.suite.corpus.checks import claim_problems
from nnr_conformance.suite.corpus.recipes import CLASSES, FOLDER, corpus_streams


def corpus_files() -> dict[str, bytes]:
    """All generated files by their path below `bitstreams`. Raises BuildError."""
    return {stream.path.removeprefix(f"{FOLDER}/"): stream.build() for stream in corpus_streams()}


def corpus_problems() -> Iterator[str]:
    """What is wrong with the golden streams and their files, one line each."""
    try:
        streams, files = corpus_streams(), corpus_files()
    except BuildError as fault:
        yield str(fault)
        return
    for stream in streams:
        yield from claim_problems(stream)
    folder = data_path(FOLDER)
    for name, data in files.items():
        path = folder / name
        if not path.is_file():
            yield f"{FOLDER}/{name}: is missing"
        elif path.read_bytes() != data:
            yield f"{FOLDER}/{name}: differs from what the recipe gives"
    for stray in sorted(_stored(folder) - set(files)):
        yield f"{FOLDER}/{stray}: no recipe gives it"


def write_corpus(folder: Path) -> Iterator[str]:
    """Write all generated files below a folder and take away streams without a recipe; yields what changed."""
    files = corpus_files()
    for stray in sorted(_stored(folder) - set(files)):
        (folder / stray).unlink()
        yield f"removed {stray}"
    for name, data in files.items():
        path = folder / name
        if not path.is_file() or path.read_bytes() != data:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
            yield f"wrote {name}"


def _stored(folder: Path) -> set[str]:
    return {f"{kind}/{path.name}" for kind in CLASSES for path in (folder / kind).glob("*.nnr")}
