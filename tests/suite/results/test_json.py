"""The JSON formats of a run: as the schema says, read back as they were written, whatever the texts are."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nnr_conformance.errors import UsageError
from nnr_conformance.suite.registry_schemas import schema
from nnr_conformance.suite.results import jsonl
from nnr_conformance.suite.results.json import parse
from nnr_conformance.suite.results.json import render as render_json
from nnr_conformance.suite.results.plain import header_from_plain, header_to_plain, result_from_plain
from nnr_conformance.suite.results.report import RunReport
from nnr_conformance.suite.runner.model import CaseResult, Result
from tests.suite.results.golden import HEADER, RESULTS, run_report, text_of

jsonschema = pytest.importorskip("jsonschema")

ANY_TEXT = st.text(st.characters(codec=None), max_size=8)
RESULT = st.builds(
    CaseResult,
    ANY_TEXT,
    st.sampled_from(Result),
    stage=ANY_TEXT,
    detail=ANY_TEXT,
    compared=st.lists(ANY_TEXT, max_size=2, unique=True).map(tuple),
    followed=st.dictionaries(ANY_TEXT, ANY_TEXT, max_size=2),
    seconds=st.integers(0, 10**6).map(lambda thousandths: thousandths / 1000),
    peak_bytes=st.integers(0, 1 << 40),
    known=st.booleans(),
)


def validate(values: Any, part: str) -> None:
    """Values against a part of the schema, every field of which must be described."""
    whole = closed(schema("run"))
    jsonschema.Draft202012Validator.check_schema(whole)
    jsonschema.Draft202012Validator({**whole, "$ref": f"#/$defs/{part}"}).validate(values)


def closed(part: Any) -> Any:
    """The schema, with every field forbidden that it does not describe."""
    if isinstance(part, list):
        return [closed(one) for one in part]
    if not isinstance(part, dict):
        return part
    made = {key: closed(value) for key, value in part.items()}
    if part.get("type") == "object" and "additionalProperties" not in part and "result" not in part["properties"]:
        made["unevaluatedProperties"] = False
    return made


def lines_of(pieces: Iterable[str]) -> list[str]:
    return [f"{piece}\n" for piece in pieces]


def test_a_run_is_valid_json_and_every_field_is_described() -> None:
    validate(json.loads(text_of("json")), "run")


def test_every_line_is_valid_and_every_field_is_described() -> None:
    first, *others = map(json.loads, text_of("jsonl").splitlines())
    validate(first, "first_line")
    for line in others:
        validate(line, "result")


@pytest.mark.parametrize("field", [*header_to_plain(HEADER)])
def test_a_header_misses_a_field_that_is_not_there(field: str) -> None:
    plain = {name: value for name, value in header_to_plain(HEADER).items() if name != field}
    with pytest.raises(jsonschema.ValidationError):
        validate(plain, "header")


def test_a_run_is_read_back_from_json_as_it_was() -> None:
    assert parse(text_of("json")) == run_report()


def test_a_run_is_read_back_from_its_lines_as_it_was() -> None:
    header, results = jsonl.read(text_of("jsonl").splitlines(keepends=True))
    assert (header, tuple(results)) == (HEADER, RESULTS)


@given(st.lists(RESULT, max_size=4), ANY_TEXT)
def test_any_text_comes_back(results: list[CaseResult], name: str) -> None:
    report = RunReport(replace(HEADER, implementation=name, cases=len(results)), tuple(results))
    lines = lines_of(jsonl.render(report))
    assert len(lines) == 1 + len(results)
    header, read = jsonl.read(lines)
    assert RunReport(header, tuple(read)) == report == parse("".join(lines_of(render_json(report))))


def test_a_line_that_was_not_written_to_its_end_is_left_out_but_no_other_one() -> None:
    whole = text_of("jsonl")
    for cut in range(1, len(whole.splitlines()[-1]) + 1):
        _, results = jsonl.read(whole[:-cut].splitlines(keepends=True))
        assert tuple(results) == RESULTS[:-1]


@pytest.mark.parametrize(
    "lines", [[], ["\n"], ["{}\n"], ["[]\n"], ['{"schema": "nnr-run/2", "header": {}}\n'], ["[" * 100_000 + "\n"]]
)
def test_what_does_not_begin_like_a_run_is_no_run(lines: list[str]) -> None:
    with pytest.raises(UsageError):
        jsonl.read(lines)


@pytest.mark.parametrize("field", [*header_to_plain(HEADER)])
def test_a_header_with_a_field_of_another_kind_is_refused(field: str) -> None:
    with pytest.raises(UsageError):
        header_from_plain({**header_to_plain(HEADER), field: {1: 2} if field != "readings" else 1})


@pytest.mark.parametrize(
    "values",
    [None, [], {}, {"case": 1, "result": "pass"}, {"case": "a", "result": "great"}, {"case": "a", "result": []}]
    + [{"case": "a", "result": "pass", "peak_bytes": float("inf")}]
    + [{"case": "a", "result": "pass", name: 7j} for name in ("stage", "compared", "followed", "seconds")],
)
def test_what_is_no_result_is_refused(values: Any) -> None:
    with pytest.raises(UsageError):
        result_from_plain(values)


@pytest.mark.parametrize("seconds", [float("inf"), float("nan"), -1])
def test_a_time_that_is_none_is_refused(seconds: float) -> None:
    with pytest.raises(UsageError):
        result_from_plain({"case": "a", "result": "pass", "seconds": seconds})


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("tools", [1]),
        ("tools", [{}]),
        ("editions", ["1"]),
        ("readings", {"split-index": 1}),
        ("selection", [None]),
        ("seconds", float("inf")),
        ("seconds", float("nan")),
        ("cases", -1),
        ("memory", -1),
    ],
)
def test_a_header_with_something_in_it_of_another_kind_is_refused(field: str, value: Any) -> None:
    with pytest.raises(UsageError, match=f"header of a run: {field}"):
        header_from_plain({**header_to_plain(HEADER), field: value})


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", "[" * 100_000, '{"schema": "nnr-run/1"}'])
def test_what_is_no_run_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        parse(text)
