"""The registry of requirements: complete, in agreement with all of spec/, and every check able to fail."""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest
import yaml

from nnr_conformance.data import data_path
from nnr_conformance.errors import UsageError
from nnr_conformance.suite.registry import (
    GROUPS,
    Status,
    load_divergences,
    load_requirements,
    problems,
)
from nnr_conformance.suite.registry_checks import cited
from nnr_conformance.suite.registry_rows import REQUIREMENT_FILES, SpecRows, spec_rows
from nnr_conformance.suite.registry_schemas import SCHEMAS, schema

jsonschema = pytest.importorskip("jsonschema")

REQUIREMENTS = load_requirements()
DIVERGENCES = load_divergences()


def test_all_of_spec_agrees() -> None:
    assert problems() == []


def test_every_group_is_numbered_from_one_without_a_gap() -> None:
    numbers = defaultdict(list)
    for row in REQUIREMENTS.values():
        numbers[row.letters].append(int(row.id[-2:]))
    assert set(numbers) == {group.letters for group in GROUPS}
    for found in numbers.values():
        assert found == list(range(1, len(found) + 1))


def test_no_row_is_lost() -> None:
    assert len(REQUIREMENTS) >= 251
    assert len(DIVERGENCES) >= 60


@pytest.mark.parametrize("identifier", REQUIREMENTS)
def test_a_requirement_is_one_sentence_that_stands_alone_and_has_a_status(identifier: str) -> None:
    row = REQUIREMENTS[identifier]
    assert re.fullmatch(r"[^.]([^.]|\.(?! ))*\.", row.text), "one sentence"
    assert not re.search(r"\b[A-Z]\.\d", row.text), "no numbers of sections of other documents"
    assert isinstance(row.status, Status)
    assert bool(row.reason) is (row.status is Status.EXCLUDED)
    assert all(edition in {1, 2} for edition in row.editions)


def test_texts_of_requirements_differ() -> None:
    assert max(Counter(row.text for row in REQUIREMENTS.values()).values()) == 1


@pytest.mark.parametrize("identifier", REQUIREMENTS)
def test_what_is_seen_or_agrees_in_two_sources_is_not_of_low_confidence(identifier: str) -> None:
    row = REQUIREMENTS[identifier]
    if row.confidence == "low":
        assert not {"P1", "P2"} <= set(row.evidence)
        assert "S" not in row.evidence
    if set(row.evidence) == {"R"}:
        assert row.confidence != "high", "what is only recalled is never certain"


@pytest.mark.parametrize("identifier", DIVERGENCES)
def test_a_divergence_says_what_the_codec_does_and_what_the_checker_does(identifier: str) -> None:
    row = DIVERGENCES[identifier]
    assert row.text.endswith(".")
    assert row.checker.endswith(".")
    assert set(row.versions) <= {"1.0", "2.1.3"}
    assert set(row.requirements) <= set(REQUIREMENTS)


@pytest.mark.parametrize("name", [*(f"requirements/{name}" for name in REQUIREMENT_FILES), "divergences"])
def test_files_can_be_read_by_any_yaml_parser(name: str) -> None:
    text = data_path(f"spec/{name}.yaml").read_text(encoding="utf-8")
    # The parser that load_yaml falls back to is stricter than libyaml.
    assert yaml.load(text, Loader=yaml.SafeLoader)


def test_every_file_of_requirements_is_read() -> None:
    assert {path.stem for path in data_path("spec/requirements").glob("*.yaml")} == set(REQUIREMENT_FILES)


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_schema_is_a_schema_and_describes_every_field(name: str) -> None:
    content = schema(name)
    jsonschema.Draft202012Validator.check_schema(content)
    [row] = [part for part in content["$defs"].values() if "additionalProperties" in part]
    assert row["additionalProperties"] is False


# ---- every check can fail


def changed(change: Callable[[SpecRows], None]) -> set[str]:
    """The problems that a change of the rows brings about."""
    rows = deepcopy(spec_rows())
    change(rows)
    return set(problems(rows)) - set(problems())


def requirement(rows: SpecRows, identifier: str) -> Any:
    return next(row for content in rows.requirements.values() for row in content if row["id"] == identifier)


def row_of(rows: Any, key: str, value: str) -> Any:
    return next(row for row in rows if row[key] == value)


def put(find: Callable[[SpecRows], Any], **fields: Any) -> Callable[[SpecRows], None]:
    return lambda rows: find(rows).update(fields)


def drop(find: Callable[[SpecRows], Any], field: str) -> Callable[[SpecRows], None]:
    return lambda rows: find(rows).pop(field)


def scan_order(rows: SpecRows) -> Any:
    return requirement(rows, "R-NDU-26")


def excluded(rows: SpecRows) -> Any:
    return requirement(rows, "R-CB-03")


def alignment_bits(rows: SpecRows) -> Any:
    return row_of(rows.diagnostics, "code", "alignment_bits")


def first_divergence(rows: SpecRows) -> Any:
    return row_of(rows.divergences, "id", "D-01")


def split_index(rows: SpecRows) -> Any:
    return row_of(rows.readings, "id", "split-index")


def first_element(rows: SpecRows) -> Any:
    return rows.semantics["units"][0]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (put(scan_order, id="R-NDU-25"), "R-NDU-25: 2 requirements have this id"),
        (put(scan_order, id="R-QP-26"), "R-QP-26: does not belong into spec/requirements/compressed_data_unit.yaml"),
        (put(alignment_bits, requirement="R-GEN-99"), "diagnostic alignment_bits: there is no requirement R-GEN-99"),
        (put(alignment_bits, code="raw_length"), "raw_length: 2 diagnostics have this id"),
        (put(alignment_bits, clause=7), "diagnostic alignment_bits: clause 7, but R-GEN-07 has 6"),
        (put(alignment_bits, confidence="low"), "diagnostic alignment_bits: confidence low, but R-GEN-07 has high"),
        (put(alignment_bits, evidence="R,S"), "diagnostic alignment_bits: evidence R,S, but R-GEN-07 has P2,R"),
        (
            put(alignment_bits, requirement="R-GEN-01"),
            "R-GEN-07: has status checked, but no row of spec/diagnostics.yaml cites it",
        ),
        (
            put(alignment_bits, requirement="R-GEN-01"),
            "R-GEN-01: alignment_bits cites it, so its status is checked, not decoder-observable",
        ),
        (put(first_divergence, id="D-02"), "D-02: 2 divergences have this id"),
        (put(first_divergence, requirements=["R-GEN-99"]), "divergence D-01: there is no requirement R-GEN-99"),
        (put(first_divergence, readings=["none"]), "divergence D-01: there is no reading none"),
        (put(first_divergence, stream="examples/no.nnr"), "divergence D-01: there is no bitstreams/examples/no.nnr"),
        (put(split_index, id="axis-shift"), "axis-shift: 2 readings have this id"),
        (put(split_index, default="middle"), "reading split-index: there is no reading named middle"),
        (put(split_index, follows={"middle": "a codec"}), "reading split-index: there is no reading named middle"),
        (
            put(first_element, requirements=["R-GEN-99"]),
            "element nnr_unit_size_flag: there is no requirement R-GEN-99",
        ),
        (put(first_element, readings=["none"]), "element nnr_unit_size_flag: there is no reading none"),
    ],
)
def test_a_reference_that_leads_nowhere_or_a_disagreement_is_a_problem(
    change: Callable[[SpecRows], None], expected: str
) -> None:
    assert expected in changed(change)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (drop(scan_order, "status"), "R-NDU-26: 'status' is a required property"),
        (put(scan_order, status="later"), "R-NDU-26: status: 'later' is not one of"),
        (put(scan_order, clause=4), "R-NDU-26: clause: 4 is less than"),
        (put(scan_order, edition=3), "R-NDU-26: edition: 3 is not one of"),
        (put(scan_order, evidence=["X"]), "R-NDU-26: evidence: 0: 'X' is not one of"),
        (put(scan_order, evidence=[]), "R-NDU-26: evidence: [] "),
        (put(scan_order, reason="it is hard"), "R-NDU-26: False schema does not allow"),
        (put(scan_order, colour="red"), "R-NDU-26: Additional properties"),
        (put(scan_order, id="NDU-26"), "NDU-26: id: 'NDU-26' does not match"),
        (drop(excluded, "reason"), "R-CB-03: 'reason' is a required property"),
        (put(alignment_bits, evidence="P2, R"), "alignment_bits: evidence: 'P2, R' does not match"),
        (put(alignment_bits, stage="alignment"), "alignment_bits: stage: 'alignment' is not one of"),
        (put(first_divergence, verdict="ignore"), "D-01: verdict: 'ignore' is not one of"),
        (put(split_index, open_question="H-26"), "split-index: open_question: 'H-26' does not match"),
        (put(split_index, readings={"position": "it is"}), "split-index: readings: "),
        (put(first_element, confidence="none"), "nnr_unit_size_flag: confidence: 'none' is not one of"),
    ],
)
def test_a_row_of_the_wrong_form_is_a_problem_that_names_file_and_row(
    change: Callable[[SpecRows], None], expected: str
) -> None:
    [found] = changed(change)
    assert found.startswith("spec/")
    assert expected in found.partition(".yaml: ")[2]


def test_a_limit_of_the_software_checks_no_requirement_but_a_limit() -> None:
    limit = {"code": "limit", "stage": "limits", "requirement": "R-1"}
    assert cited([limit], {"R-1": {"stage": "syntax"}}) == set()
    assert cited([limit], {"R-1": {"stage": "limits"}}) == {"R-1"}
    assert cited([limit | {"stage": "syntax"}], {"R-1": {"stage": "syntax"}}) == {"R-1"}


def test_without_jsonschema_the_check_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jsonschema", None)
    with pytest.raises(UsageError, match="pip install jsonschema"):
        problems()


@pytest.mark.parametrize("module", ["nnr_conformance", "nnr_conformance.cli.check", "nnr_conformance.cli.decode"])
def test_checking_and_decoding_do_not_load_the_registry(module: str) -> None:
    code = f"import sys, {module}; print([name for name in sys.modules if 'suite' in name or 'jsonschema' in name])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
