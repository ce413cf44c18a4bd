"""What is decoded with each mutant: the stored streams, in each way in which they are used."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nnr_conformance.data import data_path
from nnr_conformance.suite.corpus.recipes import corpus_streams, stored_bytes
from nnr_conformance.suite.requirement_pairs import load_pairs

FOLDER = "bitstreams"
SUFFIXES = (".nnr", ".nnc")
PREDECESSORS = {"examples/ex4b_ed2_update2_tca.nnr": ("examples/ex4a_ed2_update1.nnr",)}
"""Updates whose predecessors no index names."""

WAYS = ("model", "check", "transmitted")
"""How a stream is used: decoded to the usable model, checked with all rules, decoded to the transmitted tensors."""

LARGEST_IN_ALL_WAYS = 4096
"""Bytes up to which a chain is used in all ways; larger ones only give the model."""
WAYS_OF_PAIRS = WAYS[:2]
"""Streams of pairs are there for their diagnostics, which transmitted tensors add nothing to."""


@dataclass(frozen=True, slots=True)
class Case:
    """One stream behind its predecessors, and one way to use it.

    `options`: readings, limits (both by name), edition, base, out_of_band and other arguments of the decoder.
    """

    name: str
    way: str
    streams: tuple[bytes, ...]
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """Bytes of the chain."""
        return sum(len(stream) for stream in self.streams)

    @property
    def label(self) -> str:
        """The stream and the way."""
        return f"{self.name} ({self.way})"

    @property
    def content(self) -> str:
        """A digest of all that the outcome depends on, besides the decoder."""
        options = json.dumps([self.way, [len(one) for one in self.streams], self.options], sort_keys=True)
        digest = hashlib.sha256(options.encode())
        for stream in self.streams:
            digest.update(stream)
        return digest.hexdigest()


def stored_cases(largest: int | None = None) -> tuple[Case, ...]:
    """All cases of the stored streams, smallest first; `largest`: bytes up to which a chain is taken.

    Many pairs meet their conditions with the same stream; it is taken once.
    """
    found: dict[str, Case] = {}
    for case in (*_pair_cases(), *_golden_cases(), *_other_cases()):
        if largest is None or case.size <= largest:
            found.setdefault(case.content, case)
    return tuple(sorted(found.values(), key=lambda case: (case.size, WAYS.index(case.way), case.name)))


def _pair_cases() -> Iterator[Case]:
    """Streams of requirement pairs, under the readings, limits and parameters of the pair."""
    for pair in load_pairs():
        for breaking in (False, True):
            path = pair.stream_path(breaking)
            try:
                data = data_path(path).read_bytes()
            except FileNotFoundError:
                data = pair.build(breaking).data
            yield from _ways(path.removeprefix(f"{FOLDER}/"), (data,), pair.check, WAYS_OF_PAIRS)


def _golden_cases() -> Iterator[Case]:
    """Streams with recipes, behind those that they update, under the readings and parameters of the recipe."""
    for stream in corpus_streams():
        chain = tuple(stored_bytes(one) for one in stream.chain())
        yield from _ways(stream.path.removeprefix(f"{FOLDER}/"), chain, stream.check)


def _other_cases() -> Iterator[Case]:
    root = data_path(FOLDER)
    golden = {data_path(FOLDER).parent / stream.path for stream in corpus_streams()}
    before: dict[str, tuple[str, ...]] = dict(PREDECESSORS)
    for index in sorted(root.rglob("index.json")):
        folder = index.parent.relative_to(root).as_posix()
        for row in json.loads(index.read_text(encoding="utf-8"))["streams"]:
            before[f"{folder}/{row['stream']}"] = tuple(f"{folder}/{name}" for name in row.get("depends_on", ()))
    for path in sorted(root.rglob("*")):
        name = path.relative_to(root).as_posix()
        if path.suffix in SUFFIXES and path not in golden and not name.startswith("requirements/"):
            yield from _ways(name, _chain(root, name, before), {})


def _chain(root: Path, name: str, before: Mapping[str, Sequence[str]]) -> tuple[bytes, ...]:
    """The bytes of a stream behind those of all that it depends on, each once."""
    names = [name]
    while before.get(names[0]):
        names = [*before[names[0]], *names]
    return tuple((root / one).read_bytes() for one in dict.fromkeys(names))


def _ways(
    name: str, streams: tuple[bytes, ...], options: Mapping[str, Any], ways: Sequence[str] = WAYS
) -> Iterator[Case]:
    for way in ways if sum(map(len, streams)) <= LARGEST_IN_ALL_WAYS else ways[:1]:
        yield Case(name, way, streams, options)
