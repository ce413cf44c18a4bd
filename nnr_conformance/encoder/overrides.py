"""Changes to a built stream: a single element, single bits, bytes put in or taken out. What is not named stays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from nnr_conformance.bits import BitWriter
from nnr_conformance.descriptors import Unsigned
from nnr_conformance.encoder.elements import as_bytes
from nnr_conformance.encoder.recipe import BuiltStream
from nnr_conformance.errors import BuildError
from nnr_conformance.scope import Scope, Session, TraceEntry


def override(stream: BuiltStream, changes: Sequence[Mapping[str, Any]]) -> bytes:
    """The stream's bytes after the changes, made one after the other.

    A change is one of: ``element``: a path such as ``unit 2 · scan_order`` with ``value`` (as many bits as before) or
    ``bits`` (a text of 0 and 1) or ``hex``; ``flip``: a bit; ``replace``: a byte position with ``hex``; ``insert``: a
    byte position with ``hex``; ``delete``: a byte position with ``count``; ``cut``: bytes off the end; ``append``: hex.
    Positions count in the stream as it is at that time; elements are where they were built. Raises BuildError.
    """
    data = bytearray(stream.data)
    for change in changes:
        _apply(data, stream, change)
    return bytes(data)


def _apply(data: bytearray, stream: BuiltStream, change: Mapping[str, Any]) -> None:
    if "element" in change:
        entry = the_element(stream, change["element"])
        text = _new_bits(entry, change)
        if len(text) != entry.size:
            raise BuildError(f"{change['element']}: {len(text)} bits instead of {entry.size}")
        _put(data, entry.first, text)
    elif "flip" in change:
        at = int(change["flip"])
        data[at >> 3] ^= 0x80 >> (at & 7)
    elif "replace" in change:
        found = as_bytes({"hex": change["hex"]}, "replace")
        data[change["replace"] : change["replace"] + len(found)] = found
    elif "insert" in change:
        data[change["insert"] : change["insert"]] = as_bytes({"hex": change["hex"]}, "insert")
    elif "delete" in change:
        del data[change["delete"] : change["delete"] + change["count"]]
    elif "cut" in change:
        del data[len(data) - change["cut"] :]
    elif "append" in change:
        data += as_bytes({"hex": change["append"]}, "append")
    else:
        raise BuildError(f"no such change: {', '.join(change)}")


def the_element(stream: BuiltStream, path: str) -> Any:
    """The one element that a path names. Raises BuildError when there is none, or more than one."""
    found = stream.places(path)
    if len(found) != 1:
        raise BuildError(f"{path}: {len(found)} elements have this path")
    return found[0]


def _new_bits(entry: TraceEntry, change: Mapping[str, Any]) -> str:
    if "bits" in change:
        return str(change["bits"])
    if "hex" in change:
        found = as_bytes({"hex": change["hex"]}, change["element"])
        return "".join(f"{byte:08b}" for byte in found)
    if isinstance(entry.descriptor, Unsigned):
        # The number of bits of some elements follows from others, which do not change.
        return f"{change['value']:0{entry.size}b}"
    return _coded(entry.descriptor, change["value"])


def _coded(descriptor: Any, element: Any) -> str:
    writer = BitWriter()
    descriptor._build(element, writer, Scope(Session()), "override")
    size = writer.position
    writer.bits(0, -size % 8)
    return f"{int.from_bytes(writer.getvalue(), 'big'):0{size + -size % 8}b}"[:size]


def _put(data: bytearray, first: int, text: str) -> None:
    for number, bit in enumerate(text):
        at = first + number
        mask = 0x80 >> (at & 7)
        data[at >> 3] = data[at >> 3] | mask if bit == "1" else data[at >> 3] & ~mask
