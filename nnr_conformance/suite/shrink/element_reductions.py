"""Smaller values of syntax elements, one unit at a time: tools off, lists and strings shorter, payloads cut."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from nnr_conformance.encoder.derived import PRESENCE
from nnr_conformance.suite.shrink.delta import fewest
from nnr_conformance.suite.shrink.levels import taking
from nnr_conformance.suite.shrink.pieces import Piece, piece_at
from nnr_conformance.suite.shrink.search import Place, Search

_EACH_ALONE = 4096
"""Bytes or numbers up to which each is tried alone; of more, pieces of a 256th."""

_GROUPS: Mapping[str, tuple[str, ...]] = {
    "codebook_present_flag": (
        "codebook_egk",
        "codebook_size",
        "codebook_center_offset",
        "codebook_zero_value",
        "codebook_delta_left",
        "codebook_delta_right",
        "codebook_dc",
    ),
    "parent_node_id_present_flag": ("parent_node_id_type", "temporal_context_modeling_flag", "parent_device_id"),
    "node_id_present_flag": ("device_id", "parameter_id", "put_node_depth"),
}
"""Elements that a flag is for beside those of `PRESENCE`."""


def reduce_elements(search: Search, place: Place, anonymize: bool) -> None:
    """Take away or simplify the elements of the unit at a place."""
    piece = _at(search, place)
    if piece.raw is not None:
        body = fewest_bytes(piece.raw, lambda raw: search.change(place, _raw(_at(search, place), raw), "bytes cut"))
        if anonymize:
            zeroed(body, lambda raw: search.change(place, _raw(_at(search, place), raw), "bytes zeroed"))
        return
    if piece.behind:
        fewest_bytes(piece.behind, lambda rest: search.change(place, _behind(_at(search, place), rest), "bytes cut"))
    if piece.size:
        search.change(place, _short(piece), "sizes made short")
    for name in list(piece.elements):
        _without(search, place, name)
    for name in list(_at(search, place).elements):
        if name in _at(search, place).elements:
            _reduce_element(search, place, name, anonymize)


def _at(search: Search, place: Place) -> Piece:
    return piece_at(search.chain[place[0]], place[1])


def _raw(piece: Piece, raw: bytes) -> Piece:
    return Piece(piece.unit_type, raw=raw, size=piece.size, declared=piece.declared)


def _behind(piece: Piece, behind: bytes) -> Piece:
    return Piece(piece.unit_type, piece.elements, piece.inner, behind, size=piece.size, declared=piece.declared)


def _short(piece: Piece) -> Piece:
    return Piece(piece.unit_type, piece.elements, piece.inner, piece.behind)


def _without(search: Search, place: Place, name: str) -> None:
    """The unit without an element, which then follows or has its default; or with the tool off that it announces."""
    if name in ("tensors", "cabac_payload"):
        return
    piece = _at(search, place)
    away = dict.fromkeys((name, *PRESENCE.get(name, ()), *_GROUPS.get(name, ())))
    if search.change(place, piece.having(**{name: None}), "elements left out"):
        return
    if len(away) > 1 and not search.change(place, piece.having(**away), "tools off"):
        search.change(place, piece.having(**{**away, name: 0}), "tools off")


def _reduce_element(search: Search, place: Place, name: str, anonymize: bool) -> None:
    value = _at(search, place).elements[name]

    def holds(new: Any) -> bool:
        return search.change(place, _at(search, place).having(**{name: new}), f"{_kind(value)} reduced")

    if name == "tensors":
        _reduce_levels(search, place)
    elif isinstance(value, (bool, int)):
        _smaller_number(value, holds)
    elif isinstance(value, str) and set(value) <= {"0", "1"} and name.endswith(("mask_value", "mask")):
        _smaller_mask(value, holds)
    elif isinstance(value, (bytes, bytearray)):
        fewer = fewest_bytes(bytes(value), holds)
        if anonymize:
            zeroed(fewer, holds)
    elif isinstance(value, str) and anonymize:
        fewest(value, holds)
    elif isinstance(value, list):
        left = fewest(value, holds, smallest=len(value) // 256)
        if anonymize or all(isinstance(one, int) for one in left):
            _smaller_entries(left, holds)
    elif isinstance(value, float) and anonymize:
        holds(0.0)


def _kind(value: Any) -> str:
    for kinds, name in (((int,), "numbers"), ((str,), "strings"), ((bytes, bytearray), "payloads")):
        if isinstance(value, kinds):
            return name
    return "lists"


def _smaller_number(value: int, holds: Callable[[int], bool]) -> None:
    while value > 0:
        for smaller in dict.fromkeys((0, 1, value >> 1, value - 1)):
            if smaller < value and holds(smaller):
                value = smaller
                break
        else:
            return


def _smaller_mask(value: str, holds: Callable[[Any], bool]) -> None:
    left = fewest(value, holds)
    holds("0" * len(left))


def _smaller_entries(values: Sequence[Any], holds: Callable[[Any], bool]) -> None:
    """Zero or nothing for each entry of a short list."""
    current = list(values)
    for number, one in enumerate(current[:64]):
        neutral = {int: 0, str: "", float: 0.0}.get(type(one))
        if neutral is not None and one != neutral:
            changed = [*current[:number], neutral, *current[number + 1 :]]
            if holds(changed):
                current = changed


def fewest_bytes(data: bytes, holds: Callable[[Any], bool]) -> bytes:
    """The fewest bytes with which something holds."""
    return bytes(fewest(data, holds, smallest=1 if len(data) <= _EACH_ALONE else len(data) // 256))


def zeroed(data: bytes, holds: Callable[[Any], bool]) -> None:
    """Put zeros in the place of pieces of bytes, large ones first."""
    size, smallest = len(data), 1 if len(data) <= _EACH_ALONE else len(data) // 256
    while size >= smallest:
        for first in range(0, len(data), size):
            end = min(first + size, len(data))
            changed = data[:first] + bytes(end - first) + data[end:]
            if changed != data and holds(changed):
                data = changed
        if size == 1:
            return
        size //= 2


def _reduce_levels(search: Search, place: Place) -> None:
    """Fewer rows, columns and dimensions, then more zeros, then ones."""

    def take(piece: Piece, what: str) -> bool:
        return search.change(place, piece, what)

    axis = 0
    while axis < _weight(search, place).ndim:
        original = _at(search, place)
        count = _weight(search, place).shape[axis]
        fewest(
            range_of(count),
            lambda kept, axis=axis, original=original: (  # type: ignore[misc]  # bound for this axis
                len(kept) > 0 and take(taking(original, axis, kept), "rows and columns left out")
            ),
            smallest=max(1, count // 256),
        )
        axis += 1
    for axis in reversed(range(_weight(search, place).ndim)):
        levels = _weight(search, place)
        if levels.shape[axis] == 1 and len(_at(search, place).elements["tensors"]) == 1:
            take(_with_levels(_at(search, place), 0, levels.squeeze(axis)), "dimensions left out")
    for number in range(len(_at(search, place).elements["tensors"])):
        _coded_without(search, place, number)
        _more_zeros(search, place, number)


def _coded_without(search: Search, place: Place, number: int) -> None:
    """A tensor without what is coded in front of its weights."""

    def having(**parts: Any) -> bool:
        tensors = list(_at(search, place).elements["tensors"])
        changed = {**tensors[number], **parts}
        tensors[number] = {name: value for name, value in changed.items() if value is not None}
        return search.change(place, _at(search, place).having(tensors=tensors), "parts of payloads left out")

    for name in ("row_skip", "qp_value", "init_ids"):
        if name in _at(search, place).elements["tensors"][number]:
            having(**{name: None})
    init_ids = _at(search, place).elements["tensors"][number].get("init_ids", {})
    fewest(tuple(init_ids), lambda kept: having(init_ids={name: init_ids[name] for name in kept}))


def range_of(count: int) -> tuple[int, ...]:
    """The numbers below a count."""
    return tuple(range(count))


def _weight(search: Search, place: Place) -> Any:
    return _at(search, place).elements["tensors"][-1]["levels"]


def _with_levels(piece: Piece, number: int, levels: Any) -> Piece:
    tensors = list(piece.elements["tensors"])
    tensors[number] = {**tensors[number], "levels": levels}
    return piece.having(tensors=tensors)


def _more_zeros(search: Search, place: Place, number: int) -> None:
    piece = _at(search, place)
    levels = piece.elements["tensors"][number]["levels"]
    nonzero = tuple(int(one) for one in np.flatnonzero(levels))

    def only(kept: Sequence[int], values: Any) -> bool:
        fewer = np.zeros_like(levels)
        fewer.flat[list(kept)] = values.flat[list(kept)]
        return search.change(place, _with_levels(_at(search, place), number, fewer), "levels zeroed")

    kept = fewest(nonzero, lambda some: only(some, levels), smallest=max(1, len(nonzero) // 256))
    only(kept, np.sign(levels))
