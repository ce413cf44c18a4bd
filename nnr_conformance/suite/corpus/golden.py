"""All stored streams of this suite as one kind of thing: golden recipes, requirement pairs, pipelines of 2019."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

from nnr_conformance.api import ChainDecoder, chain_decoder
from nnr_conformance.data import data_path
from nnr_conformance.limits import DEFAULT_LIMITS
from nnr_conformance.readings import Readings
from nnr_conformance.suite.corpus.recipes import CLASSES, FOLDER, CorpusStream, base_arrays, corpus_streams
from nnr_conformance.suite.requirement_pairs import Pair, load_pairs

NONCONFORMING = "nonconforming"
PIPELINES = "cfp2019"
KINDS = (*CLASSES, NONCONFORMING, PIPELINES)
"""Classes of streams."""


@dataclass(frozen=True, slots=True, eq=False)
class Golden:
    """A stored stream and what is known of it before anything is decoded.

    `path`: below `bitstreams`. `recipe`: what it is rebuilt from. `before`: paths of the streams that it updates, the
    first one first. `check`: arguments for checking. `code`: what the pair is about, and `meets`: whether the stream is
    the one that meets it. `source`: the recipe as a value, None for pipelines, whose own module knows more of them.
    """

    path: str
    kind: str
    recipe: str
    purpose: str
    bug: str
    requirements: tuple[str, ...]
    before: tuple[str, ...] = ()
    check: Mapping[str, Any] = field(default_factory=dict)
    code: str = ""
    meets: bool = True
    source: CorpusStream | Pair | None = None

    @property
    def name(self) -> str:
        """File name without its suffix."""
        return self.path.rpartition("/")[2].removesuffix(".nnr")

    @property
    def readings(self) -> Readings:
        """The readings under which the stream is built and checked."""
        return Readings.choose(self.check.get("readings", {}))

    def chain(self, *, compiled: bool | None = None, readings: Readings | None = None) -> ChainDecoder:
        """A decoder of the stored stream behind those that it updates. Raises FileNotFoundError."""
        known = {"readings", "limits", "base", "out_of_band", "edition"}
        return chain_decoder(
            [stored(path) for path in (*self.before, self.path)],
            base=base_arrays(self.check),
            readings=self.readings if readings is None else readings,
            limits=replace(DEFAULT_LIMITS, **self.check.get("limits", {})),
            out_of_band=self.check.get("out_of_band", {}),
            compiled=compiled,
            **{name: found for name, found in self.check.items() if name not in known},
        )


def stored(path: str) -> bytes:
    """The bytes of a stream by its path below `bitstreams`. Raises FileNotFoundError."""
    return data_path(f"{FOLDER}/{path}").read_bytes()


@cache
def golden_streams() -> tuple[Golden, ...]:
    """All streams, by class in the order of `KINDS`. Raises BuildError when a recipe makes no sense."""
    return (*_recipes(), *_pairs(), *_pipelines())


def _recipes() -> Iterator[Golden]:
    for stream in corpus_streams():
        yield Golden(
            path=_below(stream.path),
            kind=stream.kind,
            recipe=stream.recipe,
            purpose=stream.purpose,
            bug=stream.bug,
            requirements=stream.requirements,
            before=tuple(_below(one.path) for one in stream.behind),
            check=stream.check,
            source=stream,
        )


def _pairs() -> Iterator[Golden]:
    for pair in load_pairs():
        for breaking in (False, True):
            fault = f"accepts a stream that gives {pair.code}" if breaking else f"finds {pair.code} where it is not"
            yield Golden(
                path=_below(pair.stream_path(breaking)),
                kind=NONCONFORMING,
                recipe=f"{pair.stream_path(breaking).rpartition('/')[0]}/{pair.name}.yaml",
                purpose=pair.idea,
                bug=f"A decoder or checker that {fault}.",
                requirements=(pair.requirement,),
                check=pair.check,
                code=pair.code,
                meets=not breaking,
                source=pair,
            )


def _pipelines() -> Iterator[Golden]:
    index = json.loads(data_path(f"{FOLDER}/{PIPELINES}/index.json").read_text(encoding="utf-8"))
    for row in index["streams"]:
        yield Golden(
            path=f"{PIPELINES}/{row['stream']}",
            kind=PIPELINES,
            recipe="nnr_conformance/suite/cfp2019/pipelines.py",
            purpose=f"{row['proposal']} on the network {row['network']}: {', '.join(row['steps'])}.",
            bug="A decoder that knows each tool alone but not the tools of a whole network together.",
            requirements=(),
            before=tuple(f"{PIPELINES}/{name}" for name in row["depends_on"]),
        )


def _below(path: str) -> str:
    return path.removeprefix(f"{FOLDER}/")
