"""The record of the large streams: what they are, their SHA-256, the digests of their stages; and making them by it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from nnr_conformance.api import chain_decoder
from nnr_conformance.data import load_yaml
from nnr_conformance.errors import BuildError
from nnr_conformance.suite.corpus.stress import SEED, StressStream, stress_streams

RECORD = "bitstreams/stress.yaml"
INDEX = "index.json"
"""Written beside the streams: which of them come before one, as for the other folders of streams."""

_HEAD = """\
# Large streams that `nnr-suite build --stress FOLDER` makes, from the seed that is given here; none of them is stored.
# `behind`: the stream that one updates, which is behind another one in turn. `digests`: SHA-256 by stage, of the stream
# at the end of that chain.
"""


def recorded() -> dict[str, Mapping[str, Any]]:
    """What is known of each stream, by name; nothing when there is no record."""
    try:
        rows = load_yaml(RECORD)["streams"]
    except FileNotFoundError:
        return {}
    return {row["name"]: row for row in rows}


def stress_problems(*, small: bool = True) -> Iterator[str]:
    """Where the streams (the small ones) differ from what is recorded of them, one line each."""
    known = recorded()
    names = [stream.name for stream in stress_streams()]
    for name in sorted({*names} ^ {*known}):
        yield f"{RECORD}: {name} is {'not recorded' if name in names else 'no stream any more'}"
    for stream in stress_streams():
        if stream.name in known and (stream.small or not small):
            yield from _differences(stream, stream.build(), known)


def _differences(stream: StressStream, data: bytes, known: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    row = known.get(stream.name, {})
    found = {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    found |= {"behind": stream.behind[-1]} if stream.behind else {}
    for element, value in found.items():
        if row.get(element) != value:
            yield f"{RECORD}: {stream.name} has the {element} {value}, not {row.get(element)}"


def write_stress(folder: Path, streams: Sequence[StressStream], *, compare: bool = True) -> Iterator[str]:
    """Write the streams into a folder; yields a line for each, with what differs from the record.

    Raises BuildError when one is not what was recorded, after all are written; `compare`: whether that is looked at.
    """
    folder.mkdir(parents=True, exist_ok=True)
    known = recorded()
    wrong: list[str] = []
    rows = []
    for stream in streams:
        data = stream.build()
        (folder / f"{stream.name}.nnr").write_bytes(data)
        rows.append({"stream": f"{stream.name}.nnr", "depends_on": [f"{name}.nnr" for name in stream.behind]})
        found = list(_differences(stream, data, known)) if compare else []
        wrong += found
        yield from found or [f"wrote {stream.name}.nnr, {len(data)} bytes: {stream.purpose}"]
    index = json.dumps({"streams": rows}, indent=1) + "\n"
    (folder / INDEX).write_text(index, encoding="utf-8")
    if wrong:
        raise BuildError(f"{len(wrong)} differences from {RECORD}")


def record(folder: Path, streams: Sequence[StressStream]) -> str:
    """The text of the record, from streams that were written into a folder; decodes all of them."""
    rows = []
    for stream in streams:
        data = [(folder / f"{name}.nnr").read_bytes() for name in (*stream.behind, stream.name)]
        row: dict[str, Any] = {"name": stream.name, "purpose": stream.purpose}
        if stream.behind:
            row["behind"] = stream.behind[-1]
        row |= {"bytes": len(data[-1]), "sha256": hashlib.sha256(data[-1]).hexdigest(), "digests": stage_digests(data)}
        rows.append(row)
    text: str = yaml.safe_dump({"seed": SEED, "streams": rows}, sort_keys=False, width=118, default_flow_style=None)
    return _HEAD + text


def stage_digests(chain: list[bytes]) -> dict[str, str]:
    """Digests by stage of the last stream of a chain."""
    decoder = chain_decoder(chain)
    tensors = {tensor.name: tensor.values for tensor in decoder}
    return decoder.digests[-1].hexdigests(tensors)
