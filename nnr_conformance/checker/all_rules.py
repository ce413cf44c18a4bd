"""Every rule of the checker, in the order in which they run."""

from __future__ import annotations

from nnr_conformance.checker import (
    aggregate_rules,
    content_rules,
    framework_rules,
    identifier_rules,
    order_rules,
    partition_rules,
    peculiarity_rules,
    performance_map_rules,
    pruning_rules,
    topology_rules,
    unit_rules,
    update_rules,
)
from nnr_conformance.checker.rules import Rule

ALL_RULES: tuple[Rule, ...] = (
    *order_rules.RULES.rules,
    *partition_rules.RULES.rules,
    *identifier_rules.RULES.rules,
    *aggregate_rules.RULES.rules,
    *update_rules.RULES.rules,
    *unit_rules.RULES.rules,
    *performance_map_rules.RULES.rules,
    *topology_rules.RULES.rules,
    *framework_rules.RULES.rules,
    *pruning_rules.RULES.rules,
    *content_rules.RULES.rules,
    *peculiarity_rules.RULES.rules,
)
