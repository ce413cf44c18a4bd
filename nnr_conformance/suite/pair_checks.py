"""Whether a pair of streams shows what it claims: one code fires, in one of two streams, at the right bits."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from nnr_conformance.api import chain_decoder
from nnr_conformance.checker.check import check_chain
from nnr_conformance.diagnostics import Diagnostic
from nnr_conformance.errors import BuildError
from nnr_conformance.limits import DEFAULT_LIMITS
from nnr_conformance.report.model import Report
from nnr_conformance.suite.requirement_pairs import Built, Pair


def check_pair_stream(pair: Pair, data: bytes, disabled: frozenset[str] = frozenset()) -> Report:
    """Check one stream of a pair under the pair's readings, limits and out-of-band parameters."""
    options = {name: found for name, found in pair.check.items() if name not in {"limits", "readings"}}
    limits = replace(DEFAULT_LIMITS, **pair.check.get("limits", {}))
    chain = chain_decoder(data, readings=pair.readings, limits=limits, **options)
    return check_chain(chain, disabled=disabled)


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
        places = {(one.first, one.first + one.size) for one in built.intent.places(pair.at)}
        if not places:
            yield f"{pair.name}: the builder wrote no {pair.at}"
        elif not any(one.bits in places for one in inside):
            yield f"{pair.name}: {pair.code} marks {[one.bits for one in inside]}, not {sorted(places)} of {pair.at}"
    elif inside[0].bits is not None:
        own = [one for one in built.intent.trace if one.path.startswith(f"{unit} · ") and one.size]
        first, end = min(one.first for one in own), max(one.first + one.size for one in own)
        end = max(end, 8 * len(built.data)) if "after" in pair.breaks else end
        if not (first <= inside[0].bits[0] and inside[0].bits[1] <= end):
            yield f"{pair.name}: {pair.code} marks {inside[0].bits}, outside {first, end} of {unit}"
