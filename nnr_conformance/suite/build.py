"""Rebuilding the stored streams from their recipes, byte for byte, and their manifest."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from nnr_conformance.data import data_path
from nnr_conformance.diagnostics import catalogue
from nnr_conformance.errors import BuildError
from nnr_conformance.suite.pair_checks import check_pair_stream, pair_problems
from nnr_conformance.suite.requirement_pairs import FOLDER, Pair, load_pairs

MANIFEST = "manifest.json"
SCHEMA = "nnr-requirement-pairs/1"


def built_files() -> dict[str, bytes]:
    """All generated files of the pairs by their path below the folder of the pairs. Raises BuildError."""
    files, rows = {}, []
    for pair in load_pairs():
        for breaking in (False, True):
            data = pair.build(breaking).data
            files[f"{pair.clause}/{pair.stream_name(breaking)}"] = data
            rows.append(_row(pair, breaking, data))
    manifest = {"schema": SCHEMA, "streams": rows}
    files[MANIFEST] = (json.dumps(manifest, indent=1, ensure_ascii=False) + "\n").encode()
    return files


def _row(pair: Pair, breaking: bool, data: bytes) -> dict[str, Any]:
    report = check_pair_stream(pair, data)
    row = {
        "stream": f"{pair.clause}/{pair.stream_name(breaking)}",
        "bytes": len(data),
        "sha256": hashlib.sha256(data).hexdigest(),
        "requirement": pair.requirement,
        "code": pair.code,
        "meets": not breaking,
        "purpose": pair.idea,
        "verdict": report.verdict.value,
        "diagnostics": sorted(
            {(found.code, found.severity.value, found.path, found.bits or ()) for found in report.diagnostics}
        ),
    }
    return row | ({"check": dict(pair.check)} if pair.check else {})


def build_problems() -> Iterator[str]:
    """What is wrong with the pairs and their files, one line each."""
    yield from missing_pairs()
    for pair in load_pairs():
        yield from pair_problems(pair)
    try:
        files = built_files()
    except BuildError:
        return  # the pair has said so above
    folder = data_path(FOLDER)
    for name, data in files.items():
        path = folder / name
        if not path.is_file():
            yield f"{FOLDER}/{name}: is missing"
        elif path.read_bytes() != data:
            yield f"{FOLDER}/{name}: differs from what the recipe gives"
    for stray in sorted(_stored(folder) - set(files)):
        yield f"{FOLDER}/{stray}: no recipe gives it"


def missing_pairs() -> Iterator[str]:
    """Codes without a pair."""
    known = {pair.code for pair in load_pairs()}
    for code, rule in catalogue().items():
        if code not in known and not rule.no_stream:
            yield f"{code} ({rule.requirement}): no pair shows it"
    for pair in load_pairs():
        if pair.code not in catalogue():
            yield f"{pair.name}: there is no code {pair.code}"
        elif catalogue()[pair.code].clause != pair.clause:
            yield f"{pair.name}: {pair.code} belongs to clause {catalogue()[pair.code].clause}, not {pair.clause}"


def write_files(folder: Path) -> Iterator[str]:
    """Write all generated files into a folder and take away streams without a recipe; yields what changed."""
    files = built_files()
    for stray in sorted(_stored(folder) - set(files)):
        (folder / stray).unlink()
        yield f"removed {stray}"
    for name, data in files.items():
        path = folder / name
        if not path.is_file() or path.read_bytes() != data:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
            yield f"wrote {name}"


def _stored(folder: Path) -> set[str]:
    return {str(path.relative_to(folder).as_posix()) for path in folder.glob("*/*.nnr")}
