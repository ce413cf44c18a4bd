"""Clause 6, encoder side: identifiers as numbers of a reference list."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from nnr_conformance.encoder.data_unit import Recipe
from nnr_conformance.errors import BuildError

_FEWEST = 2


def indexed(
    topology: Iterable[Mapping[str, Any]], units: Iterable[Recipe]
) -> tuple[list[Mapping[str, Any]], list[Recipe]]:
    """Topology units with the reference list of the identifiers of compressed data units, and these with indices.

    Pruning dictionaries, which have indices then, come behind the list. Raises BuildError for fewer than two
    identifiers, of which no list can be made.
    """
    numbers: dict[str, int] = {}
    found = [_with_indices(unit, numbers) for unit in units]
    naming = [_with_indices(unit, numbers) for unit in topology if _names_elements(unit)]
    others = [unit for unit in topology if not _names_elements(unit)]
    if len(numbers) < _FEWEST:
        raise BuildError("a reference list has at least two identifiers")
    listed = {"topology_storage_format": "NNR_TPL_REFLIST", "topology_elem_id_list": list(numbers)}
    return [*others, {"NNR_TPL": listed}, *naming], found


def _names_elements(unit: Mapping[str, Any]) -> bool:
    return any("element_id" in elements for elements in unit.values())


def _with_indices(unit: Mapping[str, Any], numbers: dict[str, int]) -> Recipe:
    return {kind: _indexed(elements, numbers) for kind, elements in unit.items()}


def _indexed(elements: Mapping[str, Any], numbers: dict[str, int]) -> dict[str, Any]:
    def number(name: str) -> int:
        return numbers.setdefault(name, len(numbers))

    changed = dict(elements)
    if "topology_elem_id" in changed:
        changed["topology_elem_id_index"] = number(changed.pop("topology_elem_id"))
    names: Sequence[str] = changed.pop("topology_elem_id_list", ())
    if "element_id" in changed:
        changed["element_id_index"] = [number(name) for name in changed.pop("element_id")]
    if names:
        changed["topology_elem_id_index_list"] = [number(name) for name in names]
    return changed
