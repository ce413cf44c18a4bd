"""Digests of the stages of bits, from where the builder wrote each element; `decoder.digests` defines their bytes."""

from __future__ import annotations

import hashlib

from nnr_conformance.encoder.recipe import BuiltStream
from nnr_conformance.scope import SEPARATOR


def framing_digest(built: BuiltStream) -> str:
    """Of the bytes at which each unit starts and ends, those that an aggregate unit encloses behind it."""
    digest = hashlib.sha256()
    for entry in built.trace:
        if entry.path.split(SEPARATOR)[1:] == ["nnr_unit_size", "nnr_unit_size"]:
            # The size follows its flag, with which the unit starts.
            start = (entry.first - 1) // 8
            digest.update(_number(start) + _number(start + entry.value))
    return digest.hexdigest()


def syntax_digest(built: BuiltStream) -> str:
    """Of path, place and bits of each element that is in the stream."""
    digest = hashlib.sha256()
    stream = int.from_bytes(built.data, "big")
    length = 8 * len(built.data)
    for entry in built.trace:
        if entry.size:
            bits = (stream >> length - entry.first - entry.size) & ((1 << entry.size) - 1)
            spare = -entry.size % 8
            path = entry.path.encode("utf-8", "surrogateescape")
            digest.update(_number(len(path)) + path + _number(entry.first) + _number(entry.size))
            digest.update((bits << spare).to_bytes((entry.size + spare) // 8, "big"))
    return digest.hexdigest()


def _number(value: int) -> bytes:
    return value.to_bytes(8, "little")
