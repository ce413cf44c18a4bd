"""What of the syntax the stored streams exercise, measured anew: by item the smallest stream that meets it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from nnr_conformance.data import data_path
from nnr_conformance.scope import Session, TraceEntry
from nnr_conformance.suite.coverage.items import Item, StreamHits, exclusions
from nnr_conformance.suite.coverage.samples import samples, stream_files
from nnr_conformance.suite.coverage.syntax_items import SyntaxObserver
from nnr_conformance.syntax.unit_walker import walk_units
from nnr_sphinx.stored_streams import stored_streams


@dataclass(frozen=True, slots=True)
class Met:
    """How many streams meet an item, and the smallest of them."""

    streams: int
    smallest: str


@cache
def met_items() -> Mapping[Item, Met]:
    """All items of the syntax that a stored stream meets."""
    folder = data_path("bitstreams")
    found: dict[Item, list[str]] = {}
    files = stream_files([])
    for file, sample in zip(files, samples(files), strict=True):
        name = file.relative_to(folder).as_posix().rpartition(".")[0]
        for item in _syntax_hits(sample):
            found.setdefault(item, []).append(name)
    known = stored_streams()
    return {item: Met(len(names), min(names, key=lambda name: known[name].rank)) for item, names in found.items()}


def _syntax_hits(sample: Any) -> Mapping[Item, int]:
    hits = StreamHits(sample.name, len(sample.data[-1]))
    observer = SyntaxObserver(hits)
    trace: list[TraceEntry] = []
    session = Session(trace=trace, limits=sample.limits, out_of_band=sample.out_of_band, observe=observer.part)
    for _ in walk_units(memoryview(sample.data[-1]), session, sample.readings):
        observer.elements(trace)
        trace.clear()
    return hits.hits


def why_not(item: Item) -> str:
    """Why no stream can meet an item, an empty string where one can."""
    return next((one.reason for one in exclusions() if one.covers(item)), "")
