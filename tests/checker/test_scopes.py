"""Checks that decoding makes are counted by what they look at."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import nnr_conformance
from nnr_conformance.checker.all_rules import ALL_RULES
from nnr_conformance.checker.scopes import DESCRIPTORS
from nnr_conformance.data import data_path
from nnr_conformance.diagnostics import catalogue
from nnr_conformance.syntax.enumerations import enumeration
from nnr_conformance.syntax.semantics import all_semantics

STREAMS = sorted(data_path("bitstreams").rglob("*.nnr"))
FUNCTIONS = {rule.code for rule in ALL_RULES}


def test_every_code_is_a_rule_or_has_a_scope_and_never_both() -> None:
    scoped = {code for code, rule in catalogue().items() if rule.applies}
    assert scoped | FUNCTIONS == set(catalogue())
    assert not scoped & FUNCTIONS


def test_scopes_name_what_exists() -> None:
    elements = set(all_semantics())
    units = set(enumeration("nnr_unit_type").values.values())
    sources = "".join(path.read_text() for path in Path(nnr_conformance.__file__).parent.glob("decoder/*.py"))
    tools = set(re.findall(r'tools\.add\("([a-z ]+)"\)', sources))
    for code, rule in catalogue().items():
        word, _, names = rule.applies.partition(" ")
        known = {"element": elements, "unit": units, "tool": tools, "descriptor": set(DESCRIPTORS)}.get(word)
        if names and known is not None:
            assert set(names.split(", ")) <= known, code


@pytest.mark.parametrize("path", STREAMS, ids=lambda path: path.name)
def test_failures_are_the_diagnostics_and_every_code_has_counts(path: Path) -> None:
    stream = nnr_conformance.check(path.read_bytes()).streams[0]
    assert set(stream.rules) == set(catalogue())
    for code, (passed, failed) in stream.rules.items():
        assert failed == sum(found.code == code for found in stream.diagnostics)
        assert passed >= 0


def test_a_scope_counts_every_element() -> None:
    path = data_path("bitstreams/examples/ex7_ed2_handmade_maps_raw.nnr")
    rules = nnr_conformance.check(path.read_bytes()).streams[0].rules
    assert rules["raw_length"] == (1, 0)
    assert rules["scan_order_reserved"][0] <= rules["dimension_zero"][0]
    assert rules["spm_count_zero"] == (1, 0)
    assert rules["terminate_missing"] == (0, 0)
