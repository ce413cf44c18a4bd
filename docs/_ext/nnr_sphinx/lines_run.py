"""Which lines of the normative functions the stored streams run, traced anew, smallest streams first."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from types import CodeType, FrameType
from typing import Any

from nnr_conformance.api import chain_decoder
from nnr_conformance.data import data_path
from nnr_conformance.suite.coverage.measure import Sample
from nnr_conformance.suite.coverage.samples import samples
from nnr_sphinx.stored_streams import stored_streams

Line = tuple[str, int]
"""File and line."""
LARGEST = 400
"""Bytes of the largest stream that is traced; the coverage of the whole corpus looks at larger ones too."""


@dataclass(frozen=True, slots=True)
class Traced:
    """What streams run, each with the lines of the functions that were asked for."""

    lines: Mapping[str, frozenset[Line]]

    def best(self, wanted: frozenset[Line]) -> tuple[str, frozenset[Line]]:
        """The smallest stream that runs the most of these lines, and those that no stream runs."""
        run = frozenset().union(*self.lines.values()) if self.lines else frozenset()
        most = max(self.lines, key=lambda name: len(wanted & self.lines[name]), default="")
        return most, wanted - run


def function_at(path: str) -> Callable[..., Any]:
    """The function of a path such as ``nnr_conformance.entropy.engine:decode_bin``. Raises ValueError."""
    module, _, name = path.partition(":")
    found: Any = import_module(module)
    try:
        for part in name.split("."):
            found = getattr(found, part)
    except AttributeError:
        raise ValueError(f"no function {path}") from None
    return getattr(found, "__func__", getattr(found, "__wrapped__", found))  # type: ignore[no-any-return]


def code_lines(code: CodeType) -> frozenset[Line]:
    """The lines of a function that can be run, those of functions inside it included."""
    own = {line for _, _, line in code.co_lines() if line is not None and line != code.co_firstlineno}
    inner = (code_lines(one) for one in code.co_consts if isinstance(one, CodeType))
    return frozenset((code.co_filename, line) for line in own).union(*inner)


@cache
def traced(functions: tuple[str, ...]) -> Traced:
    """What the stored streams up to `LARGEST` bytes run of these functions; stops when all their lines were run."""
    names = frozenset().union(*(code_lines(function_at(path).__code__) for path in functions))
    left = set(names)
    small = sorted((one for one in stored_streams().values() if one.size <= LARGEST), key=lambda one: one.rank)
    found: dict[str, frozenset[Line]] = {}
    for stream, sample in zip(small, samples(data_path(f"bitstreams/{one.path}") for one in small), strict=True):
        with _tracing({file for file, _ in names}) as run:
            _decode(sample)
        kept = names & run
        if kept & left:
            found[stream.name] = kept
            left -= kept
        if not left:
            break
    return Traced(found)


def _decode(sample: Sample) -> None:
    """Decode a stream to the tensors of the model, interpreted."""
    chain = chain_decoder(
        sample.data,
        readings=sample.readings,
        limits=sample.limits,
        out_of_band=sample.out_of_band,
        base=sample.base,
        tensors=sample.tensors,
        compiled=False,
    )
    chain.digesting = False
    for _ in chain:
        """Only the lines that run matter."""


@contextmanager
def _tracing(files: Iterable[str]) -> Iterator[set[Line]]:
    wanted = frozenset(files)
    run: set[Line] = set()

    def line(frame: FrameType, event: str, argument: Any) -> Any:
        if event == "line":
            run.add((frame.f_code.co_filename, frame.f_lineno))
        return line

    def call(frame: FrameType, event: str, argument: Any) -> Any:
        return line if frame.f_code.co_filename in wanted else None

    before = sys.gettrace()
    sys.settrace(call)
    try:
        yield run
    finally:
        sys.settrace(before)
