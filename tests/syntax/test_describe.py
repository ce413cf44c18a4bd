"""Syntax tables from declarations: nothing of a declaration is lost, and they look as in the standard."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest

from nnr_conformance.descriptors import flt, u
from nnr_conformance.diagnostics import catalogue
from nnr_conformance.syntax.declaration import Element, Enclosed, For, If, OutOfBand, Part, Structure
from nnr_conformance.syntax.describe import describe, render_table, structures
from tests.syntax.strategies import all_structures

every_structure = pytest.mark.parametrize("name", sorted(all_structures()))


def own_parts(part: Part) -> Iterator[Part]:
    for inner in part.parts():
        yield inner
        if not isinstance(inner, Enclosed):
            yield from own_parts(inner)


@every_structure
def test_every_element_and_enclosed_structure_is_exactly_one_row(name: str) -> None:
    structure = all_structures()[name]
    rows = describe(structure)
    parts = list(own_parts(structure))
    elements = Counter(part.name for part in parts if isinstance(part, Element))
    enclosed = Counter(part.structure.name for part in parts if isinstance(part, Enclosed))
    outside = Counter(name for part in parts if isinstance(part, OutOfBand) for name in part.names)
    assert Counter(row.name for row in rows if row.kind == "element") == elements
    assert Counter(row.name for row in rows if row.kind == "structure") == enclosed
    assert Counter(row.name for row in rows if row.kind == "outside") == outside
    assert sum(row.kind in ("condition", "otherwise") for row in rows) >= sum(isinstance(part, If) for part in parts)
    assert sum(row.kind == "loop" for row in rows) >= sum(isinstance(part, For) for part in parts)


@every_structure
def test_braces_are_closed_at_the_indentation_where_they_were_opened(name: str) -> None:
    opened: list[int] = []
    for row in describe(all_structures()[name]):
        if row.text.startswith("}"):
            assert opened.pop() == row.indentation
        else:
            assert row.indentation == len(opened)
        if row.text.endswith("{"):
            opened.append(row.indentation)
    assert opened == []


@every_structure
def test_requirements_name_a_code_of_the_catalogue(name: str) -> None:
    for row in describe(all_structures()[name]):
        if row.requirement:
            assert row.requirement.rpartition("(")[2].removesuffix(")") in catalogue()


def test_structures_are_listed_before_those_that_they_enclose() -> None:
    order = list(structures())
    for structure in structures().values():
        for part in own_parts(structure):
            if isinstance(part, Enclosed):
                assert structures()[part.structure.name] is part.structure
    assert order[:3] == ["nnr_unit_size", "nnr_unit_header", "nnr_start_unit_header"]
    assert order.index("nnr_compressed_data_unit_header") < order.index("codebook")


def test_the_table_of_a_list_has_loops_descriptors_requirements_and_limits() -> None:
    assert render_table(describe(structures()["tensor_dimensions_list"])).splitlines() == [
        "syntax                                           descriptor  value",
        "-----------------------------------------------  ----------  --------------------------",
        "tensor_dimensions_list( ) {",
        "    if( reading scalar-dimensions == one ) {",
        "        count_tensor_dimensions                  ue(1)       value > 0 (no_dimensions)",
        "    } else {",
        "        count_tensor_dimensions                  ue(1)",
        "    }",
        "    count_tensor_dimensions <= limit dimensions              limit_dimensions",
        "    for( j = 0; j < count_tensor_dimensions; j++ ) {",
        "        tensor_dimensions[ j ]                   ue(7)       value > 0 (dimension_zero)",
        "    }",
        "}",
    ]


def test_the_table_of_the_id_list_has_its_parameter_and_both_forms() -> None:
    assert [row.text for row in describe(structures()["topology_elements_ids_list"])] == [
        "topology_elements_ids_list( topologyIndexedFlag ) {",
        "count_topology_elements_minus2",
        "count_topology_elements = count_topology_elements_minus2 + 2",
        "count_topology_elements <= limit topology_elements",
        "if( topologyIndexedFlag == 0 ) {",
        "byte_alignment( )",
        "for( j = 0; j < count_topology_elements; j++ ) {",
        "topology_elem_id_list[ j ]",
        "}",
        "} else {",
        "for( j = 0; j < count_topology_elements; j++ ) {",
        "topology_elem_id_index_list[ j ]",
        "}",
        "byte_alignment( )",
        "}",
        "}",
    ]


def test_the_codebook_counts_down_to_the_left_and_up_to_the_right() -> None:
    loops = [row.text for row in describe(structures()["codebook"]) if row.kind == "loop"]
    assert loops == [
        "for( j = CbZeroOffset - 1; j >= 0; j-- ) {",
        "for( j = CbZeroOffset + 1; j < codebook_size; j++ ) {",
    ]


def test_values_of_enumerated_elements_are_named_in_conditions() -> None:
    conditions = [row.text for row in describe(structures()["nnr_unit_header"]) if row.kind == "condition"]
    assert "if( nnr_unit_type == NNR_NDU ) {" in conditions
    chain = [row.text for row in describe(structures()["nnr_topology_unit_payload"]) if row.kind != "element"]
    assert chain == [
        "nnr_topology_unit_payload( ) {",
        "if( reading container-compression == compressed && topology_compression_format == NNR_DFL && "
        "(topology_storage_format == NNR_TPL_PRUN || topology_storage_format == NNR_TPL_REFLIST) ) {",
        "} else if( topology_storage_format == NNR_TPL_PRUN ) {",
        "nnr_pruning_topology_container( )",
        "} else if( topology_storage_format == NNR_TPL_REFLIST ) {",
        "topology_elements_ids_list( 0 )",
        "} else if( reading byte-string == bytes ) {",
        "} else {",
        "}",
        "}",
    ]


def test_inferred_values_and_values_from_outside_are_told() -> None:
    rows = describe(structures()["nnr_compressed_data_unit_header"])
    assert {row.inferred for row in rows if row.name == "scan_order"} == {"0"}
    assert {row.inferred for row in rows if row.name == "cabac_unary_length_minus1"} == {"", "out of band, else 9"}
    assert {row.inferred for row in rows if row.name == "tensor_dimensions"} == {"out of band"}
    assert [row.text for row in rows if row.kind == "structure" and row.name == "codebook"] == [
        "codebook( )",
        "codebook_dc: codebook( )",
    ]


def test_a_bit_string_is_written_as_the_loop_it_stands_for() -> None:
    texts = [(row.text, row.descriptor) for row in describe(structures()["bit_mask"]) if row.indentation]
    assert texts[1:4] == [("for( j = 0; j < count_bits; j++ ) {", ""), ("bit_mask_value[ j ]", "u(1)"), ("}", "")]


def test_a_table_has_no_column_that_says_nothing() -> None:
    table = render_table(describe(Structure("s", "a" / u(1), "b" / flt(32))))
    assert table.splitlines()[0].split() == ["syntax", "descriptor"]
