"""The one interface of all exchange formats: a model is tensors by identifier, and topology without their numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from numpy.typing import NDArray

Tensors = Mapping[str, NDArray[Any]]
ReadExternal = Callable[[str, int, int | None], bytes]
"""Bytes of a file beside the model: its name as the model gives it, offset, and size or None for the rest."""


@dataclass(frozen=True, slots=True, eq=False)
class FrameworkModel:
    """A model as a stream carries it.

    `tensors`: what becomes compressed data units, by identifier, each set of numbers once. `topology_format`:
    topology_storage_format. `topology`: topology_data before compression: all that is not in `tensors`.
    `quantization`: quantization_data, empty for none; it is in the format of the topology. `shared`: further names of a
    tensor, each with the identifier under which it travels.
    """

    tensors: dict[str, NDArray[Any]]
    topology_format: int
    topology: bytes
    quantization: bytes = b""
    shared: Mapping[str, str] = field(default_factory=dict)
