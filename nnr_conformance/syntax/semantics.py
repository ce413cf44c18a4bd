"""What every syntax element says (clauses 6 to 10): meaning, range, inferred value, requirements.

The rows are data, `spec/semantics/*.yaml`, and are read when the first one is asked for. Parsing does not need them.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from nnr_conformance.data import load_yaml
from nnr_conformance.errors import UsageError

GROUPS = (
    "units",
    "parameter_sets",
    "performance_maps",
    "topology",
    "aggregate",
    "compressed_data",
    "entropy",
)
"""The files of `spec/semantics`, each for one group of clauses."""


@dataclass(frozen=True, slots=True)
class Inference:
    """The value of an absent element, and when it is inferred."""

    value: int
    when: str


@dataclass(frozen=True, slots=True)
class Semantics:
    """The row of one syntax element.

    `structures`: those that hold the element. `descriptors`: one, or several, default first, where a reading decides.
    `inferred`: None when nothing is inferred. `requirements`: ids such as R-NDU-26. `readings`: ids of the readings on
    which presence, coding or meaning depend. `evidence`: tags S, P1, P2, R, D, separated by commas. `confidence`: high,
    medium or low. `declared`: False for elements inside the entropy-coded payload. `own_name`: True when no public
    source names the element. `out_of_band`: True when an absent element can be given from outside the stream.
    """

    name: str
    group: str
    structures: tuple[str, ...]
    descriptors: tuple[str, ...]
    meaning: str
    range: str
    inferred: Inference | None
    requirements: tuple[str, ...]
    readings: tuple[str, ...]
    evidence: str
    confidence: str
    declared: bool
    own_name: bool
    out_of_band: bool


def element_semantics(name: str) -> Semantics:
    """The row of an element. Raises UsageError, with names that come near, when there is none."""
    known = all_semantics()
    if name not in known:
        near = difflib.get_close_matches(name, known, n=5, cutoff=0.6)
        near += [candidate for candidate in known if name and name in candidate and candidate not in near][:5]
        hint = f"did you mean {', '.join(near)}?" if near else "nnr-explain --syntax lists the elements"
        raise UsageError(f"no syntax element {name!r}; {hint}")
    return known[name]


@cache
def all_semantics() -> Mapping[str, Semantics]:
    """All rows by the name of their element, in the order of the files."""
    return {row["name"]: _semantics(group, row) for group in GROUPS for row in semantics_rows(group)}


def semantics_rows(group: str) -> list[dict[str, Any]]:
    """The rows of one of the `GROUPS` as they are written; callers do not change them."""
    rows: list[dict[str, Any]] = load_yaml(f"spec/semantics/{group}.yaml")
    return rows


def _semantics(group: str, row: Mapping[str, Any]) -> Semantics:
    descriptor = row["descriptor"]
    inferred = row["inferred"]
    return Semantics(
        name=row["name"],
        group=group,
        structures=tuple(row["structures"]),
        descriptors=(descriptor,) if isinstance(descriptor, str) else tuple(descriptor),
        meaning=row["meaning"],
        range=row["range"],
        inferred=None if inferred is None else Inference(inferred["value"], inferred["when"]),
        requirements=tuple(row["requirements"]),
        readings=tuple(row.get("readings", ())),
        evidence=row["evidence"],
        confidence=row["confidence"],
        declared=row.get("declared", True),
        own_name=row.get("own_name", False),
        out_of_band=row.get("out_of_band", False),
    )
