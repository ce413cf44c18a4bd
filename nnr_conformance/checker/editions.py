"""The edition that a stream is checked against: profiles that it allows, requirements that apply (clause 6, R-STR-05).

Without a choice a stream is checked by the edition whose syntax its general_profile_idc selects.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from nnr_conformance.data import data_path, load_yaml
from nnr_conformance.diagnostics import Findings, catalogue
from nnr_conformance.errors import UsageError
from nnr_conformance.scope import TraceEntry
from nnr_conformance.syntax.enumerations import STR
from nnr_conformance.syntax.unit_parser import Unit

PROFILES = {1: (0,), 2: (0, 1)}
"""By edition the values of general_profile_idc that it has: the second one kept the syntax of the first."""


def known_edition(edition: int) -> int:
    """The edition itself. Raises UsageError when there is none of this number."""
    if edition not in PROFILES:
        raise UsageError(f"no edition {edition}; known: {', '.join(map(str, PROFILES))}")
    return edition


@cache
def codes_beyond(edition: int) -> frozenset[str]:
    """Codes of diagnostics whose requirement is about tools that this edition does not have."""
    beyond = {
        row["id"]
        for path in data_path("spec/requirements").glob("*.yaml")
        for row in load_yaml(f"spec/requirements/{path.name}")
        if row["edition"] != "both" and row["edition"] > edition
    }
    return frozenset(code for code, rule in catalogue().items() if rule.requirement in beyond)


def check_profile(unit: Unit, trace: Sequence[TraceEntry], edition: int | None, findings: Findings) -> None:
    """R-STR-05: report a start unit whose profile the chosen edition does not have."""
    if edition is None or unit.unit_type != STR or unit.broken:
        return
    profile, allowed = unit.get("general_profile_idc"), PROFILES[edition]
    if profile not in allowed:
        entry = next((one for one in trace if one.name == "general_profile_idc"), None)
        message = f"found {profile}, edition {edition} has {' and '.join(map(str, allowed))}"
        bits = None if entry is None else (entry.first, entry.first + entry.size)
        path = unit.label if entry is None else entry.path
        findings.report("profile_not_in_edition", message, bits=bits, path=path)
