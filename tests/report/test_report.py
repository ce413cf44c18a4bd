"""Reports: verdicts follow errors, repeats are grouped, bits are shown, JSON keeps everything."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

import nnr_conformance
from nnr_conformance.diagnostics import Diagnostic, Severity, catalogue, diagnose
from nnr_conformance.report.json import to_json
from nnr_conformance.report.model import ReadingOutcome, Report, Verdict, excerpt, grouped, verdict_of, worst
from nnr_conformance.report.text import render
from tests.decoder.stream_builder import coded, parameter_set, start

ERROR = diagnose("terminate_missing", "the terminate bin is 0", bits=(80, 81), path="unit 3 · cabac_payload · w")
OPEN = diagnose("limit_units", "too many")
WARNING = diagnose("reserved_not_zero", "found 1", bits=(9, 10), path="unit 1")


@pytest.mark.parametrize(
    ("found", "verdict", "code"),
    [
        ([], Verdict.CONFORMING, 0),
        ([WARNING], Verdict.CONFORMING, 0),
        ([OPEN], Verdict.UNDETERMINED, 3),
        ([OPEN, ERROR, WARNING], Verdict.NONCONFORMING, 1),
    ],
)
def test_the_verdict_follows_the_errors(found: list[Diagnostic], verdict: Verdict, code: int) -> None:
    assert verdict_of(found) is verdict
    assert verdict.exit_code == code


@given(st.lists(st.sampled_from(list(Verdict))))
def test_the_worst_verdict_of_several_streams_decides(verdicts: list[Verdict]) -> None:
    order = [Verdict.CONFORMING, Verdict.UNDETERMINED, Verdict.NONCONFORMING]
    assert worst(verdicts) is max(verdicts, key=order.index, default=Verdict.CONFORMING)


@given(st.lists(st.tuples(st.sampled_from(sorted(catalogue())), st.integers(0, 5)), max_size=30))
def test_groups_hold_every_finding_once_errors_first(made: list[tuple[str, int]]) -> None:
    found = [diagnose(code, "", path=f"unit {number}") for code, number in made]
    groups = grouped(found, memoryview(b""))
    assert sum(group.count for group in groups) == len(found)
    assert len({(group.first.code, "") for group in groups}) == len(groups)
    order = list(Severity)
    ranks = [order.index(group.first.severity) for group in groups]
    assert ranks == sorted(ranks)


@pytest.mark.parametrize(
    ("bits", "text"),
    [
        ((0, 1), "[00] 01 02"),
        ((17, 18), "00 01 [02] 03 04"),
        ((16, 32), "00 01 [02 03] 04 05"),
        ((78, 80), "07 08 [09]"),
        ((80, 81), ""),
        (None, ""),
    ],
)
def test_an_excerpt_marks_the_bytes_of_the_bits(bits: tuple[int, int] | None, text: str) -> None:
    assert excerpt(memoryview(bytes(range(10))), bits) == text


def test_a_long_excerpt_is_cut() -> None:
    text = excerpt(memoryview(bytes(1000)), (80, 7000))
    assert text.endswith("...]")
    assert len(text) < 60


def damaged_report() -> nnr_conformance.Report:
    payload_at_end = bytearray(coded("w", "e2-001-plain"))
    payload_at_end[-3] ^= 0x40
    return nnr_conformance.check(start() + parameter_set() + bytes(payload_at_end) * 2, names=["two.nnr"])


def test_text_says_code_requirement_evidence_place_and_hint() -> None:
    text = "\n".join(render(damaged_report()))
    assert text.startswith("two.nnr: nonconforming")
    (first,) = {
        group.first.code for group in damaged_report().streams[0].groups if group.first.severity is Severity.ERROR
    }
    assert f"error: {first} [{catalogue()[first].requirement}, high confidence" in text
    assert "(2 times, first:)" in text
    assert "hint: " in text
    assert "not decoded: unit 2, unit 3" in text
    assert all(len(line) <= 90 for line in text.splitlines())


def test_colour_changes_nothing_but_escape_sequences() -> None:
    plain = "\n".join(render(damaged_report()))
    coloured = "\n".join(render(damaged_report(), colour=True))
    assert coloured != plain
    for code in ("31", "32", "33", "36", "0"):
        coloured = coloured.replace(f"\x1b[{code}m", "")
    assert coloured == plain


def test_text_sums_up_the_rules_in_one_line() -> None:
    counts = damaged_report().streams[0].rule_counts
    assert counts.applied == counts.passed + counts.failed > 0
    line = (
        f"  rules: {counts.applied} applied, {counts.passed} passed, {counts.failed} failed, "
        f"{counts.not_applicable} not applicable"
    )
    assert line in list(render(damaged_report()))


def test_a_rule_that_is_broken_once_has_failed_and_one_that_never_applied_counts_as_neither() -> None:
    (stream,) = damaged_report().streams
    rules = {"terminate_missing": (5, 1), "reserved_not_zero": (2, 0), "raw_length": (0, 0)}
    assert replace(stream, rules=rules).rule_counts == (2, 1, 1, 1)


def test_text_says_on_which_readings_the_verdict_depends_and_verbosely_which_others_were_met() -> None:
    (stream,) = damaged_report().streams
    different = ReadingOutcome("aggregate-layout", "records", {"no-records": Verdict.CONFORMING})
    same = ReadingOutcome("split-index", "position", {"length": stream.verdict})
    report = Report((replace(stream, consulted=(different, same)),), "0")
    assert report.streams[0].depends_on == (different,)
    short, full = (" ".join("\n".join(render(report, verbose=verbose)).split()) for verbose in (False, True))
    sentence = "depends on reading aggregate-layout: records (default) nonconforming, no-records conforming"
    assert sentence in short
    assert sentence in full
    assert "split-index" not in short
    assert "reading split-index: position (default) nonconforming, length nonconforming" in full


def test_json_keeps_every_diagnostic_and_is_plain() -> None:
    report = damaged_report()
    plain = json.loads(json.dumps(to_json(report)))
    assert plain["verdict"] == "nonconforming"
    (stream,) = plain["streams"]
    assert [found["code"] for found in stream["diagnostics"]] == [found.code for found in report.diagnostics]
    assert all(found["evidence"] and found["confidence"] for found in stream["diagnostics"])
    assert stream["not_decoded"] == ["unit 2", "unit 3"]


def test_names_from_a_stream_cannot_command_the_terminal() -> None:
    name = "w\x1b[31m\n\x07"
    stream = start() + parameter_set() + coded(name, "e2-001-plain") + coded(name, "e2-001-plain")
    text = "\n".join(render(nnr_conformance.check(stream), verbose=True))
    assert "\x1b" not in text
    assert "\x07" not in text
    assert "w\\u001b[31m\\u000a\\u0007" in text
