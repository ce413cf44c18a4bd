"""Recipes that a program writes: many streams of one idea, or streams too regular to be typed.

A family is a module with a function ``recipes()`` that yields `recipes.Recipe`s, listed in `FAMILIES`.
"""

FAMILIES: tuple[str, ...] = (
    "beyond_bytes",
    "block_scans",
    "initialization_ids",
    "large_tensors",
    "largest_maps",
    "performance_maps",
    "pruning_containers",
    "skipped_rows",
    "tool_pairs",
    "unit_sizes",
)
"""Names of the modules."""
