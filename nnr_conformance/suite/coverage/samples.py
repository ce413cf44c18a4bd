"""Streams to be measured: files, with the readings, limits and earlier streams that those of the suite need."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from nnr_conformance.data import data_path
from nnr_conformance.limits import DEFAULT_LIMITS
from nnr_conformance.suite.corpus.recipes import CorpusStream, base_arrays, corpus_streams
from nnr_conformance.suite.coverage.measure import Sample
from nnr_conformance.suite.requirement_pairs import FOLDER, Pair, load_pairs

SUFFIXES = (".nnr", ".nnc")
INDEX = "index.json"
"""Beside streams: says under `depends_on` which streams come before one."""


def stream_files(paths: Iterable[Path]) -> list[Path]:
    """The streams among files and folders; without any, all of the suite."""
    found = []
    for path in paths or [data_path("bitstreams")]:
        found += sorted(one for one in path.rglob("*") if one.suffix in SUFFIXES) if path.is_dir() else [path]
    return found


def samples(files: Iterable[Path]) -> Iterator[Sample]:
    """Files as samples."""
    folder = data_path(FOLDER).resolve()
    pairs = {folder / pair.clause / pair.stream_name(bool(way)): pair for pair in load_pairs() for way in (0, 1)}
    top = data_path("bitstreams").resolve().parent
    golden = {top / stream.path: stream for stream in corpus_streams()}
    for path in files:
        known = path.resolve()
        if known in pairs:
            yield _of_pair(path, pairs[known])
        elif known in golden:
            yield _golden(path, golden[known])
        else:
            yield _plain(path)


def _golden(path: Path, stream: CorpusStream) -> Sample:
    return Sample(
        path.name,
        tuple((path.parent / f"{one.name}.nnr").read_bytes() for one in stream.chain()),
        stream.readings,
        replace(DEFAULT_LIMITS, **stream.check.get("limits", {})),
        stream.check.get("out_of_band", {}),
        base_arrays(stream.check),
        stream.check.get("edition"),
        tuple(stream.check["tensors"]) if "tensors" in stream.check else None,
    )


def _plain(path: Path) -> Sample:
    return Sample(path.name, tuple(one.read_bytes() for one in [*_before(path), path]))


def _before(path: Path) -> list[Path]:
    """The streams that a stream updates, the first one first."""
    index = path.with_name(INDEX)
    rows = json.loads(index.read_text(encoding="utf-8"))["streams"] if index.is_file() else []
    known = {row["stream"]: row.get("depends_on", []) for row in rows}
    chain: list[str] = []
    for name in known.get(path.name, []):
        chain += [one.name for one in _before(path.with_name(name))] + [name]
    return [path.with_name(name) for name in dict.fromkeys(chain)]


def _of_pair(path: Path, pair: Pair) -> Sample:
    check: Mapping[str, Any] = pair.check
    return Sample(
        path.name,
        (path.read_bytes(),),
        pair.readings,
        replace(DEFAULT_LIMITS, **check.get("limits", {})),
        check.get("out_of_band", {}),
        base_arrays(check),
        check.get("edition"),
    )
