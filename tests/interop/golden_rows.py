"""A row of `bitstreams/nncodec.yaml` from what became of the ways to decode a stream."""

from __future__ import annotations

import signal
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from nnr_conformance.suite.corpus.golden import Golden
from nnr_conformance.suite.corpus.nncodec_rows import key
from tests.interop.nncodec_causes import Facts, by_code, causes, unfollowed
from tests.interop.nncodec_ways import Way

VERSION = "2.1.3"
Row = Mapping[str, Any]

HEADER = """\
# What NNCodec 2.1.3 makes of the golden streams; written by `python -m tests.interop.golden_witnesses --write`, and
# explained in docs/interop.md and spec/schemas/nncodec.schema.json.
"""


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of one way: `ended` by an exception or a signal, or compared."""

    way: Way
    ended: str = ""
    result: str = ""
    agrees: tuple[str, ...] = ()
    compared: tuple[str, ...] = ()
    said: str = ""


def tried(messages: Iterable[Mapping[str, Any]], number: int) -> tuple[Facts | None, list[Tried]]:
    """The messages of a process, which a signal of this number (0: none) ended."""
    facts, found, way = None, [], None
    for message in messages:
        if "facts" in message:
            facts = Facts.of(message["facts"])
        elif "way" in message:
            row = message["way"]
            way = Way(tuple(row["without"]), tuple(row["helped"]), row["state"], row["history"])
        elif way is not None:
            found.append(_one(way, message))
            way = None
    if number and way is not None:
        name = signal.Signals(number).name
        found.append(Tried(way, name, "hangs" if name in {"SIGPROF", "SIGKILL"} else "crashes"))
    return facts, found


def _one(way: Way, message: Mapping[str, Any]) -> Tried:
    if "raised" in message:
        memory = message["raised"].startswith("MemoryError")
        return Tried(way, message["raised"], "exhausts" if memory else "raises")
    agrees, compared = tuple(message["agrees"]), tuple(message["compared"])
    result = "accepts" if not compared else "agrees" if agrees == compared else "differs"
    return Tried(way, "", result, agrees, compared, message["said"])


def row_of(golden: Golden, facts: Facts, found: Sequence[Tried]) -> Row:
    """The row of a stream."""
    first = found[0]
    best = max(found, key=lambda one: len(one.agrees))
    row: dict[str, Any] = {"sha256": key(golden), "version": VERSION, "result": _result(facts, first, best)}
    if best.agrees:
        row |= {"agrees": list(best.agrees)}
        row |= {name: list(value) for name, value in _changes(best.way) if value}
    note = best.said or (first.ended or first.said if best is not first or not best.agrees else "")
    ids = _divergences(facts, found, best)
    readings = [] if best.result == "agrees" else unfollowed(golden.check.get("readings", {}))
    return row | {name: value for name, value in (("divergence", ids), ("reading", readings), ("note", note)) if value}


def _changes(way: Way) -> tuple[tuple[str, tuple[str, ...]], ...]:
    return ("without", way.without), ("helped", way.helped)


def _result(facts: Facts, first: Tried, best: Tried) -> str:
    if best.agrees:
        return best.result
    if first.result == "raises":
        return "refuses" if facts.accepted else "rejects"
    return first.result


def _divergences(facts: Facts, found: Sequence[Tried], best: Tried) -> list[str]:
    ids: dict[str, None] = {}
    for one in found[: found.index(best)] if best.agrees else found:
        for cause in causes(facts, one.ended or one.said):
            if not best.agrees or any(remedy(best.way) == best.way for remedy in cause.remedies):
                ids[cause.divergence] = None
    if best.result in {"differs", "accepts"}:
        ids |= dict.fromkeys(cause.divergence for cause in causes(facts, best.said))
        known = by_code()
        ids |= dict.fromkeys(name for code in sorted(facts.codes) for name in known.get(code, ()))
    return list(ids)


def as_text(rows: Mapping[str, Row]) -> str:
    """The file: one line for each row, by path."""
    style: dict[str, Any] = {"default_flow_style": True, "sort_keys": False, "allow_unicode": True, "width": 1 << 20}
    return HEADER + "".join(f"{path}: {yaml.safe_dump(dict(row), **style)}" for path, row in sorted(rows.items()))
