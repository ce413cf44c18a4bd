"""Reductions of a chain of streams, largest first, until none of them works any more or the budget is spent."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from nnr_conformance.suite.shrink.agreed import Agreed
from nnr_conformance.suite.shrink.delta import fewest
from nnr_conformance.suite.shrink.element_reductions import fewest_bytes, reduce_elements, zeroed
from nnr_conformance.suite.shrink.levels import decoded_units, rephrased
from nnr_conformance.suite.shrink.names import names_of, replace_names
from nnr_conformance.suite.shrink.pieces import Piece, is_coded, paths_of, piece_at
from nnr_conformance.suite.shrink.search import Budget, Exhausted, Place, Search

_WHOLE_BYTES = 4096
"""Bytes of streams up to which single bytes are left out in the end."""


@dataclass(frozen=True, slots=True)
class Shrunk:
    """What is left: the streams, the last one being the one that shows the finding.

    `steps`: candidates judged. `done`: how many reductions of each kind. `exhausted`: the budget ended it, so that
    more might be left out. `names`: those of the original that are still there.
    """

    streams: tuple[bytes, ...]
    steps: int
    done: Mapping[str, int]
    exhausted: bool
    names: tuple[str, ...]


def shrink(
    streams: Sequence[bytes],
    shown: Callable[[Sequence[bytes]], bool],
    agreed: Agreed | None = None,
    *,
    budget: Budget | None = None,
    anonymize: bool = True,
) -> Shrunk:
    """Reduce a chain of streams as long as `shown` holds for it, which it does for the given one.

    `anonymize`: also put neutral names and zeros in the place of what does not matter to the finding; without it names
    and values stay as they are where their tensors stay. The result depends on nothing but the arguments, unless
    seconds of the budget run out.
    """
    search = Search(tuple(map(bytes, streams)), shown, agreed or Agreed(), budget or Budget())
    before = {name for name in names_of(search.chain) if len(name) > 1}
    exhausted = False
    try:
        while True:
            data = search.data
            _round(search, anonymize)
            search.read()
            if search.data == data:
                break
    except Exhausted:
        exhausted = True
        search.read()
    kept = tuple(sorted(before & set(names_of(search.chain))))
    return Shrunk(search.data, search.steps, dict(search.done), exhausted, kept)


def _round(search: Search, anonymize: bool) -> None:
    _drop_streams(search)
    _drop_units(search)
    _unfold(search)
    _join_parts(search)
    _reduce_payloads(search, anonymize)
    if anonymize:
        replace_names(search)
    for place in _places(search):
        reduce_elements(search, place, anonymize)
    _cut_bytes(search, anonymize)


def _places(search: Search) -> list[Place]:
    return [(number, path) for number, pieces in enumerate(search.chain) for path, _ in paths_of(pieces)]


def _drop_streams(search: Search) -> None:
    fewest(search.chain[:-1], lambda kept: search.take((*kept, search.chain[-1]), "streams left out"))


def _drop_units(search: Search) -> None:
    for number in reversed(range(len(search.chain))):

        def holds(kept: Sequence[Piece], number: int = number) -> bool:
            chain = (*search.chain[:number], tuple(kept), *search.chain[number + 1 :])
            return search.take(chain, "units left out")

        fewest(search.chain[number], holds)
        for path, aggregate in list(paths_of(search.chain[number])):
            if len(aggregate.inner) > 0:
                _drop_enclosed(search, (number, path))


def _drop_enclosed(search: Search, place: Place) -> None:
    def holds(kept: Sequence[Piece]) -> bool:
        piece = piece_at(search.chain[place[0]], place[1])
        fewer = Piece(piece.unit_type, piece.elements, tuple(kept), piece.behind, size=piece.size)
        counted = fewer.having(num_of_nnr_units_minus2=max(0, len(kept) - 2))
        what = "units left out"
        return search.replace(place, (counted,), what) or search.replace(place, (fewer,), what)

    fewest(piece_at(search.chain[place[0]], place[1]).inner, holds)


def _unfold(search: Search) -> None:
    """The units of an aggregate unit in its place."""
    for place in _places(search):
        inner = piece_at(search.chain[place[0]], place[1]).inner
        if inner:
            search.replace(place, inner, "aggregates unfolded")


def _join_parts(search: Search) -> None:
    """One unit in the place of the parts in which its payload travels."""
    for number in range(len(search.chain)):
        first = 0
        while first < len(search.chain[number]):
            pieces = search.chain[number]
            end = first
            while end < len(pieces) and "part" in pieces[end].elements:
                end += 1
            if end > first:
                joined = _joined(pieces[first:end])
                whole = (*search.chain[:number], (*pieces[:first], joined, *pieces[end:]), *search.chain[number + 1 :])
                if not search.take(whole, "parts joined"):
                    first = end
            first += 1
    search.read()


def _joined(parts: Sequence[Piece]) -> Piece:
    """A unit whose payload is written as one run of bytes, whatever it holds."""
    payload = b"".join(part.elements["part"] for part in parts)
    names = ("cabac_payload", "raw_float32_parameter", "topology_data", "quantization_data")
    whole = parts[0].having(part=None, partial_data_counter=None, partial_data_counter_present_flag=None)
    return whole.having(independently_decodable_flag=1, **dict.fromkeys(names, payload))


def _reduce_payloads(search: Search, anonymize: bool) -> None:
    """Levels in the place of payloads, where they end up smaller; otherwise the payload stays as it was."""
    of, decoded = search.data, decoded_units(search.data, search.agreed)
    for place in _places(search):
        piece = piece_at(search.chain[place[0]], place[1])
        if not is_coded(piece):
            continue
        if search.data != of:
            of, decoded = search.data, decoded_units(search.data, search.agreed)
        unit = decoded.get((place[0], _label(place)))
        if unit is None:
            continue
        chain, data, done = search.chain, search.data, search.done.copy()
        for candidate in rephrased(piece, unit):
            if search.replace(place, (candidate,), "payloads coded again", larger=True):
                reduce_elements(search, place, anonymize)
                break
        if sum(map(len, search.data)) > sum(map(len, data)):
            search.chain, search.data, search.done = chain, data, done


def _label(place: Place) -> str:
    return "unit " + ".".join(map(str, place[1]))


def _cut_bytes(search: Search, anonymize: bool) -> None:
    """Single bytes of whole streams, whatever they are."""
    for number in reversed(range(len(search.data))):
        if len(search.data[number]) > _WHOLE_BYTES:
            continue

        def holds(data: bytes, number: int = number) -> bool:
            whole = (Piece(raw=bytes(data), size=None),)
            return search.take((*search.chain[:number], whole, *search.chain[number + 1 :]), "bytes cut")

        left = fewest_bytes(search.data[number], holds)
        if anonymize:
            zeroed(left, holds)
