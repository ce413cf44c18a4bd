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
    first, best = found[0], max(found, key=lambda one: len(one.agrees))
    shown = (best if best.agrees else first) if facts.accepted else found[-1]
    refused = "refuses" if facts.accepted else "rejects"
    row: dict[str, Any] = {
        "sha256": key(golden),
        "version": VERSION,
        "result": refused if shown.result == "raises" else shown.result,
        "agrees": list(shown.agrees),
        "without": list(shown.way.without),
        "helped": list(shown.way.helped),
        "divergence": _divergences(facts, found, shown),
        "reading": [] if shown.result == "agrees" else unfollowed(golden.check.get("readings", {})),
        "limit": next((code for code in sorted(facts.codes) if code.startswith("limit_")), ""),
        "note": shown.said or shown.ended or first.ended or first.said,
    }
    return {name: value for name, value in row.items() if value}


def _divergences(facts: Facts, found: Sequence[Tried], shown: Tried) -> list[str]:
    """What had to be got around for the way that is shown, what ended it, and what shows in findings here."""
    before = found[: found.index(shown)] if shown.result in {"agrees", "differs", "accepts"} else found
    ids: dict[str, None] = {}
    for one in before:
        for cause in causes(facts, one.ended or one.said):
            if shown.result not in {"agrees", "differs", "accepts"} or cause.is_behind(shown.way):
                ids[cause.divergence] = None
    ids |= dict.fromkeys(cause.divergence for cause in causes(facts, shown.ended or shown.said))
    if shown.result in {"differs", "accepts"}:
        known = by_code()
        ids |= dict.fromkeys(name for code in sorted(facts.codes) for name in known.get(code, ()))
    return list(ids)


def as_text(rows: Mapping[str, Row]) -> str:
    """The file: one line for each row, by path."""
    style: dict[str, Any] = {"default_flow_style": True, "sort_keys": False, "allow_unicode": True, "width": 1 << 20}
    return HEADER + "".join(f"{path}: {yaml.safe_dump(dict(row), **style)}" for path, row in sorted(rows.items()))
