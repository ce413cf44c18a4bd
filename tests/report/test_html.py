"""HTML reports are one file that needs nothing else, say what the other formats say, and obey no stream."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nnr_conformance.diagnostics import diagnose
from nnr_conformance.report.formats import UNKNOWN_RUN
from nnr_conformance.report.html import render
from nnr_conformance.report.html_map import SMALLEST
from nnr_conformance.report.html_text import MOST_ROWS
from nnr_conformance.report.model import (
    ReadingOutcome,
    Report,
    StreamReport,
    TensorRow,
    UnitRow,
    Verdict,
    grouped,
    verdict_of,
)
from tests.report.golden import RUN, damaged_report
from tests.report.page import Page, page_of

ANY_TEXT = st.text(st.characters(codec=None), max_size=20)


def stream_of(**changes: object) -> StreamReport:
    return replace(damaged_report().streams[0], **changes)


def test_the_page_refers_to_nothing_outside_and_forbids_it() -> None:
    text = "\n".join(render(damaged_report(), RUN))
    page = Page(text)
    (policy,) = (one["content"] for one in page.all("meta") if "http-equiv" in one)
    assert re.fullmatch(r"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-[\w+/]{43}='", str(policy))
    assert not re.search(r"https?:|//[a-z]|url\(|@import", text.replace(str(policy), ""))
    links = [str(one["href"]) for one in page.all("a")]
    names = {one["id"] for _, one in page.elements if "id" in one}
    assert links
    assert {link.removeprefix("#") for link in links if not re.match(r"#bits-\d+-\d+-\d+$", link)} <= names
    assert not {"link", "img", "iframe", "object"} & {name for name, _ in page.elements}
    assert not {"src", "srcset", "action"} & {name for _, one in page.elements for name in one}


def test_labels_refer_to_elements_that_exist_once() -> None:
    page = page_of(damaged_report())
    names = [one["id"] for _, one in page.elements if "id" in one]
    assert len(names) == len(set(names))
    referred = {one["aria-labelledby"] for _, one in page.elements if "aria-labelledby" in one}
    assert referred
    assert referred <= set(names)


def test_a_diagnostic_is_shown_with_code_requirement_evidence_place_bits_bytes_and_hint() -> None:
    page = page_of(damaged_report())
    for part in (
        "terminate_missing",
        "tensor 'w': the terminate bin is 0",
        "The terminate bin after the last tensor is 1. R-AC-01, clause 10",
        "P2, high confidence",
        "unit 3.1 · cabac_payload · w",
        "bit 1631 (byte 203)",
        "40 18 63 00 36",
        "The payload and the parameters in the header do not belong together",
    ):
        assert part in page.text
    assert "<mark>63</mark>" in "\n".join(render(damaged_report(), RUN))


@pytest.mark.parametrize("verdict", Verdict)
def test_the_verdict_is_in_words(verdict: Verdict) -> None:
    page = page_of(Report((stream_of(verdict=verdict),), "0"))
    assert page.text.split()[:2] == ["nnr-check:", "a&b.nnr:"]
    (badge,) = [one["class"] for one in page.all("span") if str(one.get("class")).startswith("badge " + verdict.value)]
    assert badge == f"badge {verdict.value}"


def test_a_verdict_that_depends_on_a_reading_says_so() -> None:
    other = ReadingOutcome("aggregate-layout", "records", {"no-records": Verdict.CONFORMING})
    same = ReadingOutcome("history", "row", {"all": Verdict.NONCONFORMING})
    page = page_of(Report((stream_of(consulted=(other, same)),), "0"))
    assert "The verdict depends on reading aggregate-layout" in page.text
    assert "no-records conforming" in page.text
    assert "depends on reading history" not in page.text
    assert "reading historyrow (default) nonconforming, all nonconforming" in page.text


def test_rules_that_applied_are_listed_with_their_counts_the_broken_ones_first() -> None:
    rules = {"reserved_not_zero": (12, 0), "terminate_missing": (3, 2), "bit_mask_empty": (0, 0)}
    text = "\n".join(render(Report((stream_of(rules=rules),), "0"), RUN))
    assert "2 rules applied, 1 of them failed" in text
    first, second = re.findall(r"<th scope=\"row\"><code>(\w+)</code></th><td>R-[\w-]+</td><td class=\"n\">(\d+)", text)
    assert (first, second) == (("terminate_missing", "3"), ("reserved_not_zero", "12"))
    assert "1 rule did not apply" in text


def test_the_run_is_told_with_corpus_and_edition() -> None:
    page = Page("\n".join(render(Report((), "0"), replace(RUN, corpus="7", edition="auto"))))
    assert "corpus7" in page.text
    assert "editionauto" in page.text


def test_a_report_without_streams_or_with_an_empty_one_is_a_page() -> None:
    assert "0 streams" in page_of(Report((), "0")).text
    empty = stream_of(size=0, units=(), tensors=(), groups=(), diagnostics=(), undecoded=(), verdict=Verdict.CONFORMING)
    assert "Nothing to report." in page_of(Report((empty,), "0")).text
    assert "".join(render(Report((empty,), "0"), UNKNOWN_RUN)).count("<section") == 1


def test_units_are_drawn_to_scale_with_those_of_aggregate_units_below() -> None:
    units = (
        UnitRow("unit 0", "NNR_STR", 0, 10, 0, ()),
        UnitRow("unit 1", "NNR_AGG", 10, 60, 50, ()),
        UnitRow("unit 1.0", "NNR_NDU", 20, 50, 30, ()),
        UnitRow("unit 2", "NNR_NDU", 70, 30, 30, ()),
    )
    page = page_of(Report((stream_of(size=100, units=units),), "0"))
    drawn = [one for one in page.all("rect") if one.get("class") in {"str", "agg", "ndu"} and "x" in one]
    assert [(one["x"], one["width"]) for one in drawn] == [
        ("0.000%", "10.000%"),
        ("10.000%", "60.000%"),
        ("70.000%", "30.000%"),
        ("20.000%", "50.000%"),
    ]
    assert len({one["y"] for one in drawn}) == 2
    headers = [one for one in page.all("rect") if one.get("class") == "unit-header"]
    assert [(one["x"], one["width"]) for one in headers] == [("10.000%", "10.000%"), ("20.000%", "20.000%")]


@given(st.lists(st.tuples(st.sampled_from(["NNR_NDU", "NNR_MPS"]), st.integers(1, 10**6)), min_size=1, max_size=200))
def test_the_map_covers_every_unit_once_and_in_order(made: list[tuple[str, int]]) -> None:
    units, first = [], 0
    for number, (name, size) in enumerate(made):
        units.append(UnitRow(f"unit {number}", name, first, size, 0, ()))
        first += size
    page = page_of(Report((stream_of(size=first, units=tuple(units), groups=(), diagnostics=()),), "0"))
    drawn = [one for one in page.all("rect") if "x" in one and one["class"] in {"ndu", "mps", "mixed"}]
    end = 0.0
    for one in drawn:
        assert float(str(one["x"])[:-1]) == pytest.approx(end, abs=0.01)
        end = float(str(one["x"])[:-1]) + float(str(one["width"])[:-1])
    assert end == pytest.approx(100, abs=0.01)


def test_a_stream_of_very_many_units_tensors_and_findings_is_a_small_page_that_says_what_it_leaves_out() -> None:
    count = 20_000
    units = tuple(UnitRow(f"unit {number}", "NNR_NDU", 20 * number, 20, 5, ("w",)) for number in range(count))
    tensors = tuple(TensorRow("w", f"unit {number}", (1,), "float32", 8, 0, 1) for number in range(count))
    found = tuple(
        diagnose("terminate_missing", "", bits=(160 * n, 160 * n + 1), path=f"unit {n}") for n in range(count)
    )
    stream = stream_of(
        size=20 * count,
        units=units,
        tensors=tensors,
        undecoded=tuple(unit.label for unit in units),
        diagnostics=found,
        groups=grouped(found, memoryview(b"")),
        details=None,
        rules={},
    )
    text = "\n".join(render(Report((stream,), "0"), RUN))
    assert len(text) < 2_000_000
    page = Page(text)
    assert page.text.count("19\u202f000 more") == 2
    assert len(page.all("rect")) < 4 / SMALLEST
    assert len(page.all("tr")) == 2 * (MOST_ROWS + 1)
    assert "20\u202f000 times" in page.text


@given(ANY_TEXT, ANY_TEXT)
def test_no_text_of_a_stream_becomes_markup(name: str, message: str) -> None:
    plain = page_of(evil("name", "message"))
    assert [tag for tag, _ in page_of(evil(name, message)).elements] == [tag for tag, _ in plain.elements]


@pytest.mark.parametrize("text", ["<script>alert(1)</script>", '"><b onclick="x">', "</bdi></section>", "&lt;$body"])
def test_markup_in_a_name_is_shown_as_text(text: str) -> None:
    page = page_of(evil(text, text))
    assert page.text.count(text) >= 5
    assert [tag for tag, _ in page.elements] == [tag for tag, _ in page_of(evil("name", "message")).elements]


def evil(name: str, message: str) -> Report:
    found = (diagnose("terminate_missing", message, path=f"unit 0 · {name}", bits=(0, 1)),)
    stream = stream_of(
        name=name,
        units=(UnitRow("unit 0", "NNR_NDU", 0, 10, 5, (name,)),),
        tensors=(TensorRow(name, "unit 0", (1,), "float32", 1, 1, 1),),
        diagnostics=found,
        groups=grouped(found, memoryview(b"\0")),
        undecoded=(),
        verdict=verdict_of(found),
    )
    return Report((stream,), "0")
