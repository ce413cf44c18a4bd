"""The stored streams as the pages name them: path, size, verdict, and what each is about."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from nnr_conformance.data import data_path
from nnr_conformance.suite.coverage.samples import stream_files


@dataclass(frozen=True, slots=True)
class Stream:
    """One stream below `bitstreams`. `name`: its path without the suffix; `row`: its line of the manifest, if any."""

    name: str
    path: str
    size: int
    row: Mapping[str, Any]

    @property
    def stem(self) -> str:
        """The last part of the name."""
        return self.name.rpartition("/")[2]

    @property
    def page(self) -> str:
        """The page of the site that lists it: by its folder, the requirement pairs by their clause."""
        parts = self.name.split("/")
        return f"streams/requirements-{parts[1]}" if parts[0] == "requirements" else f"streams/{parts[0]}"

    @property
    def conforming(self) -> bool:
        """Whether the verdict is that it conforms; streams of other encoders count as such."""
        return str(self.row.get("verdict", "conforming")) == "conforming"

    @property
    def rank(self) -> tuple[bool, int, str]:
        """Conforming streams first, then small ones."""
        return not self.conforming, self.size, self.name


@cache
def stored_streams() -> Mapping[str, Stream]:
    """All stored streams by name, in the order of their paths."""
    folder = data_path("bitstreams")
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    rows = {row["path"]: row for row in manifest["streams"]}
    found = {}
    for file in stream_files([]):
        path = file.relative_to(folder).as_posix()
        name = path.rpartition(".")[0]
        found[name] = Stream(name, path, file.stat().st_size, rows.get(path, {}))
    return found


@cache
def _names_by_stem() -> Mapping[str, str]:
    stems = Counter(stream.stem for stream in stored_streams().values())
    return {stream.stem: name for name, stream in stored_streams().items() if stems[stream.stem] == 1}


def stream_name(text: str) -> str:
    """The name of the stream that a text names: by its path below `bitstreams`, or by its last part where that is
    enough. The text itself when there is none."""
    text = text.strip().removeprefix("bitstreams/")
    for suffix in (".nnr", ".nnc"):
        text = text.removesuffix(suffix)
    return text if text in stored_streams() else _names_by_stem().get(text, text)


def smallest(names: Iterable[str], most: int = 1) -> list[str]:
    """The smallest of these streams, conforming ones first."""
    known = stored_streams()
    return sorted(names, key=lambda name: known[name].rank)[:most]


@cache
def streams_about() -> Mapping[str, tuple[str, ...]]:
    """By requirement the streams that say that they are about it, and those whose findings name it."""
    about: dict[str, dict[str, None]] = {}
    for name, stream in stored_streams().items():
        named = [
            *stream.row.get("requirements", ()),
            *(one["requirement"] for one in stream.row.get("diagnostics", ())),
        ]
        for requirement in named:
            about.setdefault(requirement, {})[name] = None
    return {requirement: tuple(names) for requirement, names in about.items()}


@cache
def pairs_of_codes() -> Mapping[str, tuple[str, str]]:
    """By code of a diagnostic the stream that meets its condition and the one, a few bits away, that breaks it."""
    meets: dict[str, str] = {}
    breaks: dict[str, str] = {}
    for name, stream in stored_streams().items():
        if "code" in stream.row:
            (meets if stream.row["meets"] else breaks)[stream.row["code"]] = name
    return {code: (meets[code], breaks[code]) for code in meets if code in breaks}
