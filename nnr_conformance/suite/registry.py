"""The registry of requirements (clauses 5 to 10): what the standard asks of streams and decoders, as far as is known.

The rows are data, `spec/requirements/*.yaml` and `spec/divergences.yaml`, and are read when they are asked for:
checking and decoding do without them. `problems` tells whether all files in `spec/` agree.
"""

from __future__ import annotations

from nnr_conformance.suite.registry_checks import problems
from nnr_conformance.suite.registry_rows import (
    GROUPS,
    Divergence,
    Group,
    Requirement,
    Status,
    load_divergences,
    load_requirements,
)

__all__ = [
    "GROUPS",
    "Divergence",
    "Group",
    "Requirement",
    "Status",
    "load_divergences",
    "load_requirements",
    "problems",
]
