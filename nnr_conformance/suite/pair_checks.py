"""Whether a pair of streams shows what it claims: one code fires, in one of two streams, at the right bits."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from nnr_conformance.api import chain_decoder
from nnr_conformance.checker.check import check_chain
from nnr_conformance.diagnostics import Diagnostic, catalogue
from nnr_conformance.errors import BuildError
from nnr_conformance.limits import DEFAULT_LIMITS
from nnr_conformance.report.model import Report
from nnr_conformance.suite.corpus.recipes import base_arrays
from nnr_conformance.suite.requirement_pairs import Built, Pair, load_pairs


def check_pair_stream(pair: Pair, data: bytes, disabled: frozenset[str] = frozenset()) -> Report:
    """Check one stream of a pair under the pair's readings, limits, edition and out-of-band parameters."""
    options = {name: found for name, found in pair.check.items() if name not in {"limits", "readings", "edition"}}
    options["base"] = base_arrays(pair.check)
    limits = replace(DEFAULT_LIMITS, **pair.check.get("limits", {}))
    chain = chain_decoder(data, readings=pair.readings, limits=limits, **options)
    return check_chain(chain, disabled=disabled, edition=pair.check.get("edition"))


def pair_problems(pair: Pair) -> Iterator[str]:
    """What is wrong with a pair, one line each."""
    try:
        meets, breaks = pair.build(False), pair.build(True)
    except BuildError as fault:
        yield str(fault)
        return
    for built, breaking in ((meets, False), (breaks, True)):
        report = check_pair_stream(pair, built.data)
        found = {diagnostic.code for diagnostic in report.diagnostics}
        expected = pair.always | ({pair.code} | pair.companions if breaking else set())
        if found != expected:
            more, less = sorted(found - expected), sorted(expected - found)
            which = "breaking" if breaking else "meeting"
            yield f"{pair.name}: the {which} stream gives {more} too much, and lacks {less}"
        if breaking:
            own = [diagnostic for diagnostic in report.diagnostics if diagnostic.code == pair.code]
            yield from _misplaced(pair, breaks, own)


def _misplaced(pair: Pair, built: Built, found: list[Diagnostic]) -> Iterator[str]:
    """The diagnostic must be where the builder wrote what is wrong."""
    if not pair.at or not found:
        return
    unit, _, element = pair.at.partition(" · ")
    inside = [one for one in found if one.path.partition(" · ")[0] == unit]
    if not inside:
        yield f"{pair.name}: {pair.code} is in {found[0].path!r}, not in {unit}"
    elif element:
        places = _places(pair.at, built)
        if not places:
            yield f"{pair.name}: the builder wrote no {pair.at}"
        elif not any(one.bits in places or _is_piece(one, element, places) for one in inside):
            yield f"{pair.name}: {pair.code} marks {[one.bits for one in inside]}, not {sorted(places)} of {pair.at}"
    elif inside[0].bits is not None:
        first, end = _reach(unit, built, "after" in pair.breaks)
        if not (first <= inside[0].bits[0] and inside[0].bits[1] <= end):
            yield f"{pair.name}: {pair.code} marks {inside[0].bits}, outside {first, end} of {unit}"


def _places(path: str, built: Built) -> set[tuple[int, int]]:
    """The bits of the elements of a path, or those of a whole structure, whose name has () behind it."""
    found = {(one.first, one.first + one.size) for one in built.intent.places(path)}
    unit, _, name = path.partition(" · ")
    if found or not name.endswith("()"):
        return found
    inner = f" · {name.removesuffix('()')} · "
    own = [one for one in built.intent.trace if one.path.startswith(f"{unit} · ") and inner in one.path and one.size]
    return {(min(one.first for one in own), max(one.first + one.size for one in own))} if own else set()


def _is_piece(found: Diagnostic, element: str, places: set[tuple[int, int]]) -> bool:
    """True for a diagnostic that names the element and marks some of its bits, such as one byte of a string."""
    if found.bits is None or found.bits[0] == found.bits[1] or not found.path.endswith(f" · {element}"):
        return False
    return any(first <= found.bits[0] and found.bits[1] <= end for first, end in places)


def _reach(unit: str, built: Built, overridden: bool) -> tuple[int, int]:
    """The bits from the start of a unit to the next one, or to the end of the stream when overrides may have moved it.

    A unit that was not built is behind all that were, or somewhere in its aggregate unit.
    """
    inside = (f"{unit} · ", f"{unit}.")
    own = [one.first for one in built.intent.trace if one.path.startswith(inside) and one.size]
    if not own and "." in unit:
        return _reach(unit.rpartition(".")[0], built, overridden)
    first, last = min(own, default=8 * len(built.intent.data)), max(own, default=0)
    later = (one.first for one in built.intent.trace if one.first > last and one.size)
    end = 8 * len(built.data)
    return first, end if overridden else min(later, default=end)


def missing_pairs() -> Iterator[str]:
    """Codes without a pair, and pairs without a code or in the folder of another clause, one line each."""
    known = {pair.code for pair in load_pairs()}
    for code, rule in catalogue().items():
        if code not in known and not rule.no_stream:
            yield f"{code} ({rule.requirement}): no pair shows it"
    for pair in load_pairs():
        if pair.code not in catalogue():
            yield f"{pair.name}: there is no code {pair.code}"
        elif catalogue()[pair.code].clause != pair.clause:
            yield f"{pair.name}: {pair.code} belongs to clause {catalogue()[pair.code].clause}, not {pair.clause}"
