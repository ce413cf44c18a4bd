"""Coverage of coding tools, each and in pairs, and of the requirements that the checker applies."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping

from nnr_conformance.diagnostics import catalogue
from nnr_conformance.suite.coverage.items import Item, StreamHits

UNIT_TOOLS = (
    "integer",
    "uniform",
    "codebook",
    "raw float",
    "dependent quantization",
    "block scan",
    "entry points",
    "row skip",
    "history contexts",
    "temporal contexts",
    "initialization ids",
    "decomposition",
    "local scaling",
    "batch norm",
    "bias",
    "dimension mapping",
    "dimension shift",
    "update",
    "partial data",
)
"""Tools of one compressed data unit, between which pairs are counted."""
STREAM_TOOLS = (
    "edition 1",
    "edition 2",
    "layer parameter set",
    "aggregate",
    "reference list",
    "pruning container",
    "deflate",
    "32 prefix ids",
)


def tool_universe() -> Iterator[Item]:
    """Items of tools and their pairs."""
    yield from (Item("tools", name) for name in UNIT_TOOLS + STREAM_TOOLS)
    yield from (Item("tool pairs", pair(one, other)) for one, other in itertools.combinations(UNIT_TOOLS, 2))


def pair(one: str, other: str) -> str:
    """The name of a pair, in the order of the tools."""
    first, second = sorted((one, other), key=UNIT_TOOLS.index)
    return f"{first} + {second}"


def note_tools(hits: StreamHits, units: Iterable[frozenset[str]], stream: Iterable[str]) -> None:
    """Count the tools of the units of a stream, and those of the stream as a whole."""
    for tools in units:
        used = {"block scan" if name.startswith("scan order") else name for name in tools}
        known = [name for name in UNIT_TOOLS if name in used]
        for name in known:
            hits.add("tools", name)
        for one, other in itertools.combinations(known, 2):
            hits.add("tool pairs", pair(one, other))
    for name in stream:
        if name in STREAM_TOOLS:
            hits.add("tools", name)


def rule_universe() -> Iterator[Item]:
    """Each code met, and each code broken."""
    for code, rule in catalogue().items():
        yield Item("requirements met", f"{rule.requirement} {code}")
        yield Item("requirements broken", f"{rule.requirement} {code}")


def note_rules(hits: StreamHits, rules: Mapping[str, tuple[int, int]]) -> None:
    """Count how often each code's requirement was met and broken."""
    for code, (passed, failed) in rules.items():
        name = f"{catalogue()[code].requirement} {code}"
        if passed:
            hits.add("requirements met", name, passed)
        if failed:
            hits.add("requirements broken", name, failed)
