"""Recipes of golden streams: one idea each, and the streams that show it.

A recipe is a file ``bitstreams/<class>/<clause>-<idea>.yaml``, or is made by a module of `families`. Its streams are
``<clause>-<idea>-01.nnr`` and so on, beside it, and are rebuilt byte-identically from it::

    purpose: Entry points let a decoder begin at each block row.
    bug: A decoder that takes the offsets from the start of the unit lands in the header.
    requirements: [R-EP-02]
    streams:
      - units:
          - NNR_STR: {}
          - NNR_MPS: {mps_qp_density: 2}
          - NNR_NDU: {topology_elem_id: w, scan_order: 1, tensors: [{levels: [[1, 0], [0, 2]]}]}

`units` is what `encoder.recipe` builds. Further keys are those of `STREAM_KEYS`; outside of `streams` they hold for all
streams of the recipe.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnr_conformance.data import data_path, load_yaml
from nnr_conformance.encoder.overrides import override
from nnr_conformance.encoder.recipe import BuiltStream, build_recipe
from nnr_conformance.errors import BuildError
from nnr_conformance.readings import Readings
from nnr_conformance.suite.corpus.families import FAMILIES

FOLDER = "bitstreams"

CLASSES = ("core", "tools", "extremes", "readings", "frameworks")
"""Folders of recipes. Pairs of requirements and the pipelines of 2019 have folders and recipes of their own."""

STREAM_KEYS = frozenset({"purpose", "bug", "requirements", "check", "verdict", "diagnostics", "reading"})
"""What a recipe says of its streams, and a stream of itself.

`purpose`, `bug`: a sentence each: what the stream shows, and the fault that it would catch. `requirements`: ids of what
it is about. `check`: arguments for checking and decoding: readings, limits, edition, base, out_of_band, tensors.
`verdict`: conforming unless said otherwise. `diagnostics`: codes of all findings, none unless said. `reading`: id of
the reading whose choices a stream of class readings tells apart; which one it was built under is in `check`.
"""

ONE_STREAM_KEYS = frozenset({"units", "after", "behind"})
"""What only a stream has: `units`; `after`: overrides of the built bytes; `behind`: number of the stream of the recipe
that it updates, which comes behind another one in turn if that one says so."""


@dataclass(frozen=True, slots=True, eq=False)
class CorpusStream:
    """One golden stream, as its recipe has it; keys of recipes are explained at `STREAM_KEYS` and `ONE_STREAM_KEYS`.

    `name`: without folder and suffix. `recipe`: path of the recipe below the data folder, or the module that makes it.
    `behind`: the streams that come before it, the first one first. `expected`: the tensors of the model by name, where
    whoever made the recipe knows them; else they follow from `units`.
    """

    name: str
    kind: str
    recipe: str
    purpose: str
    bug: str
    requirements: tuple[str, ...]
    units: Sequence[Mapping[str, Any]]
    after: Sequence[Mapping[str, Any]] = ()
    behind: tuple[CorpusStream, ...] = ()
    check: Mapping[str, Any] = field(default_factory=dict)
    verdict: str = "conforming"
    diagnostics: frozenset[str] = frozenset()
    reading: str = ""
    expected: Mapping[str, NDArray[Any]] | None = None

    @property
    def clause(self) -> str:
        """Top-level clause of what the stream is about."""
        return self.name.partition("-")[0]

    @property
    def path(self) -> str:
        """Path of the stream below the data folder."""
        return f"{FOLDER}/{self.kind}/{self.name}.nnr"

    @property
    def readings(self) -> Readings:
        """The readings under which the stream is built and checked."""
        return Readings.choose(self.check.get("readings", {}))

    def intended(self) -> BuiltStream:
        """The stream before overrides, with the places of its elements. Raises BuildError with the name."""
        try:
            return build_recipe(self.units, self.readings)
        except BuildError as fault:
            raise BuildError(f"{self.name}: {fault}") from fault

    def build(self) -> bytes:
        """The bytes of the stream. Raises BuildError with the name."""
        try:
            return override(self.intended(), self.after)
        except (KeyError, IndexError, TypeError, ValueError) as fault:
            raise BuildError(f"{self.name}: {fault!r}") from fault

    def chain(self) -> tuple[CorpusStream, ...]:
        """The stream behind those that come before it."""
        return (*self.behind, self)


@dataclass(frozen=True, slots=True, eq=False)
class Recipe:
    """What a recipe file holds, or a family makes: `content` has the keys of the file."""

    kind: str
    name: str
    content: Mapping[str, Any]
    source: str
    expected: Sequence[Mapping[str, NDArray[Any]] | None] = ()

    def streams(self) -> tuple[CorpusStream, ...]:
        """The streams of the recipe. Raises BuildError when the recipe makes no sense."""
        unknown = set(self.content) - STREAM_KEYS - {"streams"}
        if unknown:
            raise BuildError(f"{self.source}: a recipe has no {', '.join(sorted(unknown))}")
        found: list[CorpusStream] = []
        for number, own in enumerate(self.content["streams"], 1):
            unknown = set(own) - STREAM_KEYS - ONE_STREAM_KEYS
            if unknown:
                raise BuildError(f"{self.source}: a stream has no {', '.join(sorted(unknown))}")
            row = {name: found for name, found in self.content.items() if name != "streams"} | dict(own)
            missing = {"purpose", "bug", "requirements", "units"} - set(row)
            if missing:
                raise BuildError(f"{self.source}: stream {number} lacks {', '.join(sorted(missing))}")
            before = found[row["behind"] - 1].chain() if "behind" in row else ()
            found.append(
                CorpusStream(
                    name=f"{self.name}-{number:02}",
                    kind=self.kind,
                    recipe=self.source,
                    purpose=row["purpose"],
                    bug=row["bug"],
                    requirements=tuple(row["requirements"]),
                    units=row["units"],
                    after=row.get("after", ()),
                    behind=before,
                    check=row.get("check", {}),
                    verdict=row.get("verdict", "conforming"),
                    diagnostics=frozenset(row.get("diagnostics", ())),
                    reading=row.get("reading", ""),
                    expected=self.expected[number - 1] if self.expected else None,
                )
            )
        return tuple(found)


def recipes() -> Iterator[Recipe]:
    """All recipes, those of files by class and name, then those of families."""
    for kind in CLASSES:
        for path in recipe_files(kind):
            source = f"{FOLDER}/{kind}/{path.name}"
            yield Recipe(kind, path.stem, load_yaml(source), source)
    for family in FAMILIES:
        yield from import_module(f"nnr_conformance.suite.corpus.families.{family}").recipes()


def recipe_files(kind: str) -> list[Path]:
    """The recipe files of a class, beside which sidecars lie."""
    try:
        folder = data_path(f"{FOLDER}/{kind}")
    except FileNotFoundError:
        return []
    return sorted(path for path in folder.glob("*.yaml") if not path.name.endswith(".nnr.yaml"))


@cache
def corpus_streams() -> tuple[CorpusStream, ...]:
    """All golden streams that have a recipe of this form. Raises BuildError when a recipe makes no sense."""
    return tuple(stream for recipe in recipes() for stream in recipe.streams())


def stored_bytes(stream: CorpusStream) -> bytes:
    """The stored stream, or what its recipe gives when it is not stored yet."""
    try:
        return data_path(stream.path).read_bytes()
    except FileNotFoundError:
        return stream.build()


def base_arrays(check: Mapping[str, Any]) -> dict[str, NDArray[np.float32]]:
    """The base model that `check` gives, as arrays."""
    return {name: np.asarray(values, np.float32) for name, values in check.get("base", {}).items()}
