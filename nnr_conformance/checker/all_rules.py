"""Every rule of the checker, in the order in which they run."""

from __future__ import annotations

from nnr_conformance.checker import content_rules, peculiarity_rules, performance_map_rules, unit_rules
from nnr_conformance.checker.rules import Rule

ALL_RULES: tuple[Rule, ...] = (
    *unit_rules.RULES.rules,
    *performance_map_rules.RULES.rules,
    *content_rules.RULES.rules,
    *peculiarity_rules.RULES.rules,
)
