"""Neutral names in the place of those in a stream, the same ones everywhere: a, b, c and so on."""

from __future__ import annotations

import string
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from nnr_conformance.suite.shrink.pieces import Piece, Pieces, paths_of
from nnr_conformance.suite.shrink.search import Chain, Search

_SUFFIXES = ("_scaling", "_G", "_H")
"""What says of a tensor which part of another it is."""


def replace_names(search: Search) -> None:
    """Rename all at once, or each as far as the finding stays."""
    names = list(dict.fromkeys(names_of(search.chain)))
    neutral = dict(zip(names, _neutral(), strict=False))
    if not search.take(_renamed(search.chain, neutral), "names replaced"):
        taken = set(names)
        for name in names:
            taken.discard(name)
            free = next(one for one in _neutral() if one not in taken)
            taken.add(free if search.take(_renamed(search.chain, {name: free}), "names replaced") else name)


def names_of(chain: Chain) -> Iterator[str]:
    """The names in a chain in the order in which they come, without suffixes that mean something."""
    for pieces in chain:
        for _, piece in reversed(list(paths_of(pieces))):
            for name, value in piece.elements.items():
                if _is_name(name):
                    yield from (_split(one)[0] for one in _texts(value))


def _is_name(element: str) -> bool:
    return element not in ("tensors", "ending") and not element.endswith("mask_value")


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str) and value:
        yield value
    elif isinstance(value, list):
        for one in value:
            yield from _texts(one)


def _split(name: str) -> tuple[str, str]:
    for suffix in _SUFFIXES:
        if name.endswith(suffix):
            return name.removesuffix(suffix), suffix
    return name, ""


def _neutral() -> Iterator[str]:
    yield from string.ascii_lowercase
    number = 0
    while True:
        yield f"a{number}"
        number += 1


def _renamed(chain: Chain, names: Mapping[str, str]) -> Chain:
    return tuple(_in_pieces(pieces, names) for pieces in chain)


def _in_pieces(pieces: Pieces, names: Mapping[str, str]) -> Pieces:
    return tuple(_in_piece(piece, names) for piece in pieces)


def _in_piece(piece: Piece, names: Mapping[str, str]) -> Piece:
    elements = {name: _in_value(value, names) if _is_name(name) else value for name, value in piece.elements.items()}
    return replace(piece, elements=elements, inner=_in_pieces(piece.inner, names))


def _in_value(value: Any, names: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        name, suffix = _split(value)
        return names.get(name, name) + suffix
    if isinstance(value, list):
        return [_in_value(one, names) for one in value]
    return value
