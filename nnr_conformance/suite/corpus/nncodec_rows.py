"""The rows of `bitstreams/nncodec.yaml`: what NNCodec makes of each golden stream, and which rows are missing."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

from nnr_conformance.suite.corpus.golden import Golden, golden_streams, stored
from nnr_conformance.suite.corpus.sidecar import nncodec

COMMAND = "python -m tests.interop.golden_witnesses --write"
"""Writes the rows, where NNCodec is installed."""

DIGITS = 12


def key(golden: Golden) -> str:
    """The start of the SHA-256 of all that NNCodec and the decoder of this package are given with a stream."""
    digest = hashlib.sha256(json.dumps(golden.check, sort_keys=True).encode())
    for path in (*golden.before, golden.path):
        digest.update(stored(path))
    return digest.hexdigest()[:DIGITS]


def missing_rows(rows: Mapping[str, Mapping[str, Any]] | None = None) -> Iterator[str]:
    """Streams without a row, or with a row that was made before they changed, one line each."""
    rows = nncodec() if rows is None else rows
    for golden in golden_streams():
        row = rows.get(golden.path)
        if row is None:
            yield f"{golden.path}: has no row in bitstreams/nncodec.yaml; run {COMMAND}"
        elif row["sha256"] != key(golden):
            yield f"{golden.path}: changed since its row in bitstreams/nncodec.yaml was made; run {COMMAND}"


def stray_rows(rows: Mapping[str, Mapping[str, Any]] | None = None) -> Iterator[str]:
    """Rows of streams that do not exist, one line each."""
    known = {golden.path for golden in golden_streams()}
    for path in nncodec() if rows is None else rows:
        if path not in known:
            yield f"{path}: has a row in bitstreams/nncodec.yaml, but there is no such stream; run {COMMAND}"
