"""The streams of the nine pipelines as they are stored, byte for byte, with the figures that belong to them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from nnr_conformance.data import data_path, load_yaml
from nnr_conformance.suite.cfp2019.evaluation import Evaluation, evaluate
from nnr_conformance.suite.cfp2019.footprint import tools
from nnr_conformance.suite.cfp2019.pipelines import GoldenStream, golden_streams

FOLDER = "bitstreams/cfp2019"
INDEX = "index.json"
SCHEMA = "nnr-cfp2019/1"
ERROR_DIGITS = 6
RIGHT_TOLERANCE = 1
"""Test images on which the linear algebra of another machine may decide otherwise."""


@cache
def evaluations() -> tuple[Evaluation, ...]:
    """All streams, rebuilt and evaluated, in the order of the table."""
    return tuple(evaluate(stream, chain_of(stream)) for stream in golden_streams())


def chain_of(stream: GoldenStream) -> list[bytes]:
    """The bytes of a stream behind those of the streams that it updates."""
    by_name = {one.name: one for one in golden_streams()}
    return [by_name[name].data for name in stream.before] + [stream.data]


def built_files() -> dict[str, bytes]:
    """All generated files by their name below the folder."""
    files = {f"{stream.name}.nnr": stream.data for stream in golden_streams()}
    rows = [_row(stream, found) for stream, found in zip(golden_streams(), evaluations(), strict=True)]
    index = {"schema": SCHEMA, "streams": rows}
    files[INDEX] = (json.dumps(index, indent=1, ensure_ascii=False) + "\n").encode()
    return files


def write_files(folder: Path) -> Iterator[str]:
    """Write all generated files, take away streams that no pipeline gives; yields what changed."""
    files = built_files()
    for path in sorted(folder.glob("*.nnr")):
        if path.name not in files:
            path.unlink()
            yield f"removed {path.name}"
    for name, data in files.items():
        path = folder / name
        if not path.is_file() or path.read_bytes() != data:
            path.write_bytes(data)
            yield f"wrote {name}"


def problems() -> Iterator[str]:
    """What differs between stored files and pipelines, and what streams do not show, one line each."""
    folder = data_path(FOLDER)
    for stream in golden_streams():
        path = folder / f"{stream.name}.nnr"
        if not path.is_file():
            yield f"{FOLDER}/{path.name}: is missing"
        elif path.read_bytes() != stream.data:
            yield f"{FOLDER}/{path.name}: differs from what the pipeline gives"
    known = {f"{stream.name}.nnr" for stream in golden_streams()}
    strays = sorted(path.name for path in folder.glob("*.nnr") if path.name not in known)
    yield from (f"{FOLDER}/{name}: no pipeline gives it" for name in strays)
    yield from _index_problems(json.loads((folder / INDEX).read_text(encoding="utf-8")))
    for row in evaluations():
        if row.verdict != "conforming" or row.diagnostics:
            yield f"{row.name}: {row.verdict}, {row.diagnostics} diagnostics"
        if row.partial is not None and not row.partial.agrees:
            yield f"{row.name}: {row.partial.layer} alone is not what it is in the whole stream"
    yield from _tool_problems(evaluations())


def _index_problems(index: Mapping[str, Any]) -> Iterator[str]:
    """Figures that differ by more than another machine's linear algebra explains."""
    stored = {row["stream"]: row for row in index["streams"]}
    for stream, found in zip(golden_streams(), evaluations(), strict=True):
        row, now = stored.get(f"{stream.name}.nnr", {}), _row(stream, found)
        close = {"right": RIGHT_TOLERANCE, "squared error": 2 * 10.0**-ERROR_DIGITS}
        for key, value in now.items():
            before = row.get(key)
            near = key in close and before is not None and abs(value - before) <= close[key]
            if value != before and not near:
                yield f"{FOLDER}/{INDEX}: {stream.name}: {key} is {before}, now {value}"


def _tool_problems(rows: Sequence[Evaluation]) -> Iterator[str]:
    for tool in tools():
        found = sorted(row.name for row in rows if tool.id in row.shown)
        if sorted(tool.streams) != found:
            yield f"spec/tools.yaml: {tool.id}: the streams that show it are {', '.join(found) or 'none'}"


def _row(stream: GoldenStream, found: Evaluation) -> dict[str, Any]:
    measured: dict[str, Any] = {"right": found.right}
    if found.right is None:
        measured = {"squared error": round(found.after, ERROR_DIGITS)}
    return {
        "stream": f"{stream.name}.nnr",
        "proposal": stream.proposal,
        "network": stream.network,
        "steps": list(stream.steps),
        "depends_on": [f"{name}.nnr" for name in stream.before],
        "bytes": len(stream.data),
        "sha256": hashlib.sha256(stream.data).hexdigest(),
        "parameters": found.parameters,
        **measured,
        "tools": list(found.shown),
        "witness": ["builder", "decoder", *witnesses().get(stream.name, ())],
    }


def witnesses() -> Mapping[str, Sequence[str]]:
    """Decoders of others that agree with the builder, by stream; a test repeats that where they are installed."""
    listed = load_yaml(f"{FOLDER}/witnesses.yaml")
    without = {name: [f"NNCodec 2.1.3 without {', '.join(units)}"] for name, units in listed["without"].items()}
    return {**listed["agree"], **without}
