"""JSON reports are as `spec/schemas/report.schema.json` describes them, and it describes every field."""

from __future__ import annotations

import json
from typing import Any

import pytest

from nnr_conformance.data import data_path
from nnr_conformance.report.json import to_json
from tests.report.golden import RUN, damaged_report, text_of

jsonschema = pytest.importorskip("jsonschema")


def schema() -> Any:
    return json.loads(data_path("spec/schemas/report.schema.json").read_text(encoding="utf-8"))


def closed(part: Any) -> Any:
    """The schema, with every field forbidden that it does not describe."""
    if isinstance(part, list):
        return [closed(one) for one in part]
    if not isinstance(part, dict):
        return part
    made = {key: closed(value) for key, value in part.items()}
    if part.get("type") == "object" and "additionalProperties" not in part:
        made["unevaluatedProperties"] = False
    return made


def validate(values: Any, part: str) -> None:
    whole = schema()
    jsonschema.Draft202012Validator.check_schema(whole)
    open_, shut = ({**form, "$ref": f"#/$defs/{part}"} for form in (whole, closed(whole)))
    if part == "line":  # a diagnostic line is made of a diagnostic, which on its own would forbid the fields it adds
        shut = open_
    jsonschema.Draft202012Validator(open_).validate(values)
    jsonschema.Draft202012Validator(shut).validate(values)


def test_the_golden_report_is_valid_and_all_its_fields_are_described() -> None:
    validate(json.loads(text_of("json")), "report")


def test_a_report_made_without_knowing_the_run_is_valid() -> None:
    plain = to_json(damaged_report())
    assert plain["run"]["limits"] is None
    validate(json.loads(json.dumps(plain)), "report")


def test_the_run_header_says_version_limits_and_digests_of_the_inputs() -> None:
    plain = to_json(damaged_report(), RUN)
    assert plain["run"]["limits"] == RUN.limits
    assert (plain["run"]["edition"], plain["run"]["corpus"]) == (RUN.edition, RUN.corpus) == ("auto", "0.0.0")
    assert [one["sha256"] for one in plain["run"]["inputs"]] == [one["sha256"] for one in plain["streams"]]


@pytest.mark.parametrize("field", ["schema", "verdict", "run", "streams"])
def test_the_schema_misses_a_field_that_is_not_there(field: str) -> None:
    plain = to_json(damaged_report())
    del plain[field]
    with pytest.raises(jsonschema.ValidationError):
        validate(json.loads(json.dumps(plain)), "report")


def test_every_line_of_jsonl_is_valid_and_the_summaries_count_the_diagnostics() -> None:
    lines = [json.loads(line) for line in text_of("jsonl").splitlines()]
    for line in lines:
        validate(line, "line" if line["kind"] != "stream" else "stream_line")
    report = damaged_report()
    summaries = [line for line in lines if line["kind"] == "stream"]
    assert [line["errors"] + line["warnings"] + line["infos"] for line in summaries] == [
        len(stream.diagnostics) for stream in report.streams
    ]
    applied = [stream.rule_counts.applied for stream in report.streams]
    assert [line["rules"]["applied"] for line in summaries] == applied
    assert sum(line["kind"] == "rule" for line in lines) == sum(applied) > 0
    assert len(lines) == len(report.diagnostics) + sum(applied) + len(report.streams)
    assert lines[-1] == summaries[-1]
    assert {line["unit"] for line in lines if line["kind"] == "diagnostic"} == {"unit 2", "unit 3.1", "unit 4"}
