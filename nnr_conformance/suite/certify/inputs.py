"""What an input of the battery is."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from nnr_conformance.adapters import Arrays
from nnr_conformance.decoder.digests import add_array

Models = tuple[Arrays, ...]
"""A model, and what it becomes with each of its updates."""


@dataclass(frozen=True, slots=True, eq=False)
class BatteryInput:
    """A model, or a model and its updates, that provokes something.

    `id`: family and name. `purpose`: what it is, in a sentence. `bug`: what an encoder does wrong that fails on it.
    `refusable`: an encoder may say that it does not encode this, whatever it claims. `needs`: coding tools without
    which it cannot be encoded; whoever does not claim them may refuse. `once`: it is about amounts, so that one working
    point is enough. `make`: the models, the same in every call.
    """

    id: str
    purpose: str
    bug: str
    make: Callable[[], Models]
    refusable: bool = False
    needs: frozenset[str] = frozenset()
    once: bool = False

    @property
    def family(self) -> str:
        """The first part of the id."""
        return self.id.partition("/")[0]

    def may_refuse(self, tools: frozenset[str] | None, without: frozenset[str] = frozenset()) -> bool:
        """Whether an encoder that claims these tools (None: all), but for some, may refuse it."""
        beyond = bool(self.needs & without) or (tools is not None and not self.needs <= tools)
        return self.refusable or beyond


def single(make: Callable[[], Arrays]) -> Callable[[], Models]:
    """The models of an input without updates."""
    return lambda: (make(),)


def digest_of(inputs: Iterable[BatteryInput]) -> str:
    """SHA-256 over ids, names, dtypes, shapes and values of all inputs in their order."""
    digest = hashlib.sha256()
    for one in inputs:
        digest.update(f"{one.id}\0".encode())
        for models in one.make():
            digest.update(len(models).to_bytes(8, "little"))
            for name, values in models.items():
                digest.update(f"{values.dtype.name}\0".encode())
                add_array(digest, name, values)
    return digest.hexdigest()
