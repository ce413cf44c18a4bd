"""Tables of the specification are as their schemas say, and a wrong entry is named with its place."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from nnr_conformance.data import load_yaml
from nnr_conformance.suite.registry_tables import table_problems

pytest.importorskip("jsonschema")


def changed(name: str, *path: Any, to: Any) -> list[str]:
    content = copy.deepcopy(load_yaml(f"spec/{name}.yaml"))
    inner = content
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = to
    return table_problems({name: content})


def test_the_tables_are_valid() -> None:
    assert table_problems() == []


@pytest.mark.parametrize(
    ("name", "path", "to"),
    [
        ("tables/enumerations", ("nnr_unit_type", "confidence"), "sure"),
        ("tables/enumerations", ("nnr_unit_type", "values"), {}),
        ("tables/cabac", ("range_lps", 3, 5), 256),
        ("tables/cabac", ("init_sets", 4, "s0"), 128),
        ("tables/cabac", ("state_transition", 7), [4, 8]),
        ("tables/encoder_cost", ("bin_cost", 511), [1]),
        ("coverage", (0, "reason"), "no"),
    ],
)
def test_a_wrong_entry_is_named_with_its_place(name: str, path: tuple[Any, ...], to: Any) -> None:
    (problem,) = changed(name, *path, to=to)
    assert problem.startswith(f"spec/{name}.yaml: {', '.join(map(str, path))}")
