"""The registry as lines of text: its counts, and one requirement with all that refers to it."""

from __future__ import annotations

import difflib
import textwrap
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from nnr_conformance.diagnostics import catalogue
from nnr_conformance.errors import UsageError
from nnr_conformance.readings import known_readings
from nnr_conformance.suite.registry_rows import (
    GROUPS,
    Requirement,
    Status,
    load_divergences,
    load_requirements,
)
from nnr_conformance.syntax.semantics import all_semantics

WIDTH = 80

_EVIDENCE = {
    "S": "seen in a public text",
    "P1": "behaviour of NNCodec 1.0",
    "P2": "behaviour of NNCodec 2.1.3",
    "R": "recalled",
    "D": "deduced",
}

_STATUS = {
    Status.CHECKED: "nnr-check reports a violation",
    Status.DECODER_OBSERVABLE: "only a test of a decoder can show it",
    Status.OPEN: "a rule is still to be written",
    Status.EXCLUDED: "not tested, for the reason in its row",
}


def counts() -> Iterator[str]:
    """How many rows there are: in all, by status, by confidence, by group."""
    rows = list(load_requirements().values())
    yield f"requirements: {len(rows)}"
    yield ""
    by_status = Counter(row.status for row in rows)
    yield from _table("status", [(status.value, by_status[status], text) for status, text in _STATUS.items()])
    yield ""
    by_confidence = Counter(row.confidence for row in rows)
    yield from _table("confidence", [(name, by_confidence[name], "") for name in ("high", "medium", "low")])
    yield ""
    yield from _group_table(rows)
    yield ""
    verdicts = Counter(row.verdict for row in load_divergences().values())
    shown = ", ".join(f"{name} {verdicts[name]}" for name in ("accept", "flag", "reject"))
    yield f"divergences of NNCodec: {len(load_divergences())} ({shown})"
    yield f"diagnostics: {len(catalogue())}"
    yield f"readings: {len(known_readings())}"


def _table(head: str, rows: Iterable[tuple[str, int, str]]) -> Iterator[str]:
    yield f"{head:<18} rows"
    for name, count, text in rows:
        yield f"{name:<18} {count:>4}  {text}".rstrip()


def _group_table(rows: Sequence[Requirement]) -> Iterator[str]:
    columns = list(Status)
    yield "group  rows  checked  decoder  open  excluded"
    for group in GROUPS:
        found = Counter(row.status for row in rows if row.letters == group.letters)
        cells = [found[status] for status in columns]
        yield (
            f"{group.letters:<6} {sum(cells):>4}  {cells[0]:>7}  {cells[1]:>7}  {cells[2]:>4}  {cells[3]:>8}"
            f"  {group.title}"
        )


def requirement_lines(identifier: str) -> list[str]:
    """One requirement, its diagnostics and divergences, the elements it speaks of. UsageError for an unknown id."""
    row = load_requirements().get(identifier.upper())
    if row is None:
        near = difflib.get_close_matches(identifier.upper(), load_requirements(), n=3, cutoff=0.6)
        hint = f"did you mean {', '.join(near)}?" if near else "an id is such as R-NDU-26"
        raise UsageError(f"no requirement {identifier!r}; {hint}")
    editions = "editions 1 and 2" if len(row.editions) == 2 else f"edition {row.editions[0]}"
    return [
        row.id,
        *_wrapped(row.text),
        "",
        *_pair("clause", f"{row.clause}, {editions}"),
        *_pair("strength", row.strength),
        *_pair("stage", row.stage),
        *_pair("confidence", row.confidence),
        *_pair("evidence", "; ".join(f"{tag} {_EVIDENCE[tag]}" for tag in row.evidence)),
        *(_pair("source", row.source) if row.source else ()),
        *_pair("status", f"{row.status.value}: {row.reason or _STATUS[row.status]}"),
        *_references(row.id),
    ]


def _references(identifier: str) -> Iterator[str]:
    elements = [name for name, semantics in all_semantics().items() if identifier in semantics.requirements]
    if elements:
        yield from _pair("elements", ", ".join(elements))
    found = [rule for rule in catalogue().values() if rule.requirement == identifier]
    if found:
        yield from ("", "diagnostics")
        for rule in found:
            yield from _wrapped(f"{rule.code} ({rule.severity.value}): {rule.text}")
    divergences = [row for row in load_divergences().values() if identifier in row.requirements]
    if divergences:
        yield from ("", "divergences of NNCodec")
        for row in divergences:
            yield from _wrapped(f"{row.id} ({' and '.join(row.versions)}, {row.verdict}): {row.text}")


def _pair(name: str, text: str) -> list[str]:
    return textwrap.wrap(text, WIDTH, initial_indent=f"  {name:<12}", subsequent_indent=" " * 14)


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, WIDTH, initial_indent="  ", subsequent_indent="    ", break_on_hyphens=False)
