"""What the stored streams are, in a table: by class, and by witness."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any

from nnr_conformance.data import data_path
from nnr_conformance.suite.corpus.golden import KINDS
from nnr_conformance.suite.corpus.manifest import MANIFEST
from nnr_conformance.suite.corpus.recipes import FOLDER
from nnr_conformance.suite.corpus.sidecar import BUILDER, COMPILED, PURE

Row = Mapping[str, Any]


@cache
def manifest_rows() -> Sequence[Row]:
    """The streams of the stored manifest. Raises FileNotFoundError."""
    text = data_path(f"{FOLDER}/{MANIFEST}").read_text(encoding="utf-8")
    rows: Sequence[Row] = json.loads(text)["streams"]
    return rows


def summary_lines() -> Iterator[str]:
    """The table as lines of text."""
    rows = manifest_rows()
    yield f"{'class':<16} {'streams':>7} {'bytes':>9} {'conforming':>11} {'nonconf.':>9} {'undeterm.':>10}"
    for kind in KINDS:
        yield _line(kind, [row for row in rows if row["class"] == kind])
    yield _line("all", rows)
    yield ""
    decoded = [row for row in rows if row["verdict"] == "conforming"]
    yield f"witnesses of the {len(decoded)} conforming streams, and the stages on which they agree:"
    stages: dict[str, Counter[str]] = {}
    for row in decoded:
        for name, agreed in row["witness"].items():
            stages.setdefault(name, Counter()).update(agreed)
    for name in sorted(stages, key=lambda one: (one not in (BUILDER, PURE, COMPILED), one)):
        yield f"  {name:<20} " + ", ".join(f"{stage} {count}" for stage, count in stages[name].items())
    requirements = {name for row in rows for name in row["requirements"]}
    yield f"{len(requirements)} requirements are what at least one stream is about"
    yield "all files are what their recipes give"


def _line(name: str, rows: Sequence[Row]) -> str:
    verdicts = Counter(row["verdict"] for row in rows)
    size = sum(row["bytes"] for row in rows)
    return (
        f"{name:<16} {len(rows):>7} {size:>9} {verdicts['conforming']:>11} {verdicts['nonconforming']:>9} "
        f"{verdicts['undetermined']:>10}"
    )
