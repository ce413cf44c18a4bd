"""Clause 6, encoder side: identifiers as numbers of a reference list."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from nnr_conformance.encoder.data_unit import Recipe
from nnr_conformance.errors import BuildError

_FEWEST = 2


def indexed(units: Iterable[Recipe]) -> tuple[Recipe, list[Recipe]]:
    """The reference list of the identifiers of compressed data units, and the units with indices into it.

    Raises BuildError for fewer than two identifiers, of which no list can be made.
    """
    numbers: dict[str, int] = {}
    found = [{kind: _indexed(elements, numbers) for kind, elements in unit.items()} for unit in units]
    if len(numbers) < _FEWEST:
        raise BuildError("a reference list has at least two identifiers")
    listed = {"topology_storage_format": "NNR_TPL_REFLIST", "topology_elem_id_list": list(numbers)}
    return {"NNR_TPL": listed}, found


def _indexed(elements: dict[str, Any], numbers: dict[str, int]) -> dict[str, Any]:
    def number(name: str) -> int:
        return numbers.setdefault(name, len(numbers))

    changed = dict(elements)
    if "topology_elem_id" in changed:
        changed["topology_elem_id_index"] = number(changed.pop("topology_elem_id"))
    names: Sequence[str] = changed.pop("topology_elem_id_list", ())
    if names:
        changed["topology_elem_id_index_list"] = [number(name) for name in names]
    return changed
