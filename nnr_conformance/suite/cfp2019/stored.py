"""The streams of the nine pipelines as they are stored, byte for byte, with the figures that belong to them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from nnr_conformance.data import data_path
from nnr_conformance.decoder.digests import add_array
from nnr_conformance.entropy import compiled_available
from nnr_conformance.suite.cfp2019.evaluation import Evaluation, evaluate
from nnr_conformance.suite.cfp2019.footprint import tools
from nnr_conformance.suite.cfp2019.pipelines import GoldenStream, golden_streams
from nnr_conformance.suite.corpus.sidecar import nncodec

FOLDER = "bitstreams/cfp2019"
INDEX = "index.json"
SCHEMA = "nnr-cfp2019/1"
DIGITS = 6
WITNESSES = ["builder", "compiled decoder", "pure decoder"]
"""Who agrees on every stream."""


@dataclass(frozen=True, slots=True)
class StoredStream:
    """A stored stream by its name. `path`: below the data folder. `before`: names of the streams that it updates, the
    first one first."""

    name: str
    path: str
    before: tuple[str, ...]

    def expected(self) -> Mapping[str, NDArray[Any]]:
        """The tensors that a decoder delivers behind the streams before, as the pipeline meant them."""
        return next(stream.expected for stream in golden_streams() if stream.name == self.name)


def stored_streams() -> Iterator[StoredStream]:
    """The stored streams in the order of their index; nothing is built before somebody asks what is expected."""
    for row in json.loads(data_path(f"{FOLDER}/{INDEX}").read_text(encoding="utf-8"))["streams"]:
        before = tuple(name.removesuffix(".nnr") for name in row["depends_on"])
        yield StoredStream(row["stream"].removesuffix(".nnr"), f"{FOLDER}/{row['stream']}", before)


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


def problems(folder: Path) -> Iterator[str]:
    """What differs between files of a folder and pipelines, and what streams do not show, one line each."""
    for stream in golden_streams():
        path = folder / f"{stream.name}.nnr"
        if not path.is_file():
            yield f"{FOLDER}/{path.name}: is missing"
        elif path.read_bytes() != stream.data:
            yield f"{FOLDER}/{path.name}: differs from what the pipeline gives"
    known = {f"{stream.name}.nnr" for stream in golden_streams()}
    strays = sorted(path.name for path in folder.glob("*.nnr") if path.name not in known)
    yield from (f"{FOLDER}/{name}: no pipeline gives it" for name in strays)
    yield from _index_problems(folder / INDEX)
    for row in evaluations():
        if row.verdict != "conforming" or row.diagnostics:
            yield f"{row.name}: {row.verdict}, {row.diagnostics} diagnostics"
        if row.partial is not None and not row.partial.agrees:
            yield f"{row.name}: {row.partial.layer} alone is not what it is in the whole stream"
        for missing in sorted(set(WITNESSES) - set(_witnesses(row))):
            yield f"{row.name}: the {missing} does not give what the pipeline meant"
    yield from _tool_problems(evaluations())


def _index_problems(path: Path) -> Iterator[str]:
    """Figures that differ from those that are stored."""
    if not path.is_file():
        yield f"{FOLDER}/{INDEX}: is missing"
        return
    stored = {row["stream"]: row for row in json.loads(path.read_text(encoding="utf-8"))["streams"]}
    for stream, found in zip(golden_streams(), evaluations(), strict=True):
        row, now = stored.get(f"{stream.name}.nnr", {}), _row(stream, found)
        for key in sorted(row.keys() | now.keys()):
            if row.get(key) != now.get(key):
                yield f"{FOLDER}/{INDEX}: {stream.name}: {key} is {row.get(key)}, now {now.get(key)}"


def _tool_problems(rows: Sequence[Evaluation]) -> Iterator[str]:
    for tool in tools():
        found = sorted(row.name for row in rows if tool.id in row.shown)
        if sorted(tool.streams) != found:
            yield f"spec/tools.yaml: {tool.id}: the streams that show it are {', '.join(found) or 'none'}"


def _row(stream: GoldenStream, found: Evaluation) -> dict[str, Any]:
    partial = found.partial and {"tensor": found.partial.layer, "bytes": found.partial.read}
    return {
        "stream": f"{stream.name}.nnr",
        "proposal": stream.proposal,
        "network": stream.network,
        "steps": list(stream.steps),
        "depends_on": [f"{name}.nnr" for name in stream.before],
        "bytes": len(stream.data),
        "sha256": hashlib.sha256(stream.data).hexdigest(),
        "intended": {"levels": _digest(stream.levels), "tensors": _digest(dict(sorted(stream.expected.items())))},
        "verdict": found.verdict,
        "ratio": round(found.ratio, 2),
        "measure": "right answers" if found.right is not None else "squared error",
        "before": round(found.before, DIGITS),
        "after": round(found.after, DIGITS),
        "parameters_before": found.parameters_before,
        "parameters": found.parameters,
        "partial": partial,
        "tools": list(found.shown),
        "witness": [*_witnesses(found), *other_witnesses().get(stream.name, ())],
    }


def _digest(arrays: Mapping[str, NDArray[Any]]) -> str:
    """A digest of a stage from what the pipeline means."""
    digest = hashlib.sha256()
    for name, values in arrays.items():
        add_array(digest, name, values)
    return digest.hexdigest()


def _witnesses(row: Evaluation) -> list[str]:
    """Without numba the compiled decoder is taken at its word, so that the index does not depend on what is there."""
    return sorted({*row.witnesses, *(() if compiled_available() else ("compiled decoder",))})


def other_witnesses() -> Mapping[str, Sequence[str]]:
    """Decoders of others that agree with the builder, by stream; a test repeats that where they are installed."""
    folder, rows = f"{FOLDER.rpartition('/')[2]}/", nncodec()
    return {
        path.removeprefix(folder).removesuffix(".nnr"): [_other_witness(row)]
        for path, row in rows.items()
        if path.startswith(folder) and row["result"] == "agrees"
    }


def _other_witness(row: Mapping[str, Any]) -> str:
    """A decoder with what was taken out of the stream for it and where it was helped."""
    without = f" without {', '.join(row['without'])}" if "without" in row else ""
    helped = f", helped with {', '.join(row['helped'])}" if "helped" in row else ""
    return f"NNCodec {row['version']}{without}{helped}"
