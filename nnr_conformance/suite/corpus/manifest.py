"""The manifest: all golden streams in one file, for runners of other decoders."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from nnr_conformance.data import corpus_version
from nnr_conformance.decoder.digests import STAGES

MANIFEST = "manifest.json"
SCHEMA = "nnr-corpus/1"


def manifest_text(rows: Mapping[str, Mapping[str, Any]]) -> str:
    """The manifest of sidecars by the path of their stream, one line for each stream."""
    head = {"schema": SCHEMA, "version": corpus_version(), "stages": list(STAGES)}
    lines = [_line({"path": path, **_kept(row)}) for path, row in rows.items()]
    opening = json.dumps(head, ensure_ascii=False)[:-1]
    return f'{opening}, "streams": [\n' + ",\n".join(lines) + "\n]}\n"


def _kept(row: Mapping[str, Any]) -> dict[str, Any]:
    """What of a sidecar is in the manifest; values of tensors are beside the stream."""
    return {name: found for name, found in row.items() if name not in {"schema", "stream", "tensors"}}


def _line(row: Mapping[str, Any]) -> str:
    return json.dumps(row, ensure_ascii=False)
