"""Values of syntax elements from a recipe: those that it names, those that follow from these, and defaults.

A recipe gives the elements of a unit by their standard names, without the structures around them. Counts follow from
the lists that they count, presence flags from the elements whose presence they announce; any of them can be given too,
and then it is written as it was given, right or wrong.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from nnr_conformance.binary32 import Binary32
from nnr_conformance.descriptors import BitString, Bytes, Float, String
from nnr_conformance.encoder.derived import DEFAULTS, LISTS, PRESENCE
from nnr_conformance.errors import BuildError
from nnr_conformance.expressions import evaluate
from nnr_conformance.scope import Scope, Source, joined

Elements = Mapping[str, Any]


class ElementSource:
    """A source for building that takes the elements of all structures of a unit from one mapping.

    A structure that occurs twice, such as the codebook of H, takes its own elements from a mapping of its name.
    `used`: the names that were asked for, so that a misspelt element can be told.
    """

    def __init__(self, elements: Elements, used: set[str] | None = None) -> None:
        self._elements = elements
        self.used: set[str] = set() if used is None else used

    def value(self, name: str, descriptor: Any, scope: Scope, path: str) -> Any:
        """The value to write. Raises BuildError for a list that is too short or a value of the wrong kind."""
        self.used.add(name)
        if name in self._elements:
            return _converted(_at(self._elements[name], scope, path, descriptor), descriptor, scope, path)
        derived = _derived(name, self._elements, scope)
        if derived is not None:
            return derived
        return DEFAULTS.get(name, _neutral(descriptor, scope))

    def enter(self, name: str, path: str) -> Source:
        """The source of an enclosed structure."""
        inner = self._elements.get(name)
        if isinstance(inner, Mapping):
            self.used.add(name)
            return ElementSource(inner)
        return self


def _at(found: Any, scope: Scope, path: str, descriptor: Any) -> Any:
    """The value at the loop indices; one value that is no list stands for all of them."""
    for depth, index in enumerate(scope.indices):
        if not isinstance(found, list):
            return found
        if index >= len(found):
            raise BuildError(f"{path}: the recipe has {len(found)} values at depth {depth}")
        found = found[index]
    if isinstance(found, list) and not isinstance(descriptor, (Bytes, BitString)):
        raise BuildError(f"{path}: the recipe has a list, one value is needed")
    return found


def _derived(name: str, elements: Elements, scope: Scope) -> Any:
    """A count or a presence flag that follows from elements of the recipe; None where nothing follows."""
    for lists, difference in LISTS.get(name, ()):
        for listed in lists:
            found = elements.get(listed)
            for index in scope.indices:
                found = found[index] if isinstance(found, list) and index < len(found) else None
            if isinstance(found, (list, str)):
                return max(0, len(found) + difference)
    if name in PRESENCE:
        return int(any(other in elements for other in PRESENCE[name]))
    return None


def _neutral(descriptor: Any, scope: Scope) -> Any:
    """What is written for an element of which nothing is known."""
    if descriptor.default is not None:
        return descriptor.default
    neutral: Mapping[type, Callable[[], Any]] = {
        String: str,
        Bytes: bytes,
        Float: float,
        BitString: lambda: bytes((int(evaluate(descriptor.count, scope)) + 7) >> 3),
    }
    return neutral.get(type(descriptor), int)()


def _converted(found: Any, descriptor: Any, scope: Scope, path: str) -> Any:
    """A value as a recipe writes it, as the descriptor takes it."""
    if isinstance(descriptor, BitString):
        return packed(found)
    if isinstance(descriptor, Bytes):
        return as_bytes(found, path)
    if isinstance(descriptor, Float) and not isinstance(found, Binary32):
        # The NaN of a YAML loader has the sign that the machine gives it; a stream has the same bits everywhere.
        return math.nan if math.isnan(float(found)) else float(found)
    if descriptor.enum is not None and isinstance(found, str):
        for number, meaning in descriptor.enum.values.items():
            if meaning == found:
                return number
        raise BuildError(f"{joined(path, found)}: no such name in {descriptor.enum.name}")
    return found


def as_bytes(found: Any, path: str) -> bytes:
    """Bytes from ``{hex: ...}``, a list of numbers, a text (UTF-8) or bytes. Raises BuildError."""
    if isinstance(found, Mapping) and set(found) == {"hex"}:
        return bytes.fromhex(str(found["hex"]))
    if isinstance(found, str):
        return found.encode("utf-8")
    if isinstance(found, (bytes, bytearray, memoryview, list)):
        return bytes(found)
    raise BuildError(f"{path}: {found!r} is not a byte string")


def packed(bits: Any) -> bytes:
    """A text of 0 and 1 as bytes, zero bits behind the last."""
    text = str(bits)
    spare = -len(text) % 8
    return (int(text or "0", 2) << spare).to_bytes((len(text) + spare) // 8, "big")
