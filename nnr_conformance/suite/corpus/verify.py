"""Check and decode stored streams and compare with the manifest: what any installation can do with its own decoder."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from nnr_conformance.checker.check import check_chain
from nnr_conformance.report.model import StreamReport
from nnr_conformance.suite.corpus.findings import decoded
from nnr_conformance.suite.corpus.golden import Golden, golden_streams, stored
from nnr_conformance.suite.corpus.parallel import Progress, in_order
from nnr_conformance.suite.corpus.sidecar import diagnostics
from nnr_conformance.suite.corpus.summary import manifest_rows

Row = Mapping[str, Any]


def verified(jobs: int = 1, on_progress: Progress | None = None) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Each stream of the manifest with what differs: bytes, verdict, diagnostics, or stages. Nothing when all agree."""
    return in_order(_verified, [row["path"] for row in manifest_rows()], jobs, on_progress)


def _verified(paths: Sequence[str]) -> list[tuple[str, tuple[str, ...]]]:
    rows = {row["path"]: row for row in manifest_rows()}
    known = {golden.path: golden for golden in golden_streams()}
    return [(path, tuple(differences(known[path], rows[path]))) for path in paths]


def differences(golden: Golden, row: Row) -> Iterator[str]:
    """What the checker and the decoder find otherwise than a row of the manifest says."""
    if hashlib.sha256(stored(golden.path)).hexdigest() != row["sha256"]:
        yield "bytes"
        return
    report: StreamReport = check_chain(golden.chain(), edition=golden.check.get("edition"), dependence=False).streams[
        -1
    ]
    if report.verdict.value != row["verdict"]:
        yield "verdict"
    if diagnostics(report) != row["diagnostics"]:
        yield "diagnostics"
    _, digests = decoded(golden, compiled=None)
    yield from (stage for stage, digest in row.get("digests", {}).items() if digests[stage] != digest)
