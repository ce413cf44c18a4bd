"""What is agreed beside streams, from one JSON file: readings, limits, edition, out-of-band parameters, tensors."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from nnr_conformance.cli.streams import out_of_band_of
from nnr_conformance.errors import UsageError
from nnr_conformance.limits import Limits


@dataclass(frozen=True, slots=True)
class Settings:
    """Readings by id, limits by name, edition 1 or 2 or None, parameters by tensor, names of tensors or None."""

    readings: Mapping[str, str] = field(default_factory=dict)
    limits: Mapping[str, int] = field(default_factory=dict)
    edition: int | None = None
    out_of_band: Mapping[str, Any] = field(default_factory=dict)
    tensors: tuple[str, ...] | None = None


def read_settings(path: str | None) -> Settings:
    """The settings of a file; none without a file. Raises UsageError."""
    if path is None:
        return Settings()
    try:
        found = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise UsageError(f"cannot read {path}: {reason}") from error
    known = {one.name for one in fields(Settings)}
    if not isinstance(found, dict) or not set(found) <= known:
        raise UsageError(f"{path}: expected a mapping with {', '.join(sorted(known))}")
    _require(_maps(found.get("readings", {}), str), path, "readings: a choice for each id")
    limits = found.get("limits", {})
    _require(_maps(limits, int) and set(limits) <= {one.name for one in fields(Limits)}, path, "limits: their numbers")
    _require(found.get("edition") in (None, 1, 2), path, "edition: 1 or 2")
    tensors = found.get("tensors")
    _require(tensors is None or _all_of(tensors, str), path, "tensors: a list of names")
    return Settings(
        found.get("readings", {}),
        limits,
        found.get("edition"),
        out_of_band_of(found.get("out_of_band", {}), path),
        None if tensors is None else tuple(tensors),
    )


def _maps(found: Any, kind: type) -> bool:
    return isinstance(found, dict) and all(type(value) is kind for value in found.values())


def _all_of(found: Any, kind: type) -> bool:
    return isinstance(found, list) and all(type(value) is kind for value in found)


def _require(holds: bool, path: str, expected: str) -> None:
    if not holds:
        raise UsageError(f"{path}: expected {expected}")
