"""The streams of the suite for the page on which they are explored."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from nnr_conformance.data import data_path
from nnr_conformance.limits import DEFAULT_LIMITS
from nnr_conformance.report.html_explorer import Links, ShownStream, streams_page
from nnr_conformance.suite.coverage.samples import samples, stream_files

TITLE = "Golden streams of ISO/IEC 15938-17"


def golden_page(links: Links | None = None) -> Iterator[str]:
    """The page in pieces that are lines without their ends; `links`: to pages of the specification, if there are."""
    yield from streams_page(TITLE, golden_streams(), links)


def golden_streams() -> list[ShownStream]:
    """All stored streams by path, with what each is for and what it is read under."""
    top = data_path("bitstreams")
    manifest: dict[str, Any] = json.loads((top / "manifest.json").read_text(encoding="utf-8"))
    purposes = {row["path"]: row["purpose"] for row in manifest["streams"]}
    default = asdict(DEFAULT_LIMITS)
    shown = []
    files = stream_files([])
    for path, sample in zip(files, samples(files), strict=True):
        name, content = path.relative_to(top).as_posix(), sample.data[-1]
        limits = {key: most for key, most in asdict(sample.limits).items() if most != default[key]}
        shown.append(
            ShownStream(
                name,
                len(content),
                ((0, content),),
                purposes.get(name, ""),
                dict(sample.readings.chosen),
                sample.out_of_band,
                limits,
            )
        )
    return shown
