"""Working points of an encoder: the options it is run with, and what is claimed of the streams it then makes.

A file of working points is YAML, a list of rows (schema: `spec/schemas/working_points.schema.json`):

    - name: fine
      words: [--qp, "-38"]          # put behind the words of the command
      options: {qp: -38}            # the file {options} of a command, the options of an adapter
      claims: {qp: -38, qp_density: 2, max_error_steps: 0.5, tools: [uniform]}
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from nnr_conformance.decoder.dequantization import step_size
from nnr_conformance.errors import UsageError
from nnr_conformance.suite.coverage.tool_items import STREAM_TOOLS, UNIT_TOOLS

LARGEST_LEVEL = float((1 << 24) - 2)
"""Levels of larger magnitude are no binary32 numbers, so that no encoder can keep a claimed step beyond them."""


@dataclass(frozen=True, slots=True)
class Claims:
    """What is claimed of all streams of a working point.

    `lossless`: every value arrives as the binary32 number that it is. `step_size`: of all tensors; or `qp` and
    `qp_density`, with `vector_qp` for tensors of one dimension. `max_error_steps`: the largest error of a value that
    was quantized by itself, in steps. `relative_error`: of tensors that arrive composed or from a codebook, the norm of
    the error divided by the norm of the tensor. `tools`: coding tools that the streams show. `without`: tools that the
    encoder has and not at this working point, such as updates. `deterministic`: the same input gives the same bytes.
    """

    lossless: bool = False
    step_size: float | None = None
    qp: int | None = None
    vector_qp: int | None = None
    qp_density: int = 2
    max_error_steps: float = 0.5
    relative_error: float | None = None
    tools: frozenset[str] = frozenset()
    without: frozenset[str] = frozenset()
    deterministic: bool = True

    @property
    def bounded(self) -> bool:
        """Whether anything is claimed by which an error could be too large."""
        return self.lossless or self.qp is not None or self.step_size is not None or self.relative_error is not None

    def step_of(self, dimensions: int) -> float | None:
        """The claimed step of a tensor with so many dimensions, None without a claim."""
        if self.step_size is not None or self.qp is None:
            return self.step_size
        qp = self.vector_qp if self.vector_qp is not None and dimensions < 2 else self.qp
        return float(step_size(qp, self.qp_density))


@dataclass(frozen=True, slots=True)
class WorkingPoint:
    """Options under a name. `words`: behind the words of a command. `options`: as a JSON file, or for an adapter."""

    name: str
    options: Mapping[str, Any] = field(default_factory=dict)
    words: tuple[str, ...] = ()
    claims: Claims = Claims()


DEFAULT_POINTS = (WorkingPoint("default"),)


def read_working_points(path: Path) -> tuple[WorkingPoint, ...]:
    """The working points of a file. Raises UsageError where it cannot be read or is not one."""
    try:
        rows = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise UsageError(f"cannot read {path}: {error}") from error
    return working_points_of(rows, str(path))


def working_points_of(rows: Any, where: str) -> tuple[WorkingPoint, ...]:
    """Working points from plain data. Raises UsageError, which names `where` and the row."""
    if not isinstance(rows, list) or not rows:
        raise UsageError(f"{where}: working points are a list of at least one row")
    points = tuple(_point(row, f"{where}: row {number}") for number, row in enumerate(rows, 1))
    names = [point.name for point in points]
    if len(set(names)) != len(names):
        raise UsageError(f"{where}: two working points have the same name")
    return points


def plain(point: WorkingPoint) -> dict[str, Any]:
    """A working point as plain data, which `working_points_of` reads again."""
    claims = point.claims
    claimed: dict[str, Any] = {
        name: found for name in _CLAIMS if (found := getattr(claims, name)) is not None and name not in _TOOLS
    }
    return {
        "name": point.name,
        "options": dict(point.options),
        "words": list(point.words),
        "claims": claimed | {name: sorted(found) for name in _TOOLS if (found := getattr(claims, name))},
    }


_TOOLS = ("tools", "without")
_CLAIMS: Mapping[str, tuple[type, ...]] = {
    "lossless": (bool,),
    "step_size": (int, float),
    "qp": (int,),
    "vector_qp": (int,),
    "qp_density": (int,),
    "max_error_steps": (int, float),
    "relative_error": (int, float),
    "tools": (list,),
    "without": (list,),
    "deterministic": (bool,),
}


def _point(row: Any, where: str) -> WorkingPoint:
    if not isinstance(row, dict) or not isinstance(row.get("name"), str) or not _is_file_name(row["name"]):
        raise UsageError(f"{where}: a working point has a name of letters, digits, '-', '_' and '.'")
    unknown = sorted(map(str, row.keys() - {"name", "options", "words", "claims"}))
    if unknown:
        raise UsageError(f"{where}: a working point has no {unknown[0]!r}")
    options, words = row.get("options", {}), row.get("words", [])
    if not isinstance(options, dict) or not isinstance(words, list):
        raise UsageError(f"{where}: options are a mapping, words a list")
    return WorkingPoint(row["name"], options, tuple(map(str, words)), _claims(row.get("claims", {}), where))


def _claims(row: Any, where: str) -> Claims:
    if not isinstance(row, dict):
        raise UsageError(f"{where}: claims are a mapping")
    for name, value in row.items():
        if name not in _CLAIMS:
            raise UsageError(f"{where}: no claim {name!r}; known: {', '.join(_CLAIMS)}")
        if not isinstance(value, _CLAIMS[name]) or (isinstance(value, bool) and bool not in _CLAIMS[name]):
            raise UsageError(f"{where}: {name} is not {value!r}")
    for name in ("step_size", "max_error_steps", "relative_error"):
        if not 0 <= row.get(name, 0) < float("inf"):
            raise UsageError(f"{where}: {name} is finite and not negative, not {row[name]}")
    if not 0 <= row.get("qp_density", 0) <= 7:
        raise UsageError(f"{where}: qp_density is 0 to 7, not {row['qp_density']}")
    named = {name: frozenset(map(str, row[name])) for name in _TOOLS if name in row}
    unknown = sorted(frozenset().union(*named.values()) - {*UNIT_TOOLS, *STREAM_TOOLS})
    if unknown:
        raise UsageError(f"{where}: no tool {unknown[0]!r}; known: {', '.join((*UNIT_TOOLS, *STREAM_TOOLS))}")
    return Claims(**{**row, **named})


def _is_file_name(name: str) -> bool:
    return bool(name.strip(".")) and all(letter.isalnum() or letter in "-_." for letter in name)
