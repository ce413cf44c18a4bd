"""The streams that mutation starts from, and what the package's own parser says of where their parts are."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from pathlib import Path
from random import Random

from nnr_conformance.data import data_path
from nnr_conformance.errors import UsageError
from nnr_conformance.scope import SEPARATOR, Session, TraceEntry
from nnr_conformance.syntax.unit_walker import walk_units

SUFFIXES = (".nnr", ".nnc")
LARGEST = 8192
"""Streams above this size are left out unless asked for: interpreted, they take longer than all others together."""


@dataclass(frozen=True, slots=True)
class UnitPlace:
    """A unit: bytes `first` .. `end` - 1, its payload from `payload_first` on; `enclosed`: inside an aggregate unit."""

    label: str
    unit_type: int
    first: int
    payload_first: int
    end: int
    enclosed: bool


@dataclass(frozen=True)
class Subject:
    """A stream with the places of its units and of the syntax elements that it has, found when they are asked for."""

    name: str
    data: bytes

    @cached_property
    def units(self) -> tuple[UnitPlace, ...]:
        """Every unit, in the order of the walk."""
        return self._layout[0]

    @cached_property
    def outer_units(self) -> tuple[UnitPlace, ...]:
        """The units that are not inside an aggregate unit; they tile the stream as far as it can be framed."""
        return tuple(place for place in self.units if not place.enclosed)

    @cached_property
    def elements(self) -> tuple[TraceEntry, ...]:
        """Every syntax element that takes bits, payloads left out."""
        return tuple(entry for entry in self._layout[1] if 0 < entry.size <= 64)

    @cached_property
    def _layout(self) -> tuple[tuple[UnitPlace, ...], list[TraceEntry]]:
        trace: list[TraceEntry] = []
        places = []
        # What the parser raises is found when the stream is examined; until then, its first units are what is known.
        with contextlib.suppress(Exception):
            for unit in walk_units(memoryview(self.data), Session(trace=trace)):
                enclosed = "." in unit.label
                places.append(UnitPlace(unit.label, unit.unit_type, unit.first, unit.payload_first, unit.end, enclosed))
        known = {place.label for place in places}
        return tuple(places), [entry for entry in trace if entry.path.split(SEPARATOR, 1)[0] in known]


@dataclass(frozen=True)
class Corpus:
    """Streams to take from at random: large ones seldom, so that small ones get most of the time."""

    subjects: tuple[Subject, ...]

    @cached_property
    def _weights(self) -> tuple[float, ...]:
        return tuple(accumulate((100 + len(subject.data)) ** -1.75 for subject in self.subjects))

    def any(self, random: Random) -> Subject:
        """A stream by chance."""
        return random.choices(self.subjects, cum_weights=self._weights)[0]

    @cached_property
    def digest(self) -> str:
        """A short digest of the streams in order: a run can be repeated only on the same ones."""
        digest = hashlib.sha256()
        for subject in self.subjects:
            digest.update(len(subject.data).to_bytes(8, "little") + subject.data)
        return digest.hexdigest()[:16]

    @cached_property
    def smallest(self) -> Subject:
        """The smallest stream."""
        return min(self.subjects, key=lambda subject: len(subject.data))

    @cached_property
    def largest(self) -> Subject:
        """The largest stream."""
        return max(self.subjects, key=lambda subject: len(subject.data))


def read_corpus(paths: Sequence[str], largest: int = LARGEST) -> tuple[Corpus, list[str]]:
    """The streams at these paths, and the names of those left out because they are larger than `largest`.

    A path is a file, a folder (every stream below it), or several files joined by ``+``, which are one stream, such as
    a model and its update. Without paths the streams that ship with the package are taken. Equal streams are taken
    once. Raises UsageError for a path that cannot be read, and when nothing is left.
    """
    found: dict[bytes, Subject] = {}
    skipped = []
    for name, data in _files(paths or [str(data_path("bitstreams"))]):
        if len(data) > largest:
            skipped.append(name)
        elif data:
            found.setdefault(data, Subject(name, data))
    if not found:
        raise UsageError("there is no stream to start from")
    return Corpus(tuple(found.values())), skipped


def _files(paths: Iterable[str]) -> Iterable[tuple[str, bytes]]:
    for path in paths:
        try:
            if Path(path).is_dir():
                for file in sorted(Path(path).rglob("*")):
                    if file.suffix in SUFFIXES:
                        yield file.relative_to(path).as_posix(), file.read_bytes()
            else:
                parts = [path] if Path(path).exists() else path.split("+")
                yield "+".join(Path(part).name for part in parts), b"".join(Path(part).read_bytes() for part in parts)
        except OSError as error:
            raise UsageError(f"cannot read {path}: {error.strerror}") from error
