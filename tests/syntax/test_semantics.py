"""The semantics of the elements: one row each, in step with declarations, requirements, readings and schema."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator

import pytest

from nnr_conformance.data import data_path, load_yaml
from nnr_conformance.diagnostics import catalogue
from nnr_conformance.errors import UsageError
from nnr_conformance.readings import known_readings
from nnr_conformance.syntax.declaration import Element, Enclosed, OutOfBand, Part
from nnr_conformance.syntax.describe import structures
from nnr_conformance.syntax.semantics import GROUPS, all_semantics, element_semantics, semantics_rows

SAID_IN_OTHER_WORDS = {"enclosed_unit_type", "general_profile_idc"}
"""Enumerated elements whose range refers to another element, or whose values have no names in the standard."""


def own_parts(part: Part) -> Iterator[Part]:
    for inner in part.parts():
        yield inner
        if not isinstance(inner, Enclosed):
            yield from own_parts(inner)


def declarations() -> dict[str, list[tuple[str, Element]]]:
    """The declared elements by name, each with the structure that holds it."""
    found = defaultdict(list)
    for name, structure in structures().items():
        for part in own_parts(structure):
            if isinstance(part, Element):
                found[part.name].append((name, part))
    return found


def defaults_of_absent_elements() -> dict[str, int | None]:
    """What the declarations take for elements that are not given from outside the stream."""
    parts = (part for structure in structures().values() for part in own_parts(structure))
    outside = (part for part in parts if isinstance(part, OutOfBand))
    return {name: part.default for part in outside for name in part.names}


DECLARED = declarations()
OUTSIDE = defaults_of_absent_elements()
every_element = pytest.mark.parametrize("name", sorted(DECLARED))
every_row = pytest.mark.parametrize("name", sorted(all_semantics()))


def test_every_declared_element_has_exactly_one_row_and_every_declared_row_an_element() -> None:
    rows = Counter(row["name"] for group in GROUPS for row in semantics_rows(group))
    assert max(rows.values()) == 1
    assert {name for name, row in all_semantics().items() if row.declared} == set(DECLARED)


def test_every_file_of_semantics_is_a_known_group() -> None:
    assert {path.stem for path in data_path("spec/semantics").iterdir()} == set(GROUPS)


@every_element
def test_structures_and_descriptors_are_those_of_the_declarations(name: str) -> None:
    row = element_semantics(name)
    assert list(row.structures) == list(dict.fromkeys(structure for structure, _ in DECLARED[name]))
    assert list(row.descriptors) == list(dict.fromkeys(element.descriptor.label() for _, element in DECLARED[name]))


@every_element
def test_inferred_values_are_those_of_the_declarations(name: str) -> None:
    row = element_semantics(name)
    values = {element.descriptor.infer for _, element in DECLARED[name]} | {OUTSIDE.get(name)}
    assert values - {None} == ({row.inferred.value} if row.inferred else set())
    assert row.out_of_band == (name in OUTSIDE)


@every_element
def test_requirements_hold_those_that_a_wrong_value_is_reported_by(name: str) -> None:
    for _, element in DECLARED[name]:
        must = element.descriptor.must
        if must is None:
            continue
        assert catalogue()[must.code].requirement in element_semantics(name).requirements


@every_element
def test_ranges_give_every_enumerated_value_with_its_name(name: str) -> None:
    if name in SAID_IN_OTHER_WORDS:
        return
    enumerated = [element.descriptor.enum for _, element in DECLARED[name] if element.descriptor.enum is not None]
    for found in enumerated:
        assert all(f"{value} {word}" in element_semantics(name).range for value, word in found.values.items())


def test_elements_of_the_entropy_coded_payload_are_the_undeclared_ones() -> None:
    undeclared = [name for name, row in all_semantics().items() if not row.declared]
    assert undeclared == [row["name"] for row in semantics_rows("entropy")]
    assert {"qp_value", "row_skip_list", "sig_flag", "sign_flag"} < set(undeclared)
    assert {structure for name in undeclared for structure in element_semantics(name).structures} <= set(structures())


@every_row
def test_a_row_names_requirements_readings_and_evidence_by_their_ids(name: str) -> None:
    row = element_semantics(name)
    assert row.requirements
    assert len(set(row.requirements)) == len(row.requirements)
    assert all(re.fullmatch(r"R-[A-Z0-9]+-\d\d", requirement) for requirement in row.requirements)
    assert set(row.readings) <= set(known_readings())
    assert set(row.evidence.split(",")) <= {"S", "P1", "P2", "R", "D"}
    assert row.confidence in {"high", "medium", "low"}


@every_row
def test_a_row_says_its_meaning_in_at_most_three_sentences(name: str) -> None:
    meaning = element_semantics(name).meaning
    assert meaning.endswith(".")
    assert len(re.findall(r"\.(?: |$)", meaning)) <= 3


def test_every_way_of_coding_that_a_reading_decides_names_that_reading() -> None:
    for row in all_semantics().values():
        assert len(row.descriptors) == 1 or row.readings


@pytest.mark.parametrize("group", GROUPS)
def test_the_files_are_valid_by_their_schema(group: str) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    schema = json.loads(data_path("spec/schemas/semantics.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.Draft202012Validator(schema).validate(load_yaml(f"spec/semantics/{group}.yaml"))


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("requirements", ["R-NDU-1"]),
        ("requirements", []),
        ("evidence", "P3"),
        ("confidence", "certain"),
        ("inferred", 0),
        ("descriptor", ["u(1)"]),
        ("declared", True),
        ("remark", "one field too many"),
    ],
)
def test_the_schema_refuses_rows_that_are_wrong(field: str, wrong: object) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    schema = json.loads(data_path("spec/schemas/semantics.schema.json").read_text(encoding="utf-8"))
    row = {**semantics_rows("units")[0], field: wrong}
    assert not jsonschema.Draft202012Validator(schema).is_valid([row])


def test_an_unknown_name_is_refused_with_names_that_come_near() -> None:
    with pytest.raises(UsageError, match="did you mean scan_order"):
        element_semantics("scanorder")
    with pytest.raises(UsageError, match="codebook_zero_value"):
        element_semantics("codebook_")
    with pytest.raises(UsageError, match="nnr-explain --syntax"):
        element_semantics("qqq")


def test_importing_checking_and_listing_do_not_read_the_semantics() -> None:
    stream = str(data_path("bitstreams/examples/ex1_ed1_plain.nnr"))
    program = """if True:
        import sys
        opened = []
        sys.addaudithook(lambda event, details: event == "open" and opened.append(str(details[0])))
        from nnr_conformance.cli import check, explain
        from nnr_conformance.syntax import semantics
        assert check.main([sys.argv[1]]) == 0
        assert explain.main([sys.argv[1]]) == 0
        before = [path for path in opened if path.endswith(".yaml")]
        assert any("readings" in path for path in before), before
        assert not any("semantics" in path for path in before), before
        semantics.element_semantics("scan_order")
        semantics.element_semantics("sig_flag")
        after = [path for path in opened if path.endswith(".yaml") and "semantics" in path]
        assert len(after) == len(semantics.GROUPS), after
    """
    run = subprocess.run(
        [sys.executable, "-c", program, stream], capture_output=True, text=True, timeout=60, check=False
    )
    assert run.returncode == 0, run.stderr
