"""Rows of syntax tables with edition, readings and coverage."""

from __future__ import annotations

import pytest

from nnr_conformance.suite.coverage.syntax_items import BRANCHES, ELEMENTS, LOOPS, syntax_universe
from nnr_conformance.syntax.describe import describe, structures
from nnr_sphinx.covered import met_items, why_not
from nnr_sphinx.syntax_rows import PageRow, page_rows


def rows_of(name: str) -> list[PageRow]:
    return page_rows(structures()[name])


def element(name: str, structure: str) -> PageRow:
    return next(row for row in rows_of(structure) if row.row.name == name and row.row.kind == "element")


@pytest.mark.parametrize("name", structures())
def test_rows_are_those_of_the_declaration(name: str) -> None:
    assert [row.row for row in rows_of(name)] == list(describe(structures()[name]))


def test_every_element_condition_and_loop_stands_in_a_row() -> None:
    items = {item for name in structures() for row in rows_of(name) for _, item in row.items}
    assert items == {item for item in syntax_universe() if item.group in {ELEMENTS, BRANCHES, LOOPS}}


def test_all_of_the_syntax_is_covered_or_cannot_be() -> None:
    items = {item for name in structures() for row in rows_of(name) for _, item in row.items}
    assert [item for item in items if item not in met_items() and not why_not(item)] == []


def test_elements_of_the_second_edition_are_marked() -> None:
    assert element("node_id_present_flag", "nnr_compressed_data_unit_header").editions == (2,)
    assert element("first_tensor_dimension_shift", "nnr_compressed_data_unit_header").editions == (2,)


def test_what_stands_in_the_other_branch_is_of_the_first_edition() -> None:
    assert element("nnr_reserved_zero_7bits", "nnr_model_parameter_set_unit_payload").editions == (1,)


def test_elements_behind_a_condition_on_the_edition_are_in_both() -> None:
    assert element("scan_order", "nnr_compressed_data_unit_header").editions == ()
    assert element("topology_carriage_flag", "nnr_model_parameter_set_unit_payload").editions == ()


def test_conditions_name_the_readings_that_they_ask_for() -> None:
    readings = {reading for row in rows_of("pruning_dictionary") for reading in row.readings}
    assert readings == {"pruning-dictionary"}
