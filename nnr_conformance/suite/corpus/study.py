"""Studying golden streams, several at a time: each gives its sidecar and what is wrong with its witnesses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nnr_conformance.entropy.binding import compiled_available
from nnr_conformance.suite.corpus.findings import found_in
from nnr_conformance.suite.corpus.golden import Golden, golden_streams
from nnr_conformance.suite.corpus.intended import intended_digests
from nnr_conformance.suite.corpus.parallel import Progress, in_order
from nnr_conformance.suite.corpus.sidecar import sidecar, witness_problems


@dataclass(frozen=True, slots=True)
class Study:
    """`path`: of the stream; `row`: its sidecar; `problems`: one line each."""

    path: str
    row: Mapping[str, Any]
    problems: tuple[str, ...]


def study(golden: Golden) -> Study:
    """Study one stored stream."""
    found = found_in(golden, compiled=compiled_available())
    intended = intended_digests(golden)
    return Study(golden.path, sidecar(golden, found, intended), tuple(witness_problems(golden, found, intended)))


def studies(paths: Sequence[str], jobs: int = 1, on_progress: Progress | None = None) -> Iterator[Study]:
    """Study streams of `golden_streams()` by their paths, in their order."""
    return in_order(_studied, paths, jobs, on_progress)


def _studied(paths: Sequence[str]) -> list[Study]:
    known = {golden.path: golden for golden in golden_streams()}
    return [study(known[path]) for path in paths]
